"""Evidence and words: looked into, sealed, read by the parties only, deleted after their time."""

import hashlib
import io
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pytest
from PIL import Image
from pytest_django import Settings

from tests import told_time
from tests.bare_objection import AT, FIRM, NUMBER, UNIT, lodged
from tests.redress_city import small_pdf
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.redress.evidence import MOST_FILES, EvidenceError, Found, keep, name_to_keep, read_file
from xinzheng.apps.redress.evidence_opening import EvidenceUnknownError, evidence_of, open_evidence
from xinzheng.apps.redress.forgetting import forget_of, forget_old
from xinzheng.apps.redress.models import Evidence, EvidenceContent, RepairCase, Step, StepWords
from xinzheng.apps.redress.tasks_evidence import forget
from xinzheng.apps.redress.words import WordsError, keep_words, words_of

pytestmark = pytest.mark.django_db
OTHER_UNIT, REPAIR = 8, "X20261102-0001"


def repair(at: datetime = AT) -> RepairCase:
    return RepairCase.objects.create(
        number=REPAIR, subject_id=FIRM, record_id=1, version_id=1, rules="", rules_sha256=bytes(32),
        guidance="{}", account_id=1, made_at=at,
    )  # fmt: skip


def file(words: str = "evidence", name: str = "完税证明.pdf") -> Found:
    return read_file(small_pdf(words), name)


@pytest.fixture
def people() -> Mapping[str, Account]:
    new = {
        "agent": NewAccount("agent", "示例甲", Role.SUBJECT_AGENT, subject_id=FIRM),
        "stranger": NewAccount("stranger", "示例乙", Role.SUBJECT_AGENT, subject_id=2),
        "office": NewAccount("office", "示例丙", Role.OFFICE_OPERATOR),
        "officer": NewAccount("officer", "示例丁", Role.DEPARTMENT_OFFICER, unit_id=UNIT),
        "other": NewAccount("other", "示例戊", Role.RESPONSIBLE_OFFICER, unit_id=OTHER_UNIT),
        "auditor": NewAccount("auditor", "示例己", Role.AUDITOR),
    }
    return {name: open_account(one, by="test") for name, one in new.items()}


def refusal(content: bytes, name: str = "a.pdf") -> tuple[str, str]:
    with pytest.raises(EvidenceError) as raised:
        read_file(content, name)
    return raised.value.code, raised.value.message


def test_a_file_is_what_is_in_it_and_takes_the_ending_of_that() -> None:
    picture = io.BytesIO()
    Image.new("L", (9, 9)).save(picture, "PNG")
    found = read_file(picture.getvalue(), "C:\\证据\\完税证明.pdf.exe")
    assert (found.media_type, found.name) == ("image/png", "完税证明.pdf.png")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("票\u202efdp.exe", "票fdp.pdf"),
        ("a\r\nSet-Cookie: b.pdf", "aSet-Cookie b.pdf"),
        ("", "证据.pdf"),
        ("...", "证据.pdf"),
        ("长" * 300 + ".pdf", "长" * 80 + ".pdf"),
    ],
)
def test_a_name_keeps_neither_folders_nor_what_cannot_be_seen(name: str, kept: str) -> None:
    assert name_to_keep(name, "pdf").replace(":", "") == kept


def test_what_is_refused_says_which_file_why_and_what_to_do(settings: Settings) -> None:
    assert refusal(b"") == ("evidence-unfit", "“a”是空文件，请重新选择。")
    assert refusal(b"GIF89a")[0] == "evidence-unfit"
    assert "没有传完整" in refusal(small_pdf()[:300])[1]
    settings.XINZHENG_EVIDENCE_MAX_BYTES = 1024**2
    assert refusal(bytes(1024**2 + 1)) == ("evidence-too-large", "“a”超过1MB，请缩小后再上传。")


def test_what_is_kept_is_sealed_and_only_its_digest_and_kind_stand_open() -> None:
    step, one = lodged(), file()
    first, second = keep([one, file("another")], step=step, by="account:1")
    assert (bytes(first.sha256), first.size) == (hashlib.sha256(one.content).digest(), len(one.content))
    assert [first.place, second.place] == [1, 2]
    sealed = EvidenceContent.objects.get(pk=first.pk)
    for clear in (b"%PDF", b"evidence", one.name.encode()):
        assert clear not in bytes(sealed.content_ct) + bytes(sealed.name_ct)


def test_neither_eleven_files_nor_more_than_forty_megabytes_are_kept() -> None:
    step, large = lodged(), Found("image/png", bytes(9 * 1024**2), "a.png")
    with pytest.raises(EvidenceError) as raised:
        keep([file()] * (MOST_FILES + 1), step=step, by="account:1")
    assert raised.value.code == "evidence-too-many"
    keep([large] * 2, step=step, by="account:1")
    later = Step.objects.create(
        objection=step.objection, seq=2, act="supply", state="intake", by="subject", actor="a", at=AT
    )
    with pytest.raises(EvidenceError) as raised:
        keep([large] * 3, step=later, by="account:1")
    assert raised.value.code == "evidence-too-large"
    assert Evidence.objects.count() == 2
    assert len(keep([large] * 2, step=later, by="account:1")) == 2


