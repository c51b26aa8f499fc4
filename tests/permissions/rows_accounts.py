"""Who is let in where: the three administrations apart."""

from tests.permissions.addresses import row

ONE = "administration/accounts/<int:account_id>"

ROWS = (
    row("administration/accounts", "administrator security", readers=frozenset({"auditor"})),
    row(f"{ONE}/close", "administrator", account_id="account", posts_only=True),
    row(f"{ONE}/reopen", "administrator", account_id="account", posts_only=True),
    row(f"{ONE}/role", "security", account_id="account", posts_only=True),
    row(f"{ONE}/unlock", "security", account_id="account", posts_only=True),
    row(f"{ONE}/second-factor", "security", account_id="account", posts_only=True),
    row(f"{ONE}/sign-out", "security", account_id="account", posts_only=True),
    row("administration/sessions", "security"),
    row("administration/sessions/<int:session_id>/end", "security", session_id="=1", posts_only=True, is_bare=True),
)
