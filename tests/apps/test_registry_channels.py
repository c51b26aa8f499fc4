"""Return channels: named and ended by new rows, read as at a position, and only for units that answer."""

from dataclasses import replace

import pytest

from tests.apps.test_registry_units import CITY, DISTRICT, KUNSHAN, PENALTY, PLAN, WATER, OneUnit, unit_id
from xinzheng.adapters.deployment_files import DeployedReturn
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.actions import ChannelError, apply_deployment, end_channel, name_channel
from xinzheng.apps.registry.models import ReturnChannel
from xinzheng.apps.registry.queries import Channel, channels_at, is_served, registry_position, served_units

pytestmark = pytest.mark.django_db

PLATFORM = OneUnit("11320000DEM090013T", "演示：省平台", "省平台（演示）", division="320000")
WITH_RETURNS = replace(
    PLAN,
    units=(CITY, DISTRICT, PLATFORM),
    returns=(
        DeployedReturn("water_affairs", PENALTY, PLATFORM.uscc, WATER),
        DeployedReturn("water_affairs", PENALTY, PLATFORM.uscc, KUNSHAN),
    ),
)
CHANNEL = Channel("small-1", "water_affairs", PENALTY, PLATFORM.uscc, WATER)


def served() -> list[str]:
    return [found.uscc for found in served_units(unit_id(PLATFORM.uscc))]


def test_a_deployment_names_its_channels_and_naming_them_again_writes_nothing() -> None:
    assert apply_deployment(WITH_RETURNS, by="system").channels == 2
    assert apply_deployment(WITH_RETURNS, by="system").position is None
    assert served() == [WATER, KUNSHAN]
    assert is_served(unit_id(WATER))
    assert not is_served(unit_id(PLATFORM.uscc))


def test_a_channel_the_deployment_no_longer_names_is_ended_and_still_stands_at_the_old_position() -> None:
    before = apply_deployment(WITH_RETURNS, by="system").position
    result = apply_deployment(replace(WITH_RETURNS, returns=WITH_RETURNS.returns[:1]), by="system")
    assert (result.channels, result.position) == (1, head_position())
    assert served() == [WATER]
    assert [channel.unit for channel in channels_at()] == [WATER]
    assert [channel.unit for channel in channels_at(before)] == [WATER, KUNSHAN]
    assert [channel.unit for channel in channels_at(with_ended=True)] == [WATER, KUNSHAN]


def test_another_policy_s_deployment_leaves_the_channels_alone() -> None:
    apply_deployment(WITH_RETURNS, by="system")
    apply_deployment(replace(PLAN, policy_id="small-2"), by="system")
    assert served() == [WATER, KUNSHAN]


def test_nobody_is_served_in_a_domain_it_no_longer_answers_for() -> None:
    apply_deployment(WITH_RETURNS, by="system")
    apply_deployment(replace(WITH_RETURNS, responsibilities=PLAN.responsibilities[:1]), by="system")
    assert served() == [WATER]


def test_a_channel_is_named_and_ended_by_hand_and_the_registry_s_position_moves() -> None:
    apply_deployment(replace(WITH_RETURNS, returns=()), by="system")
    named = name_channel(CHANNEL, by="account:1")
    assert (served(), registry_position(head_position())) == ([WATER], named)
    ended = end_channel(CHANNEL, by="account:1")
    assert (served(), registry_position(head_position())) == ([], ended)
    assert ReturnChannel.objects.count() == 2
    assert list(AuditEvent.objects.order_by("id").values_list("action", flat=True))[-2:] == [
        "return-channel-named",
        "return-channel-ended",
    ]


@pytest.mark.parametrize(
    ("channel", "code"),
    [
        (replace(CHANNEL, source="11320500DEM010060J"), "unknown-unit"),
        (replace(CHANNEL, unit="11320500DEM010060J"), "unknown-unit"),
        (replace(CHANNEL, kind="permit"), "unknown-kind"),
        (replace(CHANNEL, source=WATER), "channel-to-itself"),
        (CHANNEL, "channel-named-already"),
    ],
)
def test_a_channel_that_makes_no_sense_is_refused(channel: Channel, code: str) -> None:
    apply_deployment(WITH_RETURNS, by="system")
    with pytest.raises(ChannelError) as refused:
        name_channel(channel, by="system")
    assert refused.value.code == code


def test_only_a_channel_that_holds_can_be_ended() -> None:
    apply_deployment(PLAN, by="system")
    with pytest.raises(ChannelError) as refused:
        end_channel(CHANNEL, by="system")
    assert refused.value.code == "unknown-channel"
