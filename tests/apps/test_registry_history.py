"""The registry's history cannot be changed or removed; a person's identity alone can."""

import pytest
from django.db import Error, connection, transaction

from xinzheng.apps.audit.actions import open_entry
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.registry.models import (
    FormerName,
    Responsibility,
    ReturnChannel,
    ReviewDecision,
    ReviewItem,
    Subject,
    SubjectCode,
    SubjectVersion,
    Succession,
    SuccessionRevision,
    Unit,
    UnitVersion,
)

pytestmark = pytest.mark.django_db

HISTORY = (
    FormerName, Responsibility, ReturnChannel, ReviewDecision, ReviewItem, SubjectCode, SubjectVersion,
    SuccessionRevision, Succession, UnitVersion, Unit, Subject,
)  # fmt: skip
CHANGES = (
    "UPDATE {} SET {} = {}",
    "DELETE FROM {}",
    "TRUNCATE {} CASCADE",
)


@pytest.fixture
def entry() -> Entry:
    return open_entry(kind="test", by="system")


@pytest.fixture
def one_row_each(entry: Entry) -> None:
    unit = Unit.objects.create(uscc="11320500DEM0100955")
    UnitVersion.objects.create(
        entry=entry, unit=unit, name="甲", short_name="甲", jurisdiction="320500", division="320500"
    )
    Responsibility.objects.create(
        entry=entry, policy_id="p", domain="d", kind="administrative_penalty", unit=unit, rank=1
    )
    platform = Unit.objects.create(uscc="11320000DEM090013T")
    ReturnChannel.objects.create(
        entry=entry, policy_id="p", domain="d", kind="administrative_penalty", source=platform, unit=unit
    )
    one, two = Subject.objects.create(), Subject.objects.create()
    SubjectCode.objects.create(entry=entry, subject=one, code="91320500DEM0100955", scheme="uscc")
    SubjectVersion.objects.create(entry=entry, subject=one, kind="enterprise_legal_person", name="甲公司")
    FormerName.objects.create(entry=entry, subject=one, name="乙公司")
    merged = Succession.objects.create(entry=entry, subject=two, successor=one, kind="merged")
    SuccessionRevision.objects.create(entry=entry, succession=merged, is_ended=True)
    item = ReviewItem.objects.create(entry=entry, subject=one)
    ReviewDecision.objects.create(entry=entry, item=item, outcome="rejected")
    with connection.cursor() as cursor:
        # References are checked now, so that TRUNCATE meets the trigger and not a check that is still to come.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.usefixtures("one_row_each")
@pytest.mark.parametrize("change", CHANGES, ids=["update", "delete", "truncate"])
@pytest.mark.parametrize("model", HISTORY, ids=lambda model: model.__name__)
def test_the_database_refuses_to_change_history(model: type[Unit], change: str) -> None:
    table, column = model._meta.db_table, model._meta.pk.column
    with pytest.raises(Error, match=r"pgtrigger: Cannot"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change.format(table, column, column))
    assert model._default_manager.exists()


def test_every_table_of_the_registry_but_the_erasable_ones_is_tested_here() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'registry\\_%'")
        tables = {name for (name,) in cursor.fetchall()}
    assert tables == {model._meta.db_table for model in HISTORY} | {"registry_personidentity", "registry_personcontact"}


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "natural_person", "name": "示例甲"},
        {"kind": "natural_person", "name": "", "representative": "示例甲"},
        {"kind": "company", "name": "甲公司"},
    ],
)
def test_the_database_refuses_a_person_s_name_outside_the_identity_and_an_unknown_kind(
    entry: Entry, facts: dict[str, str]
) -> None:
    subject = Subject.objects.create()
    with pytest.raises(Error, match="violates check constraint"), transaction.atomic():
        SubjectVersion.objects.create(entry=entry, subject=subject, **facts)
