"""What to do about tasks whose worker was killed; found through this app's tasks."""

from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.jobs import Status

DEAD_AFTER_SECONDS = 60
# What kills its worker each time, by the memory it takes, would hold its lock for ever and let nobody else work.
ATTEMPTS_AT_MOST = 10


@app.periodic(cron="* * * * *")
@app.task(name="audit.take_over", queue="log", queueing_lock="audit.take_over", pass_context=True)
async def take_over(context: JobContext, timestamp: int) -> None:  # noqa: ARG001  the queue passes it
    """End what a worker had in hand when it was killed: it counts as running for ever, and holds its lock.

    A task that asks to be tried again is, some times; the others come again by themselves.
    """
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS):
        task = context.app.tasks.get(job.task_name)
        if task is not None and task.retry_strategy is not None and job.attempts < ATTEMPTS_AT_MOST:
            await manager.retry_job(job)
        elif job.id is not None:
            await manager.finish_job_by_id_async(job.id, status=Status.FAILED, delete_job=False)
