"""Behind the pages: lists of revoked certificates are brought up to date."""

import structlog
from procrastinate.contrib.django import app

log = structlog.get_logger(__name__)


@app.periodic(cron="37 */4 * * *")
@app.task(name="reports.renew_lists", queue="reports", queueing_lock="reports.renew_lists")
def renew_signing_lists(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Make our own lists anew when they are a day old, and fetch those of other authorities."""
    from xinzheng.apps.reports.signing_keys import renew_lists

    _, silent = renew_lists()
    if silent:
        log.warning("revocation-lists-silent", places=silent)
