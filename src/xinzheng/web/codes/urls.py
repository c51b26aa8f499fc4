"""Addresses of share codes (亮码)."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
