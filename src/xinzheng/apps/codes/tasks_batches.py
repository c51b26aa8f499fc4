"""Files of reports, verified behind the pages."""

import uuid

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

# Whoever waits for a report of his own comes first.
LATER = -5


@app.task(
    name="codes.work_on_batch_check",
    queue="codes",
    priority=LATER,
    retry=RetryStrategy(max_attempts=5, exponential_wait=3),
)
def work_on_batch_check(check_id: str) -> None:
    """Verify a stretch of a file; how far it is stands in the check."""
    from xinzheng.apps.codes.batch_work import work_on

    work_on(uuid.UUID(check_id))


@app.periodic(cron="*/5 * * * *")
@app.task(name="codes.requeue_batch_checks", queue="codes", queueing_lock="codes.requeue_batch_checks")
def requeue_batch_checks(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Queue again what a killed worker left behind."""
    from xinzheng.apps.codes.batches import requeue_checks

    requeue_checks()
