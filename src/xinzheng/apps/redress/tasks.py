"""What objections need done behind the scenes."""

from procrastinate.contrib.django import app

from xinzheng.apps.redress import tasks_evidence, tasks_repairs  # noqa: F401  their tasks are found through this module


# Ten past midnight in China, before offices open: a day that is over has ended.
@app.periodic(cron="10 16 * * *")
@app.task(name="redress.days", queue="redress", queueing_lock="redress.days")
def sweep_days(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Close what was not supplied in time; remind of what is due soon or late."""
    from xinzheng.apps.redress.clock import today
    from xinzheng.apps.redress.sweeps import escalate, lapse

    lapse(today())
    escalate(today())


@app.periodic(cron="*/5 * * * *")
@app.task(name="redress.deliveries", queue="redress", queueing_lock="redress.deliveries")
def sweep_deliveries(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Close what was promised and came; tell of corrections that a later file undid."""
    from xinzheng.apps.redress.sweeps import deliver_awaited, watch_corrections

    deliver_awaited()
    watch_corrections()
