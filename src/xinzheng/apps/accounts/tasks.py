"""What the accounts app does behind the scenes."""

from procrastinate.contrib.django import app

from xinzheng.apps.accounts.idempotency import forget_old_requests


# Half past three at night in China.
@app.periodic(cron="30 19 * * *")
@app.task(name="accounts.forget_old_requests", queue="accounts", queueing_lock="accounts.forget_old_requests")
def forget(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Forget requests that nobody will send again."""
    forget_old_requests()
