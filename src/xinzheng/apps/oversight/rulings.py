"""Rulings (裁定) on doubtful readings of a clause: asked for, drafted, signed by credit office and justice bureau.

A ruling is words beside a clause; what decisions do stays with the policy pack (ADR 0028). Everything is history: a
draft that should read otherwise, and a ruling that no longer holds, are replaced by another one of the same doubt.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Prefetch

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.privacy import text_to_keep
from xinzheng.apps.codes.notice_events import DOUBT_ASKED, RULING_WAITS
from xinzheng.apps.codes.notices import Addressee, tell
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import Doubt, Ruling, RulingSignature
from xinzheng.apps.oversight.publicity_models import RULING_ROLES
from xinzheng.apps.redress.clock import now
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.errors import RefusedError

ASKED_AT_MOST = 500
TEXT_AT_MOST = 2000
BASIS_AT_MOST = 500
DOCUMENT_AT_MOST = 100
# Who signs, as the public reads it.
OFFICES: Mapping[str, str] = {Role.OFFICE_OPERATOR: "信用办", Role.JUSTICE_LEAD: "司法局"}


@dataclass(frozen=True, slots=True)
class NewDoubt:
    """A doubtful reading (疑问) of a clause of a policy as it stands now."""

    policy_id: str
    clause_id: str
    question: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A ruling as it is put forward: text, what it rests on, the document it is announced by if there is one.

    ``needs_pack``: the clause has to be changed as well; until a new pack is in use decisions go by the old one.
    """

    doubt_id: int
    text: str
    basis: str
    document: str = ""
    needs_pack: bool = False


@dataclass(frozen=True, slots=True)
class SignatureView:
    """One of the signatures (会签)."""

    role: str
    office: str
    account_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RulingView:
    """A ruling with its doubt. ``published_at`` is the later signature's moment, None while one is missing.

    ``is_of_earlier_pack``: the clause has been read in a pack that is not the present one (按此前版本).
    ``replaced_by`` is the published ruling that took its place, ``replaces`` the published one whose place it took.
    """

    id: int
    doubt_id: int
    policy_id: str
    clause_id: str
    question: str
    text: str
    basis: str
    document: str
    needs_pack: bool
    pack_sha256: str
    is_of_earlier_pack: bool
    drafted_at: datetime
    signatures: Sequence[SignatureView]
    published_at: datetime | None
    replaces: int | None = None
    replaced_by: int | None = None

    @property
    def lacks(self) -> Sequence[str]:
        """The offices whose signature is missing."""
        signed = {signature.role for signature in self.signatures}
        return [office for role, office in OFFICES.items() if role not in signed]


@dataclass(frozen=True, slots=True)
class DoubtView:
    """A doubt and what became of it: the ruling in force, and the draft that is being signed."""

    id: int
    policy_id: str
    clause_id: str
    question: str
    actor: str
    at: datetime
    in_force: RulingView | None
    draft: RulingView | None


@transaction.atomic
def ask(new: NewDoubt, *, account: Account) -> int:
    """Put a doubtful reading to the office (提请裁定); its number.

    Raises:
        RefusedError: ``unknown-policy``.
        UnkeepableTextError: the question is too long or holds a person's number.
        OversightError: ``unknown-clause``, ``question-missing``.
    """
    policy = current_policy(new.policy_id)
    if new.clause_id not in {clause.id for clause in policy.clauses}:
        raise OversightError("这项政策没有这条规则，请从政策页面的规则下提请。", code="unknown-clause")
    question = text_to_keep(new.question, field="疑问", most=ASKED_AT_MOST)
    if not question:
        raise OversightError("请写明有什么疑问：什么情形、有哪几种理解。", code="question-missing")
    made = Doubt.objects.create(
        policy_id=policy.id,
        clause_id=new.clause_id,
        pack_sha256=bytes.fromhex(policy.sha256),
        question=question,
        actor=account.actor,
        at=now(),
    )
    _tell(account, "doubt-asked", "doubt", made.pk, {"policy": policy.id, "clause": new.clause_id})
    tell(DOUBT_ASKED, f"doubt:{made.pk}", _offices_but(account), {})
    return made.pk


