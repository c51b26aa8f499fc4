"""Verification outlives a restart of the database: a connection that was lost in between is opened anew."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.signals import request_started
from django.db import connection

from tests.small_city import build_small_city, uscc
from xinzheng.apps.reports import prepared
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Look
from xinzheng.apps.reports.prepared import fetched
from xinzheng.apps.reports.verification import verify_code
from xinzheng.core.decision import Request
from xinzheng.core.lifecycle import typed_code


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_lost_is_opened_anew_and_the_answer_is_the_same(
    tmp_path: Path, second_connection: psycopg.Connection[Any]
) -> None:
    city = build_small_city(tmp_path, units_per_domain=1)
    city.declare_everything()
    report = issue_report(Order("suzhou-2024", city.firm(uscc(1)), Request(), "test"))
    code = typed_code(bytes(report.secret))
    before = [verify_code(report.number, code).status for _ in range(8)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (mine,) = cursor.fetchone()
    second_connection.execute("SELECT pg_terminate_backend(%s, 5000)", [mine])
    assert verify_code(report.number, code).status == "in_force"
    assert before == ["in_force"] * 8
    assert Look.objects.filter(report_number=report.number).count() == 9


@pytest.mark.django_db(transaction=True)
def test_only_a_connection_that_has_just_answered_is_spared_the_question_whether_it_stands(
    second_connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_spared() -> bool:
        connection.health_check_done = False  # type: ignore[attr-defined]  # as Django leaves it between requests
        request_started.send(sender=None, environ={})
        return bool(connection.health_check_done)  # type: ignore[attr-defined]

    # As in a process that serves: Django's test client moves Django's own listener behind ours.
    request_started.disconnect(dispatch_uid="xinzheng.reports.prepared")
    request_started.connect(prepared.trust_what_answered, dispatch_uid="xinzheng.reports.prepared")
    connection.close()  # an old one is opened anew between requests, whatever it answered
    fetched("SELECT 1", [])
    assert is_spared()
    monkeypatch.setattr(prepared, "STANDS_SECONDS", 0.0)
    assert not is_spared()
    monkeypatch.undo()
    mine = connection.connection.info.backend_pid
    second_connection.execute("SELECT pg_terminate_backend(%s, 5000)", [mine])
    assert fetched("SELECT 1", []) == [(1,)]
    assert connection.connection.info.backend_pid != mine
    connection.close()
    assert not is_spared()
