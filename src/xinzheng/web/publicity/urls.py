"""Addresses of publicity."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
