"""Who is let in where: what machines ask, public figures, the register of connections, announcements."""

from tests.permissions.addresses import row

ROWS = (
    # By network, not by account; the tests ask from this machine.
    row("healthz", "everybody"),
    row("readyz", "everybody"),
    row("metrics", "everybody"),
    row("statistics", "everybody"),
    row("open-data/statistics.json", "everybody"),
    row("office/connections", "office administrator"),
    row("office/announcements", "office administrator"),
)
