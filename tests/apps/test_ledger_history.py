"""PostgreSQL itself refuses to change or remove what the ledger holds."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError

from tests.small_city import BY, LONG_AGO, PENALTY, SmallCity, build_small_city, today, uscc
from xinzheng.apps.audit.actions import open_entry
from xinzheng.apps.ledger.actions import Scope, explain_line, submit_batch, withdraw_batch, withdraw_coverage
from xinzheng.apps.ledger.models import Batch

pytestmark = pytest.mark.django_db

HISTORY = (
    "ledger_batch",
    "ledger_rawfile",
    "ledger_line",
    "ledger_identicalstretch",
    "ledger_defect",
    "ledger_recordversion",
    "ledger_putforward",
    "ledger_coveragestatement",
    "ledger_coveragewithdrawal",
    "ledger_batchwithdrawal",
    "ledger_lineresolution",
)


@pytest.fixture
def full_ledger(tmp_path: Path) -> SmallCity:
    """At least one row in every table of history."""
    city = build_small_city(tmp_path, units_per_domain=1)
    unit = city.unit("taxation")
    first = city.submit(
        [city.penalty(uscc(1)), city.penalty(uscc(2), "苏税罚〔2026〕2号", 处罚决定日期="2026-02-30")],
        covers=(LONG_AGO, today()),
    )
    explain_line(batch_id=first.batch, line=3, reason="测试数据", by=BY)
    city.declare(unit, "taxation")
    withdraw_coverage(Scope(unit, "taxation", PENALTY), from_date=today(), through_date=today(), by=BY)
    assert city.submit([city.penalty(uscc(1))]).identical == 1
    later = submit_batch(replace(city.delivery([city.penalty(uscc(3))]), mode="snapshot"), by=BY)
    assert later.put_forward == 1
    withdraw_batch(batch_id=later.batch, reason="测试", by=BY)
    return city


def refused(statement: str) -> str:
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    return str(error.value)


@pytest.mark.usefixtures("full_ledger")
def test_no_row_of_history_can_be_changed_deleted_or_truncated() -> None:
    for table in HISTORY:
        with connection.cursor() as cursor:
            # Otherwise checks that still wait would be the reason why nothing can be truncated.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone()[0] > 0, table
        key = "line" if table == "ledger_line" else "entry_id"
        assert "Cannot update or delete" in refused(f"UPDATE {table} SET {key} = {key}"), table
        assert "Cannot update or delete" in refused(f"DELETE FROM {table}"), table
        assert "Cannot truncate" in refused(f"TRUNCATE {table} CASCADE"), table


@pytest.mark.usefixtures("full_ledger")
def test_heads_change_in_the_merge_only_and_are_never_deleted() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('xinzheng.merging', 'off', true)")
    assert "only the merge" in refused("UPDATE ledger_recordhead SET unit_id = unit_id")
    assert "only the merge" in refused("TRUNCATE ledger_recordhead")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('xinzheng.merging', 'on', true)")
    assert "Cannot delete" in refused("DELETE FROM ledger_recordhead")


def test_the_database_refuses_a_batch_whose_counts_do_not_add_up(full_ledger: SmallCity) -> None:
    batch = Batch.objects.order_by("pk").first()
    assert batch is not None
    copy = Batch.objects.get(pk=batch.pk)
    copy.entry = open_entry(kind="test", by=BY)
    copy.lines += 1
    with pytest.raises(IntegrityError, match="every_line_accounted_for"), transaction.atomic():
        copy.save(force_insert=True)


def test_no_table_of_a_delivery_stays_behind(full_ledger: SmallCity) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND (relname LIKE 'ledger_staging%'"
            " OR relname LIKE 'ledger_fates%' OR relname LIKE 'ledger_restore%')"
        )
        assert cursor.fetchall() == []
    assert full_ledger.files > 0


def test_an_entry_is_never_without_its_position(full_ledger: SmallCity) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM audit_entry e WHERE NOT EXISTS"
            " (SELECT 1 FROM audit_position p WHERE p.entry_id = e.id)"
        )
        assert cursor.fetchone() == (0,)
    assert full_ledger.files > 0
