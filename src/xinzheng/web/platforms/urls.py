"""Addresses of the token office and of the pages about platforms."""

from django.urls import path

from xinzheng.web.platforms import tokens

urlpatterns = [
    path("identity/o/api/token", tokens.token, name="platform-token"),
    path("identity/o/api/revoke", tokens.revoke, name="platform-token-revoke"),
]
