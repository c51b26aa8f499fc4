"""What webhooks need done behind the scenes."""

from procrastinate.contrib.django import app


@app.periodic(cron="* * * * *")
@app.task(name="codes.deliver", queue="codes", queueing_lock="codes.deliver")
def deliver_notices(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Write what platforms are to be told, make the deliveries that are missing, have sent what is due."""
    from xinzheng.apps.codes.application_notices import tell_of_applications
    from xinzheng.apps.codes.delivering import deliver
    from xinzheng.apps.codes.webhook_sending import send_in_background

    tell_of_applications()
    deliver()
    send_in_background()


@app.task(name="codes.send_notices", queue="codes")
def send() -> None:
    """Have sent what is due, right after it was made."""
    from xinzheng.apps.codes.webhook_sending import send_in_background

    send_in_background()
