"""Work that runs behind the pages."""

from contextlib import suppress
from datetime import timedelta

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from xinzheng.apps.reports import tasks_signing  # noqa: F401  its tasks are found through this module

STILL_AT_WORK = timedelta(minutes=2)
# Whoever waits for a report comes before what is only looked at again.
LAST = -10
REVIEWED_AT_ONCE = 200


@app.task(name="reports.fulfil", queue="reports", retry=RetryStrategy(max_attempts=3, wait=2))
def fulfil(application_id: str) -> None:
    """Issue the report of one application."""
    from xinzheng.apps.reports.applications import fulfil_application

    fulfil_application(application_id)


@app.periodic(cron="*/5 * * * *")
@app.task(name="reports.resume", queue="reports", queueing_lock="reports.resume")
def resume(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Complete what a crash left behind, and tell whoever applied."""
    from xinzheng.apps.reports.applications import follow_reports
    from xinzheng.apps.reports.issuing import resume_prepared

    try:
        resume_prepared(older_than=STILL_AT_WORK)
    finally:
        follow_reports()


@app.periodic(cron="* * * * *")
@app.task(name="reports.stamp", queue="reports", queueing_lock="reports.stamp", priority=LAST)
def stamp(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Ask for the time stamps that reports are still without."""
    from xinzheng.apps.reports.stamping import stamp_waiting

    stamp_waiting()


@app.periodic(cron="* * * * *")
@app.task(name="reports.review", queue="reports", queueing_lock="reports.review", priority=LAST)
def review(timestamp: int) -> None:
    """Decide the reports again that new entries of the ledger may touch; a part of them, so that others get a turn."""
    from xinzheng.apps.reports.reviewing import review_reports

    if review_reports(at_most=REVIEWED_AT_ONCE)["left"]:
        with suppress(AlreadyEnqueued):
            review.configure().defer(timestamp=timestamp)


@app.periodic(cron="5 * * * *")
@app.task(name="reports.expire", queue="reports", queueing_lock="reports.expire", priority=LAST)
def expire(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Expire what may no longer be used, where a policy says how long that is."""
    from xinzheng.apps.reports.expiring import expire_reports

    expire_reports()
