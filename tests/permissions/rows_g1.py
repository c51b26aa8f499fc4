"""Who is let in where: platforms and what they may do for people."""

from tests.permissions.addresses import row

ROWS = (
    # Platforms come without a session: what they show in the form decides.
    row("identity/o/api/token", "everybody", posts_only=True),
    row("identity/o/api/revoke", "everybody", posts_only=True),
)
