"""``xinzheng audit``: the operator checks, seals and exports the trail; who holds it checks it without the database."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.log import seal_log
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.seals import chain_head, seal_events
from xinzheng.cli import main

pytestmark = pytest.mark.django_db(transaction=True)


def write(count: int) -> None:
    for number in range(count):
        record_event(who="system", action="tested", object_kind="test", object_id=number)


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any], str]:
    capsys.readouterr()
    code = main(["audit", *map(str, arguments), "--json"])
    out, words = capsys.readouterr()
    return code, json.loads(out), words


def test_what_waits_is_sealed_and_found_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    write(4)
    code, answer, _ = told(capsys, "verify")
    assert (code, answer["count"], answer["waiting"], answer["anchored"]) == (0, 0, 4, 0)
    assert told(capsys, "seal")[1] == {"count": 4, "head": chain_head().head.hex()}
    code, answer, _ = told(capsys, "verify")
    assert (code, answer["count"], answer["waiting"], answer["anchored"], answer["faults"]) == (0, 4, 0, 4, [])
    assert main(["audit", "verify"]) == 0
    assert "没有发现改动" in capsys.readouterr().out


def test_a_changed_event_or_a_changed_log_fails_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    write(4)
    seal_events(timezone.now())
    seal_log(timezone.now())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE audit_checkpoint SET root = sha256(root)")
    assert told(capsys, "verify", "--chain-only")[0] == 0
    code, answer, _ = told(capsys, "verify")
    assert code == 1
    assert answer["faults"][0].startswith("透明日志：")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE audit_auditevent SET who = 'account:1' WHERE object_id = '2'")
    code, answer, words = told(capsys, "verify", "--chain-only")
    assert code == 1
    assert "第3条" in words
    assert "没有发现改动" not in words


def test_an_exported_trail_is_checked_where_there_is_no_database(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(5)
    seal_events(timezone.now())
    head = chain_head().head.hex()
    whole, rest = tmp_path / "whole.jsonl", tmp_path / "rest.jsonl"
    assert main(["audit", "export", str(whole)]) == 0
    assert main(["audit", "export", str(rest), "--after", "3"]) == 0
    assert main(["audit", "export", str(rest)]) == 1
    assert "不覆盖" in capsys.readouterr().err
    assert [event.object_id for event in AuditEvent.objects.filter(action="audit-exported")] == ["5", "5"]
    monkeypatch.setattr(sys.modules["xinzheng.cli.main"], "ensure_ready", None)
    assert told(capsys, "verify", "--from", whole)[:2] == (0, {"first": 1, "count": 5, "head": head, "faults": []})
    assert told(capsys, "verify", "--from", rest)[1]["first"] == 4
    assert told(capsys, "verify", "--from", whole, "--head", f"5:{head}")[0] == 0
    assert told(capsys, "verify", "--from", whole, "--head", f"5:{'0' * 64}")[0] == 1
    whole.write_text(whole.read_text().replace('"tested"', '"trusted"', 1))
    assert told(capsys, "verify", "--from", whole)[1]["faults"] == ["第1行与链值不符，记录被改动过。"]
    assert main(["audit", "verify", "--from", str(tmp_path / "none")]) == 1


def test_a_head_that_was_written_down_gives_a_rewritten_chain_away(capsys: pytest.CaptureFixture[str]) -> None:
    write(3)
    seal_events(timezone.now())
    assert told(capsys, "verify", "--head", f"3:{chain_head().head.hex()}")[0] == 0
    code, answer, _ = told(capsys, "verify", "--head", f"3:{'0' * 64}")
    assert (code, len(answer["faults"])) == (1, 1)
    assert told(capsys, "verify", "--head", f"4:{'0' * 64}")[0] == 1
    for wrong in ("3", "3:xy", "-1:" + "0" * 64, "3:00"):
        assert told(capsys, "verify", f"--head={wrong}")[1]["error"]["code"] == "head-unreadable"
