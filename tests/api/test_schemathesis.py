"""The whole described interface, asked by a machine as each kind of caller: every answer is one that is described.

Schemathesis makes the requests from the committed description, fit and unfit ones, derandomised: operations that are
added to it are asked by themselves. Each call runs through the real application on the real database and is undone.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from django.core.cache import caches
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from pytest_django.plugin import DjangoDbBlocker
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from tests.api.described_world import Described, build_described
from tests.api.hostile import answer_to, call_of, hostile_calls
from xinzheng.config.wsgi import application

CONFIG = SchemathesisConfig.from_str(
    """
    suppress-health-check = ["all"]
    [generation]
    deterministic = true
    no-shrink = true
    max-examples = 12
    with-security-parameters = false
    [checks]
    negative_data_rejection.expected-statuses = [400, 401, 403, 404, 409, 411, 413, 415, 422]
    """
)
# A request that fits its schema may still be refused: what it asks for may not exist, or not be possible now.
NOT_ASKED = ("positive_data_acceptance", "missing_required_header")
EVERYWHERE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
UNIT, PLATFORM = "UnitKey", "PlatformToken"
# What strangers show: nothing, another scheme, nothing behind it, no text at all, far too much, a key nobody has.
STRANGE = (None, "Basic eHo6eHo=", "Bearer", "Bearer \xff\xfe", "Bearer " + "A" * 9000, "bearer xz_" + "A" * 43)


def undone(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The real application; what a call did is undone, so that each begins from the same."""
    with transaction.atomic():
        said = application(environ, start_response)
        try:
            content = b"".join(said)
        finally:
            said.close()
        transaction.set_rollback(True)
    return [content]


schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, config=CONFIG)
schema.app = undone
load_all_checks()
checks = [check for check in CHECKS.get_all() if check.__name__ not in NOT_ASKED]


def open_to(scheme: str) -> Callable[[Any], bool]:
    """Whether an operation may be called with such a credential."""
    return lambda context: any(scheme in way for way in context.operation.definition.raw["security"])


