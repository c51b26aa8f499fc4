"""Announcements (公告): news and maintenance windows, each to everybody or to one role, for as long as it says.

Nothing is changed: what was mended stands beside what mends it, what was taken back beside the row that says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.privacy import UnkeepableTextError, text_to_keep
from xinzheng.apps.oversight.desk_models import EVERYBODY, Announcement
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.permissions import refusals_to_announce, refusals_to_announce_maintenance
from xinzheng.core.errors import RefusedError

TITLE_AT_MOST, TEXT_AT_MOST = 60, 500
SHOWN_AT_MOST = timedelta(days=366)
LISTED = 50
AUDIENCES = (EVERYBODY, *Role.values)


@dataclass(frozen=True, slots=True)
class NewAnnouncement:
    """What is to be announced; ``replaces``: the one it mends. Of a maintenance window its beginning and end."""

    kind: str
    audience: str
    title: str
    text: str
    shown_from: datetime
    shown_until: datetime
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    replaces: int | None = None


class AnnouncementError(OversightError):
    """It cannot be announced so; ``context["field"]`` is what has to be mended."""

    code = "announcement-unfit"


def reasons_not_to_announce(account: Account, kind: str) -> list[str]:
    """Announce, mend or take back one of a kind: news the office, maintenance system administrators as well."""
    if kind == Announcement.Kind.MAINTENANCE:
        return refusals_to_announce_maintenance(account)
    return refusals_to_announce(account)


def announce(new: NewAnnouncement, now: datetime, *, account: Account) -> int:
    """Announce something, or mend what was announced; its number.

    Raises:
        AnnouncementError: ``announcement-unfit``, with the field.
        RefusedError: the account may not (``not-permitted``), or the one to mend is gone (``announcement-over``).
    """
    _refuse(account, new.kind)
    title, text = _examine(new, now)
    if new.replaces is not None:
        _refuse(account, _standing(new.replaces).kind)
    values = {name: getattr(new, name) for name in ("kind", "audience", "shown_from", "shown_until")}
    times = {"begins_at": new.begins_at, "ends_at": new.ends_at}
    return _write(
        Announcement(
            **values,
            **(times if new.kind == Announcement.Kind.MAINTENANCE else {}),
            title=title,
            text=text,
            replaces_id=new.replaces,
            account_id=account.pk,
        ),
        account,
        "announcement-made",
    )


def take_back(number: int, *, account: Account) -> int:
    """Show one no longer. Raises RefusedError as :func:`announce`."""
    standing = _standing(number)
    _refuse(account, standing.kind)
    names = ("kind", "audience", "title", "text", "shown_from", "shown_until", "begins_at", "ends_at")
    values = {name: getattr(standing, name) for name in names}
    row = Announcement(**values, replaces_id=number, is_taken_back=True, account_id=account.pk)
    return _write(row, account, "announcement-taken-back")


def standing_until(now: datetime) -> tuple[Announcement, ...]:
    """What stands and is not over: shown now, or to be shown later. Maintenance first, then by their beginning."""
    rows = Announcement.objects.filter(replaced_by=None, is_taken_back=False, shown_until__gt=now)
    return tuple(rows.order_by("kind", "shown_from", "id"))


def shown(standing: Sequence[Announcement], role: str | None, now: datetime) -> list[Announcement]:
    """Those of the standing ones that whoever has this role, or none, is to see now."""
    audiences = {EVERYBODY, role}
    return [one for one in standing if one.shown_from <= now < one.shown_until and one.audience in audiences]


def announcement(number: int) -> Announcement | None:
    """One that stands; None of any other."""
    return Announcement.objects.filter(pk=number, replaced_by=None, is_taken_back=False).first()


def newest_announcements() -> list[Announcement]:
    """The newest ones, however they ended, but those that another mends or takes back."""
    return list(Announcement.objects.filter(replaced_by=None).order_by("-id")[:LISTED])


def _refuse(account: Account, kind: str) -> None:
    refusals = reasons_not_to_announce(account, kind)
    if refusals:
        raise RefusedError("\n".join(refusals), code="not-permitted")


def _standing(number: int) -> Announcement:
    found = announcement(number)
    if found is None:
        raise _gone()
    return found


def _gone() -> RefusedError:
    return RefusedError("这条公告已被更正或者撤下，请刷新后再办。", code="announcement-over")


def _write(row: Announcement, account: Account, action: str) -> int:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            details = {"kind": row.kind, "audience": row.audience, "replaces": row.replaces_id}
            record_event(
                who=account.actor, action=action, object_kind="announcement", object_id=str(row.pk), details=details
            )
    except IntegrityError as error:
        # Somebody else mended or took back the same one a moment before.
        raise _gone() from error
    return int(row.pk)


def _examine(new: NewAnnouncement, now: datetime) -> tuple[str, str]:
    """Title and text as they are kept."""
    if new.kind not in Announcement.Kind.values:
        raise AnnouncementError("请选择是通知公告还是停机维护。", field="kind")
    if new.audience not in AUDIENCES:
        raise AnnouncementError("请选择给谁看。", field="audience")
    title = _words(new.title, ("title", "标题", TITLE_AT_MOST))
    text = _words(new.text, ("text", "内容", TEXT_AT_MOST))
    _examine_times(new, now)
    return title, text


def _words(said: str, named: tuple[str, str, int]) -> str:
    field, name, most = named
    try:
        kept = text_to_keep(said, field=name, most=most)
    except UnkeepableTextError as error:
        raise AnnouncementError(error.message, field=field) from error
    if not kept:
        raise AnnouncementError(f"请填写{name}。", field=field)
    return kept


def _examine_times(new: NewAnnouncement, now: datetime) -> None:
    if new.kind == Announcement.Kind.MAINTENANCE and (
        new.begins_at is None or new.ends_at is None or new.begins_at >= new.ends_at
    ):
        raise AnnouncementError("请填写维护的开始和结束时间，结束要晚于开始。", field="begins_at")
    if new.shown_until <= now:
        raise AnnouncementError("显示到的时间已经过去，请改晚一些。", field="shown_until")
    if new.shown_from >= new.shown_until:
        raise AnnouncementError("显示到的时间要晚于开始显示的时间。", field="shown_until")
    if new.shown_until - max(new.shown_from, now) > SHOWN_AT_MOST:
        raise AnnouncementError("一条公告至多显示一年，请改早一些。", field="shown_until")
