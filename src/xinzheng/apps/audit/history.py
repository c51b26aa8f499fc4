"""Triggers that make a table append-only; every app that keeps history uses these."""

import pgtrigger


def append_only(*kept: str) -> list[pgtrigger.Trigger]:
    """Triggers for ``Meta.triggers`` by which PostgreSQL refuses UPDATE, DELETE and TRUNCATE on the model's table.

    ``kept``: only these columns can never change; the others are corrected in place, and the audit trail tells how.
    """
    changing = pgtrigger.UpdateOf(*kept) if kept else pgtrigger.Update  # type: ignore[no-untyped-call]
    return [
        pgtrigger.Protect(name="append_only", operation=changing | pgtrigger.Delete),
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
        ),
    ]
