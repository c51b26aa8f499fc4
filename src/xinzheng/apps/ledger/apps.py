"""The ledger app: batches, record versions, coverage, and how they come in."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Everything departments delivered, as it stood at any position."""

    name = "xinzheng.apps.ledger"
    label = "ledger"
