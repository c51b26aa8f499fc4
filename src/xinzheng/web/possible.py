"""Names and numbers in addresses that nothing can have: answered like any unknown thing, before a query meets them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

# The largest number of a row (bigint).
LARGEST = 2**63 - 1


class PossibleThings:
    """Answer 404 where a number in an address is longer than any we give, or a name holds what no text here can."""

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
        """Raises Http404 when a named part is such a number or name."""
        if not all(map(_is_possible, named.values())):
            raise Http404("没有这一项。")


def _is_possible(value: object) -> bool:
    """PostgreSQL keeps no NUL in a text, nor half of a pair."""
    if isinstance(value, int):
        return value <= LARGEST
    return not (isinstance(value, str) and ("\0" in value or any("\ud800" <= char <= "\udfff" for char in value)))
