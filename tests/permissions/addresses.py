"""What the table of addresses is made of: one row for each address, with who is let in; and all addresses there are."""

import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

NOBODY = "nobody"
STAFF = ("office", "justice", "data", "security", "auditor", "administrator")
OF_THE_PUBLIC = ("agent", "other_agent", "person", "receiver", "other_receiver")
SIGNED_IN = (*OF_THE_PUBLIC, "officer", "chief", "other_officer", *STAFF)
# A closed account's session is nobody's; the database keeps its row.
CALLERS = (NOBODY, "closed", *SIGNED_IN)
EVERYBODY = frozenset(CALLERS)
# Whose things they are when the address is asked for the other side's.
MIRRORED = {
    "agent": "other_agent",
    "other_agent": "agent",
    "officer": "other_officer",
    "other_officer": "officer",
    "chief": "no chief on the other side",
    "person": "no person on the other side",
    "receiver": "other_receiver",
    "other_receiver": "receiver",
}


@dataclass(frozen=True)
class Row:
    """Who is let in at an address: names of CALLERS, for our own things; everybody else is refused.

    ``things``: for each part of the address the name of the thing in the world; a value with ``=`` in front is taken
    as it is. ``posts_only``: opened by hand it leads to the page its form stands on. ``is_bare``: the allowed may
    find nothing there, because the world has no such thing. ``readers``: who looks there but may post nothing.
    """

    route: str
    who: frozenset[str]
    things: Mapping[str, str] = field(default_factory=dict)
    posts_only: bool = False
    is_bare: bool = False
    readers: frozenset[str] = frozenset()

    @property
    def belongs_to_a_side(self) -> bool:
        """Whether the thing asked for is one company's or unit's."""
        return any(not name.startswith("=") for name in self.things.values())

    def allowed(self, method: str, *, mirrored: bool) -> frozenset[str]:
        """Who is let in, for our own things or for the other side's."""
        if method == "get" and self.readers:
            return self.who | self.readers
        return frozenset(MIRRORED.get(name, name) for name in self.who) if mirrored else self.who


def row(route: str, who: str, **more: Any) -> Row:
    """A row; ``who``: words of CALLERS, or ``everybody``, or ``signed-in``. ``things`` are given by name."""
    options = {name: more.pop(name) for name in ("posts_only", "is_bare", "readers") if name in more}
    groups = {"everybody": EVERYBODY, "signed-in": frozenset(SIGNED_IN), "staff": frozenset(STAFF)}
    allowed = frozenset().union(*(groups.get(word, frozenset({word})) for word in who.split()))
    assert allowed <= EVERYBODY, allowed - EVERYBODY
    return Row(route, allowed, more, **options)


@dataclass(frozen=True)
class Address:
    """An address of the site: its route, and the parameters its module reads."""

    route: str
    converters: tuple[str, ...]
    parameters: tuple[str, ...]

    def filled(self, values: Mapping[str, str]) -> str:
        """The path with these values in it."""
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], self.route)


@cache
def addresses() -> dict[str, Address]:
    """Every page there is; the interface's operations are told apart by their description."""
    return {route: _address(route, pattern) for route, pattern in _walk(get_resolver()) if not _is_operation(route)}


def rows() -> dict[str, Row]:
    """All rows, from ``rows_<letter>.py`` beside this file."""
    found: dict[str, Row] = {}
    for path in sorted(Path(__file__).parent.glob("rows_*.py")):
        for one in importlib.import_module(f"tests.permissions.{path.stem}").ROWS:
            assert one.route not in found, f"{path.name}: {one.route} has a row already"
            found[one.route] = one
    return found


def _walk(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, route)
        else:
            yield route, pattern


def _is_operation(route: str) -> bool:
    return route.startswith("api/v1/") and route != "api/v1/openapi.json"


def _address(route: str, pattern: URLPattern) -> Address:
    module = inspect.getmodule(inspect.unwrap(pattern.callback))
    source = "" if module is None else inspect.getsource(module)
    parameters = re.findall(r"(?:GET|POST|FILES)(?:\.get(?:list)?\(|\[)\s*\"([\w-]+)\"", source)
    return Address(route, tuple(pattern.pattern.converters), tuple(dict.fromkeys(parameters)))
