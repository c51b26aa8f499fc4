"""Who is let in where: answers of a batch verification as a file."""

from tests.permissions.addresses import row

ROWS = (row("verify/batch.xlsx", "everybody", posts_only=True),)
