"""Who is let in where: the subject's own records, and the data of their repair."""

from tests.permissions.addresses import row

AGENTS = "agent other_agent person"
NUMBER = {"number": "repair"}

ROWS = (
    row("records", AGENTS),
    row("records/<int:record_id>", "agent", record_id="record"),
    row("repairs/<str:number>", "agent", **NUMBER),
    row("repairs/<str:number>/file", "agent", **NUMBER),
    row("repairs/<str:number>/act", "agent", **NUMBER, posts_only=True),
)
