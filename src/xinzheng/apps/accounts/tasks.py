"""What the accounts app does behind the scenes."""

from procrastinate.contrib.django import app

from xinzheng.apps.accounts.idempotency import forget_old_requests
from xinzheng.apps.accounts.locking import forget_old_failures


# Half past three at night in China.
@app.periodic(cron="30 19 * * *")
@app.task(name="accounts.forget_old_requests", queue="accounts", queueing_lock="accounts.forget_old_requests")
def forget(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Forget requests that nobody will send again."""
    forget_old_requests()


@app.periodic(cron="35 19 * * *")
@app.task(name="accounts.keep_no_longer", queue="accounts", queueing_lock="accounts.keep_no_longer")
def keep_no_longer(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Delete what the settings let nobody keep any longer."""
    from xinzheng.apps.accounts.platform_grants import end_grants
    from xinzheng.apps.accounts.retention import forget_cached, forget_letters, forget_sessions

    forget_letters()
    forget_sessions()
    forget_old_failures()
    forget_cached()
    end_grants()
