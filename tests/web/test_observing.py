"""What machines ask of the system: alive, ready, metrics, request numbers; and what strangers get to know of it."""

import json
import logging
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.module_database import module_database
from xinzheng.config import environment
from xinzheng.core.networks import read_network
from xinzheng.web.observing.counting import OWN

db = module_database
ASKED = ("/healthz", "/readyz", "/metrics")
OURS = re.compile(r"[0-9a-f]{16}")


@pytest.fixture(autouse=True)
def undone(db: None) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def count_of(view: str, status: int, method: str = "GET") -> float:
    labels = {"view": view, "method": method, "status": str(status)}
    return OWN.get_sample_value("xinzheng_requests_total", labels) or 0.0


# --- alive and ready -------------------------------------------------------------------------------------------------


def test_to_be_alive_needs_no_database_and_no_known_host(client: Client) -> None:
    with CaptureQueriesContext(connection) as statements:
        answer = client.get("/healthz", headers={"Host": "10.1.2.3"})
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert len(statements) == 0
    assert answer.headers["Cache-Control"] == "no-store"
    assert "sessionid" not in answer.cookies


def test_ready_is_told_with_what_was_looked_at(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200, answer.content.decode()
    found = answer.json()
    assert found["ready"] is True
    assert [check["name"] for check in found["checks"]] == ["database", "migrations", "keys"]


def test_what_is_missing_makes_it_not_ready_and_is_said_in_words(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'oversight'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    (wrong,) = [check for check in answer.json()["checks"] if check["state"] != "ok"]
    assert wrong["name"] == "migrations"
    assert wrong["said"]
    assert wrong["to_do"]


# --- who may ask -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ASKED)
def test_strangers_get_to_know_nothing(client: Client, settings: LazySettings, address: str) -> None:
    refused = client.get(address, REMOTE_ADDR="203.0.113.7")
    assert refused.status_code == 403
    assert "XINZHENG_METRICS_FROM" in refused.content.decode()
    settings.XINZHENG_METRICS_FROM = (read_network("203.0.113.0/24"),)
    assert client.get(address, REMOTE_ADDR="203.0.113.7").status_code == 200
    assert client.get(address).status_code == 403
    assert client.post(address, REMOTE_ADDR="203.0.113.7").status_code == 405


def test_a_proxy_nobody_told_of_makes_no_stranger_one_of_ours(client: Client, settings: LazySettings) -> None:
    # The proxy stands on this machine: its own address would pass for the visitor's.
    through = {"X-Forwarded-For": "203.0.113.7"}
    assert client.get("/metrics", headers=through).status_code == 403
    settings.XINZHENG_PROXIES = 1
    assert client.get("/metrics", headers=through).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 200
    settings.XINZHENG_PROXIES = 2
    assert client.get("/metrics", headers=through).status_code == 403, "it came to the inner proxy past the outer one"
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1, 203.0.113.7"}).status_code == 200


def test_networks_that_are_none_are_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINZHENG_METRICS_FROM", "127.0.0.1, 10.2.0.0/16")
    assert environment.networks("XINZHENG_METRICS_FROM", default="") == (
        read_network("127.0.0.1"),
        read_network("10.2.0.0/16"),
    )
    monkeypatch.setenv("XINZHENG_METRICS_FROM", "everybody")
    with pytest.raises(ImproperlyConfigured, match="everybody"):
        environment.networks("XINZHENG_METRICS_FROM", default="")


# --- metrics ---------------------------------------------------------------------------------------------------------


def test_requests_are_counted_by_view_and_status_never_by_path(client: Client) -> None:
    before = count_of("verify-address", 404), count_of("home", 200), count_of("unmatched", 404)
    client.get("/v/nobody-has-this-code")
    client.get("/")
    client.get("/91320500MA00000001")
    client.generic("BREW", "/")
    text = client.get("/metrics").content.decode()
    assert count_of("home", 200) == before[1] + 1
    assert count_of("unmatched", 404) == before[2] + 1
    assert 'method="other"' in text
    assert "BREW" not in text
    assert 'xinzheng_requests_total{method="GET",status="200",view="home"}' in text
    assert 'xinzheng_request_seconds_bucket{le="0.25",view="home"}' in text
    assert "nobody-has-this-code" not in text
    assert "91320500" not in text


def test_measures_of_the_system_stand_beside_the_counts(client: Client, settings: LazySettings, tmp_path: Path) -> None:
    settings.XINZHENG_BACKUP, settings.XINZHENG_REPLICAS = str(tmp_path), ("second",)
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    text = answer.content.decode()
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert samples['xinzheng_check{check="database"}'] == "0.0"
    assert samples['xinzheng_check{check="replicas"}'] == "3.0"
    assert samples['xinzheng_replica_connected{replica="second"}'] == "0.0"
    assert float(samples["xinzheng_unsealed_events"]) >= 0
    assert float(samples['xinzheng_disk_free_bytes{folder="backup"}']) > 0
    assert samples["xinzheng_workers"] == "0.0"
    described = re.findall(r"^# HELP (\S+) (\S+)", text, re.MULTILINE)
    assert all(name.startswith("xinzheng_") for name, _ in described)


def test_every_metric_is_described_for_operators(client: Client) -> None:
    told = (Path(__file__).parents[2] / "docs" / "operations" / "监控.md").read_text(encoding="utf-8")
    text = client.get("/metrics").content.decode()
    named = {name.removesuffix("_total") for name in re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)}
    # Left out where there is nothing to measure.
    named |= {"xinzheng_certificate_days_left", "xinzheng_backup_age_seconds", "xinzheng_replica_lag_seconds"}
    assert {name for name in named if not name.endswith("_created")} - set(
        re.findall(r"`(xinzheng_\w+?)(?:_total)?[`{]", told)
    ) == set()


COUNTING = """
import sys
from xinzheng.web.observing.counting import count_request
for _ in range(int(sys.argv[1])):
    count_request("home", "GET", 200, 0.1)
"""


def test_counts_of_several_processes_are_added_up(tmp_path: Path) -> None:
    env = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin"}
    for times in ("3", "4"):
        subprocess.run([sys.executable, "-c", COUNTING, times], env=env, check=True)
    asking = COUNTING + "from prometheus_client import generate_latest\n"
    asking += "from xinzheng.web.observing.counting import counted\nprint(generate_latest(counted()).decode())"
    told = subprocess.run([sys.executable, "-c", asking, "1"], env=env, check=True, capture_output=True, text=True)
    assert 'xinzheng_requests_total{method="GET",status="200",view="home"} 8.0' in told.stdout


# --- request numbers -------------------------------------------------------------------------------------------------


def test_each_answer_has_a_number_of_its_own(client: Client) -> None:
    first, second = (client.get("/").headers["X-Request-ID"] for _ in range(2))
    assert OURS.fullmatch(first)
    assert first != second


def test_a_number_is_taken_from_our_own_proxy_and_from_nobody_else(client: Client, settings: LazySettings) -> None:
    given = uuid.uuid4().hex
    headers = {"X-Request-ID": given, "X-Forwarded-For": "203.0.113.7"}
    assert client.get("/", headers=headers).headers["X-Request-ID"] != given
    settings.XINZHENG_PROXIES = 1
    assert client.get("/", headers=headers).headers["X-Request-ID"] == given
    for odd in ("11010119900307761X", "110101199003077610", "1" * 32, "a\nb", "x" * 300, str(uuid.UUID(int=7))):
        assert client.get("/", headers=headers | {"X-Request-ID": odd}).headers["X-Request-ID"] != odd, odd


def test_problems_carry_the_number(client: Client) -> None:
    refused = client.get("/api/v1/nothing")
    assert refused.json()["instance"] == f"urn:xinzheng:request:{refused.headers['X-Request-ID']}"


def test_lines_logged_meanwhile_and_the_error_page_carry_the_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_: Any) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("xinzheng.web.public.home.render", breaks)
    written = logging.StreamHandler()
    written.setFormatter(logging.getLogger().handlers[0].formatter)
    written.setStream(sys.stderr)
    logging.getLogger().addHandler(written)
    try:
        answer = Client(raise_request_exception=False).get("/")
    finally:
        logging.getLogger().removeHandler(written)
    number = answer.headers["X-Request-ID"]
    assert answer.status_code == 500
    assert f"<code>{number}</code>" in answer.content.decode()
    lines = [line for line in capsys.readouterr().err.splitlines() if "broken on purpose" in line]
    assert lines
    assert all(json.loads(line)["request_id"] == number for line in lines if line.startswith("{"))
