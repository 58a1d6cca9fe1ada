"""Configured replay on the wire: how it is asked for, and what subscription-started says of it."""

from __future__ import annotations

import pytest
from msgspec import structs

from collector.errors import WireError
from collector.model import (
    DeviceTime,
    MediaType,
    Notification,
    NotificationKind,
    StateChange,
    SubscriptionTerms,
)
from collector.wire.notifications import notification
from collector.wire.subscriptions.config import (
    ConfiguredReceiver,
    ConfiguredSubscription,
    Edit,
    read_configuration,
    write_edits,
    write_subscription,
)
from collector.wire.values import xml

SN = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
STARTED = f"""\
<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">
  <eventTime>2026-01-01T00:00:10Z</eventTime>
  <subscription-started xmlns="{SN}">
    <id>7</id><stream>alarms</stream>
    <replay-start-time>2026-01-01T00:00:01Z</replay-start-time>
    <replay-previous-event-time>2026-01-01T00:00:00.5Z</replay-previous-event-time>
  </subscription-started>
</notification>
"""
NEW_YEAR = 1_767_225_600_000_000_000
SAID = Notification(
    kind=NotificationKind.SUBSCRIPTION_STARTED,
    name="ietf-subscribed-notifications:subscription-started",
    root="ietf-notification:notification",
    subscription_id=7,
    event_time=DeviceTime(NEW_YEAR + 10_000_000_000),
    state_change=StateChange(
        terms=SubscriptionTerms(
            stream="alarms", replay_start_time=DeviceTime(NEW_YEAR + 1_000_000_000)
        ),
        replay_previous_event_time=DeviceTime(NEW_YEAR + 500_000_000),
    ),
)


@pytest.mark.clause("8639-2.5.6")
def test_what_came_before_the_replay_is_read_and_written() -> None:
    assert notification.decode(STARTED.encode(), MediaType.YANG_DATA_XML) == SAID
    for media_type in (
        MediaType.YANG_DATA_XML, MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_CBOR,
    ):  # fmt: skip
        octets = notification.encode(SAID, None, media_type)
        assert notification.decode(octets, media_type) == SAID


def test_a_time_that_is_none() -> None:
    wrong = STARTED.replace("00:00:00.5Z", "noon")
    with pytest.raises(WireError, match="noon"):
        notification.decode(wrong.encode(), MediaType.YANG_DATA_XML)


def test_it_is_asked_for_with_an_empty_leaf() -> None:
    asked = ConfiguredSubscription(
        7, SubscriptionTerms(stream="alarms"), (ConfiguredReceiver("R1"),), replay=True
    )
    text = write_subscription(asked)
    assert "<configured-replay/>" in text
    (found,) = read_configuration(
        xml.fragment(f'<subscriptions xmlns="{SN}">{text}</subscriptions>')
    ).subscriptions
    assert found == asked
    without = structs.replace(asked, replay=False)
    assert "configured-replay" not in write_subscription(without)
    edit = write_edits([Edit(asked, without)])
    assert 'operation="remove"' in edit.replace("nc:", "")
    assert "configured-replay" in edit
