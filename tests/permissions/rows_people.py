"""Who is let in where: who acts for whom."""

from tests.permissions.addresses import row

AGENTS = "agent other_agent person"
ASKED = {"request_id": "request"}

ROWS = (
    row("mandates", AGENTS),
    row("mandates/choose", AGENTS, posts_only=True, is_bare=True),
    row("mandates/<int:mandate_id>/revoke", "agent", mandate_id="mandate", posts_only=True),
    row("mandates/requests/<int:request_id>/answer", "agent", **ASKED, posts_only=True),
    row("mandates/requests/<int:request_id>/letter", "agent", **ASKED),
    row("office/representatives", "office"),
)
