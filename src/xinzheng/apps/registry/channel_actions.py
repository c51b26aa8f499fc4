"""Name and end return channels (回流渠道); a deployment does it for all of its policy's channels at once."""

from collections.abc import Collection, Mapping

from django.db import connection, transaction

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.registry.channel_queries import Channel, channels_at
from xinzheng.apps.registry.models import ReturnChannel, Unit
from xinzheng.core.errors import XinzhengError
from xinzheng.core.records import RecordKind

# One at a time is compared with what stands; a deployment waits for its own lock before.
CHANNEL_LOCK = 0x72657475726E


class ChannelError(XinzhengError):
    """A return channel cannot be named or ended."""

    code = "channel-refused"


@transaction.atomic
def name_channel(channel: Channel, *, by: str) -> int:
    """Name a return channel: from now on the unit's data also come through the source; returns the position.

    Raises:
        ChannelError: ``unknown-unit``, ``unknown-kind``, ``channel-to-itself`` or ``channel-named-already``.
    """
    _lock()
    _check(channel)
    if channel in channels_at():
        raise ChannelError("这条回流渠道已经登记，不用再登记。", code="channel-named-already")
    return _record(channel, "return-channel-named", by, is_ended=False)


@transaction.atomic
def end_channel(channel: Channel, *, by: str) -> int:
    """End a return channel; what came through it stays, and its rejected lines still wait. Returns the position.

    Raises:
        ChannelError: ``unknown-channel`` when there is none that holds.
    """
    _lock()
    if channel not in channels_at():
        raise ChannelError("没有这条回流渠道，或者已经终止，请核对。", code="unknown-channel")
    return _record(channel, "return-channel-ended", by, is_ended=True)


def channel_changes(policy_id: str, planned: Collection[Channel]) -> dict[Channel, bool]:
    """What has to be written so that a policy's channels are the planned ones: ``is_ended`` by channel."""
    standing = {channel for channel in channels_at() if channel.policy_id == policy_id}
    named = {channel: False for channel in planned if channel not in standing}
    return named | {channel: True for channel in standing if channel not in planned}


def write_channels(changes: Mapping[Channel, bool], entry: Entry) -> None:
    """Write them in the caller's transaction."""
    keys = dict(Unit.objects.values_list("uscc", "pk"))
    ReturnChannel.objects.bulk_create(
        ReturnChannel(
            entry=entry,
            policy_id=channel.policy_id,
            domain=channel.domain,
            kind=channel.kind,
            source_id=keys[channel.source],
            unit_id=keys[channel.unit],
            is_ended=is_ended,
        )
        for channel, is_ended in changes.items()
    )


def _check(channel: Channel) -> None:
    for uscc in (channel.source, channel.unit):
        if not Unit.objects.filter(uscc=uscc).exists():
            raise ChannelError(f"没有统一社会信用代码为“{uscc}”的单位，请核对。", code="unknown-unit", unit=uscc)
    if channel.kind not in set(RecordKind):
        kinds = "、".join(RecordKind)
        raise ChannelError(f"没有记录类型“{channel.kind}”，可用的有：{kinds}。", code="unknown-kind")
    if channel.source == channel.unit:
        raise ChannelError("单位不能经本单位回流，请改为另一单位。", code="channel-to-itself")


def _record(channel: Channel, kind: str, by: str, *, is_ended: bool) -> int:
    source = Unit.objects.get(uscc=channel.source)
    entry = open_entry(kind=kind, by=by, unit_id=source.pk, note={"domain": channel.domain, "kind": channel.kind})
    write_channels({channel: is_ended}, entry)
    details = {"domain": channel.domain, "kind": channel.kind, "unit": channel.unit}
    record_event(who=by, action=kind, object_kind="unit", object_id=source.pk, details=details)
    return take_position(entry)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHANNEL_LOCK])
