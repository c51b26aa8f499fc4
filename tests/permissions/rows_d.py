"""Who is let in where: applications of old, the same again, demands for paper."""

from tests.permissions.addresses import row

ROWS = (
    row("applications", "agent other_agent person"),
    row("reports/<str:number>/again", "agent", number="report"),
    row("paper-demands", "agent other_agent person"),
    row("office/paper-demands", "office"),
    row("office/paper-demands/<int:demand_id>/answer", "office", demand_id="=1", posts_only=True, is_bare=True),
)
