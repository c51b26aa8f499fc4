"""``xinzheng log``: anybody checks the log with its public key; the operator checks that nothing is missing from it."""

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from tests.small_city import build_small_city, uscc
from xinzheng.apps.audit.keys import key_histories
from xinzheng.apps.audit.log import add_leaf, log_signer, seal_log
from xinzheng.apps.audit.log_queries import proofs_about
from xinzheng.apps.audit.models import Checkpoint, LogLeaf
from xinzheng.apps.audit.seals import chain_head, seal_events
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report, StatusEvent
from xinzheng.apps.reports.queries import report_pdf
from xinzheng.apps.reports.status import Why, change_status
from xinzheng.cli import main
from xinzheng.core.decision import CHINA, Request
from xinzheng.core.inclusion import proof_document
from xinzheng.core.leaves import status_leaf
from xinzheng.core.lifecycle import ReportStatus

pytestmark = pytest.mark.django_db(transaction=True)


def fill(count: int) -> None:
    for number in range(count):
        add_leaf(data=f"leaf {number}".encode(), kind="other", object_id=str(number))
    seal_log(timezone.now())


@pytest.fixture
def report(db: None, tmp_path: Path) -> Report:
    city = build_small_city(tmp_path, units_per_domain=1)
    city.declare_everything()
    return issue_report(Order("suzhou-2024", city.firm(uscc(1)), Request(), "test"))


