"""What was objected to in the demonstration (演示异议): an objection at each stage, a repair, a ruling, a suggestion.

Each is done by the demonstration's own accounts through the real steps, and says in its words that it is one.
"""

import io
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import transaction
from PIL import Image, ImageDraw

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.queries import account_named
from xinzheng.apps.ledger.corrections import current_row
from xinzheng.apps.ledger.models import RecordHead, RecordVersion
from xinzheng.apps.oversight import registers, rulings, suggestions
from xinzheng.apps.oversight.models import Doubt, Suggestion, Training
from xinzheng.apps.redress.clock import today
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.evidence import Found
from xinzheng.apps.redress.handling import Doing, take_step
from xinzheng.apps.redress.lodging import NewObjection, lodge
from xinzheng.apps.redress.models import Correction, Objection, RepairCase
from xinzheng.apps.redress.repairs import prepare, say
from xinzheng.apps.redress.upholding import Upholding, uphold
from xinzheng.cli.demo_city.accounts import WATER_HEAD
from xinzheng.core.errors import CalendarError
from xinzheng.core.objections import Act, Ground
from xinzheng.core.records import RecordKind

POLICY, WATER = "suzhou-2024", "water_affairs"
AGENT, OFFICE, JUSTICE = "demo-suzhou-records", "demo-office", "demo-justice"
# The keys of the forms: the same on every run, so that a second run finds what the first one made.
FORMS = uuid.UUID("0b9f0c9e-5a4d-5f0f-8f1c-726564726573")
# How a penalty of the one who objects ends its document number; see characters.py.
UNDER_REVIEW, PROCEDURE_UNKNOWN, SUMMARY, FORMER_NAME = "示0066号", "示0640号", "示0250号", "示0900号"
CHANGED, DISPUTED, CORRECTED, REPAIRABLE = "示0410号", "示0131号", "示0096号", "示0519号"


@dataclass(frozen=True)
class Told:
    """An objection of the demonstration: to which record (by its number's end; none is missing), and what was done."""

    name: str
    record: str
    words: str
    acts: tuple[tuple[Act, str], ...] = ()
    ground: Ground = Ground.WRONG
    corrected: Mapping[str, str] = field(default_factory=dict)


TOLD = (
    Told("intake", UNDER_REVIEW, "（演示）这条处罚正在复议，状态写得不全，请补充复议机关。"),
    Told(
        "more-asked",
        PROCEDURE_UNKNOWN,
        "（演示）这是当场作出的处罚，应当写明是简易程序。",
        ((Act.ASK, "请补充处罚决定书，写明适用的程序（演示）。"),),
    ),
    Told(
        "with-unit",
        DISPUTED,
        "（演示）罚款金额与决定书不一致，决定书写的少一些。",
        ((Act.ACCEPT, "材料齐全，转责任单位核实（演示）。"),),
    ),
    Told(
        "awaited",
        "",
        "（演示）2026年的不予行政处罚决定没有列出，请补报。",
        ((Act.ACCEPT, "转责任单位核实（演示）。"), (Act.PROMISE, "查到该决定尚未报送，本周内补报（演示）。")),
        ground=Ground.MISSING,
    ),
    Told(
        "corrected",
        CORRECTED,
        "（演示）罚款金额写错了，多写了一位。",
        ((Act.ACCEPT, "转责任单位核实（演示）。"), (Act.UPHOLD, "经核对决定书，金额录入有误，已更正（演示）。")),
        corrected={"fine": "0.5"},
    ),
    Told(
        "dismissed",
        CHANGED,
        "（演示）这条处罚已经变更，不应当再列出。",
        (
            (Act.ACCEPT, "转责任单位核实（演示）。"),
            (Act.DISMISS, "处罚变更后仍然有效，列出的是变更后的内容，附变更决定（演示）。"),
        ),
    ),
    Told(
        "declined",
        FORMER_NAME,
        "（演示）处罚的是旧名称，与现在的公司无关。",
        ((Act.DECLINE, "更名前后是同一主体，不属于异议范围（演示）。"),),
    ),
    Told(
        "appealed",
        SUMMARY,
        "（演示）不服这项处罚。",
        (
            (Act.DECLINE, "对处罚决定不服的，请向作出决定的机关申请复议（演示）。"),
            (Act.APPEAL, "（演示）记录里的违法事实写得与决定书不同，请信用办复核。"),
        ),
    ),
)


@dataclass(frozen=True)
class _Cast:
    agent: Account
    office: Account
    justice: Account
    water: Account

    @property
    def subject_id(self) -> int:
        assert self.agent.subject_id is not None
        return self.agent.subject_id

    def of(self, act: Act) -> Account:
        if act is Act.APPEAL:
            return self.agent
        return self.office if act in (Act.ACCEPT, Act.ASK, Act.DECLINE) else self.water


