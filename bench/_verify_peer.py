"""The peer of ``bench/verify.py``: a bare WSGI application on psycopg, with the same SELECT and the same INSERT."""

import hmac
import json
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

from xinzheng.apps.reports.looks import INSERT, ONE_ROW
from xinzheng.apps.reports.registered import BY_NUMBER
from xinzheng.core.lifecycle import typed_code

ADDRESS = os.environ["BENCH_DATABASE"]
here = threading.local()


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a number and its code; one connection for each thread, kept."""
    if not hasattr(here, "connection"):
        here.connection = psycopg.connect(ADDRESS, autocommit=True)
    asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    cursor = here.connection.cursor()
    row = cursor.execute(BY_NUMBER, [[asked["number"]]]).fetchone()
    if row is None or not hmac.compare_digest(typed_code(bytes(row[1])), asked["code"]):
        start("404 Not Found", [("Content-Type", "application/json")])
        return [b"{}"]
    cursor.execute(INSERT + ONE_ROW, [row[0], "code", "public", row[4]])
    answer = {
        "number": row[0],
        "issued_at": row[3].isoformat(),
        "status": row[4],
        "since": row[5].isoformat(),
        "subject_masked": row[8],
        "report_title": row[9],
        "policy_title": row[10],
        "is_demonstration": row[12],
    }
    body = json.dumps(answer, ensure_ascii=False).encode()
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
