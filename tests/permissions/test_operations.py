"""Every operation of the interface: with every key and token, with nobody's, with sessions of signed-in accounts.

Two tables: the operations for units and for anybody, told apart by their address; those for platforms, a row for each.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.core.cache import caches
from django.db import transaction
from django.test import Client

from tests.permissions import operations as of_platforms
from tests.permissions.addresses import NOBODY
from tests.permissions.operations import (
    BAD_TOKENS,
    FOR_PEOPLE,
    FOR_PLATFORMS,
    ROOT,
    STRANGER,
    TOKENS,
    Operation,
    Platforms,
    table,
)
from tests.permissions.world import MARKS, OUR_ROWS, THEIR_ROWS, World, body_of
from xinzheng.api.v1.openapi import described

KEYS = ("unit-key", "responsible-key", "other-unit-key")
BAD_KEYS = ("revoked-key", "invented-key")
SESSIONS = ("agent", "receiver", "officer", "office", "administrator", "auditor")
CALLERS = (NOBODY, *KEYS, *BAD_KEYS, *SESSIONS, *TOKENS, *BAD_TOKENS)
# Whoever is let in somewhere reads what is sent; everybody else is refused before.
READERS = (NOBODY, "responsible-key", "client", "on-behalf")
# Of a unit: its own keys see its own uploads. The rest is for the unit that calls, or for anybody.
OF_ANYBODY = "/api/v1/verify/"
MAY_SEE: Mapping[str, tuple[str, ...]] = {
    "unit-key": (OUR_ROWS,),
    "responsible-key": (OUR_ROWS,),
    "other-unit-key": (THEIR_ROWS,),
    **of_platforms.MAY_SEE,
}
BODIES: tuple[Any, ...] = (
    b"",
    b"{}",
    b"[]",
    b'{"a":"\\u0000"}',
    b"\0",
    b"\xff\xfe",
    b'{"number":"\\u0000","codes":[]}',
    b'{"subject":"\\u0000","url":"http://127.0.0.1/"}',
)
NUMBERS = ("0", "-1", "1", "9" * 18, "9" * 19, "9" * 400, "%00", "x")
GUESSES = (*NUMBERS, "%F0%9F%92%A5", "00000000-0000-0000-0000-000000000001", "..%2F..%2Fetc")
ODD_QUERY = "after=%00&limit=99999999999999999999&q=%F0%9F&subject=%00&before=%00"


@pytest.fixture(scope="module")
def platforms(world: World) -> Platforms:
    return of_platforms.build_platforms(world)


def operations() -> list[tuple[str, str]]:
    """Those that are not for platforms."""
    paths = described()["paths"].items()
    return [(method, path) for path, methods in paths for method in methods if not path.startswith(ROOT)]


def client_of(world: World, platforms: Platforms, caller: str) -> Client:
    if caller in SESSIONS:
        return world.client(caller)
    shown = {**world.keys, **platforms.tokens}.get(caller)
    headers = {"Authorization": f"Bearer {shown}"} if shown else {}
    return Client(raise_request_exception=False, headers=headers)


def send(client: Client, method: str, address: str, body: bytes, query: Any = ODD_QUERY) -> tuple[int, bytes]:
    """One call; what it did is undone. Limits count nothing here."""
    caches["local"].clear()
    with transaction.atomic():
        told = {"QUERY_STRING": query} if isinstance(query, str) else {"query_params": query}
        headers = {"Idempotency-Key": "key-1"} if address.startswith(ROOT) else {}
        response: Any = client.generic(
            method.upper(), address, body, content_type="application/json", headers=headers, **told
        )
        said = body_of(response)
        if response.status_code >= 400:
            assert response.headers["Content-Type"] == "application/problem+json", f"{address}: {response.status_code}"
            assert json.loads(response.content)["status"] == response.status_code
        transaction.set_rollback(True)
    return response.status_code, said


def faults(caller: str, asked: str, status: int, said: bytes) -> list[str]:
    """An error of the server, or marks of somebody else's."""
    seen = [mark for mark in MARKS if mark.encode() in said and mark not in MAY_SEE.get(caller, ())]
    return ([f"{asked}: {status}"] if status >= 500 else []) + [f"{asked}: shows {mark}" for mark in seen]


@pytest.mark.parametrize("caller", CALLERS)
def test_an_operation_answers_whom_it_is_for_and_nobody_else(world: World, platforms: Platforms, caller: str) -> None:
    client, wrong = client_of(world, platforms, caller), []
    for method, path in operations():
        sides = {"ours": world.ours, "theirs": world.theirs} if caller in KEYS and "{" in path else {"ours": world.ours}
        for side, things in sides.items():
            address = path.replace("{upload_id}", things["upload"]).replace("{line}", "1")
            status, said = send(client, method, address, b"{}")
            wrong += faults(caller, f"{method} {address}", status, said)
            wrong += [] if _is_fit(caller, path, side, status) else [f"{method} {address}: {status}"]
    assert not wrong, "\n".join(wrong)


