"""Who is let in where: receivers' own pages, finding a receiver, the office's page of receivers."""

from tests.permissions.addresses import row

ROWS = (
    row("receiver", "receiver other_receiver"),
    row("receiver/register", "receiver other_receiver", posts_only=True),
    row("receiver/notices", "receiver other_receiver"),
    row("receiver/views/<uuid:view_id>/subscribe", "receiver", view_id="look", posts_only=True),
    row(
        "receiver/subscriptions/<int:subscription_id>/end",
        "receiver",
        subscription_id="subscription",
        posts_only=True,
    ),
    row("receivers/search", "agent other_agent person"),
    row("office/receivers", "office justice data"),
    row("office/receivers/<int:receiver_id>/decide", "office", receiver_id="=1", posts_only=True, is_bare=True),
    row("office/receivers/<int:receiver_id>/name", "office", receiver_id="=1", posts_only=True, is_bare=True),
    row(
        "office/receivers/<int:receiver_id>/accounts/<int:account_id>",
        "office",
        receiver_id="=1",
        account_id="=1",
        posts_only=True,
        is_bare=True,
    ),
)