@pytest.fixture
def file(report: Report, tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(report_pdf(report.number))
    return path


def proof_of(report: Report, folder: Path) -> Path:
    proofs = proofs_about(report.number)
    path = folder / "proof.json"
    path.write_text(json.dumps(proof_document(proofs[0].note, [proof.inclusion for proof in proofs])))
    return path


def key() -> str:
    return str(log_signer().key)


class Told:
    """What one run of ``log verify --json`` answered."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: object) -> None:
        capsys.readouterr()
        self.code = main(["log", "verify", "--json", *map(str, arguments)])
        out, self.words = capsys.readouterr()
        self.answer: dict[str, Any] = json.loads(out)

    @property
    def refusal(self) -> str:
        return str(self.answer["error"]["code"])


def test_from_outside_the_log_is_rebuilt_and_its_root_is_the_signed_one(
    live_server: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    for more, size in ((1, 1), (254, 255), (1, 256), (1, 257), (443, 700)):
        fill(more)
        for way in ((), ("--quick",)):
            told = Told(capsys, "--from", live_server.url, "--key", key(), *way)
            assert told.code == 0
            assert (told.answer["size"], told.answer["complete"]) == (size, not way)
            assert told.answer["root"] == bytes(Checkpoint.objects.latest("size").root).hex()


def test_growth_is_checked_against_what_was_seen_before(
    live_server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "seen"
    fill(300)
    assert Told(capsys, "--from", live_server.url, "--key", key(), "--state", state).answer["consistent_with"] is None
    fill(400)
    for way in ("--quick", "--state"):
        told = Told(
            capsys, "--from", live_server.url, "--key", key(), *([way] if way == "--quick" else []), "--state", state
        )
        assert told.code == 0
    assert told.answer["consistent_with"] == 700


def test_a_log_that_shows_another_history_is_found_out(
    live_server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(300)
    state = tmp_path / "seen"
    for size in (40, 256, 300):
        state.write_text(log_signer().sign(size, bytes(32)))
        for way in ((), ("--quick",)):
            assert (
                Told(capsys, "--from", live_server.url, "--key", key(), "--state", state, *way).refusal == "log-fault"
            )
    state.write_text(log_signer().sign(301, bytes(32)))
    assert Told(capsys, "--from", live_server.url, "--key", key(), "--state", state).refusal == "log-fault"


def test_a_saved_log_is_checked_from_its_folder_and_every_changed_byte_is_found(
    live_server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(300)
    saved = tmp_path / "saved"
    assert Told(capsys, "--from", live_server.url, "--key", key(), "--save", saved).code == 0
    assert sorted(str(path.relative_to(saved)) for path in saved.rglob("*") if path.is_file()) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
    ]
    assert Told(capsys, "--from", saved, "--key", key()).answer["size"] == 300
    for path in [path for path in saved.rglob("*") if path.is_file()]:
        sound = path.read_bytes()
        path.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
        assert Told(capsys, "--from", saved, "--key", key()).code == 1
        path.write_bytes(sound)
    (saved / "tile/0/000").unlink()
    assert Told(capsys, "--from", saved, "--key", key()).refusal == "log-incomplete"


def test_the_key_of_the_site_itself_is_taken_with_a_warning_and_a_wrong_key_never(
    live_server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(3)
    told = Told(capsys, "--from", live_server.url)
    assert (told.code, told.answer["key_from_same_site"]) == (0, True)
    main(["log", "verify", "--from", live_server.url])
    assert "公钥取自同一网站" in capsys.readouterr().out
    other = "example.net/log+" + key().split("+", 1)[1]
    assert Told(capsys, "--from", live_server.url, "--key", other).refusal == "log-key-invalid"
    (tmp_path / "key").write_text(key())
    assert Told(capsys, "--from", live_server.url, "--key", tmp_path / "key").code == 0


def test_without_a_proof_file_the_report_itself_leads_to_its_leaf(
    report: Report, file: Path, live_server: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Told(capsys, "--from", live_server.url, "--key", key(), "--report", file).refusal == "log-incomplete"
    seal_log(timezone.now())
    told = Told(capsys, "--from", live_server.url, "--key", key(), "--report", file)
    assert told.code == 0
    assert [one["status"] for one in told.answer["included"]] == ["in_force"]
    assert told.answer["report_matches"] is True


def test_with_its_proof_a_report_is_checked_without_any_network(
    report: Report, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change_status(report, ReportStatus.REVOKED, "test", Why("测试"))
    seal_log(timezone.now())
    told = Told(capsys, "--proof", proof_of(report, tmp_path), "--report", file, "--key", key())
    assert told.code == 0
    assert [one["status"] for one in told.answer["included"]] == ["in_force", "revoked"]
    main(["log", "verify", "--proof", str(tmp_path / "proof.json"), "--report", str(file), "--key", key()])
    out = capsys.readouterr().out
    assert "出具" in out
    assert "作废" in out
    assert report.number not in out


def test_an_anchor_of_the_audit_trail_is_proven_like_any_leaf_and_never_taken_for_a_report(
    report: Report, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seal_events(timezone.now())
    seal_log(timezone.now())
    end = chain_head()
    (anchor,) = proofs_about(str(end.count))
    both = [*proofs_about(report.number), anchor]
    (tmp_path / "proof.json").write_text(json.dumps(proof_document(anchor.note, [one.inclusion for one in both])))
    told = Told(capsys, "--proof", tmp_path / "proof.json", "--report", file, "--key", key())
    assert told.code == 0
    assert told.answer["included"][0]["status"] == "in_force"
    assert told.answer["included"][1]["audit_events"] == end.count
    assert told.answer["included"][1]["audit_head"] == end.head.hex()
    (tmp_path / "proof.json").write_text(json.dumps(proof_document(anchor.note, [anchor.inclusion])))
    assert main(["log", "verify", "--proof", str(tmp_path / "proof.json"), "--key", key()]) == 0
    assert f"审计记录{end.count}条" in capsys.readouterr().out
    told = Told(capsys, "--proof", tmp_path / "proof.json", "--report", file, "--key", key())
    assert told.refusal == "report-not-included"


def test_a_proof_of_another_report_a_changed_leaf_or_a_forged_checkpoint_proves_nothing(
    report: Report, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_leaf(data=status_leaf(bytes(32), ReportStatus.REVOKED, timezone.now()), kind="other", object_id="other")
    seal_log(timezone.now())
    proof = json.loads(proof_of(report, tmp_path).read_text())
    stranger = proof_document(proof["checkpoint"], [one.inclusion for one in proofs_about("other")])
    changed = {**proof, "leaves": [{**proof["leaves"][0], "leaf": proof["leaves"][0]["leaf"].replace("20", "21", 1)}]}
    forged = {**proof, "checkpoint": proof["checkpoint"].replace("\n2\n", "\n3\n")}
    path = tmp_path / "other.json"
    for wrong, refusal in (
        (stranger, "report-not-included"),
        (changed, "log-fault"),
        (forged, "checkpoint-signature-invalid"),
        ({**proof, "leaves": []}, "proof-invalid"),
        ([], "proof-invalid"),
    ):
        path.write_text(json.dumps(wrong))
        assert Told(capsys, "--proof", path, "--report", file, "--key", key()).refusal == refusal


def test_the_operators_own_check_finds_every_report_and_status_in_the_log(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Told(capsys).answer["waiting"] == 1
    change_status(report, ReportStatus.REVOKED, "test", Why("测试"))
    assert main(["log", "seal"]) == 0
    told = Told(capsys)
    assert (told.code, told.answer["size"], told.answer["faults"]) == (0, 2, [])


def in_spite_of_history(statement: str) -> None:
    """What somebody with all rights to the database can do."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica; " + statement)


