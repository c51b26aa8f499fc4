"""Grant, ask for, confirm and revoke mandates (代理关系), and choose whom to act for: each with its audit event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from xinzheng.apps.accounts.mandate_models import SCOPES, Mandate, MandateAnswer, MandateEnd, MandateRequest
from xinzheng.apps.accounts.mandate_queries import in_force, is_for_the_office, scopes_of
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.permissions import refusals_to_authorise, refusals_to_settle_representation
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.core.errors import XinzhengError

LONGEST_DAYS = 366
MOST_REQUESTS = 5
LETTER_SCOPES = ("apply", "read", "share", "object")
OFFICE = "office"
# No subject's key: identities begin at 1.
UNREGISTERED = 0


class MandateError(XinzhengError):
    """A mandate is not granted, not confirmed or not revoked."""

    code = "mandate-refused"


@dataclass(frozen=True)
class NewMandate:
    """What a mandate is made of; ``until_date`` inclusive; ``evidence`` names what it rests on, never a person."""

    account_id: int
    subject_id: int
    basis: Mandate.Basis
    scopes: Sequence[str] = SCOPES
    until_date: date | None = None
    evidence: str = ""


@dataclass(frozen=True)
class NewRequest:
    """What an agent asks for: which subject, what he may do, until when (inclusive); ``code`` as he wrote it.

    ``subject_id`` is UNREGISTERED where the register has no such subject: the request waits as any other does, for
    nobody, so that asking does not tell who is in the register.
    """

    subject_id: int
    scopes: Sequence[str]
    until_date: date
    code: str = ""


@transaction.atomic
def grant(new: NewMandate, *, by: str) -> Mandate:
    """Let an account act for a subject (授权).

    Raises:
        MandateError: ``mandate-refused``: not an agent's account, closed, scopes or last day unfit, or somebody
            else than the natural person himself.
    """
    account = _agent(new.account_id)
    scopes = _known_scopes(new.scopes)
    if new.basis == Mandate.Basis.SELF and account.person_id != new.subject_id:
        raise MandateError("本人办理只限本人：该账户不是这名自然人的。")
    if new.basis == Mandate.Basis.LETTER:
        _check_last_day(new.until_date)
    made = Mandate.objects.create(
        account=account,
        subject_id=new.subject_id,
        basis=new.basis,
        scopes=list(scopes),
        until_date=new.until_date,
        evidence=new.evidence,
        by=by,
    )
    if account.subject_id is None:
        Account.objects.filter(pk=account.pk).update(subject_id=new.subject_id)
    details = {"account_id": account.pk, "basis": str(new.basis), "scopes": list(scopes)}
    _tell(by, "mandate-granted", made, details)
    return made


@transaction.atomic
def revoke(mandate_id: int, *, by: str, reason: str = "") -> MandateEnd:
    """End a mandate at once (撤销授权); what was done under it stays.

    Raises:
        MandateError: ``unknown-mandate`` or ``mandate-ended-already``.
    """
    mandate = Mandate.objects.select_for_update().filter(pk=mandate_id).first()
    if mandate is None:
        raise MandateError("没有这项授权，请刷新页面后再看。", code="unknown-mandate")
    if MandateEnd.objects.filter(mandate=mandate).exists():
        raise MandateError("这项授权已经撤销，无需再次撤销。", code="mandate-ended-already")
    end = MandateEnd.objects.create(mandate=mandate, reason=reason, by=by)
    _tell(by, "mandate-revoked", mandate, {"account_id": mandate.account_id})
    return end


@transaction.atomic
def ask(new: NewRequest, *, account: Account) -> MandateRequest:
    """Put a letter of authorisation (授权书) to the subject's representative; nothing is permitted by asking.

    Raises:
        MandateError: ``mandate-refused`` or ``too-many-requests``.
    """
    asker = _agent(account.pk)
    scopes = _known_scopes(new.scopes)
    if not set(scopes) <= set(LETTER_SCOPES):
        raise MandateError("经办人不能再授权他人；请只选申请、查看、亮码、提出异议。")
    return _waiting(asker, new, scopes)


@transaction.atomic
def ask_the_office(new: NewRequest, *, account: Account) -> MandateRequest:
    """Let the credit office look into who represents a subject, because the register does not name this person.

    Raises:
        MandateError: ``mandate-refused`` or ``too-many-requests``.
    """
    return _waiting(_agent(account.pk), new, SCOPES)


@transaction.atomic
def answer(request_id: int, *, account: Account, is_confirmed: bool) -> MandateAnswer:
    """Confirm or refuse a request (确认或者拒绝授权): the representative, or the office where he is in question.

    Raises:
        MandateError: ``unknown-request``, ``request-answered-already``, ``not-the-representative`` or
            ``mandate-refused`` when its last day has passed.
    """
    request = MandateRequest.objects.select_for_update().filter(pk=request_id).first()
    if request is None:
        raise MandateError("没有这份授权申请，请刷新页面后再看。", code="unknown-request")
    if refusals := refusals_to_answer(account, request):
        raise MandateError("\n".join(refusals), code="not-the-representative")
    if MandateAnswer.objects.filter(request=request).exists():
        raise MandateError("这份授权申请已经答复过了。", code="request-answered-already")
    mandate = grant(_asked_mandate(request), by=account.actor) if is_confirmed else None
    given = MandateAnswer.objects.create(request=request, mandate=mandate, by=account.actor)
    about = About(request.subject_id, details={"account_id": request.account_id, "is_confirmed": is_confirmed})
    record_event(
        who=account.actor, action="mandate-answered", object_kind="mandate-request", object_id=request.pk, details=about
    )
    return given


def refusals_to_answer(account: Account, request: MandateRequest) -> list[str]:
    """Confirm or refuse a request: who may authorise for the subject, never the asker himself."""
    if is_for_the_office(request):
        return refusals_to_settle_representation(account)
    refusals = refusals_to_authorise(account, request.subject_id)
    if account.pk == request.account_id:
        refusals.append("这份授权是您自己申请的，须由法定代表人确认。")
    return refusals


@transaction.atomic
def act_for(account: Account, subject_id: int) -> None:
    """From now on act for this subject (切换所代理的主体).

    Raises:
        MandateError: ``mandate-refused``: there is no mandate for it.
    """
    if not scopes_of(account, subject_id, timezone.localdate()):
        raise MandateError("本账户没有代理这一主体的有效授权。")
    if account.subject_id == subject_id:
        return
    Account.objects.filter(pk=account.pk).update(subject_id=subject_id)
    account.subject_id = subject_id
    record_event(
        who=account.actor,
        action="acting-for-chosen",
        object_kind="account",
        object_id=account.pk,
        details=About(subject_id),
    )


def _waiting(asker: Account, new: NewRequest, scopes: tuple[str, ...]) -> MandateRequest:
    _check_last_day(new.until_date)
    # The account's row is locked: of many at the same moment each counts the ones before.
    if MandateRequest.objects.filter(account=asker, answer__isnull=True).count() >= MOST_REQUESTS:
        said = f"已有{MOST_REQUESTS}份授权申请还没有答复，请等法定代表人答复后再申请。"
        raise MandateError(said, code="too-many-requests")
    made = MandateRequest.objects.create(
        account=asker, subject_id=new.subject_id, scopes=list(scopes), until_date=new.until_date, said=new.code
    )
    record_event(
        who=asker.actor,
        action="mandate-asked",
        object_kind="mandate-request",
        object_id=made.pk,
        details=About(new.subject_id or None, details={"scopes": list(scopes)}),
    )
    return made


def _asked_mandate(request: MandateRequest) -> NewMandate:
    return NewMandate(
        account_id=request.account_id,
        subject_id=request.subject_id,
        basis=Mandate.Basis.LETTER,
        scopes=request.scopes,
        until_date=request.until_date,
        evidence=OFFICE if is_for_the_office(request) else f"mandate-request:{request.pk}",
    )


def _agent(account_id: int) -> Account:
    account = Account.objects.select_for_update().filter(pk=account_id).first()
    if account is None or not account.is_active or account.role != Role.SUBJECT_AGENT:
        raise MandateError("只有在用的经办人账户可以接受授权，请核对账户。")
    return account


def _known_scopes(scopes: Sequence[str]) -> tuple[str, ...]:
    """In the order of SCOPES, each once."""
    if not scopes or not set(scopes) <= set(SCOPES):
        raise MandateError("请至少选一项授权事项，并且只从列出的事项中选择。")
    return tuple(scope for scope in SCOPES if scope in scopes)


def _check_last_day(until_date: date | None) -> None:
    today = timezone.localdate()
    if until_date is None or not today <= until_date <= today + timedelta(days=LONGEST_DAYS):
        raise MandateError("授权的最后一日须在今天以后，最长一年。", code="last-day-unfit")


def _tell(by: str, action: str, mandate: Mandate, details: dict[str, object]) -> None:
    about = About(mandate.subject_id, details=details)
    record_event(who=by, action=action, object_kind="mandate", object_id=mandate.pk, details=about)


def has_mandate(new: NewMandate) -> bool:
    """Whether the account has a mandate in force for this subject on the same basis."""
    found = in_force(timezone.localdate())
    return found.filter(account_id=new.account_id, subject_id=new.subject_id, basis=new.basis).exists()
