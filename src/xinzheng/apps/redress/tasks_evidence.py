"""Deleting evidence and words after their time, behind the scenes."""

from procrastinate.contrib.django import app


# Ten to four at night in China.
@app.periodic(cron="50 19 * * *")
@app.task(name="redress.forget", queue="redress", queueing_lock="redress.forget")
def forget(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Delete files and words of what was closed long ago."""
    from xinzheng.apps.redress.clock import today
    from xinzheng.apps.redress.forgetting import forget_old

    forget_old(today())
