"""Who may act for whom now (代理关系): asked at each use, so that what ended permits nothing a moment later."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from xinzheng.apps.accounts.mandate_models import SCOPES, Mandate, MandateRequest
from xinzheng.apps.accounts.models import Account, Role

# Whether what a mandate rests on still holds. The register of subjects stands above this app and brings its own word.
Ground = Callable[[Mandate], bool]
_GROUNDS: dict[str, Ground] = {}


@dataclass(frozen=True)
class ActsFor:
    """One subject an account may act for: in which scopes, and the mandates that say so (none for oneself)."""

    subject_id: int
    scopes: frozenset[str]
    mandates: tuple[Mandate, ...] = ()

    @property
    def is_oneself(self) -> bool:
        """Whether it is the natural person behind the account."""
        return not self.mandates


def rests_on(basis: Mandate.Basis, ground: Ground) -> None:
    """Ask ``ground`` whether mandates on this basis still hold; without an answer a representative's never does."""
    _GROUNDS[basis] = ground


def scopes_of(account: Account, subject_id: int, today: date) -> frozenset[str]:
    """What the account may do for the subject: apply, read, share, object, authorise; empty when nothing."""
    if not account.is_active or account.pk is None or account.role != Role.SUBJECT_AGENT:
        return frozenset()
    if account.person_id == subject_id:
        return frozenset(SCOPES)
    return _scopes(mandate for mandate in in_force(today).filter(account=account, subject_id=subject_id))


def subjects_of(account: Account, today: date) -> list[ActsFor]:
    """All subjects the account may act for, oneself first, then in the order of the first mandate."""
    if not account.is_active or account.role != Role.SUBJECT_AGENT:
        return []
    oneself = [] if account.person_id is None else [ActsFor(account.person_id, frozenset(SCOPES))]
    found: dict[int, list[Mandate]] = {}
    for mandate in in_force(today).filter(account=account).order_by("pk"):
        if mandate.subject_id != account.person_id and _holds(mandate):
            found.setdefault(mandate.subject_id, []).append(mandate)
    return oneself + [ActsFor(subject_id, _scopes(of), tuple(of)) for subject_id, of in found.items()]


def agents_of(subject_id: int, today: date) -> list[Mandate]:
    """The mandates in force for a subject, oldest first, each with its account."""
    found = in_force(today).filter(subject_id=subject_id, account__is_active=True).select_related("account")
    return [mandate for mandate in found.order_by("pk") if _holds(mandate)]


def ended_mandates(subject_id: int, today: date) -> list[Mandate]:
    """The mandates of a subject that permit nothing any more, latest first, each with its account and its end."""
    held = {mandate.pk for mandate in agents_of(subject_id, today)}
    found = Mandate.objects.filter(subject_id=subject_id).exclude(pk__in=held)
    return list(found.select_related("account", "end").order_by("-pk"))


def open_requests(*, subject_id: int | None = None, account: Account | None = None) -> list[MandateRequest]:
    """Requests nobody has answered yet, oldest first, without the letters: of a subject or of an account."""
    found = MandateRequest.objects.filter(answer__isnull=True).defer("letter_ct").select_related("account")
    if subject_id is not None:
        found = found.filter(subject_id=subject_id)
    if account is not None:
        found = found.filter(account=account)
    return list(found.order_by("pk"))


def is_for_the_office(request: MandateRequest) -> bool:
    """Whether somebody says to be the representative and the register does not: the credit office looks into it."""
    return "authorise" in request.scopes


def in_force(today: date) -> QuerySet[Mandate]:
    """Mandates neither revoked nor past their last day; what they rest on is not looked at."""
    return Mandate.objects.filter(Q(until_date__isnull=True) | Q(until_date__gte=today), end__isnull=True)


def _scopes(mandates: Iterable[Mandate]) -> frozenset[str]:
    return frozenset(scope for mandate in mandates if _holds(mandate) for scope in mandate.scopes)


def _holds(mandate: Mandate) -> bool:
    if mandate.basis == Mandate.Basis.SELF:
        return mandate.account.person_id == mandate.subject_id
    if mandate.basis in _GROUNDS:
        return _GROUNDS[mandate.basis](mandate)
    return mandate.basis != Mandate.Basis.REPRESENTATIVE
