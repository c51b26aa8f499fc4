"""What a platform's software reads to find the token office (OpenID Connect Discovery, RFC 8414)."""

from allauth.idp.oidc import views
from allauth.idp.oidc.models import Client
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.platforms import OPENID, SCOPES

GRANTS = (Client.GrantType.AUTHORIZATION_CODE, Client.GrantType.CLIENT_CREDENTIALS, Client.GrantType.REFRESH_TOKEN)


@require_safe
def configuration(_request: HttpRequest) -> HttpResponse:
    """Addresses and what of the standards is used; nothing else is."""
    origin = settings.XINZHENG_ORIGIN
    return JsonResponse(
        {
            "issuer": origin,
            "authorization_endpoint": f"{origin}/identity/o/authorize",
            "token_endpoint": f"{origin}/identity/o/api/token",
            "revocation_endpoint": f"{origin}/identity/o/api/revoke",
            "jwks_uri": f"{origin}/.well-known/jwks.json",
            "scopes_supported": [OPENID, *SCOPES],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [str(grant) for grant in GRANTS],
            "token_endpoint_auth_methods_supported": settings.IDP_OIDC_AUTH_METHODS,
            "revocation_endpoint_auth_methods_supported": settings.IDP_OIDC_AUTH_METHODS,
            "code_challenge_methods_supported": ["S256"],
            "subject_types_supported": ["pairwise"],
            "claims_supported": ["sub"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
            "service_documentation": f"{origin}/api/v1/openapi.json",
        }
    )


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The public part of the key that signs who somebody is."""
    answer: HttpResponse = views.JwksView.as_view()(request)
    return answer
