"""The verifier that needs no server, with the keys published at this moment."""

import base64

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from xinzheng.apps.audit.keys import keys_document
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.trusting import keys_folder
from xinzheng.web.offline import inlined, offline_page

SAVED_AS = "xinzheng-verify.html"


@never_cache
@require_safe
def offline_verifier(request: HttpRequest) -> HttpResponse:
    """Show the page, or with ``?save`` hand it over as a file. It says itself what it may load: nothing else."""
    page = offline_page(published_document(), timezone.now(), is_demonstration=settings.XINZHENG_DEMONSTRATION)
    response = HttpResponse(page)
    response.headers["Content-Security-Policy"] = f"{inlined().policy}; frame-ancestors 'none'"
    if "save" in request.GET:
        response.headers["Content-Disposition"] = f'attachment; filename="{SAVED_AS}"'
    return response


def published_document() -> dict[str, object]:
    """The published keys, and with them the lists of revoked certificates: off line they cannot be fetched."""
    folder = keys_folder()
    lists = ports.signing().current_trust(folder).crls if folder.is_dir() else ()
    return {"crls": [base64.b64encode(crl).decode("ascii") for crl in lists]} | keys_document()
