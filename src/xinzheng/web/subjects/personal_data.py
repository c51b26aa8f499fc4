"""All that is kept about who is signed in (个人信息): gathered for the page and for the export, nobody else's."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db.models import QuerySet
from django.utils import timezone

from xinzheng.apps.accounts.mandate_queries import scopes_of
from xinzheng.apps.accounts.models import Account, Mandate, MandateRequest, Role
from xinzheng.apps.accounts.platform_grants import grants_of
from xinzheng.apps.audit.action_words import action_words
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.codes.mail_addresses import mail_facts
from xinzheng.apps.codes.models import View
from xinzheng.apps.codes.view_queries import shares_of_subject, views_of
from xinzheng.apps.oversight.paper_demands import demands_of
from xinzheng.apps.oversight.suggestions import suggestions_of
from xinzheng.apps.registry.queries import UnknownSubjectError, full_identity, phone_of, subject_at
from xinzheng.apps.reports.models import Application
from xinzheng.apps.reports.queries import reports_of
from xinzheng.core.decision import china_date
from xinzheng.core.identifiers import mask_name
from xinzheng.core.subjects import SubjectKind
from xinzheng.web.actors import people_in, platform_names, through_platforms
from xinzheng.web.objections.export import objections_to_take
from xinzheng.web.repairs.export import repairs_to_take

AT_MOST = 10_000
OF_THE_PUBLIC = (Role.SUBJECT_AGENT, Role.RECEIVER)
OTHERS = {"command-line": "系统维护", "system": "系统", "public": "公众"}


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One line of the access log (办理和查看记录): what was done, by whom in words, from where."""

    id: int
    at: datetime
    words: str
    who: str
    object_id: str
    place: str


def person_of(account: Account) -> int | None:
    """The natural person's subject behind an account; None where only an organisation or nobody is known."""
    if account.person_id is not None:
        return account.person_id
    subject_id = account.subject_id
    if subject_id is None or not scopes_of(account, subject_id, china_date(timezone.now())):
        return None
    try:
        kind = subject_at(subject_id, head_position()).kind
    except UnknownSubjectError:
        return None
    return subject_id if kind is SubjectKind.NATURAL_PERSON else None


def logged_subject(account: Account) -> int | None:
    """Whose access log the account may read: its own person's, else that of the subject it may read for."""
    person = person_of(account)
    if person is not None or account.subject_id is None:
        return person
    scopes = scopes_of(account, account.subject_id, china_date(timezone.now()))
    return account.subject_id if "read" in scopes else None


def access_log(account: Account, subject_id: int, *, before: int | None = None, limit: int = 50) -> list[TraceRow]:
    """What was done about a subject, newest first: staff by their office, other people masked."""
    found = AuditEvent.objects.filter(subject_id=subject_id)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.order_by("-id")[:limit])
    names = _names(account, {row.who for row in rows})
    return [
        TraceRow(row.pk, row.at, action_words(row.action), names[row.who], row.object_id, row.place) for row in rows
    ]


def _names(reader: Account, actors: Iterable[str]) -> dict[str, str]:
    wanted = set(actors)
    names = {actor: OTHERS.get(actor, "接口") for actor in people_in(wanted)}
    keys = [int(actor.removeprefix("account:")) for actor in names if actor.startswith("account:")]
    for pk, name, role in Account.objects.filter(pk__in=keys).values_list("pk", "display_name", "role"):
        label = Role(role).label
        names[f"account:{pk}"] = f"{mask_name(name)}（{label}）" if role in OF_THE_PUBLIC else label
    if reader.actor in names:
        names[reader.actor] = "本账户"
    return names | platform_names(wanted, names)


def everything(account: Account) -> dict[str, Any]:
    """All of it, ready to be written as JSON; lists of events end at 10,000."""
    person = person_of(account)
    return {
        "made_at": timezone.now(),
        "account": _account(account),
        "person": _person(person),
        "mandates": _values(
            Mandate.objects.filter(account=account),
            "subject_id", "basis", "scopes", "until_date", "evidence", "at", "end__at", "end__reason",
        ),
        "mandate_requests": _values(
            MandateRequest.objects.filter(account=account), "said", "scopes", "until_date", "created_at"
        ),
        "applications": _applications(account, person),
        "reports": [asdict(row) for row in reports_of(person)] if person is not None else [],
        "shares": [asdict(row) for row in shares_of_subject(person, AT_MOST)] if person is not None else [],
        "views": _views(person),
        "paper_demands": [asdict(row) for row in demands_of(person)] if person is not None else [],
        "mail": mail_facts(account),
        "objections": objections_to_take(account, person, AT_MOST),
        "repairs": repairs_to_take(account, person, AT_MOST),
        "suggestions": [asdict(row) for row in suggestions_of(account, AT_MOST, with_words=True)],
        "sessions": _values(
            UserSession.objects.filter(user=account), "ip", "user_agent", "created_at", "last_seen_at"
        ),
        "second_factors": _values(
            Authenticator.objects.filter(user=account), "type", "created_at", "last_used_at"
        ),
        "platforms": _values(SocialAccount.objects.filter(user=account), "provider", "date_joined", "last_login"),
        "allowed_platforms": [asdict(grant) | {"scopes": sorted(grant.scopes)} for grant in grants_of(account)],
        "events_about": [asdict(row) for row in access_log(account, person, limit=AT_MOST)] if person else [],
        "events_by": _values(_events_by(account), "at", "who", "action", "object_kind", "object_id", "place"),
    }  # fmt: skip


def _events_by(account: Account) -> QuerySet[AuditEvent]:
    """What the account did, itself and through platforms, newest first."""
    actors = (account.actor, *through_platforms(account.actor))
    return AuditEvent.objects.filter(who__in=actors).order_by("-id")[:AT_MOST]


def _account(account: Account) -> Mapping[str, Any]:
    return {
        "username": account.username,
        "display_name": account.display_name,
        "role": account.role,
        "created_at": account.created_at,
        "last_login": account.last_login,
        "password_changed_at": account.password_changed_at,
    }


def _person(person: int | None) -> Mapping[str, Any] | None:
    if person is None:
        return None
    identity = full_identity(person)
    return {
        "subject": person,
        "name": identity.name if identity else None,
        "identity_number": identity.number if identity else None,
        "phone": phone_of(person),
    }


def _applications(account: Account, person: int | None) -> list[dict[str, Any]]:
    """The person's own, or those this account made for an organisation."""
    mine = {"account_id": account.pk} if person is None else {"subject_id": person}
    fields = ("id", "policy_id", "request", "receiver_name", "state", "number", "again_of", "created_at")
    return _values(Application.objects.filter(**mine).order_by("-created_at")[:AT_MOST], *fields)


def _views(person: int | None) -> list[dict[str, Any]]:
    if person is None:
        return []
    numbers = View.objects.filter(share__subject_id=person).values_list("share__report_number", flat=True).distinct()
    return [{"report": number} | asdict(row) for number in numbers for row in views_of(number=number, at_most=AT_MOST)]


def _values(found: Any, *fields: str) -> list[dict[str, Any]]:
    return list(found.values(*fields))
