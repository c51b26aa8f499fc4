"""What reports that hold no more need done behind the scenes."""

from procrastinate.contrib.django import app


@app.periodic(cron="* * * * *")
@app.task(name="codes.sweep_ended", queue="codes", queueing_lock="codes.sweep_ended")
def sweep(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Tell receivers, subjects and platforms of reports that stopped being in force."""
    from xinzheng.apps.codes.ended_notices import tell_of_ended_reports
    from xinzheng.apps.codes.notices import sweep_ended

    sweep_ended()
    tell_of_ended_reports()
