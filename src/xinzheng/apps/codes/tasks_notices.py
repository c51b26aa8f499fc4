"""What subscriptions need done behind the scenes."""

from procrastinate.contrib.django import app


@app.periodic(cron="* * * * *")
@app.task(name="codes.sweep_ended", queue="codes", queueing_lock="codes.sweep_ended")
def sweep(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Tell receivers of reports that stopped being in force."""
    from xinzheng.apps.codes.notices import sweep_ended

    sweep_ended()
