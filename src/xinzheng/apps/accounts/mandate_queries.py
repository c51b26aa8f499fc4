"""Who may act for whom now."""

from datetime import date

from xinzheng.apps.accounts.mandate_models import SCOPES
from xinzheng.apps.accounts.models import Account


def scopes_of(account: Account, subject_id: int, _today: date) -> frozenset[str]:
    """What the account may do for the subject: apply, read, share, object, authorise; empty when nothing."""
    return frozenset(SCOPES) if account.is_active and account.subject_id == subject_id else frozenset()
