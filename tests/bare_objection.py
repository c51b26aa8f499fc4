"""The rows of an objection alone, with no record in the ledger behind it: for what is kept of one."""

from datetime import UTC, datetime

from xinzheng.apps.redress.models import Objection, ObjectionHead, Step

AT = datetime(2026, 11, 2, 2, tzinfo=UTC)
NUMBER, FIRM, UNIT = "Y20261102-0001", 1, 7


def lodged(number: str = NUMBER, state: str = "intake", at: datetime = AT, subject: int = FIRM) -> Step:
    """The first step of an objection that stands so since."""
    made = Objection.objects.create(
        number=number, ground="wrong", subject_id=subject, policy_id="suzhou-2024", record_id=1, version_id=1,
        domain="taxation", kind="administrative_penalty", unit_id=UNIT, account_id=1, lodged_at=at,
    )  # fmt: skip
    ObjectionHead.objects.create(objection=made, seq=1, state=state, clock_from=at.date(), changed_at=at)
    return Step.objects.create(objection=made, seq=1, act="lodge", state="intake", by="subject", actor="a", at=at)