def _is_fit(caller: str, path: str, side: str, status: int) -> bool:
    """Whether somebody without a key is kept out, and a unit's key away from another unit's things."""
    if caller in (*BAD_KEYS, *BAD_TOKENS):
        return status == 401
    if path.startswith(OF_ANYBODY):
        # Whoever lets a platform act for him lets it verify nothing: that it does for itself.
        return status in (403, 415) if caller in (*FOR_PEOPLE, STRANGER) else status not in (401, 403)
    if caller not in KEYS:
        return status == 401
    is_own = (side == "ours") == (caller != "other-unit-key")
    if "{upload_id}" not in path:
        return status not in (401, 404)
    return status not in (401, 404) if is_own else status in (403, 404, 415, 422)


@pytest.mark.parametrize("caller", READERS[:3])
def test_odd_numbers_and_bodies_break_nothing(world: World, platforms: Platforms, caller: str) -> None:
    client, wrong = client_of(world, platforms, caller), []
    for method, path in operations():
        for address in _odd(path, world):
            for body in BODIES if method == "post" else (b"",):
                status, said = send(client, method, address, body)
                wrong += faults(caller, f"{method} {address[:80]} {body!r}", status, said)
    assert not wrong, "\n".join(wrong)


def _odd(path: str, world: World) -> Iterator[str]:
    if "{" not in path:
        yield path
        return
    for number in NUMBERS:
        yield path.replace("{upload_id}", number).replace("{line}", number)
        yield path.replace("{upload_id}", world.ours["upload"]).replace("{line}", number)


def test_every_operation_for_platforms_has_a_row_and_every_row_an_operation() -> None:
    there = {(m, path) for path, methods in described()["paths"].items() for m in methods if path.startswith(ROOT)}
    assert sorted(there - set(table())) == []
    assert sorted(set(table()) - there) == []


@pytest.mark.parametrize("caller", CALLERS)
def test_a_platform_gets_what_is_of_whom_it_acts_for_and_nothing_else(
    world: World, platforms: Platforms, caller: str
) -> None:
    client, wrong = client_of(world, platforms, caller), []
    for one in table().values():
        for number, side in enumerate(("ours", "theirs") if caller in TOKENS else ("ours",)):
            things = getattr(platforms, side)
            body = json.dumps(platforms.bodies[side][one.body]).encode() if one.body else b""
            status, said = send(client, one.method, one.address(things), body, one.asked(things))
            asked = f"{one.method} {one.path} of {side}"
            wrong += faults(caller, asked, status, said)
            wrong += [] if status in fitting(one, caller, number) else [f"{asked}: {status}"]
    assert not wrong, "\n".join(wrong)


def fitting(one: Operation, caller: str, side: int) -> tuple[int, ...]:
    """The answers that are right: 401 to whom the guard knows nothing of, 404 where it is another's."""
    if caller not in TOKENS:
        return (401,)
    # What belongs to nobody in particular each platform is answered with its own.
    is_own = caller == one.who[side] or (one.who == FOR_PLATFORMS and caller in one.who and not one.things)
    if is_own:
        return (200, 201, 202, 204)
    is_of_its_kind = caller in one.who or (one.who == FOR_PEOPLE and caller == STRANGER)
    return (404,) if is_of_its_kind and one.things else (403,)


@pytest.mark.parametrize("caller", READERS[2:])
def test_guessed_things_odd_bodies_and_odd_questions_find_nothing_and_break_nothing(
    world: World, platforms: Platforms, caller: str
) -> None:
    client, wrong = client_of(world, platforms, caller), []
    for one in table().values():
        if caller not in one.who:
            continue
        for guess in GUESSES if one.things else ():
            address = one.address(dict.fromkeys(one.things.values(), guess))
            status, said = send(client, one.method, address, b"{}", {})
            wrong += faults(caller, f"{one.method} {address[:90]}", status, said)
            wrong += [] if status in (404, 405, 422) else [f"{one.method} {address[:90]}: {status}"]
        for body in BODIES if one.method == "post" else (b"",):
            status, said = send(client, one.method, one.address(platforms.ours), body, ODD_QUERY)
            wrong += faults(caller, f"{one.method} {one.path} {body!r}", status, said)
    assert not wrong, "\n".join(wrong)
