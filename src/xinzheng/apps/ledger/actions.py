"""Write the ledger. Each action is one transaction and names who did it (``by``)."""

from xinzheng.apps.ledger.batch_files import KeptFile, fetch_defects_file, fetch_raw_file
from xinzheng.apps.ledger.confirmations import queue_confirmation
from xinzheng.apps.ledger.confirming import confirm_batch
from xinzheng.apps.ledger.corrections import CorrectedRow, submit_correction
from xinzheng.apps.ledger.coverage import CoverageResult, declare_coverage, declare_zero, withdraw_coverage
from xinzheng.apps.ledger.delivery import Delivery, Scope
from xinzheng.apps.ledger.explaining import explain_line
from xinzheng.apps.ledger.intake import BatchResult
from xinzheng.apps.ledger.intake import take_in as submit_batch
from xinzheng.apps.ledger.maps import retire_column_map, save_column_map
from xinzheng.apps.ledger.record_withdrawal import Withdrawn, mark_disputed, withdraw_record
from xinzheng.apps.ledger.taking import Progress
from xinzheng.apps.ledger.uploads import queue_upload
from xinzheng.apps.ledger.withdrawal import WithdrawalResult, withdraw_batch

__all__ = [
    "BatchResult",
    "CorrectedRow",
    "CoverageResult",
    "Delivery",
    "KeptFile",
    "Progress",
    "Scope",
    "WithdrawalResult",
    "Withdrawn",
    "confirm_batch",
    "declare_coverage",
    "declare_zero",
    "explain_line",
    "fetch_defects_file",
    "fetch_raw_file",
    "mark_disputed",
    "queue_confirmation",
    "queue_upload",
    "retire_column_map",
    "save_column_map",
    "submit_batch",
    "submit_correction",
    "withdraw_batch",
    "withdraw_coverage",
    "withdraw_record",
]
