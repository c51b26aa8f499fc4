"""Bulletins (数据质量通报): draft, publish once, read as published."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from django.db import IntegrityError, transaction

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.delivery import today_in_china
from xinzheng.apps.oversight.bulletin_figures import bulletin_figures
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import Bulletin
from xinzheng.apps.oversight.scopes import due_date
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.policy import Policy


@dataclass(frozen=True, slots=True)
class BulletinView:
    """A bulletin: its figures, and of a published one the digest and when; both None for a draft."""

    figures: Mapping[str, Any]
    digest: str | None = None
    published_at: datetime | None = None

    @property
    def is_draft(self) -> bool:
        """Whether it has not been published."""
        return self.digest is None


def refusals_to_publish_month(policy: Policy, month: Month) -> list[str]:
    """Why the month cannot be published yet; an empty list means it can. Raises CalendarError."""
    due = due_date(policy, today_in_china())
    if month.last > due:
        return [f"{month.year}年{month.number}月的报送时限还没有到（目前应报至{due:%Y-%m-%d}），请在时限过后发布。"]
    if Bulletin.objects.filter(policy_id=policy.id, month=month.first).exists():
        return [f"{month.year}年{month.number}月的通报已经发布，不能再改。"]
    return []


@transaction.atomic
def publish_bulletin(month: Month, by: str, policy_id: str) -> Bulletin:
    """Freeze the month's figures under a policy and publish them (发布通报); published ones never change.

    Raises:
        OversightError: ``month-not-due``, ``already-published``.
        CalendarError: working days of a year that was not announced are needed.
    """
    policy = current_policy(policy_id)
    refusals = refusals_to_publish_month(policy, month)
    if refusals:
        code = "month-not-due" if month.last > due_date(policy, today_in_china()) else "already-published"
        raise OversightError(refusals[0], code=code)
    position = head_position()
    figures = rfc8785.dumps(bulletin_figures(policy, month, position, today_in_china()))
    digest = hashlib.sha256(figures).digest()
    entry = open_entry(kind="bulletin-published", by=by, note={"policy": policy_id, "month": str(month)})
    bulletin = Bulletin(entry=entry, policy_id=policy_id, month=month.first, position=position)
    bulletin.figures, bulletin.figures_sha256 = figures.decode(), digest
    try:
        with transaction.atomic():
            bulletin.save(force_insert=True)
    except IntegrityError as error:
        raise OversightError(f"{month}的通报刚刚已由他人发布，不能再改。", code="already-published") from error
    details = {"policy": policy_id, "month": str(month), "sha256": digest.hex()}
    record_event(who=by, action="bulletin-published", object_kind="bulletin", object_id=entry.pk, details=details)
    take_position(entry)
    return bulletin


def published_bulletin(policy_id: str, month: Month) -> BulletinView | None:
    """The month's bulletin as published, or None.

    Raises:
        OversightError: ``bulletin-damaged`` when the figures no longer have their digest.
    """
    found = Bulletin.objects.filter(policy_id=policy_id, month=month.first).select_related("entry").first()
    if found is None:
        return None
    digest = hashlib.sha256(found.figures.encode()).digest()
    if digest != bytes(found.figures_sha256):
        raise OversightError("通报的数据与其摘要值不符，请联系系统管理员。", code="bulletin-damaged")
    return BulletinView(json.loads(found.figures), digest.hex(), found.entry.recorded_at)


def draft_bulletin(policy_id: str, month: Month) -> BulletinView:
    """What would be published now."""
    figures = bulletin_figures(current_policy(policy_id), month, head_position(), today_in_china())
    return BulletinView(figures)


def published_months(policy_id: str) -> list[Month]:
    """The months published under a policy, latest first."""
    found = Bulletin.objects.filter(policy_id=policy_id).order_by("-month").values_list("month", flat=True)
    return [Month.of(day) for day in found]
