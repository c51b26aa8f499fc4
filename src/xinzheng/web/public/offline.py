"""The verifier that needs no server, with the keys published at this moment."""

import base64

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from xinzheng.apps.audit.keys import keys_document
from xinzheng.apps.reports.trusting import current_trust
from xinzheng.web.offline import inlined, offline_page

SAVED_AS = "xinzheng-verify.html"


@never_cache
@require_safe
def offline_verifier(request: HttpRequest) -> HttpResponse:
    """Show the page, or with ``?save`` hand it over as a file. It says itself what it may load: nothing else."""
    page = offline_page(_published(), timezone.now(), is_demonstration=settings.XINZHENG_DEMONSTRATION)
    response = HttpResponse(page)
    response.headers["Content-Security-Policy"] = f"{inlined().policy}; frame-ancestors 'none'"
    if "save" in request.GET:
        response.headers["Content-Disposition"] = f'attachment; filename="{SAVED_AS}"'
    return response


def _published() -> dict[str, object]:
    """The published keys, and with them the lists of revoked certificates: they cannot be fetched later."""
    lists = [base64.b64encode(crl).decode("ascii") for crl in current_trust().crls]
    return {"crls": lists} | keys_document()
