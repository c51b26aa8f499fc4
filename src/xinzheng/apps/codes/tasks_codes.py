"""What share codes need done behind the scenes."""

from procrastinate.contrib.django import app


# A quarter to four at night in China.
@app.periodic(cron="45 19 * * *")
@app.task(name="codes.forget", queue="codes", queueing_lock="codes.forget")
def forget(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Delete codes shown once, details of views and files verified whose time is over."""
    from xinzheng.apps.codes.batches import forget_batch_checks
    from xinzheng.apps.codes.forgetting import forget_shown_codes, forget_view_details

    forget_shown_codes()
    forget_view_details()
    forget_batch_checks()
