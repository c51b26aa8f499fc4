"""Who is let in where: signing in, sessions, second factors."""

from tests.permissions.addresses import row

ROWS = (
    row("sign-in", "everybody"),
    row("sign-in/second", "everybody", is_bare=True),
    row("sign-in/again", "signed-in"),
    row("sign-out", "everybody", posts_only=True),
    # No platform is configured here, so there is none to go to.
    row("sign-in/with/<str:provider_id>/login/", "everybody", provider_id="=none", posts_only=True, is_bare=True),
    row("sign-in/with/<str:provider_id>/login/callback/", "everybody", provider_id="=none", is_bare=True),
    row("account/connections", "signed-in"),
    row("account/connections/<int:link_id>/remove", "signed-in", link_id="=1", posts_only=True, is_bare=True),
    row("account/password", "signed-in"),
    row("account/sessions", "signed-in"),
    row("account/sessions/end-all", "signed-in", posts_only=True, is_bare=True),
    row("account/sessions/<int:session_id>/end", "signed-in", session_id="=1", posts_only=True, is_bare=True),
    row("account/keys", "signed-in"),
    row("account/keys/app", "signed-in"),
    row("account/keys/security-key", "signed-in"),
    row("account/keys/recovery", "signed-in"),
    row("account/keys/<int:key_id>/remove", "signed-in", key_id="=1", posts_only=True, is_bare=True),
)
