"""What the page of a batch shows of its being held (暂存): why, who sent it, who may settle it."""

from dataclasses import dataclass

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_confirm, refusals_to_decline
from xinzheng.apps.ledger.models import Upload
from xinzheng.apps.ledger.queries import BatchSummary, confirmation_of, hold_reasons, submitter_of
from xinzheng.apps.ledger.uploads import OPEN_STATES
from xinzheng.web.actors import actor_name


@dataclass(frozen=True)
class HeldView:
    """A held batch: its reasons, who sent it, why this account may not confirm it.

    ``confirmation`` is the latest that was queued.
    """

    reasons: tuple[str, ...]
    submitted_by: str
    is_waiting: bool
    refusals: list[str]
    may_decline: bool
    confirmation: Upload | None

    @property
    def is_being_confirmed(self) -> bool:
        """Whether its confirmation waits or runs."""
        return self.is_waiting and self.confirmation is not None and self.confirmation.state in OPEN_STATES


def held_view(found: BatchSummary, account: Account) -> HeldView | None:
    """None for a batch that was not held."""
    if not found.held:
        return None
    by = submitter_of(found.batch)
    return HeldView(
        reasons=tuple(reason.message for reason in hold_reasons(found.batch)),
        submitted_by=actor_name(by),
        is_waiting=not found.is_withdrawn,
        refusals=refusals_to_confirm(account, found.unit_id, by),
        may_decline=not refusals_to_decline(account, found.unit_id),
        confirmation=confirmation_of(found.batch),
    )
