"""The identity platforms one may sign in with, as buttons on the pages that offer them."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse

from xinzheng.core.identity_platforms import IdentityPlatform


def buttons() -> tuple[IdentityPlatform, ...]:
    """The platforms of this installation, in the order of its file."""
    found: tuple[IdentityPlatform, ...] = settings.XINZHENG_PLATFORMS
    return found


def let_forms_lead_to(response: HttpResponse) -> HttpResponse:
    """Allow the page's forms to be led on to the platforms: browsers hold redirects of a form to ``form-action``."""
    origins = sorted({_origin(address) for platform in buttons() for address in platform.origins})
    if origins:
        response._csp_update = {"form-action": origins}  # type: ignore[attr-defined]  # how django-csp takes it
    return response


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
