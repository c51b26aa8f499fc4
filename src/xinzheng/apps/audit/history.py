"""Triggers that make a table append-only; every app that keeps history uses these."""

import pgtrigger


def append_only() -> list[pgtrigger.Trigger]:
    """Triggers for ``Meta.triggers`` by which PostgreSQL refuses UPDATE, DELETE and TRUNCATE on the model's table."""
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
        ),
    ]
