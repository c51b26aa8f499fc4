"""Whether the register names somebody as a subject's legal representative (法定代表人), now and at each later use."""

import unicodedata
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from xinzheng.apps.accounts.mandate_models import SCOPES, Mandate, MandateRequest
from xinzheng.apps.accounts.mandate_queries import agents_of, open_requests
from xinzheng.apps.accounts.mandates import MandateError, NewMandate, NewRequest, ask_the_office, grant
from xinzheng.apps.accounts.models import Account
from xinzheng.core.subjects import SubjectKind

ASKED_DAYS = 365
BASIS = Mandate.Basis.REPRESENTATIVE
DOTS = str.maketrans("•‧∙⋅・･", "······")

LATEST = """
    SELECT v.id, v.representative, v.kind
    FROM registry_subjectversion v JOIN audit_position p ON p.entry_id = v.entry_id
    WHERE v.subject_id = %s ORDER BY p.position DESC LIMIT 1
"""
NAMED_THEN = "SELECT representative FROM registry_subjectversion WHERE id = %s AND subject_id = %s"


@transaction.atomic
def claim_representation(account: Account, subject_id: int, name: str) -> Mandate | MandateRequest:
    """Bind an organisation to who says, through an identity platform that vouches for it, to represent it.

    Args:
        account: of the person, who has signed in through the platform.
        subject_id: the organisation the platform names.
        name: the person's name as the platform has verified it.

    Returns:
        The mandate where the register names the same; otherwise the request that waits for the credit office, because
        a register may be late, and a name alone binds nobody.

    Raises:
        MandateError: ``mandate-refused``: a natural person is represented by nobody, or the subject is unknown.
    """
    found = _row(LATEST, [subject_id])
    if found is None or found[2] == SubjectKind.NATURAL_PERSON:
        raise MandateError("只有登记在册的企业、个体工商户和其他组织有法定代表人；自然人只能本人办理。")
    version, named, _ = found
    today = timezone.localdate()
    if not is_same_name(named, name):
        waiting = [asked for asked in open_requests(account=account) if asked.subject_id == subject_id]
        until = today + timedelta(days=ASKED_DAYS)
        return waiting[0] if waiting else ask_the_office(NewRequest(subject_id, SCOPES, until), account=account)
    bound = [held for held in agents_of(subject_id, today) if (held.account_id, held.basis) == (account.pk, BASIS)]
    evidence = f"subject-version:{version}"
    return bound[0] if bound else grant(NewMandate(account.pk, subject_id, BASIS, evidence=evidence), by=account.actor)


def is_still_named(mandate: Mandate) -> bool:
    """Whether the register still names whom it named when the mandate was granted."""
    version = mandate.evidence.removeprefix("subject-version:")
    then = _row(NAMED_THEN, [int(version), mandate.subject_id]) if version.isdecimal() else None
    now = _row(LATEST, [mandate.subject_id])
    return then is not None and now is not None and is_same_name(then[0], now[1])


def is_same_name(one: str | None, other: str | None) -> bool:
    """Whether two ways of writing a name are the same, but for spaces, width and the dot within; none is nobody's."""
    return bool(_plain(one)) and _plain(one) == _plain(other)


def _plain(name: str | None) -> str:
    return "".join(unicodedata.normalize("NFKC", (name or "").translate(DOTS)).split()).casefold()


def _row(statement: str, values: list[int]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row
