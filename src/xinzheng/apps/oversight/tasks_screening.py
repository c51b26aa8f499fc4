"""Screenings and simulations behind the pages: a queue of their own, so that reports never wait behind them."""

import uuid

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from xinzheng.apps.ledger.delivery import today_in_china

QUEUE = "screening"
# One at a time, also where several workers serve the queue: each takes memory and both cores.
ONE_AT_A_TIME = "oversight.screening"


@app.task(
    name="oversight.screen",
    queue=QUEUE,
    lock=ONE_AT_A_TIME,
    retry=RetryStrategy(max_attempts=3, wait=5),
)
def screen(screening_id: str) -> None:
    """Screen a list; how it stands is written into the screening's work."""
    from xinzheng.apps.oversight.screening_work import work_on

    work_on(uuid.UUID(screening_id))


@app.task(
    name="oversight.simulate",
    queue=QUEUE,
    lock=ONE_AT_A_TIME,
    retry=RetryStrategy(max_attempts=3, wait=5),
)
def simulate(simulation_id: str) -> None:
    """Compare a draft with the pack in force on the whole ledger."""
    from xinzheng.apps.oversight.simulating import run_simulation

    run_simulation(uuid.UUID(simulation_id))


@app.periodic(cron="*/10 * * * *")
@app.task(name="oversight.end_left_behind", queue="oversight", queueing_lock="oversight.end_left_behind")
def end_left_behind(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """End screenings and simulations that no task works on any more."""
    from xinzheng.apps.oversight import screening, simulating

    screening.end_left_behind()
    simulating.end_left_behind()


@app.periodic(cron="50 19 * * *")
@app.task(name="oversight.forget_screenings", queue="oversight", queueing_lock="oversight.forget_screenings")
def forget_screenings(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Delete lists and answers that are kept no longer."""
    from xinzheng.apps.oversight.screening import forget_old

    forget_old(today_in_china())