DEEDS = {
    "DELETE FROM reports_statusevent WHERE status = 'revoked'": "日志里有，登记里没有",
    "UPDATE reports_statusevent SET at = at - interval '1 year'": "时间不同",
    "UPDATE reports_report SET digest = sha256('x')": "摘要不同",
    "DELETE FROM audit_logleaf WHERE kind = 'status'": "登记里有，日志里没有",
    "UPDATE audit_logleaf SET data = replace(convert_from(data, 'UTF8'), '20', '21')::bytea": "内容与其摘要不符",
    "UPDATE audit_lognode SET hash = sha256('x') WHERE level = 1": "节点与条目不符",
    "DELETE FROM audit_lognode WHERE level = 1": "节点与条目不符",
    "DELETE FROM audit_logplace WHERE index = 1": "比日志还长",
    "DELETE FROM audit_logplace WHERE index = 0": "不连续",
    "INSERT INTO audit_lognode VALUES (0, 1, sha256('x')) ON CONFLICT DO NOTHING; "
    "INSERT INTO audit_lognode VALUES (5, -1, sha256('x'))": "多出或者缺少的节点",
    "UPDATE audit_checkpoint SET root = sha256('x')": "检查点与条目不符",
    "DELETE FROM audit_checkpoint": "没有检查点",
    "UPDATE reports_reportdocument SET pdf = replace(encode(pdf, 'escape'), '/Info', '/Infx')::bytea": "存档的文件",
    "UPDATE reports_reportdocument SET pdf = ''": "存档的文件",
    "DELETE FROM audit_logwaiting": "等待收录的清单被改动过",
}


@pytest.mark.django_db
def test_whoever_has_all_rights_to_the_database_is_found_out(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    change_status(report, ReportStatus.REVOKED, "test", Why("测试"))
    seal_log(timezone.now())
    add_leaf(data=b"still waiting", kind="other", object_id="other")
    assert Told(capsys, "--files").answer["faults"] == []
    for deed, found in DEEDS.items():
        before = transaction.savepoint()
        in_spite_of_history(deed)
        told = Told(capsys, "--files")
        assert told.code == 1
        assert any(found in fault for fault in told.answer["faults"]), (deed, told.answer["faults"])
        assert told.words.splitlines() == told.answer["faults"]
        transaction.savepoint_rollback(before)


def test_what_was_issued_before_there_was_a_log_is_added_and_found_by_its_file(
    report: Report, file: Path, live_server: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    change_status(report, ReportStatus.REVOKED, "test", Why("测试"))
    in_spite_of_history("DELETE FROM audit_logwaiting; DELETE FROM audit_logleaf")
    assert Told(capsys).code == 1
    assert main(["log", "add-missing"]) == 0
    assert "补记2条" in capsys.readouterr().out
    seal_log(timezone.now())
    assert Told(capsys).answer["faults"] == []
    assert main(["log", "add-missing"]) == 0
    assert LogLeaf.objects.count() == StatusEvent.objects.exclude(status="prepared").count() == 2
    assert Told(capsys, "--from", live_server.url, "--key", key(), "--report", file).code == 0


def test_a_log_that_had_to_begin_anew_is_told_from_its_old_key_by_all(
    report: Report, tmp_path: Path, settings: Any, live_server: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["log", "seal"]) == 0
    old = key()
    settings.XINZHENG_KEYS = shutil.copytree(settings.XINZHENG_KEYS, tmp_path / "keys")
    shutil.rmtree(settings.XINZHENG_KEYS / "log")
    settings.XINZHENG_LOG_ORIGIN = "example.net/second-log"
    fill(1)
    assert main(["log", "seal"]) == 0
    assert Told(capsys).answer["faults"] == []
    assert Told(capsys, "--from", live_server.url, "--key", old).refusal == "checkpoint-unsigned"
    assert Told(capsys, "--from", live_server.url).answer["key"].startswith("example.net/second-log+")
    statuses = {one.key_id: one.status for one in key_histories() if one.purpose == "log"}
    assert statuses == {old.split("+")[1]: "retired", key().split("+")[1]: "current"}


@pytest.mark.django_db
def test_a_log_key_that_others_may_have_is_published_and_signs_nothing_more(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(1)
    key_id = key().split("+")[1]
    given_up = ["log", "compromised", key_id, "--since", "2026-11-20T08:00", "--reason", "示例"]
    assert main(given_up) == 0
    history = next(one for one in key_histories() if one.key_id == key_id)
    assert history.reason == "示例"
    assert (history.status, history.compromised_at) == ("compromised", datetime(2026, 11, 20, 8, tzinfo=CHINA))
    add_leaf(data=b"later", kind="other", object_id="later")
    assert main(["log", "seal"]) == 1
    assert "不再签署" in capsys.readouterr().err
    assert Checkpoint.objects.count() == 1
    assert main(given_up) == 1
    assert main(["log", "compromised", "00000000", "--since", "2026-11-20T08:00"]) == 1
    with pytest.raises(SystemExit, match="2"):
        main(["log", "compromised", key_id, "--since", "gestern"])


def test_options_that_mean_nothing_here_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Told(capsys, "--state", tmp_path / "seen").refusal == "options-apart"
    assert Told(capsys, "--from", tmp_path).refusal == "log-key-missing"
    assert Told(capsys, "--from", "ftp://example.net/log", "--key", key()).refusal == "log-address-invalid"
    assert Told(capsys, "--from", tmp_path / "nothing", "--key", key()).refusal == "log-incomplete"
    assert Told(capsys, "--from", "http://127.0.0.1:9/log", "--key", key()).refusal == "log-unreachable"
