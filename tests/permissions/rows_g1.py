"""Who is let in where: platforms and what they may do for people."""

from tests.permissions.addresses import row

AGENTS, ADMINISTRATOR = "agent other_agent person", "administrator"
ONE = "administration/platforms/<str:client_id>"

ROWS = (
    # Platforms come without a session: what they show in the form decides.
    row("identity/o/api/token", "everybody", posts_only=True),
    row("identity/o/api/revoke", "everybody", posts_only=True),
    row("identity/o/authorize", AGENTS),
    row(".well-known/openid-configuration", "everybody"),
    row(".well-known/oauth-authorization-server", "everybody"),
    row(".well-known/jwks.json", "everybody"),
    row("account/platforms", AGENTS),
    row("account/platforms/<str:client_id>/take-back", AGENTS, client_id="=none", posts_only=True),
    row("administration/platforms", ADMINISTRATOR),
    # The world has no platform.
    row(ONE, ADMINISTRATOR, client_id="=none", is_bare=True),
    row(f"{ONE}/change", ADMINISTRATOR, client_id="=none", posts_only=True, is_bare=True),
    row(f"{ONE}/secret", ADMINISTRATOR, client_id="=none", posts_only=True, is_bare=True),
    row(f"{ONE}/revoke", ADMINISTRATOR, client_id="=none", posts_only=True, is_bare=True),
)
