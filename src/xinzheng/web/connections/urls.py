"""Addresses of connections and announcements."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
