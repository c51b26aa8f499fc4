"""Who is let in where: applications of old, the same again."""

from tests.permissions.addresses import row

ROWS = (
    row("applications", "agent other_agent person"),
    row("reports/<str:number>/again", "agent", number="report"),
)
