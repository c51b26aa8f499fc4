"""A person's objections as they are taken along (导出): what was lodged, each step, own words, own files by name."""

from collections.abc import Iterable
from typing import Any

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_object
from xinzheng.apps.redress.evidence_opening import evidence_of
from xinzheng.apps.redress.models import Objection, Step
from xinzheng.apps.redress.words import words_of

FACTS = {
    "number": "number",
    "ground": "ground",
    "policy": "policy_id",
    "report": "report_number",
    "domain": "domain",
    "kind": "kind",
    "document_number": "document_number",
    "lodged_at": "lodged_at",
    "state": "head__state",
}


def objections_to_take(account: Account, person: int | None, at_most: int) -> list[dict[str, Any]]:
    """A person's own, or those the account lodged for an organisation; newest first, of its own words only.

    Of an organisation it acts for no longer it is told what it did itself, and nothing of what became of that.
    """
    mine = {"account_id": account.pk} if person is None else {"subject_id": person}
    found = Objection.objects.filter(**mine).order_by("-pk")[:at_most]
    rows = list(found.values_list("pk", "subject_id", *FACTS.values()))
    facts = {pk: dict(zip(FACTS, rest, strict=True)) for pk, _, *rest in rows}
    former = formerly_acted_for(account, person, (subject for _, subject, *_ in rows))
    ended = {pk for pk, subject, *_ in rows if subject in former}
    steps = [
        step
        for step in Step.objects.filter(objection__in=list(facts)).order_by("objection_id", "seq")
        if step.objection_id not in ended or step.actor == account.actor
    ]
    own = [step.pk for step in steps if step.by == "subject" and (person is not None or step.actor == account.actor)]
    said = words_of(own)
    told: dict[int, list[dict[str, Any]]] = {pk: [] for pk in facts}
    for step in steps:
        row = {"act": step.act, "by": step.by, "at": step.at, "reason": step.reason, "words": said.get(step.pk, "")}
        told[step.objection_id].append(row)
    return [
        values | ({"state": None} if pk in ended else {}) | {"steps": told[pk], "files": _files(values["number"], own)}
        for pk, values in facts.items()
    ]


def formerly_acted_for(account: Account, person: int | None, subjects: Iterable[int]) -> set[int]:
    """Of these organisations those whose mandate has ended, or never reached so far; none for a person's own."""
    return {one for one in set(subjects) if refusals_to_object(account, one)} if person is None else set()


def _files(number: str, own: list[int]) -> list[dict[str, Any]]:
    return [
        {"name": file.name, "media_type": file.media_type, "size": file.size, "is_deleted": file.is_deleted}
        for file in evidence_of(number)
        if file.step_id in own
    ]
