"""Read the ledger. Whatever takes a position is answered as the ledger stood then, and never otherwise."""

from xinzheng.apps.ledger.batch_queries import (
    BatchSummary,
    CoverageState,
    DefectLine,
    batch_defects,
    batch_summaries,
    batch_summary,
    batches_of,
    coverage_calendar,
    defects_total,
    return_calendar,
)
from xinzheng.apps.ledger.confirmations import confirmation_of
from xinzheng.apps.ledger.corrections import CurrentRow, current_row, head_since
from xinzheng.apps.ledger.coverage_queries import (
    ReturnedStretch,
    case_coverage,
    coverage_at,
    last_touch,
    pending_for,
    returned_at,
    settled_coverage,
)
from xinzheng.apps.ledger.hold_queries import HeldBatch, booked_as, held_batches, hold_reasons, submitter_of
from xinzheng.apps.ledger.maps import (
    ColumnMapSummary,
    batch_map_name,
    column_map,
    column_map_versions,
    column_maps_of,
)
from xinzheng.apps.ledger.record_queries import records_at, records_in_hindsight
from xinzheng.apps.ledger.upload_queries import delivered_uploads
from xinzheng.apps.ledger.waiting_queries import (
    WaitingElsewhere,
    WaitingLine,
    has_waiting_lines,
    line_unit,
    waiting_by_scope,
    waiting_elsewhere,
    waiting_of,
    waiting_total,
)
from xinzheng.apps.ledger.waivers import Waiver, WaiverFilter, waiver_counts, waivers

__all__ = [
    "BatchSummary",
    "ColumnMapSummary",
    "CoverageState",
    "CurrentRow",
    "DefectLine",
    "HeldBatch",
    "ReturnedStretch",
    "WaitingElsewhere",
    "WaitingLine",
    "Waiver",
    "WaiverFilter",
    "batch_defects",
    "batch_map_name",
    "batch_summaries",
    "batch_summary",
    "batches_of",
    "booked_as",
    "case_coverage",
    "column_map",
    "column_map_versions",
    "column_maps_of",
    "confirmation_of",
    "coverage_at",
    "coverage_calendar",
    "current_row",
    "defects_total",
    "delivered_uploads",
    "has_waiting_lines",
    "head_since",
    "held_batches",
    "hold_reasons",
    "last_touch",
    "line_unit",
    "pending_for",
    "records_at",
    "records_in_hindsight",
    "return_calendar",
    "returned_at",
    "settled_coverage",
    "submitter_of",
    "waiting_by_scope",
    "waiting_elsewhere",
    "waiting_of",
    "waiting_total",
    "waiver_counts",
    "waivers",
]
