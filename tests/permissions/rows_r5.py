"""Who is let in where: notices, mail, figures of objections."""

from tests.permissions.addresses import row

ROWS = (
    row("notices", "signed-in"),
    row("account/mail", "signed-in"),
)
