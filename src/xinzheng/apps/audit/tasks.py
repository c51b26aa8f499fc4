"""What the log does behind the scenes."""

from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from xinzheng.apps.audit import tasks_dead  # noqa: F401  its task is found through this module
from xinzheng.apps.audit.keys import note_keys
from xinzheng.apps.audit.log import seal_log
from xinzheng.apps.audit.seal_check import note_check
from xinzheng.apps.audit.seals import seal_events

QUEUE = "log"
KEPT_HOURS = 1


# Six columns: the last is seconds. A proof is wanted as soon as a report is there.
@app.periodic(cron="* * * * * */10")
@app.task(name="audit.seal", queue=QUEUE, queueing_lock="audit.seal", lock="audit.seal")
def seal(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Seal audit events, give new leaves their places, sign the log, and note the keys that came into use."""
    now = timezone.now()
    try:
        seal_events(now)
    finally:
        try:
            seal_log(now)
        finally:
            note_keys()


# The queue reckons in UTC: this is half past three at night in China.
@app.periodic(cron="37 19 * * *")
@app.task(name="audit.check_trail", queue=QUEUE, queueing_lock="audit.check_trail", lock="audit.check_trail")
def check_trail(timestamp: int) -> None:  # noqa: ARG001  the queue passes it
    """Compute the chain of audit events again each night; what was found is an event, for the auditor's page."""
    note_check()


@app.periodic(cron="17 * * * *")
@app.task(name="audit.forget_sealings", queue=QUEUE, queueing_lock="audit.forget_sealings", pass_context=True)
async def forget_sealings(context: JobContext, timestamp: int) -> None:  # noqa: ARG001  the queue passes it
    """Delete what the queue keeps of the thousands of sealings of a day; the log itself remembers each."""
    await context.app.job_manager.delete_old_jobs(nb_hours=KEPT_HOURS, queue=QUEUE)
