"""Who is let in where: the auditor's page and its files."""

from tests.permissions.addresses import row

ROWS = (
    row("audit", "auditor"),
    row("audit/events.csv", "auditor", posts_only=True),
    row("audit/events.xlsx", "auditor", posts_only=True),
)
