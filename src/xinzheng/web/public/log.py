"""The transparency log for everybody (透明日志): its checkpoint, its tiles, and a proof for who has a leaf's hash.

Leaves themselves are not served: nobody learns here how many reports a day brought to whom. Files on other sites and on
disk may read all of it.
"""

import re

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from xinzheng.apps.audit.log_queries import growth_proof, newest_checkpoint, proof_of_hash, public_key, tile_bytes
from xinzheng.core.inclusion import growth_document, proof_document

FOR_EVER = "public, max-age=31536000, immutable"
ALWAYS_ASK = "no-cache"
LEAF_HASH = re.compile(r"[0-9a-f]{64}")


@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """Show people how far the log has come, and how to check it."""
    newest, key = newest_checkpoint(), public_key()
    context = {
        "newest": newest,
        "root": bytes(newest.root).hex() if newest else "",
        "origin": key.name if key else "",
        "key": str(key) if key else "",
        "address": settings.XINZHENG_ORIGIN,
    }
    return render(request, "public/log.html", context)


@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  every view takes it
    """The newest checkpoint, a signed note."""
    newest = newest_checkpoint()
    if newest is None:
        raise Http404("透明日志还没有检查点：还没有出具过报告。")
    return _for_all(HttpResponse(newest.note, content_type="text/plain; charset=utf-8"), ALWAYS_ASK)


@require_safe
def tile(request: HttpRequest, path: str) -> HttpResponse:  # noqa: ARG001  every view takes it
    """A row of hashes; the same for ever."""
    data = tile_bytes(path)
    if data is None:
        raise Http404("透明日志没有这一块。")
    return _for_all(HttpResponse(data, content_type="application/octet-stream"), FOR_EVER)


@require_safe
def proof(request: HttpRequest, leaf_hash: str) -> HttpResponse:  # noqa: ARG001  every view takes it
    """The inclusion proof of a leaf, for who knows its hash: it can be computed from a report's file alone."""
    found = proof_of_hash(bytes.fromhex(leaf_hash)) if LEAF_HASH.fullmatch(leaf_hash) else None
    if found is None:
        raise Http404("透明日志没有收录这一条；刚刚出具的报告稍后收录。")
    return _for_all(JsonResponse(proof_document(found.note, [found.inclusion])), ALWAYS_ASK)


@require_safe
def consistency(request: HttpRequest, old: int, new: int) -> HttpResponse:  # noqa: ARG001  every view takes it
    """The proof that the log only grew from one size to another; the same for ever."""
    path = growth_proof(old, new)
    if path is None:
        raise Http404("透明日志没有这样长。")
    return _for_all(JsonResponse(growth_document(old, new, path)), FOR_EVER)


def _for_all(response: HttpResponse, caching: str) -> HttpResponse:
    response.headers["Cache-Control"] = caching
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
