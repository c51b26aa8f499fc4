"""Addresses of signing in."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