def test_the_parties_open_it_each_time_on_record_and_to_others_it_is_not_there(people: Mapping[str, Account]) -> None:
    step = lodged()
    (kept,) = keep([file()], step=step, by="account:1")
    for name in ("stranger", "officer", "other", "auditor"):
        with pytest.raises(EvidenceUnknownError) as raised:
            open_evidence(kept.pk, of=NUMBER, account=people[name])
        assert raised.value.code == "evidence-unknown"
    Step.objects.create(
        objection=step.objection, seq=2, act="accept", state="with-unit", by="office", unit_id=UNIT, actor="a", at=AT
    )
    for name in ("agent", "office", "officer"):
        opened = open_evidence(kept.pk, of=NUMBER, account=people[name])
        assert (opened.name, opened.media_type, opened.content) == ("完税证明.pdf", "application/pdf", small_pdf())
    with pytest.raises(EvidenceUnknownError):
        open_evidence(kept.pk, of=NUMBER, account=people["other"])
    events = AuditEvent.objects.filter(action="evidence-opened").order_by("pk").values_list("who", "subject_id")
    assert list(events) == [(people[name].actor, FIRM) for name in ("agent", "office", "officer")]


def test_the_file_of_a_repair_is_the_subjects_alone(people: Mapping[str, Account]) -> None:
    (kept,) = keep([file()], repair=repair(), by="account:1")
    assert open_evidence(kept.pk, of=REPAIR, account=people["agent"]).name == "完税证明.pdf"
    for name in ("office", "officer"):
        with pytest.raises(EvidenceUnknownError):
            open_evidence(kept.pk, of=REPAIR, account=people[name])
    with pytest.raises(EvidenceUnknownError):
        open_evidence(kept.pk, of=NUMBER, account=people["agent"])


def test_words_keep_their_lines_sealed_and_are_read_by_step() -> None:
    step, silent = lodged(), lodged("Y20261102-0002")
    keep_words(step, " 第一行\r\n第二行 \n")
    keep_words(silent, " \n ")
    assert words_of([step.pk, silent.pk]) == {step.pk: "第一行\n第二行"}
    for words in ("长" * 2001, "a\x00b"):
        with pytest.raises(WordsError):
            keep_words(silent, words)


def test_after_its_time_the_content_goes_and_the_digest_stays(
    people: Mapping[str, Account], settings: Settings
) -> None:
    settings.XINZHENG_KEEP_EVIDENCE_DAYS = 10
    today, young = date(2026, 11, 20), AT + timedelta(days=8)
    closed, open_, late = lodged(state="dismissed"), lodged("Y2"), lodged("Y3", "withdrawn", young)
    for step in (closed, open_, late):
        keep([file()], step=step, by="account:1")
        keep_words(step, "陈述")
    case = repair()
    keep([file()], repair=case, by="account:1")
    assert (forget_old(today), forget_old(today)) == (3, 0)
    assert [row.is_deleted for row in evidence_of(NUMBER)] == [True]
    assert [(row.is_deleted, row.name) for row in evidence_of("Y2")] == [(False, "完税证明.pdf")]
    assert [row.is_deleted for row in evidence_of(REPAIR)] == [True]
    assert set(words_of([closed.pk, open_.pk, late.pk])) == {open_.pk, late.pk}
    assert Evidence.objects.count() == 4
    with pytest.raises(EvidenceUnknownError) as raised:
        open_evidence(evidence_of(NUMBER)[0].id, of=NUMBER, account=people["agent"])
    assert raised.value.code == "evidence-deleted"
    event = AuditEvent.objects.get(action="evidence-deleted")
    assert (event.who, event.details) == ("system", {"count": 3, "days": 10})


def test_the_nightly_task_forgets_by_the_clock_of_redress(settings: Settings) -> None:
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    keep_words(lodged(state="corrected"), "陈述")
    told_time.tell(date(2029, 11, 1))
    forget(timestamp=0)
    assert StepWords.objects.exists()
    told_time.tell(date(2029, 11, 2))
    forget(timestamp=0)
    told_time.forget()
    assert not StepWords.objects.exists()


def test_a_repair_that_was_spoken_of_lately_keeps_its_files(settings: Settings) -> None:
    settings.XINZHENG_KEEP_EVIDENCE_DAYS = 10
    case = repair()
    keep([file()], repair=case, by="account:1")
    case.steps.create(seq=1, said="handed-over", actor="a", at=AT + timedelta(days=9))
    assert (forget_old(date(2026, 11, 20)), forget_old(date(2026, 11, 30))) == (0, 1)


def test_all_that_a_person_gave_goes_with_the_person_and_nobody_elses() -> None:
    mine, others = lodged(), lodged("Y2", subject=2)
    for step in (mine, others):
        keep([file()], step=step, by="account:1")
        keep_words(step, "陈述")
    keep([file()], repair=repair(), by="account:1")
    assert forget_of(FIRM, by="command-line") == 3
    assert (EvidenceContent.objects.count(), set(words_of([mine.pk, others.pk]))) == (1, {others.pk})
    assert AuditEvent.objects.get(action="evidence-deleted").subject_id == FIRM
