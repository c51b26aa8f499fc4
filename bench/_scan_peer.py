"""The peer of ``bench/scan.py``: a bare WSGI application that answers the same three requests with the same bytes."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

PAGES = Path(os.environ["BENCH_PAGES"])
FORM, CONTENT = ((PAGES / name).read_bytes() for name in ("form.html", "content.html"))
LOCATION = "/s/views/00000000-0000-0000-0000-000000000001"


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """The form, the way on, the content: nothing is looked up, nothing is written."""
    if environ["REQUEST_METHOD"] == "POST":
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start("302 Found", [("Location", LOCATION), ("Content-Length", "0"), ("Set-Cookie", "xz_view=peer; Path=/s")])
        return [b""]
    page = CONTENT if environ["PATH_INFO"] == LOCATION else FORM
    start("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page)))])
    return [page]
