"""Addresses of connections and announcements."""

from django.urls import URLPattern, path

from xinzheng.web.connections import announcements

urlpatterns: list[URLPattern] = [
    path("office/announcements", announcements.announcements, name="announcements"),
]
