"""Who is let in where: showing a report by code, looking at it."""

from tests.permissions.addresses import row

SHARE = {"share_id": "share"}

ROWS = (
    row("reports/<str:number>/share", "agent", number="report"),
    row("shares", "agent other_agent person"),
    row("shares/<uuid:share_id>", "agent", **SHARE),
    row("shares/<uuid:share_id>/code", "agent", **SHARE),
    row("shares/<uuid:share_id>/views", "agent", **SHARE),
    row("shares/<uuid:share_id>/paper", "agent", **SHARE, posts_only=True),
    row("shares/<uuid:share_id>/take-back", "agent", **SHARE, posts_only=True),
    row("s", "everybody"),
    row("s/<str:code>", "everybody", code="=nobody-has-this-code", is_bare=True),
    row("s/views/<uuid:view_id>", "everybody", view_id="=00000000-0000-0000-0000-000000000001", is_bare=True),
    row("s/views/<uuid:view_id>/open", "everybody", view_id="=00000000-0000-0000-0000-000000000001", is_bare=True),
)
