"""``xinzheng policy publish|extend|history|draft``: two people's passwords, or nothing."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.module_database import module_database, undone_after
from tests.small_city import today
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.reports.models import PackExtension, PackPublication
from xinzheng.apps.reports.packs import current_policy, in_force
from xinzheng.cli.main import main

db, undone = module_database, undone_after
pytestmark = pytest.mark.usefixtures("undone")
POLICY = "suzhou-2024"
OFFICE_WORD, JUSTICE_WORD = "office-Password-1", "justice-Password-2"
SIGNED = ("--office", "office", "--justice", "justice")


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """How slowly passwords are kept is proved elsewhere."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def people(quick_passwords: None) -> list[Account]:
    return [
        open_account(NewAccount("office", "信用办", Role.OFFICE_OPERATOR, password=OFFICE_WORD), by="test"),
        open_account(NewAccount("justice", "司法局", Role.JUSTICE_LEAD, password=JUSTICE_WORD), by="test"),
        open_account(NewAccount("second", "信用办二", Role.OFFICE_OPERATOR, password=JUSTICE_WORD), by="test"),
    ]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Any, str]]:
    def run(*arguments: str, typed: tuple[str, ...] = (OFFICE_WORD, JUSTICE_WORD)) -> tuple[int, Any, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in typed)))
        code = main(["policy", *arguments, "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out), err

    return run


@pytest.fixture
def folder(tmp_path: Path, run: Callable[..., Any]) -> Path:
    """The pack in force written out, with a clause changed."""
    place = tmp_path / "draft"
    assert run("draft", POLICY, "--to", str(place))[0] == 0
    path = place / "policy.yaml"
    path.write_text(path.read_text().replace("record_word: 违法记录", "record_word: 违法违规记录"))
    return place


def publish(folder: Path, *signed: str) -> tuple[str, ...]:
    tomorrow = (today() + timedelta(days=1)).isoformat()
    words = ("--from", tomorrow, "--document", "演示〔2026〕9号", "--reason", "改称谓")
    return ("publish", str(folder), *words, *(signed or SIGNED))


def test_two_people_publish_and_the_trail_names_both(
    run: Callable[..., Any], folder: Path, people: list[Account]
) -> None:
    code, answer, _ = run(*publish(folder))
    assert code == 0
    held = in_force(POLICY, today() + timedelta(days=1))
    assert (held.sha256, held.policy.record_word) == (answer["sha256"], "违法违规记录")
    assert answer["cases"] >= 30
    event = AuditEvent.objects.filter(action="pack-published").get()
    assert (event.who, event.details["signed_by"]) == ("command-line", [people[0].actor, people[1].actor])
    _, history, _ = run("history", POLICY)
    (published,) = history["published"]
    assert (published["state"], published["document"]) == ("planned", "演示〔2026〕9号")
    assert main(["policy", "history", POLICY]) == 0


@pytest.mark.parametrize(
    ("signed", "typed"),
    [
        (("--office", "office", "--justice", "office"), (OFFICE_WORD, OFFICE_WORD)),
        (("--office", "office", "--justice", "second"), (OFFICE_WORD, JUSTICE_WORD)),
        (("--office", "justice", "--justice", "office"), (JUSTICE_WORD, OFFICE_WORD)),
        (("--office", "nobody", "--justice", "justice"), (OFFICE_WORD, JUSTICE_WORD)),
        (SIGNED, (OFFICE_WORD, OFFICE_WORD)),
        (SIGNED, (OFFICE_WORD,)),
        (SIGNED, ()),
    ],
)
def test_one_person_alone_or_a_wrong_password_publishes_nothing(
    run: Callable[..., Any], folder: Path, people: list[Account], signed: tuple[str, ...], typed: tuple[str, ...]
) -> None:
    code, answer, err = run(*publish(folder, *signed), typed=typed)
    assert (code, answer["error"]["code"]) == (1, "two-people-needed")
    assert OFFICE_WORD not in err + json.dumps(answer)
    assert run("extend", POLICY, "--until", "2029-01-01", "--document", "延期文", *signed, typed=typed)[0] == 1
    assert not PackPublication.objects.exists()
    assert not PackExtension.objects.exists()


def test_both_have_to_be_named(run: Callable[..., Any], folder: Path, people: list[Account]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*publish(folder, "--office", "office"))
    assert ended.value.code == 2
    for held_back in ({"is_active": False}, {"must_change_password": True}):
        Account.objects.filter(pk=people[1].pk).update(**{"is_active": True} | held_back)
        assert run(*publish(folder))[1]["error"]["code"] == "two-people-needed"
    Account.objects.filter(pk=people[1].pk).update(must_change_password=False)
    assert run(*publish(folder))[0] == 0


def test_an_unfit_pack_says_where_and_one_without_passing_cases_is_not_published(
    run: Callable[..., Any], folder: Path, people: list[Account]
) -> None:
    path, case = folder / "policy.yaml", next((folder / "cases").iterdir())
    sound, cases = path.read_text(), case.read_text()
    case.write_text("- {name: 错的, as_of: 2025-06-01, expect: {outcome: not_clear}}\n")
    _, answer, _ = run(*publish(folder))
    assert answer["error"]["code"] == "cases-fail"
    assert f"{case.name}:1 错的" in answer["error"]["message"]
    case.write_text(cases)
    path.write_text(sound.replace("equals: summary", "equals: quick"))
    _, answer, _ = run(*publish(folder))
    assert answer["error"]["code"] == "pack-unfit"
    line = path.read_text().split("equals: quick")[0].count("\n") + 1
    assert f"policy.yaml:{line}：" in answer["error"]["message"]
    path.write_text(sound)
    for one in (folder / "cases").iterdir():
        one.unlink()
    assert run(*publish(folder))[1]["error"]["code"] == "cases-missing"
    path.unlink()
    assert run(*publish(folder))[1]["error"]["code"] == "pack-unread"
    assert not PackPublication.objects.exists()


def test_two_people_prolong_a_policy(run: Callable[..., Any], people: list[Account]) -> None:
    code, answer, _ = run("extend", POLICY, "--until", "2029-01-01", "--document", "延期文", *SIGNED)
    assert (code, answer["until"]) == (0, "2029-01-01")
    assert current_policy(POLICY).extensions[-1].document == "延期文"
    assert AuditEvent.objects.get(action="extension-recorded").details["signed_by"] == [p.actor for p in people[:2]]
    assert run("history", POLICY)[1]["extensions"][0]["document"] == "延期文"
    assert run("history", "nowhere")[1]["error"]["code"] == "unknown-policy"


def test_a_draft_is_not_written_over_another(run: Callable[..., Any], folder: Path) -> None:
    assert run("draft", POLICY, "--to", str(folder))[1]["error"]["code"] == "folder-taken"
