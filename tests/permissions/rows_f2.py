"""Who is let in where: files of reports verified for receivers."""

from tests.permissions.addresses import row

CHECK = {"check_id": "check"}

ROWS = (
    row("receiver/checks", "receiver other_receiver"),
    row("receiver/checks/template.csv", "receiver other_receiver"),
    row("receiver/checks/<uuid:check_id>", "receiver", **CHECK),
    row("receiver/checks/<uuid:check_id>.xlsx", "receiver", **CHECK),
    row("receiver/checks/<uuid:check_id>/delete", "receiver", **CHECK, posts_only=True),
)
