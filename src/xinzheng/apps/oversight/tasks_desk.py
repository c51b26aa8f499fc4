"""What the desk has done behind the scenes: days that are over are tallied, and one of them is counted again."""

import logging
from datetime import timedelta

from procrastinate.contrib.django import app

from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.tallies import database_now, recount, tallied_days, tally_days

log = logging.getLogger(__name__)


# Twelve minutes past each hour: the first time shortly after midnight in China, then again for a day that a long
# transaction kept open.
@app.periodic(cron="12 * * * *")
@app.task(name="oversight.tally_days", queue="oversight", queueing_lock="oversight.tally_days")
def tally_days_over(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Tally what is over."""
    count = tally_days(database_now())
    if count:
        log.info("days-tallied", extra={"days": count})


# Ten past four at night in China: one day a night, another each night, so that all come round.
@app.periodic(cron="10 20 * * *")
@app.task(name="oversight.recount_a_day", queue="oversight", queueing_lock="oversight.recount_a_day")
def recount_a_day(timestamp: int) -> None:
    """Count one tallied day again; one that differs makes the job fail, where the desk's health shows it.

    Raises:
        OversightError: ``tally-differs``.
    """
    known = tallied_days()
    if known is None:
        return
    days = (known[1] - known[0]).days + 1
    day = known[0] + timedelta(days=timestamp // 86_400 % days)
    found = recount(day)
    if found:
        named = "、".join(sorted({one.figure for one in found}))
        said = f"{day:%Y-%m-%d}的汇总与明细不符（{named}）。请查明事后写入了什么，例如恢复的备份、拨回的时钟。"
        raise OversightError(said, code="tally-differs")
