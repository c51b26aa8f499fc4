"""What oversight does behind the scenes."""

from procrastinate.contrib.django import app

from xinzheng.apps.ledger.delivery import today_in_china
from xinzheng.apps.oversight.reminders import remind


# Half past nine in China: offices are open, and what came in the night has been taken in.
@app.periodic(cron="30 1 * * *")
@app.task(name="oversight.remind", queue="oversight", queueing_lock="oversight.remind")
def send_reminders(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Remind late units; a year that was not announced makes the job fail, and the office's pages say so."""
    remind(today_in_china(), "system")
