"""Subscribing (办理订阅): to a report that was shown, if the subject consented to that with the share."""

import uuid
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.codes.models import Receiver, Subscription, View
from xinzheng.apps.codes.receivers import objections, receiver_of
from xinzheng.apps.codes.sharing import is_in_force, locked_share
from xinzheng.apps.reports.packs import stored_policy
from xinzheng.apps.reports.replaying import report_by_number
from xinzheng.core.decision import china_date
from xinzheng.core.errors import XinzhengError

# How long a report is watched that the policy lets nobody say when it ends.
WATCHED = timedelta(days=365)


@transaction.atomic
def subscribe(account: Account, view_id: uuid.UUID) -> Subscription:
    """Ask to be told when the report of a view stops being in force (订阅).

    Raises ``unknown-view``: this receiver had no such; ``subscription-refused``: the receiver is not verified, the
    subject did not consent, the share is over, the report is not in force; ``subscribed-already``, also where it was
    ended before.
    """
    receiver, view = receiver_of(account), View.objects.filter(pk=view_id).first()
    if view is None or receiver is None or not account.is_active or view.receiver_id != receiver.pk:
        raise XinzhengError("本单位没有这条查看记录，不能订阅。", code="unknown-view")
    against = objections(receiver)
    if against:
        raise _refused("\n".join(against))
    share = locked_share(view.share_id)
    if share is None or not share.may_subscribe:
        raise _refused("主体亮码时没有同意订阅。需要的，请主体重新亮码并选“可以订阅”。")
    if share.expires_at <= timezone.now() or not is_in_force(share):
        raise _refused("主体的同意已经结束，或者报告已不在有效状态，不能订阅。")
    made, is_new = Subscription.objects.get_or_create(
        report_number=share.report_number,
        receiver=receiver,
        share_id=share.pk,
        defaults={"until": _last_day(share.report_number), "created_by": account.actor},
    )
    if not is_new:
        raise XinzhengError("凭这次亮码已经订阅过这份报告。", code="subscribed-already")
    about = About(share.subject_id, details={"report": share.report_number, "receiver": receiver.pk})
    record_event(
        who=account.actor, action="subscription-made", object_kind="subscription", object_id=made.pk, details=about
    )
    return made


def may_subscribe(receiver: Receiver | None, view_id: uuid.UUID) -> bool:
    """Whether a page should offer it: the subject consented, and this receiver has not subscribed by this share."""
    if receiver is None:
        return False
    view = View.objects.filter(pk=view_id, receiver=receiver, share__may_subscribe=True).select_related("share").first()
    return (
        view is not None
        and view.share.expires_at > timezone.now()
        and not Subscription.objects.filter(receiver=receiver, share_id=view.share_id).exists()
    )


def _last_day(number: str) -> date:
    """The last day the report may be used; where the policy sets none, a year from now."""
    report = report_by_number(number)
    validity = stored_policy(bytes(report.pack_id)).validity
    if validity is None:
        return china_date(timezone.now()) + WATCHED
    return china_date(report.as_of) + timedelta(days=validity.days)


def _refused(message: str) -> XinzhengError:
    return XinzhengError(message, code="subscription-refused")