def show_redress() -> None:
    """Do what is not done yet; done again it changes nothing. Nothing without the demonstration's accounts."""
    found = [account_named(name) for name in (AGENT, OFFICE, JUSTICE, WATER_HEAD)]
    accounts = [account for account in found if account is not None]
    if len(accounts) < len(found):
        return
    cast = _Cast(*accounts)
    # Of a year whose working days were not announced some of this cannot be said; the city is there all the same.
    with suppress(CalendarError):
        for told in TOLD:
            _object(told, cast)
        _repair(cast)
        _publicity(cast)


@transaction.atomic
def _object(told: Told, cast: _Cast) -> None:
    """Lodge one and bring it to its stage; not to a record that a city of an earlier version does not hold."""
    key, record_id = uuid.uuid5(FORMS, told.name), _record(cast.subject_id, told.record)
    if Objection.objects.filter(key=key).exists() or (told.record and record_id is None):
        return
    is_missing = told.ground is Ground.MISSING
    new = NewObjection(
        cast.subject_id,
        POLICY,
        told.ground,
        record_id,
        domain=WATER if is_missing else "",
        kind=RecordKind.ADMINISTRATIVE_PENALTY if is_missing else "",
        document_number="苏水罚〔2026〕示9001号" if is_missing else "",
        words=told.words,
    )
    objection = lodge(new, account=cast.agent, key=key)
    for seq, (act, said) in enumerate(told.acts, 1):
        _act(objection, (seq, act, said), told, cast)


def _act(objection: Objection, step: tuple[int, Act, str], told: Told, cast: _Cast) -> None:
    seq, act, said = step
    if act is Act.UPHOLD:
        assert objection.record_id is not None
        values = {**current_row(objection.record_id).values, **told.corrected}
        changed = Upholding(objection.number, seq, Correction.What.CHANGED, said, values)
        uphold(changed, account=cast.of(act))
        return
    doing = Doing(
        objection.number,
        seq,
        act,
        reason="" if act is Act.APPEAL else said,
        words=said if act is Act.APPEAL else "",
        unit_id=cast.water.unit_id if act is Act.ACCEPT else None,
        files=[_picture()] if act is Act.DISMISS else [],
    )
    take_step(doing, account=cast.of(act))


def _record(subject_id: int, ending: str) -> int | None:
    """The subject's record whose document number ends so."""
    if not ending:
        return None
    heads = RecordHead.objects.filter(
        subject_id=subject_id, kind=RecordKind.ADMINISTRATIVE_PENALTY, payload_sha256__isnull=False
    )
    versions = RecordVersion.objects.filter(
        pk__in=heads.values("version_id"), subject_id=subject_id, payload__contains=f'{ending}"'
    )
    return versions.values_list("record_id", flat=True).first()


def _picture() -> Found:
    """A picture that says what it is."""
    picture = Image.new("RGB", (480, 160), "white")
    ImageDraw.Draw(picture).text((40, 70), "DEMONSTRATION - NOT A DOCUMENT", fill="black")
    kept = io.BytesIO()
    picture.save(kept, "PNG")
    return Found("image/png", kept.getvalue(), "演示凭证.png")


@transaction.atomic
def _repair(cast: _Cast) -> None:
    """One prepared and handed over, not yet decided."""
    record_id = _record(cast.subject_id, REPAIRABLE)
    if record_id is None or RepairCase.objects.filter(subject_id=cast.subject_id).exists():
        return
    # Rules change by the day: whether it may be repaired today is theirs to say.
    with suppress(RedressError):
        made = prepare(record_id, account=cast.agent)
        say(made.number, "handed-over", "（演示）", 0, account=cast.agent)


@transaction.atomic
def _publicity(cast: _Cast) -> None:
    if not Doubt.objects.exists():
        asked = rulings.NewDoubt(POLICY, "procedure-unknown", "（演示）没有写明程序的处罚，按普通程序还是按简易程序？")
        put = rulings.Draft(
            rulings.ask(asked, account=cast.water),
            "（演示）没有写明程序的，不能认定为简易程序，照常计入并注明。",
            "（演示）方案只排除简易程序；没有证明是简易程序的，不在排除之列。",
            "演示文号，非正式文件",
        )
        made = rulings.draft(put, account=cast.office)
        for account in (cast.office, cast.justice):
            rulings.sign(made, account=account)
    if not Suggestion.objects.exists():
        said = suggestions.NewSuggestion("suggestion", "report", "（演示）报告里的字可以再大一些。")
        first = suggestions.lodge(said, account=None, key=uuid.uuid5(FORMS, "suggestion"))
        answer = suggestions.Answer("（演示）可以打开“长辈模式”。", "（演示）字太小怎么办？", is_public=True)
        suggestions.answer(first.number, answer, by=cast.office.actor)
        complaint = suggestions.NewSuggestion("complaint", "data", "（演示）一个领域总是“未能核查”，请督促报送。")
        suggestions.lodge(complaint, account=cast.agent, key=uuid.uuid5(FORMS, "complaint"))
    if not Training.objects.exists():
        held = registers.Held(today(), "（演示）报送和零报告操作", "各单位联络员", 40)
        registers.keep_training(held, by=cast.office.actor)
        problem = registers.NewProblem("（演示）省级数据回流不全", "（演示）两个月的数据没有回流。")
        registers.raise_problem(problem, by=cast.office.actor)
