"""Every address, as every caller, with our own, the other side's, invented and hostile things.

What is looked at: nobody is let in whom the table does not name, whoever it names is; no answer holds the mark of
somebody else's; nothing ends in an error of the server.
"""

import uuid
from collections.abc import Iterator

import pytest
from django.http import HttpResponse

from tests.permissions.addresses import CALLERS, NOBODY, Address, Row, addresses, rows
from tests.permissions.asking import asked, leaks, send, senders
from tests.permissions.world import World

OUTSIDE = (NOBODY, "closed")
REFUSED = (403, 404, 405)
GUESSES = {
    "int": ("0", "1", "9" * 18, "9" * 400),
    "uuid": (str(uuid.UUID(int=1)), str(uuid.UUID(int=2**128 - 1))),
    "slug": ("x", "-" * 400),
    "str": ("x", "%00", "%F0%9F%92%A5", "..%2F..%2Fetc%2Fpasswd", "9" * 4000),
    "path": ("x", "%00", "../../etc/passwd", "0/" * 900),
}


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert sorted(set(addresses()) - set(rows())) == []
    assert sorted(set(rows()) - set(addresses())) == []


@pytest.mark.parametrize("caller", CALLERS)
def test_a_caller_gets_in_where_the_table_says_and_nowhere_else(world: World, caller: str) -> None:
    client = world.client(caller)
    found = []
    for row, mirrored, address in asked(world):
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
        if caller not in senders(row):
            continue
        for address in _guessed(addresses()[row.route]):
            for method in ("get", "post"):
                response = send(client, method, address)
                found += leaks(caller, f"{method} {address[:120]}", response)
    assert not found, "\n".join(found)


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
