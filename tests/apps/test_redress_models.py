"""What the database itself refuses of objections, corrections, notices and rulings."""

import uuid
from datetime import UTC, datetime

import pytest
from django.db import Error, IntegrityError, transaction

from xinzheng.apps.audit.actions import open_entry
from xinzheng.apps.codes.models import Notice
from xinzheng.apps.codes.notices import Addressee, tell
from xinzheng.apps.ledger.models import RecordDispute, RecordWithdrawal
from xinzheng.apps.oversight.models import Doubt, Ruling, RulingSignature
from xinzheng.apps.redress.models import Correction, Evidence, Objection, Step

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 2, tzinfo=UTC)


def objection(**changes: object) -> Objection:
    values = {
        "number": "Y20261102-0001", "ground": "wrong", "subject_id": 1, "policy_id": "suzhou-2024", "record_id": 1,
        "version_id": 1, "domain": "taxation", "kind": "administrative_penalty", "account_id": 1, "lodged_at": AT,
    }  # fmt: skip
    return Objection.objects.create(**{**values, **changes})


def step(of: Objection, seq: int, **changes: object) -> Step:
    values = {"act": "lodge", "state": "intake", "by": "subject", "actor": "account:1", "at": AT}
    return Step.objects.create(objection=of, seq=seq, **{**values, **changes})


def refused(make: object) -> None:
    with pytest.raises(Error), transaction.atomic():
        make()  # type: ignore[operator]


def test_history_is_never_changed_and_two_steps_never_have_one_place() -> None:
    made = objection()
    first = step(made, 1)
    refused(lambda: step(made, 1))
    for row in (made, first):
        refused(row.delete)
        refused(
            lambda row=row: (
                type(row).objects.filter(pk=row.pk).update(actor="x") if hasattr(row, "actor") else row.save()
            )
        )


def test_a_decision_gives_its_reason_and_what_lies_with_a_unit_names_it() -> None:
    made = objection()
    refused(lambda: step(made, 2, act="decline", state="declined", by="office"))
    refused(lambda: step(made, 2, act="accept", state="with-unit", by="office"))
    assert step(made, 2, act="accept", state="with-unit", by="office", unit_id=3).unit_id == 3


def test_only_a_missing_record_is_without_one_and_one_form_makes_one_objection() -> None:
    refused(lambda: objection(ground="missing"))
    refused(lambda: objection(record_id=None, version_id=None))
    key = uuid.uuid4()
    objection(key=key, ground="missing", record_id=None, version_id=None)
    refused(lambda: objection(key=key, number="Y20261102-0002"))


def test_a_correction_is_in_the_ledger_and_a_removed_record_says_nothing() -> None:
    made = step(objection(), 1)
    what = {"subject_id": 1, "record_id": 1, "unit_id": 1, "blamed_unit_id": 1, "day": AT.date()}
    refused(lambda: Correction.objects.create(step=made, what="changed", **what))
    refused(lambda: Correction.objects.create(step=made, what="removed", entry_id=1, batch_id=1, **what))
    assert Correction.objects.create(step=made, what="removed", entry_id=1, **what).payload_sha256 is None


def test_evidence_belongs_to_one_and_has_its_place() -> None:
    made = step(objection(), 1)
    file = {"media_type": "application/pdf", "size": 1, "sha256": bytes(32), "actor": "account:1"}
    Evidence.objects.create(step=made, place=1, **file)
    refused(lambda: Evidence.objects.create(step=made, place=1, **file))
    refused(lambda: Evidence.objects.create(place=1, **file))


def test_the_ledger_takes_disputes_and_withdrawals_with_their_entries() -> None:
    with transaction.atomic():
        entry = open_entry(kind="record-disputed", by="test")
        RecordDispute.objects.create(entry=entry, record_id=1, subject_id=1, is_open=True, reference="Y20261102-0001")
        taken = {"record_id": 1, "subject_id": 1, "unit_id": 1, "version_id": 1}
        refused(lambda: RecordWithdrawal.objects.create(entry=entry, reason="", **taken))
        RecordWithdrawal.objects.create(entry=entry, reason="不是该主体的记录", **taken)


def test_a_notice_is_told_once_to_a_unit_and_to_a_role_and_the_old_ones_go_on() -> None:
    assert tell("report-not-in-force", "status:1", [Addressee(subject_id=1)], {}) == 1
    assert tell("report-not-in-force", "status:1", [Addressee(subject_id=1)], {}) == 0
    told = {"event": "objection-overdue", "source": "objection:1:overdue:1", "body": {}}
    Notice.objects.create(unit_id=3, **told)
    Notice.objects.create(role="office_operator", **told)
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.create(unit_id=3, **told)


def test_a_ruling_is_signed_by_two_offices_and_two_people() -> None:
    where = {"policy_id": "suzhou-2024", "clause_id": "repaired", "pack_sha256": bytes(32)}
    doubt = Doubt.objects.create(question="修复后是否列示", actor="account:1", at=AT, **where)
    ruling = Ruling.objects.create(doubt=doubt, text="另行列示", basis="第三条", actor="account:1", at=AT)
    RulingSignature.objects.create(ruling=ruling, role="office_operator", account_id=1, at=AT)
    for role, account in (("office_operator", 2), ("justice_lead", 1), ("auditor", 3)):
        refused(
            lambda role=role, account=account: RulingSignature.objects.create(
                ruling=ruling, role=role, account_id=account, at=AT
            )
        )
    RulingSignature.objects.create(ruling=ruling, role="justice_lead", account_id=2, at=AT)
