"""How the database checks a large import depends on what a session knew of the register before."""

from pathlib import Path

import pytest
from django.db import connection

from tests.small_city import uscc
from xinzheng.apps.registry.actions import import_subjects

pytestmark = pytest.mark.django_db

FEW, MANY = 10, 6_000
READ = """
    SELECT pg_stat_get_xact_tuples_returned('registry_subject'::regclass)
         - pg_stat_get_xact_tuples_fetched('registry_subject'::regclass)
"""


def imported(folder: Path, numbers: range) -> None:
    path = folder / "名录.csv"
    lines = (f"苏州示例{n}有限公司,{uscc(n)},企业法人,存续" for n in numbers)
    path.write_text("\n".join(["名称,统一社会信用代码,类型,登记状态", *lines]), "utf-8")
    import_subjects(path, by="system")


def rows_read_one_after_another() -> int:
    with connection.cursor() as cursor:
        cursor.execute(READ)
        return int(cursor.fetchone()[0])


def test_a_session_that_knew_few_subjects_does_not_check_many_by_reading_them_all(tmp_path: Path) -> None:
    imported(tmp_path, range(FEW))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE registry_subject")  # as the server does by itself, sooner or later
    for first in range(FEW, FEW * 10, FEW):
        imported(tmp_path, range(first, first + FEW))
    before = rows_read_one_after_another()
    imported(tmp_path, range(1_000, 1_000 + MANY))
    assert rows_read_one_after_another() - before < 20 * MANY