@pytest.fixture(scope="module")
def db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """One transaction for all tests of the module."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def world(db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """As with Django's own test client no request ends the connection that it runs on."""
    made, signals = build_described(tmp_path_factory.mktemp("world")), (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield made
    for signal in signals:
        signal.connect(close_old_connections)


@schema.parametrize()
def test_strangers_get_described_answers(case: schemathesis.Case, world: Described) -> None:
    let_be_real(case, world)
    ask(case, STRANGE[chance_of(case) % len(STRANGE)])


@schema.include(open_to(UNIT)).parametrize()
def test_units_get_described_answers(case: schemathesis.Case, world: Described) -> None:
    ask_as(UNIT, case, world)


@schema.include(open_to(PLATFORM)).parametrize()
def test_platforms_get_described_answers(case: schemathesis.Case, world: Described) -> None:
    ask_as(PLATFORM, case, world)


def test_the_good_answers_are_described_and_seen(world: Described) -> None:
    """With all things there are and bodies that are right; otherwise refusals alone would be looked at."""
    seen = {}
    for operation in (found.ok() for found in schema.get_all_operations()):
        if is_known(operation, world):
            cases = good_cases(operation, world)
            seen[operation.label] = {ask(case, case_shown) for case, case_shown in cases}
    assert {label for label, statuses in seen.items() if min(statuses) >= 300} == set()
    assert len(seen) >= 30


def test_what_is_meant_to_harm_is_told_as_a_problem_or_not_minded(world: Described) -> None:
    wrong = []
    for operation in (found.ok() for found in schema.get_all_operations()):
        raw = operation.definition.raw | {"path": operation.full_path}
        scheme = next(scheme for way in raw["security"] for scheme in way)
        for environ in hostile_calls(operation.method, raw, world.things, world.credentials[scheme][1]):
            caches["local"].clear()
            asked = {name: environ[name] for name in environ if not name.startswith("wsgi.")}
            status, media_type = answer_to(environ, undone)
            if status >= 500 or (status >= 400 and media_type != "application/problem+json"):
                wrong.append(f"{operation.label} {str(asked)[:300]}: {status} {media_type}")
    assert not wrong, "\n".join(wrong)


def test_a_credential_of_another_kind_opens_nothing(world: Described) -> None:
    """A unit's key is no token and a token no key; where anybody may ask, a bad credential is not passed over."""
    opened = []
    for operation in (found.ok() for found in schema.get_all_operations()):
        raw = operation.definition.raw | {"path": operation.full_path}
        taken = {scheme for way in raw["security"] for scheme in way}
        for key in [key for scheme in {UNIT, PLATFORM} - taken for key in world.credentials[scheme]] + ["xz_no", "no"]:
            caches["local"].clear()
            status, _ = answer_to(call_of(operation.method, raw, world.things, key), undone)
            opened += [f"{operation.label} {key[:5]}: {status}"] if status != 401 else []
    assert opened == []


def is_known(operation: Any, world: Described) -> bool:
    """Whether tests/api/described_world.py tells what its address names and what it takes."""
    raw = operation.definition.raw
    named = {parameter["name"] for parameter in raw.get("parameters", ()) if parameter.get("required")}
    return named <= {*world.things, "Idempotency-Key"} and ("requestBody" in raw) <= (
        raw["operationId"] in world.bodies
    )


def good_cases(operation: Any, world: Described) -> Iterator[tuple[schemathesis.Case, str | None]]:
    raw = operation.definition.raw
    where = {parameter["name"]: parameter["in"] for parameter in raw.get("parameters", ()) if parameter.get("required")}
    shown = [f"Bearer {key}" for way in raw["security"] for scheme in way for key in world.credentials[scheme]]
    for combination in product(*(world.things.get(name, ("a",)) for name in where)):
        values = dict(zip(where, combination, strict=True))
        given = {place: {n: v for n, v in values.items() if where[n] == place} for place in ("path", "query", "header")}
        for credential in [*shown, *([None] if {} in raw["security"] else [])]:
            body = {"body": dict(world.bodies[raw["operationId"]])} if "requestBody" in raw else {}
            yield (
                operation.Case(path_parameters=given["path"], query=given["query"], headers=given["header"], **body),
                credential,
            )


def ask_as(scheme: str, case: schemathesis.Case, world: Described) -> None:
    """With the scheme's first credential once in four times, else with its second."""
    few, most = world.credentials[scheme]
    let_be_real(case, world)
    ask(case, f"Bearer {most if chance_of(case) % 4 else few}")


def ask(case: schemathesis.Case, shown: str | None) -> int:
    """Make the call, have its answer checked, and tell its status."""
    caches["local"].clear()
    headers = {} if shown is None else {"Authorization": shown}
    response = case.call_and_validate(headers=headers, checks=checks, additional_checks=[leaves_browsers_nothing])
    return response.status_code


def let_be_real(case: schemathesis.Case, world: Described) -> None:
    """Let most requests that fit be about things there are."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    chance = chance_of(case)
    for given in (case.path_parameters, case.query):
        for name in set(given) & set(world.things):
            if chance % 8:
                given[name] = world.things[name][chance // 8 % len(world.things[name])]


def chance_of(case: schemathesis.Case) -> int:
    """A number that is the same for the same request."""
    said = (case.method, dict(case.path_parameters), dict(case.query), dict(case.headers), case.body)
    return crc32(repr(said).encode("utf-8", "surrogatepass")) >> 4


def leaves_browsers_nothing(_context: Any, response: Any, _case: schemathesis.Case) -> None:
    """What all answers hold to: nothing is kept, framed, embedded, run or passed on, and no cookie set."""
    assert "set-cookie" not in response.headers
    assert {name: response.headers.get(name.lower(), [""])[0] for name in EVERYWHERE} == EVERYWHERE
