"""Who is let in where: notices, mail, figures of objections."""

from tests.permissions.addresses import row

ROWS = (
    row("notices", "signed-in"),
    row("account/mail", "signed-in"),
    row("figures/objections", "everybody"),
    row("office/figures/objections", "office justice data"),
    row("office/figures/objections.xlsx", "office justice data"),
)
