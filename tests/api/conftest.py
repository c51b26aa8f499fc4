"""A small city, a key of its first tax unit, and a client that shows it."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.small_city import PENALTY, SmallCity, build_small_city
from xinzheng.apps.accounts.key_actions import create_key
from xinzheng.apps.registry.queries import unit_by_uscc

BATCHES = "/api/v1/batches"


@pytest.fixture(autouse=True)
def no_counts_from_before() -> Iterator[None]:
    """Limits count per key and address; each test begins at nothing."""
    caches["local"].clear()
    yield
    caches["local"].clear()


@dataclass
class System:
    """A unit's system: it shows its key with each request and holds the answers to what all answers must hold to."""

    secret: str
    key_id: int
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False, enforce_csrf_checks=True))

    def get(self, address: str, **headers: str) -> Any:
        return self._held(self.client.get(address, headers=self._headers(headers)))

    def post(self, address: str, data: Any = None, **headers: str) -> Any:
        body = data if isinstance(data, str | bytes) else json.dumps(data)
        sent = self.client.post(address, body, content_type="application/json", headers=self._headers(headers))
        return self._held(sent)

    def upload(self, rows: "list[dict[str, str]] | bytes", **fields: str) -> Any:
        """Send a file; ``idempotency`` and ``file_name`` are no fields of the form."""
        headers = {"Idempotency-Key": fields.pop("idempotency")} if "idempotency" in fields else {}
        data = rows if isinstance(rows, bytes) else as_csv(rows)
        file = SimpleUploadedFile(fields.pop("file_name", "十一月.csv"), data)
        form = {"domain": "taxation", "kind": PENALTY} | fields | {"file": file}
        return self._held(self.client.post(BATCHES, form, headers=self._headers(headers)))

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"} | more

    @staticmethod
    def _held(response: Any) -> Any:
        assert not response.cookies
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        if response.status_code >= 400:
            problem_in(response)
        return response


def problem_in(response: Any) -> Any:
    """The problem an answer tells, once it is sure that it is one."""
    assert response.headers["Content-Type"] == "application/problem+json", response.content[:300]
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["type"] == f"urn:xinzheng:problem:{problem['code']}"
    assert problem["title"]
    assert problem["detail"]
    return problem


def as_csv(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, tuple(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def system_of(uscc: str, *, is_responsible: bool = False) -> System:
    unit = unit_by_uscc(uscc)
    assert unit is not None
    made = create_key(unit_id=unit.id, name="业务系统", by="test", is_responsible=is_responsible)
    return System(made.secret, made.key.pk)


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path)


@pytest.fixture
def tax(city: SmallCity) -> System:
    """The first tax unit's system."""
    return system_of(city.unit("taxation"))


@pytest.fixture
def water(city: SmallCity) -> System:
    """Another unit's system."""
    return system_of(city.unit("water_affairs"))
