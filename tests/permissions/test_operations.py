"""Every operation of the interface, with every key, with nobody's and with the session of a signed-in account."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.core.cache import caches
from django.db import transaction
from django.test import Client

from tests.permissions.world import MARKS, OUR_ROWS, THEIR_ROWS, World, body_of
from xinzheng.api.v1.openapi import described

KEYS = ("unit-key", "responsible-key", "other-unit-key")
BAD_KEYS = ("revoked-key", "invented-key")
SESSIONS = ("agent", "officer", "office", "administrator", "auditor")
CALLERS = ("nobody", *KEYS, *BAD_KEYS, *SESSIONS)
# Of a unit: its own keys see its own uploads. The rest is for the unit that calls, or for anybody.
OF_ANYBODY = "/api/v1/verify/"
MAY_SEE: Mapping[str, tuple[str, ...]] = {
    "unit-key": (OUR_ROWS,),
    "responsible-key": (OUR_ROWS,),
    "other-unit-key": (THEIR_ROWS,),
}
BODIES: tuple[Any, ...] = (
    b"",
    b"{}",
    b"[]",
    b'{"a":"\\u0000"}',
    b"\0",
    b"\xff\xfe",
    b'{"number":"\\u0000","codes":[]}',
)
NUMBERS = ("0", "-1", "1", "9" * 18, "9" * 19, "9" * 400, "%00", "x")


def operations() -> list[tuple[str, str]]:
    return [(method, path) for path, methods in described()["paths"].items() for method in methods]


@pytest.mark.parametrize("caller", CALLERS)
def test_an_operation_answers_whom_it_is_for_and_nobody_else(world: World, caller: str) -> None:
    wrong = []
    for method, path in operations():
        for side, things in (("ours", world.ours), ("theirs", world.theirs)):
            address = path.replace("{upload_id}", things["upload"]).replace("{line}", "1")
            status, said = send(world, caller, method, address, b"{}")
            wrong += faults(caller, f"{method} {address}", status, said)
            wrong += [f"{method} {address}: {status}" for _ in (0,) if not _is_fit(caller, path, side, status)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("caller", CALLERS)
def test_odd_numbers_and_bodies_break_nothing(world: World, caller: str) -> None:
    wrong = []
    for method, path in operations():
        for address in _odd(path, world):
            for body in BODIES if method == "post" else (b"",):
                status, said = send(world, caller, method, address, body)
                wrong += faults(caller, f"{method} {address[:80]} {body!r}", status, said)
    assert not wrong, "\n".join(wrong)


def send(world: World, caller: str, method: str, address: str, body: bytes) -> tuple[int, bytes]:
    """One call; what it did is undone."""
    caches["local"].clear()
    client = world.client(caller) if caller in SESSIONS else Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {world.keys[caller]}"} if caller in world.keys else {}
    with transaction.atomic():
        response: Any = client.generic(
            method.upper(), address, body, content_type="application/json", headers=headers, QUERY_STRING=ODD_QUERY
        )
        said = body_of(response)
        if response.status_code >= 400:
            assert response.headers["Content-Type"] == "application/problem+json", f"{address}: {response.status_code}"
            assert json.loads(response.content)["status"] == response.status_code
        transaction.set_rollback(True)
    return response.status_code, said


ODD_QUERY = "after=%00&limit=99999999999999999999&q=%F0%9F"


def faults(caller: str, asked: str, status: int, said: bytes) -> list[str]:
    """An error of the server, or marks of somebody else's."""
    seen = [mark for mark in MARKS if mark.encode() in said and mark not in MAY_SEE.get(caller, ())]
    return ([f"{asked}: {status}"] if status >= 500 else []) + [f"{asked}: shows {mark}" for mark in seen]


def _is_fit(caller: str, path: str, side: str, status: int) -> bool:
    """Whether somebody without a key is kept out, and a unit's key away from another unit's things."""
    if caller in BAD_KEYS:
        return status == 401
    if path.startswith(OF_ANYBODY):
        return status not in (401, 403)
    if caller not in KEYS:
        return status == 401
    is_own = (side == "ours") == (caller != "other-unit-key")
    if "{upload_id}" not in path:
        return status not in (401, 404)
    return status not in (401, 404) if is_own else status in (403, 404, 415, 422)


def _odd(path: str, world: World) -> Iterator[str]:
    if "{" not in path:
        yield path
        return
    for number in NUMBERS:
        yield path.replace("{upload_id}", number).replace("{line}", number)
        yield path.replace("{upload_id}", world.ours["upload"]).replace("{line}", number)
