"""The demonstration's roots and lists of revoked certificates (吊销名单), where its certificates say they are."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from xinzheng.apps.reports.signing_keys import served_list, served_root

AN_HOUR, A_MONTH = "public, max-age=3600", "public, max-age=2592000"


@require_safe
def revocation_list(request: HttpRequest, name: str) -> HttpResponse:  # noqa: ARG001  every view takes it
    """The list of one root, DER; made anew when it is a day old."""
    return _file(served_list(name), "application/pkix-crl", AN_HOUR)


@require_safe
def root(request: HttpRequest, name: str) -> HttpResponse:  # noqa: ARG001  every view takes it
    """One root's certificate, DER."""
    return _file(served_root(name), "application/pkix-cert", A_MONTH)


def _file(content: bytes | None, kind: str, caching: str) -> HttpResponse:
    if content is None:
        raise Http404("没有这个证书机构。")
    response = HttpResponse(content, content_type=kind)
    response.headers["Cache-Control"] = caching
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
