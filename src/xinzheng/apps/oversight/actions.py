"""What can be done in oversight. Who may do it is asked of ``permissions`` first."""

from xinzheng.apps.oversight.bulletins import publish_bulletin
from xinzheng.apps.oversight.officers import name_officer
from xinzheng.apps.oversight.reconciling import OwnList, own_list, own_summary, reconcile, sign_reconciliation
from xinzheng.apps.oversight.reminders import remind

__all__ = [
    "OwnList",
    "name_officer",
    "own_list",
    "own_summary",
    "publish_bulletin",
    "reconcile",
    "remind",
    "sign_reconciliation",
]
