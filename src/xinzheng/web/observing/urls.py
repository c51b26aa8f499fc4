"""Addresses of what machines ask of the system."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
