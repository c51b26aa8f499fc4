"""Who is let in where: applications of old, the same again, demands for paper."""

from tests.permissions.addresses import row

ROWS = (
    row("applications", "agent other_agent person"),
    row("reports/<str:number>/again", "agent", number="report"),
    row("my-data", "signed-in"),
    row("my-data/full", "person"),
    row("my-data/export", "signed-in", posts_only=True),
    row("my-data/phone", "person", posts_only=True),
    row("paper-demands", "agent other_agent person"),
    row("office/paper-demands", "office"),
    row("office/paper-demands/<int:demand_id>/answer", "office", demand_id="=1", posts_only=True, is_bare=True),
)
