"""Addresses of the policy workshop."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
