"""Addresses of connections and announcements."""

from django.urls import URLPattern, path

from xinzheng.web.connections import announcements, register

urlpatterns: list[URLPattern] = [
    path("office/connections", register.connections, name="connections"),
    path("office/announcements", announcements.announcements, name="announcements"),
]
