"""Who is let in where: the addresses that a receiver's notices are posted to."""

from tests.permissions.addresses import row

WEBHOOK = {"webhook_id": "webhook"}

ROWS = (
    row("receiver/webhooks", "receiver other_receiver"),
    row("receiver/webhooks/<int:webhook_id>/test", "receiver", **WEBHOOK, posts_only=True),
    row("receiver/webhooks/<int:webhook_id>/secret", "receiver", **WEBHOOK, posts_only=True),
    row("receiver/webhooks/<int:webhook_id>/end", "receiver", **WEBHOOK, posts_only=True),
)
