"""Who is let in where: signing in, sessions, second factors."""

from tests.permissions.addresses import row

ROWS = (
    row("sign-in", "everybody"),
    row("sign-in/second", "everybody", is_bare=True),
    row("sign-in/again", "signed-in"),
    row("sign-out", "everybody", posts_only=True),
    row("account/keys", "signed-in"),
    row("account/keys/app", "signed-in"),
    row("account/keys/security-key", "signed-in"),
    row("account/keys/recovery", "signed-in"),
    row("account/keys/<int:key_id>/remove", "signed-in", key_id="=1", posts_only=True, is_bare=True),
)
