"""What repairs need done behind the scenes."""

from procrastinate.contrib.django import app


@app.periodic(cron="*/10 * * * *")
@app.task(name="redress.repair_links", queue="redress", queueing_lock="redress.repair_links")
def link_repairs(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Write down which repair record reaches which penalty."""
    from xinzheng.apps.redress.clock import today
    from xinzheng.apps.redress.repair_sweeps import link_found

    link_found(today())


# Twenty past midnight in China: a day that is over has ended.
@app.periodic(cron="20 16 * * *")
@app.task(name="redress.publications", queue="redress", queueing_lock="redress.publications")
def tell_of_publications(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Tell subjects of records whose longest publication has ended."""
    from xinzheng.apps.redress.clock import today
    from xinzheng.apps.redress.repair_sweeps import tell_ended

    tell_ended(today())
