"""Numbers in addresses that no row can have: answered like any unknown thing, before a query meets them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

# The largest number of a row (bigint).
LARGEST = 2**63 - 1


class PossibleNumbers:
    """Answer 404 where a number in an address is longer than any we give."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self,
        _request: HttpRequest,
        _view: Callable[..., HttpResponse],
        _args: tuple[Any, ...],
        named: Mapping[str, Any],
    ) -> None:
        """Raises Http404 when a named part is such a number."""
        if any(isinstance(value, int) and value > LARGEST for value in named.values()):
            raise Http404("没有这一项。")