@transaction.atomic
def draft(put: Draft, *, account: Account) -> int:
    """Put a ruling forward for signing; its number. It takes the place of the doubt's latest one, signed or not.

    Raises:
        UnkeepableTextError: a text is too long or holds a person's number.
        OversightError: ``unknown-doubt``, ``ruling-text-missing``, ``ruling-basis-missing``.
    """
    text = text_to_keep(put.text, field="裁定", most=TEXT_AT_MOST)
    basis = text_to_keep(put.basis, field="依据和理由", most=BASIS_AT_MOST)
    document = text_to_keep(put.document, field="文号", most=DOCUMENT_AT_MOST)
    if not text:
        raise OversightError("请写明怎样理解。", code="ruling-text-missing")
    if not basis:
        raise OversightError("请写明依据和理由。", code="ruling-basis-missing")
    # A statement of its own: a draft that was put forward at the same moment is seen, and replaced.
    doubt = Doubt.objects.select_for_update(no_key=True).filter(pk=put.doubt_id).first()
    if doubt is None:
        raise OversightError("没有这件待裁定的问题。", code="unknown-doubt")
    made = Ruling.objects.create(
        doubt=doubt,
        text=text,
        basis=basis,
        document=document,
        needs_pack=put.needs_pack,
        replaces=Ruling.objects.filter(doubt=doubt).order_by("-pk").first(),
        actor=account.actor,
        at=now(),
    )
    _tell(account, "ruling-drafted", "ruling", made.pk, {"doubt": doubt.pk})
    tell(RULING_WAITS, f"ruling:{made.pk}", _offices_but(account), {})
    return made.pk


@transaction.atomic
def sign(ruling_id: int, *, account: Account) -> RulingView:
    """Sign a ruling for one's own office; with the second signature it is published.

    Raises:
        OversightError: ``unknown-ruling``; ``ruling-replaced``: another draft took its place;
            ``ruling-signed-already``: the office or this person has signed it.
    """
    ruling = Ruling.objects.select_related("doubt").filter(pk=ruling_id).first()
    if ruling is None:
        raise OversightError("没有这件裁定。", code="unknown-ruling")
    # Drafting locks the doubt as well: what is signed is the latest draft, or nothing.
    Doubt.objects.select_for_update(no_key=True).get(pk=ruling.doubt_id)
    if Ruling.objects.filter(replaces=ruling).exists():
        raise OversightError("这份稿子已经有新稿代替，请看新稿后再会签。", code="ruling-replaced")
    try:
        with transaction.atomic():
            RulingSignature.objects.create(ruling=ruling, role=account.role, account_id=account.pk, at=now())
    except IntegrityError as error:
        raise OversightError("本单位已经会签过这份裁定。", code="ruling-signed-already") from error
    _tell(account, "ruling-signed", "ruling", ruling.pk, {"role": str(account.role)})
    return _one(ruling.pk)


def published_ruling(ruling_id: int) -> RulingView:
    """A ruling that both offices have signed, also one that was replaced since.

    Raises:
        OversightError: ``ruling-not-published``: there is none of this number, or not both have signed.
    """
    found = next((view for view in _views(Ruling.objects.filter(pk=ruling_id))), None)
    if found is None or found.published_at is None:
        raise OversightError("没有公布过这件裁定，请核对地址。", code="ruling-not-published")
    return found


def rulings_in_force(policy_id: str) -> dict[str, list[RulingView]]:
    """By clause the published rulings of a policy that no other published one has replaced, latest first."""
    found: dict[str, list[RulingView]] = {}
    views = _views(Ruling.objects.filter(doubt__policy_id=policy_id))
    for view in sorted(views, key=lambda one: one.id, reverse=True):
        if view.published_at is not None and view.replaced_by is None:
            found.setdefault(view.clause_id, []).append(view)
    return found


