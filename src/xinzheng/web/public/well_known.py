"""The published keys and their history (公布的密钥), at an address that programs know."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from xinzheng.web.public.offline import published_document


@require_safe
def well_known(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  every view takes it
    """Keys, what became of each, lists of revoked certificates, the log's key and checkpoint, as one JSON object."""
    response = JsonResponse(published_document(), json_dumps_params={"ensure_ascii": False, "indent": 1})
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
