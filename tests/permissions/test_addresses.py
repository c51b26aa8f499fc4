"""Every address, as every caller, with our own, the other side's, invented and hostile things.

What is looked at: nobody is let in whom the table does not name, whoever it names is; no answer holds the mark of
somebody else's; nothing ends in an error of the server.
"""

import copy
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.core.cache import caches
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from tests.permissions.addresses import CALLERS, NOBODY, Address, Row, addresses, rows
from tests.permissions.world import MARKS, MAY_SEE, World, body_of

OUTSIDE = (NOBODY, "closed")
REFUSED = (403, 404, 405)
GUESSES = {
    "int": ("0", "1", "9" * 18, "9" * 400),
    "uuid": (str(uuid.UUID(int=1)), str(uuid.UUID(int=2**128 - 1))),
    "slug": ("x", "-" * 400),
    "str": ("x", "%00", "%F0%9F%92%A5", "..%2F..%2Fetc%2Fpasswd", "9" * 4000),
    "path": ("x", "%00", "../../etc/passwd", "0/" * 900),
}
HOSTILE = ("\0", "9" * 5000, "'\"><script>", "\ud83d", "../..", "-1", "١٢")


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert sorted(set(addresses()) - set(rows())) == []
    assert sorted(set(rows()) - set(addresses())) == []


@pytest.mark.parametrize("caller", CALLERS)
def test_a_caller_gets_in_where_the_table_says_and_nowhere_else(world: World, caller: str) -> None:
    client = world.client(caller)
    found = []
    for row, mirrored, address in _asked(world):
        for method in ("get", "post"):
            response = send(client, method, address)
            said = _verdict(row, caller in row.allowed(method, mirrored=mirrored), caller, response, method)
            found += [f"{method} {address}: {said}"] if said else []
            found += leaks(caller, f"{method} {address}", response)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("caller", CALLERS)
def test_guessed_and_overlong_things_are_never_found_and_break_nothing(world: World, caller: str) -> None:
    client = world.client(caller)
    found = []
    for row in rows().values():
        for address in _guessed(addresses()[row.route]):
            for method in ("get", "post"):
                response = send(client, method, address)
                found += leaks(caller, f"{method} {address[:120]}", response)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("text", HOSTILE, ids=["nul", "overlong", "markup", "surrogate", "path", "negative", "digits"])
def test_nothing_said_in_a_form_or_behind_the_question_mark_breaks_an_address(
    world: World, caller: str, text: str
) -> None:
    client = world.client(caller)
    found = []
    for row, mirrored, address in _asked(world):
        names = addresses()[row.route].parameters
        if not names or mirrored or not (caller in row.who or caller == NOBODY):
            continue
        for told in ({name: text} for name in names):
            for method in ("get", "post"):
                response = send(client, method, address, told)
                found += leaks(caller, f"{method} {address} {list(told)}", response)
    assert not found, "\n".join(found)


def send(client: Client, method: str, address: str, told: Mapping[str, str] | None = None) -> HttpResponse:
    """One request; what it did is undone. Limits count nothing here."""
    caches["local"].clear()
    kept = copy.deepcopy(client.cookies)
    with transaction.atomic():
        safe = {name: text.encode("utf-8", "surrogatepass") for name, text in (told or {}).items()}
        response: Any = client.get(address, safe) if method == "get" else client.post(address, safe)
        response.told = body_of(response)
        transaction.set_rollback(True)
    client.cookies = kept
    answer: HttpResponse = response
    return answer


def leaks(caller: str, asked: str, response: HttpResponse) -> list[str]:
    """An error of the server, or marks of somebody else's in what is said."""
    said: bytes = response.told  # type: ignore[attr-defined]
    seen = [mark for mark in MARKS if mark.encode() in said and mark not in MAY_SEE.get(caller, ())]
    broken = [f"{asked}: {response.status_code}"] if response.status_code >= 500 else []
    return broken + [f"{asked}: shows {mark}" for mark in seen]


def _asked(world: World) -> Iterator[tuple[Row, bool, str]]:
    """Each row with our own things, and where there are sides with the other side's."""
    for row in rows().values():
        yield row, False, _filled(row, world.ours)
        if row.belongs_to_a_side:
            yield row, True, _filled(row, world.theirs)


def _filled(row: Row, things: Mapping[str, str]) -> str:
    values = {part: name[1:] if name.startswith("=") else things[name] for part, name in row.things.items()}
    return addresses()[row.route].filled(values)


def _guessed(address: Address) -> Iterator[str]:
    parts = [part for part in address.route.split("<")[1:]]
    kinds = {
        part.split(">")[0].split(":")[-1]: part.split(":")[0] if ":" in part.split(">")[0] else "str" for part in parts
    }
    for number in range(max((len(GUESSES[kind]) for kind in kinds.values()), default=0)):
        yield address.filled({name: GUESSES[kind][number % len(GUESSES[kind])] for name, kind in kinds.items()})


def _verdict(row: Row, is_allowed: bool, caller: str, response: HttpResponse, method: str) -> str:
    """What is wrong with an answer, or nothing."""
    status, leads = response.status_code, response.headers.get("Location", "")
    is_sent_away = status in REFUSED or (status in (301, 302) and leads.startswith("/sign-in"))
    if row.posts_only and method == "get":
        is_fit = status in (302, 405) or (is_sent_away and not is_allowed)
        return "" if is_fit else f"opened by hand answers {status}"
    if not is_allowed:
        return "" if is_sent_away else f"lets in, {status} {leads}"
    if is_sent_away and not _is_fit(row, status, leads, method):
        return f"refuses, {status} {leads}"
    return ""


def _is_fit(row: Row, status: int, leads: str, method: str) -> bool:
    """An allowed caller may miss what the world has not, post where nothing is posted, be asked again who he is."""
    is_missing = row.is_bare and (status == 404 or leads == "/sign-in")
    return is_missing or (status == 405 and method == "post") or leads.startswith("/sign-in/again")
