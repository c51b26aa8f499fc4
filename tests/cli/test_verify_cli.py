"""``xinzheng verify``: four facts, each on its own; 0 only when all four are good."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.small_city import build_small_city, uscc
from xinzheng.adapters.signing import qr_text
from xinzheng.apps.reports.issuing import Order, issue_report, long_code
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.queries import report_pdf
from xinzheng.apps.reports.status import Why, change_status
from xinzheng.cli import main
from xinzheng.core.decision import Request
from xinzheng.core.lifecycle import ReportStatus

pytestmark = pytest.mark.django_db
KEYS = {"intact", "signature_valid", "signer_trusted", "status", "number", "reasons"}


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


def verified(capsys: pytest.CaptureFixture[str], what: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["verify", what, "--json"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, answer


def test_a_genuine_file_is_good_in_all_four(report: Report, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = verified(capsys, str(file))
    assert code == 0
    assert set(answer) == KEYS
    assert [answer[k] for k in ("intact", "signature_valid", "signer_trusted")] == [True, True, True]
    assert (answer["status"], answer["number"]) == ("in_force", report.number)
    assert answer["reasons"] == ["文件未改动", "签名有效", "签发者可信", "报告状态：正常"]


def test_people_read_the_four_facts_and_what_they_do_not_mean(
    report: Report, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["verify", str(file)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[:4] == ["文件未改动", "签名有效", "签发者可信", "报告状态：正常"]
    assert told[4] == f"报告编号：{report.number}"
    assert told[5] == "以上说明报告真伪和状态，不代表该主体目前有无违法记录。"


def test_a_changed_file_is_found_wanting(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    file.write_bytes(bytes(data))
    code, answer = verified(capsys, str(file))
    assert (code, answer["intact"], answer["status"]) == (1, False, None)
    assert "文件已被改动" in answer["reasons"]


def test_a_report_that_no_longer_stands_is_found_wanting_though_the_file_is_genuine(
    report: Report, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change_status(report, ReportStatus.SUPERSEDED, "test", Why(code="records-added"))
    code, answer = verified(capsys, str(file))
    assert (code, answer["intact"], answer["status"]) == (1, True, "superseded")


def test_a_qr_text_alone_never_counts_as_all_four(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = verified(capsys, qr_text(bytes(report.cose), long_code(bytes(report.secret))))
    assert code == 1
    assert [answer[k] for k in ("intact", "signature_valid", "signer_trusted")] == [None, True, True]
    assert (answer["status"], answer["number"]) == ("in_force", report.number)


def test_another_address_was_not_examined(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = verified(capsys, "https://example.com/v/x")
    assert code == 1
    assert set(answer) == KEYS
    assert [answer[k] for k in ("intact", "signature_valid", "signer_trusted", "status", "number")] == [None] * 5


def test_a_file_that_is_not_there_is_an_error_in_chinese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["verify", str(tmp_path / "missing.pdf"), "--json"]) == 1
    told = capsys.readouterr()
    assert "请核对路径" in told.err
    assert json.loads(told.out)["error"]["code"] == "file-unreadable"


def test_nothing_to_verify_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["verify"])
    assert ended.value.code == 2
    assert "缺少必填参数" in capsys.readouterr().err


def test_what_is_not_wholly_good_says_why_on_stderr_with_and_without_json(
    report: Report, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(file.read_bytes()[:-3000])
    for form in ((), ("--json",)):
        capsys.readouterr()
        assert main(["verify", str(file), *form]) == 1
        assert "没有全部通过核验：文件已被改动" in capsys.readouterr().err
