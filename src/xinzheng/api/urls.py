"""Addresses of the interface."""

from django.urls import path

from xinzheng.api.v1.application import api
from xinzheng.api.v1.openapi import openapi

urlpatterns = [
    path("v1/openapi.json", openapi, name="interface-openapi"),
    path("v1/", api.urls),
]
