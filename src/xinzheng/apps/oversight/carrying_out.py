"""Carry out what two offices have signed (执行会签事项), after checking all of it again."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from xinzheng.apps.audit.models import Position
from xinzheng.apps.oversight.draft_checks import check_again
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import Proposal
from xinzheng.apps.oversight.pack_rows import last_publication
from xinzheng.apps.registry.responsibility_actions import NewUnit, add_responsibility, end_responsibility, name_unit
from xinzheng.apps.reports.packs import shipped_digest, stored_files
from xinzheng.apps.reports.publishing import Publishing, publish_pack, record_extension
from xinzheng.core.policy import Extension

NEWER = "会签以前，这项政策又发布了新的政策包，本件依据的内容已经变化，没有执行；请撤回本件，按现行政策包重新提交。"


def carry_out(proposal: Proposal, *, by: str, is_checked: bool = False) -> int:
    """Do what the proposal says, in the caller's transaction; the entry that did it.

    Args:
        proposal: whose facts both have signed.
        by: who gave the second signature.
        is_checked: its pack and cases were checked a moment ago.

    Raises:
        OversightError: ``proposal-changed``: a newer publication stands; ``draft-unfit``, ``cases-fail``.
        XinzhengError: what publishing, extending, naming a unit or a responsibility refuses.
    """
    refuse_what_is_newer(proposal)
    if proposal.kind == "pack" and not is_checked:
        check_again(proposal.policy_id, _files(proposal.pack_id), _files(proposal.cases_id))
    position = _DEEDS[proposal.kind](proposal, by)
    entry_id = Position.objects.values_list("entry_id", flat=True).get(position=position)
    # Whoever publishes holds the lock of positions until his commit: what another one did before is visible now.
    refuse_what_is_newer(proposal, but=entry_id)
    return entry_id


def refuse_what_is_newer(proposal: Proposal, *, but: int | None = None) -> None:
    """Refuse when a pack was published, or another one shipped, since it was put forward (``proposal-changed``)."""
    after = proposal.facts.get("after")
    if after is None:
        return
    is_other = after["entry"] is None and after["pack"] != shipped_digest(proposal.policy_id)
    if is_other or last_publication(proposal.policy_id, but=but) != after["entry"]:
        raise OversightError(NEWER, code="proposal-changed")


def _publish(proposal: Proposal, by: str) -> int:
    facts = proposal.facts
    return publish_pack(
        Publishing(
            proposal.policy_id,
            _files(proposal.pack_id),
            date.fromisoformat(facts["from_date"]),
            facts["document"],
            facts["reason"],
        ),
        by=by,
    )


def _extend(proposal: Proposal, by: str) -> int:
    facts = proposal.facts
    extension = Extension(facts["document"], date.fromisoformat(facts["until_date"]), facts["note"])
    return record_extension(proposal.policy_id, extension, by=by)


def _answer(proposal: Proposal, by: str) -> int:
    facts = proposal.facts
    act = add_responsibility if facts["deed"] == "add" else end_responsibility
    return act(proposal.policy_id, facts["domain"], facts["record_kind"], facts["uscc"], by=by)


def _name(proposal: Proposal, by: str) -> int:
    facts = proposal.facts
    return name_unit(NewUnit(facts["uscc"], facts["name"], facts["short_name"], facts["jurisdiction"]), by=by)


_DEEDS = {"pack": _publish, "extension": _extend, "responsibility": _answer, "unit": _name}


def _files(digest: Any) -> Mapping[str, bytes]:
    return stored_files(bytes(digest))
