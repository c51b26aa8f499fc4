"""Addresses of the auditor."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
