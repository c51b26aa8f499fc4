"""Addresses of receivers of reports."""

from django.urls import URLPattern

from xinzheng.web.receivers import batch_urls

urlpatterns: list[URLPattern] = [*batch_urls.urlpatterns]
