"""Addresses of the token office and of the pages about platforms."""

from django.urls import path

from xinzheng.web.platforms import administration, consent, discovery, granted, tokens

ONE = "administration/platforms/<str:client_id>"

urlpatterns = [
    path("identity/o/authorize", consent.authorize, name="platform-consent"),
    path("identity/o/api/token", tokens.token, name="platform-token"),
    path("identity/o/api/revoke", tokens.revoke, name="platform-token-revoke"),
    path(".well-known/openid-configuration", discovery.configuration, name="platform-discovery"),
    path(".well-known/oauth-authorization-server", discovery.configuration, name="platform-discovery-oauth"),
    path(".well-known/jwks.json", discovery.keys, name="platform-keys"),
    path("account/platforms", granted.granted, name="granted-platforms"),
    path("account/platforms/<str:client_id>/take-back", granted.take_back_one, name="granted-platform-take-back"),
    path("administration/platforms", administration.platforms, name="platforms"),
    path(ONE, administration.platform, name="platform"),
    path(f"{ONE}/change", administration.change, name="platform-change"),
    path(f"{ONE}/secret", administration.rotate, name="platform-secret"),
    path(f"{ONE}/revoke", administration.revoke, name="platform-revoke"),
]
