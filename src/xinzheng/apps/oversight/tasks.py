"""What oversight does behind the scenes."""

from procrastinate.contrib.django import app

from xinzheng.apps.ledger.delivery import today_in_china
from xinzheng.apps.oversight import tasks_desk, tasks_screening  # noqa: F401  their tasks are found through here
from xinzheng.apps.oversight.reminders import remind
from xinzheng.apps.oversight.suggestions import forget_old


# Half past nine in China: offices are open, and what came in the night has been taken in.
@app.periodic(cron="30 1 * * *")
@app.task(name="oversight.remind", queue="oversight", queueing_lock="oversight.remind")
def send_reminders(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Remind late units; a year that was not announced makes the job fail, and the office's pages say so."""
    remind(today_in_china(), "system")


# A quarter to four at night in China, after the other rooms have deleted what they keep no longer.
@app.periodic(cron="45 19 * * *")
@app.task(name="oversight.keep_no_longer", queue="oversight", queueing_lock="oversight.keep_no_longer")
def keep_no_longer(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Delete the words of suggestions that the settings let nobody keep any longer."""
    forget_old()
