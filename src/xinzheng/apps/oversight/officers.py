"""Responsible officers by unit and domain (责任人)."""

from django.db import connection, transaction

from xinzheng.apps.accounts.models import OF_A_UNIT, Account
from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import NamedOfficer

NAMED = """
    SELECT n.account_id FROM oversight_namedofficer n JOIN audit_position p ON p.entry_id = n.entry_id
    WHERE n.unit_id = %s AND n.domain = %s ORDER BY p.position DESC LIMIT 1
"""

ALL_NAMED = """
    SELECT DISTINCT ON (n.unit_id, n.domain) n.unit_id, n.domain, n.account_id
    FROM oversight_namedofficer n JOIN audit_position p ON p.entry_id = n.entry_id
    ORDER BY n.unit_id, n.domain, p.position DESC
"""


def named_officer(unit_id: int, domain: str) -> int | None:
    """The account named for a unit and domain, or None."""
    with connection.cursor() as cursor:
        cursor.execute(NAMED, [unit_id, domain])
        found = cursor.fetchone()
    return None if found is None else found[0]


def named_officers() -> dict[tuple[int, str], int | None]:
    """The account named for each unit and domain; None where the name was taken back."""
    with connection.cursor() as cursor:
        cursor.execute(ALL_NAMED)
        return {(unit, domain): account for unit, domain, account in cursor.fetchall()}


@transaction.atomic
def name_officer(unit_id: int, domain: str, account: Account | None, *, by: str) -> int:
    """Name who answers for a domain of a unit, or (None) nobody by name; returns the position.

    Raises:
        OversightError: ``officer-of-another-unit``.
    """
    if account is not None and (account.unit_id != unit_id or account.role not in OF_A_UNIT):
        raise OversightError("责任人必须是本单位的账户，请重新选择。", code="officer-of-another-unit")
    entry = open_entry(kind="officer-named", by=by, unit_id=unit_id)
    chosen = None if account is None else account.pk
    NamedOfficer.objects.create(entry=entry, unit_id=unit_id, domain=domain, account_id=chosen)
    details = {"domain": domain, "account": chosen}
    record_event(who=by, action="officer-named", object_kind="unit", object_id=unit_id, details=details)
    return take_position(entry)
