"""Who is let in where: the subject's own objections, and the files given with them."""

from tests.permissions.addresses import row

AGENTS = "agent other_agent person"
NUMBER = {"number": "objection"}

ROWS = (
    row("objections", AGENTS),
    row("objections/new", AGENTS),
    row("objections/<str:number>", "agent", **NUMBER),
    row("objections/<str:number>/act", "agent", **NUMBER, posts_only=True),
    row(
        "objections/<str:number>/evidence/<int:evidence_id>",
        "agent office officer chief",
        **NUMBER,
        evidence_id="evidence",
    ),
)
