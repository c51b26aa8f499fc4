"""Requests to every address of the table, each undone, and what their answers must not show."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.cache import caches
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from tests.permissions.addresses import CALLERS, NOBODY, Row, addresses, rows
from tests.permissions.world import MARKS, MAY_SEE, World, body_of


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


def asked(world: World) -> Iterator[tuple[Row, bool, str]]:
    """Each row with our own things, and where there are sides with the other side's."""
    for row in rows().values():
        yield row, False, filled(row, world.ours)
        if row.belongs_to_a_side:
            yield row, True, filled(row, world.theirs)


def filled(row: Row, things: Mapping[str, str]) -> str:
    values = {part: name[1:] if name.startswith("=") else things[name] for part, name in row.things.items()}
    return addresses()[row.route].filled(values)


def senders(row: Row) -> tuple[str, ...]:
    """Nobody, and two of those who are let in: what is read is read alike for all of them."""
    return (NOBODY, *[caller for caller in CALLERS if caller in row.who and caller != NOBODY][:2])
