"""A person's repairs as they are taken along (导出): what was prepared, what was said of it, files by name."""

import json
from typing import Any

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.redress.evidence_opening import evidence_of
from xinzheng.apps.redress.models import RepairCase
from xinzheng.web.objections.export import formerly_acted_for


def repairs_to_take(account: Account, person: int | None, at_most: int) -> list[dict[str, Any]]:
    """A person's own, or those the account prepared for an organisation; newest first.

    Of an organisation it acts for no longer it is told what it said itself, and no files.
    """
    mine = {"account_id": account.pk} if person is None else {"subject_id": person}
    found = list(RepairCase.objects.filter(**mine).order_by("-pk").prefetch_related("steps")[:at_most])
    former = formerly_acted_for(account, person, (case.subject_id for case in found))
    return [_case(case, account, is_former=case.subject_id in former) for case in found]


def _case(case: RepairCase, account: Account, *, is_former: bool) -> dict[str, Any]:
    return {
        "number": case.number,
        "made_at": case.made_at,
        "rules": case.rules,
        "guidance": json.loads(case.guidance),
        "steps": [
            {"said": step.said, "reason": step.reason, "at": step.at}
            for step in case.steps.all()
            if not is_former or step.actor == account.actor
        ],
        "files": [
            {"name": file.name, "media_type": file.media_type, "size": file.size, "is_deleted": file.is_deleted}
            for file in ([] if is_former else evidence_of(case.number))
        ],
    }
