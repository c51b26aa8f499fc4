"""Addresses of what machines ask of the system."""

from django.urls import URLPattern, path

from xinzheng.web.observing import views

urlpatterns: list[URLPattern] = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]
