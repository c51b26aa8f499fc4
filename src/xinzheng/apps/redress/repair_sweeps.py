"""What repair needs done by itself: links between repairs and penalties, and a notice when publication has ended."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import connection, transaction

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.codes.notice_events import PUBLICATION_ENDED
from xinzheng.apps.codes.notices import Addressee, tell
from xinzheng.apps.ledger.queries import records_at
from xinzheng.apps.redress.models import RepairLink
from xinzheng.apps.redress.ports import repair_rules
from xinzheng.apps.redress.repair_queries import GuidedRecord, guided_records
from xinzheng.apps.reports.forms import policies_for
from xinzheng.apps.reports.packs import jurisdiction_of
from xinzheng.core.repair import PublicationState, months_after, repair_pairs
from xinzheng.core.repair_rules import RepairRule, RepairRules
from xinzheng.core.subjects import Tie

# How long after its end a publication is still told of: what ended before is no news.
NEWS = timedelta(days=62)

# Whose repairs name a document of a record of theirs, and have no link yet: what is missing in the tables, not what
# came after the last one seen.
UNLINKED = """
    SELECT DISTINCT h.subject_id
    FROM ledger_recordhead h JOIN ledger_recordversion r ON r.subject_id = h.subject_id AND r.id = h.version_id
    WHERE h.kind = 'credit_repair' AND h.payload_sha256 IS NOT NULL AND r.document_key IS NOT NULL
      AND EXISTS (
          SELECT FROM ledger_recordhead o
          JOIN ledger_recordversion p ON p.subject_id = o.subject_id AND p.id = o.version_id
          WHERE o.subject_id = h.subject_id AND o.kind <> 'credit_repair' AND o.payload_sha256 IS NOT NULL
            AND p.document_key = r.document_key
            AND NOT EXISTS (
                SELECT FROM redress_repairlink l
                WHERE l.subject_id = h.subject_id AND l.repair_record_id = h.record_id
                  AND l.penalty_record_id = o.record_id AND l.repaired_date = r.repaired_date))
"""
# Subjects somebody acts for, with a record of such a day.
SUBJECTS_OF_DAYS = """
    SELECT DISTINCT h.subject_id
    FROM ledger_recordhead h JOIN ledger_recordversion v ON v.subject_id = h.subject_id AND v.id = h.version_id
    WHERE h.payload_sha256 IS NOT NULL AND v.kind = ANY(%(kinds)s)
      AND coalesce(v.listed_from, v.decision_date) BETWEEN %(first)s AND %(last)s
      AND EXISTS (SELECT FROM accounts_mandate m WHERE m.subject_id = h.subject_id)
"""


def link_found(today: date) -> int:
    """Write down which repair record reaches which penalty (修复对应处罚); how many are new. Safe to run again."""
    with connection.cursor() as cursor:
        cursor.execute(UNLINKED)
        subjects = [key for (key,) in cursor.fetchall()]
    return sum(_link(subject_id, today) for subject_id in subjects)


@transaction.atomic
def _link(subject_id: int, today: date) -> int:
    position = head_position()
    jurisdictions = sorted({jurisdiction_of(policy_id) for policy_id, _ in policies_for(subject_id)})
    pairs = {
        (int(repair.id), int(penalty.id), repair.repaired_date)
        for place in jurisdictions
        for repair, penalty in repair_pairs(records_at({subject_id: Tie.SELF}, position, place), today)
        if repair.repaired_date is not None
    }
    before = RepairLink.objects.filter(subject_id=subject_id).count()
    RepairLink.objects.bulk_create(
        [
            RepairLink(
                subject_id=subject_id,
                repair_record_id=repair,
                penalty_record_id=penalty,
                repaired_date=day,
                position=position,
            )
            for repair, penalty, day in sorted(pairs)
        ],
        ignore_conflicts=True,
    )
    return RepairLink.objects.filter(subject_id=subject_id).count() - before


def tell_ended(today: date) -> int:
    """Tell subjects of records whose longest publication has ended (公示期届满); how many notices.

    Once for each record and day of its end; safe to run again, also after days without a run.
    """
    rules: RepairRules = repair_rules()
    return sum(_tell(subject_id, today) for subject_id in _subjects(rules.on(today), today))


def _subjects(rule: RepairRule, today: date) -> list[int]:
    """Whose records may have ended lately by one of the rule's spans, or when the rule came."""
    found: set[int] = set()
    for first, last in _days(rule, today):
        with connection.cursor() as cursor:
            cursor.execute(SUBJECTS_OF_DAYS, {"kinds": sorted(rule.covers), "first": first, "last": last})
            found |= {key for (key,) in cursor.fetchall()}
    return sorted(found)


def _days(rule: RepairRule, today: date) -> Iterable[tuple[date, date]]:
    """From when to when a record was decided whose span ends within what is news; a little wider than it is."""
    for months in {one.longest_months for one in rule.classes}:
        yield months_after(today - NEWS, -months) - timedelta(days=3), months_after(today, -months) + timedelta(days=3)


@transaction.atomic
def _tell(subject_id: int, today: date) -> int:
    told = 0
    for one in guided_records(subject_id, today).records:
        until = _ended_lately(one, today)
        if until is not None:
            source, body = f"publication:{one.id}:{until}", {"record": one.id, "until": until.isoformat()}
            told += tell(PUBLICATION_ENDED, source, [Addressee(subject_id=subject_id)], body)
    return told


def _ended_lately(one: GuidedRecord, today: date) -> date | None:
    """The last day of its publication, if it ended surely and not long ago."""
    publication = one.guidance.publication
    if publication.state is not PublicationState.ENDED_BY_PERIOD or publication.until is None or not one.is_own:
        return None
    return publication.until if today - NEWS <= publication.until else None
