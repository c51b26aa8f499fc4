"""From which address a request comes, when proxies of ours stand before the site; what a browser may not do here."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class ClientAddress:
    """Put the visitor's own address into REMOTE_ADDR: what the last ``XINZHENG_PROXIES`` proxies say, and nobody else.

    Without it all visitors behind a proxy would share one limit of requests, and could write what they like.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        named = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        proxies = settings.XINZHENG_PROXIES
        if proxies and len(named) >= proxies:
            request.META["REMOTE_ADDR"] = named[-proxies]
        return self.get_response(request)


class BrowserRules:
    """No page of ours asks for these abilities of a device, so nothing that got into one may."""

    POLICY = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", self.POLICY)
        return response
