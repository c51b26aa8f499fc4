"""What a list is read in: a transaction of the database's own that sees one moment and cannot write."""

import pytest
from django.db import InternalError, connection, transaction

from xinzheng.apps.reports.set_wise import one_moment


@pytest.mark.django_db(transaction=True)
def test_whoever_reads_a_list_sees_one_moment_and_cannot_write() -> None:
    with one_moment(), connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("repeatable read",)
        with pytest.raises(InternalError, match="read-only"), transaction.atomic():
            cursor.execute("INSERT INTO audit_entry (kind, actor) VALUES ('x', 'y')")
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        assert cursor.fetchone() == ("off",)