def doubts(limit: int = 200) -> list[DoubtView]:
    """What was put to the office, latest first, each with its ruling and its draft."""
    asked = list(Doubt.objects.order_by("-pk")[:limit])
    of_doubt: dict[int, list[RulingView]] = {}
    for view in _views(Ruling.objects.filter(doubt__in=asked)):
        of_doubt.setdefault(view.doubt_id, []).append(view)
    return [_doubt(doubt, of_doubt.get(doubt.pk, [])) for doubt in asked]


def _doubt(doubt: Doubt, views: list[RulingView]) -> DoubtView:
    published = [view for view in views if view.published_at is not None]
    latest = views[-1] if views else None
    return DoubtView(
        doubt.pk,
        doubt.policy_id,
        doubt.clause_id,
        doubt.question,
        doubt.actor,
        doubt.at,
        in_force=published[-1] if published else None,
        draft=latest if latest is not None and latest.published_at is None else None,
    )


def _one(ruling_id: int) -> RulingView:
    return next(iter(_views(Ruling.objects.filter(pk=ruling_id))))


def _views(found: Iterable[Ruling]) -> list[RulingView]:
    """The rulings of a query as views, oldest first; those of the same doubts are read along."""
    wanted = {ruling.pk for ruling in found}
    if not wanted:
        return []
    of_same = Ruling.objects.filter(doubt__rulings__in=wanted).distinct().select_related("doubt")
    rows = list(of_same.prefetch_related(Prefetch("signatures", RulingSignature.objects.order_by("at", "pk"))))
    rows.sort(key=lambda row: row.pk)
    published = {row.pk for row in rows if _published_at(row) is not None}
    earlier: dict[int, list[int]] = {}
    for row in rows:
        earlier.setdefault(row.doubt_id, []).extend([row.pk] if row.pk in published else [])
    return [_view(row, earlier[row.doubt_id]) for row in rows if row.pk in wanted]


def _published_at(ruling: Ruling) -> datetime | None:
    signed = {signature.role: signature.at for signature in ruling.signatures.all()}
    return max(signed.values()) if set(signed) == {role.value for role in RULING_ROLES} else None


def _view(ruling: Ruling, published: list[int]) -> RulingView:
    doubt, published_at = ruling.doubt, _published_at(ruling)
    before = [key for key in published if key < ruling.pk]
    after = [key for key in published if key > ruling.pk]
    pack = bytes(doubt.pack_sha256).hex()
    return RulingView(
        id=ruling.pk,
        doubt_id=doubt.pk,
        policy_id=doubt.policy_id,
        clause_id=doubt.clause_id,
        question=doubt.question,
        text=ruling.text,
        basis=ruling.basis,
        document=ruling.document,
        needs_pack=ruling.needs_pack,
        pack_sha256=pack,
        is_of_earlier_pack=pack != _pack_now(doubt.policy_id),
        drafted_at=ruling.at,
        signatures=[SignatureView(s.role, OFFICES[Role(s.role)], s.account_id, s.at) for s in ruling.signatures.all()],
        published_at=published_at,
        replaces=before[-1] if published_at is not None and before else None,
        replaced_by=after[0] if published_at is not None and after else None,
    )


def _pack_now(policy_id: str) -> str:
    """The digest of the policy's present pack; none where the policy is not shipped any more."""
    try:
        return current_policy(policy_id).sha256
    except RefusedError:
        return ""


def _tell(account: Account, action: str, kind: str, key: int, details: Mapping[str, object]) -> None:
    record_event(who=account.actor, action=action, object_kind=kind, object_id=str(key), details=dict(details))


def _offices_but(account: Account) -> list[Addressee]:
    """The two offices that sign, without whose officer does it now: they know."""
    return [Addressee(role=role) for role in RULING_ROLES if role != account.role]
