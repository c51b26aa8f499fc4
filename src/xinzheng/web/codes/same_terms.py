"""Sharing once more (按同样条件再亮一个): terms never change; a new share may begin with those of an old one."""

import uuid

from xinzheng.apps.codes.models import ShareCode
from xinzheng.web.codes.terms_form import Asked, periods


def same_terms(number: str, share_id: str) -> Asked | None:
    """The form filled in as an earlier share of this report has it; None where it has no such share.

    The period is the longest offered that is no longer than that share's was: nobody consents to more by a click.
    """
    found = _share(number, share_id)
    if found is None:
        return None
    hours = round((found.expires_at - found.created_at).total_seconds() / 3600)
    offered = [period for period in periods() if period <= max(hours, min(periods()))]
    return Asked(
        found.purpose,
        found.receiver_name,
        str(max(offered)),
        str(found.views_allowed),
        is_bound=found.receiver_id is not None,
        may_subscribe=found.may_subscribe,
    )


def _share(number: str, share_id: str) -> ShareCode | None:
    try:
        key = uuid.UUID(share_id)
    except ValueError:
        return None
    return ShareCode.objects.filter(pk=key, report_number=number).first()
