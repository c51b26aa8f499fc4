"""What the ledger does behind the scenes."""

from procrastinate.contrib.django import app

from xinzheng.apps.ledger.map_samples import drop_kept_files
from xinzheng.apps.ledger.uploads import requeue_broken_off, take_in_upload


@app.task(name="ledger.run_intake", queue="intake")
def run_intake(upload_id: int) -> None:
    """Take an upload in; progress and outcome stand in the upload."""
    take_in_upload(upload_id)


@app.periodic(cron="*/5 * * * *")
@app.task(name="ledger.requeue", queue="intake", queueing_lock="ledger.requeue")
def requeue(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Queue again what a killed worker left behind."""
    requeue_broken_off()


@app.periodic(cron="*/10 * * * *")
@app.task(name="ledger.drop_kept_files", queue="intake", queueing_lock="ledger.drop_kept_files")
def drop_kept(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Delete what was kept for column maps longer than an hour."""
    drop_kept_files()
