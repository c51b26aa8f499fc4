"""What mail needs done behind the scenes."""

from procrastinate.contrib.django import app


@app.periodic(cron="* * * * *")
@app.task(name="codes.mail", queue="codes", queueing_lock="codes.mail", lock="codes.mail")
def mail_notices(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Write the mails that are due, and send until nothing is."""
    from xinzheng.apps.codes.mail import send_mails, write_mails

    write_mails()
    while send_mails():
        pass


@app.periodic(cron="50 19 * * *")
@app.task(name="codes.forget_mail_addresses", queue="codes", queueing_lock="codes.forget_mail_addresses")
def forget_addresses(timestamp: int) -> None:  # noqa: ARG001  the queue passes the time it is due
    """Delete the addresses of closed accounts."""
    from xinzheng.apps.codes.mail_addresses import forget_addresses_of_closed

    forget_addresses_of_closed()
