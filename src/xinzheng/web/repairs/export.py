"""A person's repairs as they are taken along (导出): what was prepared, what was said of it, files by name."""

import json
from typing import Any

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.redress.evidence_opening import evidence_of
from xinzheng.apps.redress.models import RepairCase


def repairs_to_take(account: Account, person: int | None, at_most: int) -> list[dict[str, Any]]:
    """A person's own, or those the account prepared for an organisation; newest first."""
    mine = {"account_id": account.pk} if person is None else {"subject_id": person}
    found = RepairCase.objects.filter(**mine).order_by("-pk").prefetch_related("steps")[:at_most]
    return [
        {
            "number": case.number,
            "made_at": case.made_at,
            "rules": case.rules,
            "guidance": json.loads(case.guidance),
            "steps": [{"said": step.said, "reason": step.reason, "at": step.at} for step in case.steps.all()],
            "files": [
                {"name": file.name, "media_type": file.media_type, "size": file.size, "is_deleted": file.is_deleted}
                for file in evidence_of(case.number)
            ],
        }
        for case in found
    ]
