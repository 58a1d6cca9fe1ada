"""On-change subscriptions through the pipeline: whole or not, whatever the batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from collector.model import (
    FLAG_IDS,
    DeviceTime,
    Notification,
    NotificationKind,
    OnChange,
    RecordKind,
    StateChange,
    SubscriptionTerms,
    Transport,
)
from collector.pipeline import Pipeline
from collector.wire.notifications.notification import encode
from collector.wire.values import names
from tests.unit.pipeline_records import SOURCE, Story, ns
from tests.unit.test_pipeline_patches import change, edit

STARTED = NotificationKind.SUBSCRIPTION_STARTED
ENDED = NotificationKind.SUBSCRIPTION_TERMINATED
SYNC = ("out_of_sync", "in_sync")


def state_change(kind: NotificationKind, at: float) -> bytes:
    """Subscription 9, which is on-change, begins or ends."""
    begun = StateChange(SubscriptionTerms(datastore="operational", on_change=OnChange()), ("1",))
    over = StateChange(reason="no-such-subscription")
    told = Notification(
        kind, f"ietf-subscribed-notifications:{kind.value}", names.ROOT_ENVELOPE, 9,
        event_time=DeviceTime(ns(at)), state_change=begun if kind is STARTED else over,
    )  # fmt: skip
    return encode(told, mode=names.MODE_DN_19)


class Changes(Story):
    """A card with an on-change subscription, one message a second."""

    def __init__(self) -> None:
        super().__init__()
        self.configured()
        self.now = 1.0
        self.data(self.now, state_change(STARTED, self.now), header=0)

    def patch(self, patch_id: Any, header: int = 1) -> None:
        self.now += 1
        self.data(self.now, change(self.now, patch_id, edit("e")), header=header)

    def lost(self, header: int = 1) -> None:
        """A message that never arrives."""
        self._ids[header] = self._ids.get(header, 0) + 1

    def over(self) -> None:
        self.now += 1
        self.data(self.now, state_change(ENDED, self.now), header=0)

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            self.note(self.now, RecordKind.TICK)


def said_of(said: Iterable[Any]) -> list[tuple[float, str, str]]:
    found = [row for one in said for row in one.events if row.kind in SYNC]
    return [((row.time - ns(0)) / 1e9, row.kind, row.subject) for row in found]


def wanted_of(said: Iterable[Any]) -> list[tuple[int, str]]:
    return [(one.subscription_id, one.why) for row in said for one in row.out_of_sync]


def words(pipeline: Pipeline) -> dict[str, str]:
    return {one.generator: one.word for _, one in pipeline.patches.ids.syncs()}


def test_a_subscription_is_whole_from_its_first_push_update_on() -> None:
    story, pipeline = Changes(), Pipeline()
    story.patch(None)
    said = story.tell(pipeline)
    assert words(pipeline) == {"1": "whole"}
    assert (said_of(said), wanted_of(said)) == ([], [])


def test_a_push_update_that_came_before_its_subscription_counts() -> None:
    """By UDP it overtakes the reply that carries the id."""
    story, pipeline = Story(), Pipeline()
    story.configured()
    story.data(0.9, change(0.9, None))
    story.data(1, state_change(STARTED, 1), header=0)
    story.data(2, change(2, 0, edit("e")))
    story.tell(pipeline)
    assert words(pipeline) == {"1": "whole"}


def test_a_lost_message_is_a_loss_and_a_push_update_ends_it() -> None:
    story, pipeline = Changes(), Pipeline()
    for one in (None, 0, 1):
        story.patch(one)
    story.lost()
    story.patch(3)
    story.wait(5)
    story.patch(None)
    said = story.tell(pipeline)
    assert said_of(said) == [(7, "out_of_sync", "1"), (11, "in_sync", "1")]
    assert wanted_of(said) == [(9, "a message from id 4 on did not come")]
    assert words(pipeline) == {"1": "whole"}


def test_a_lost_message_of_another_kind_is_none() -> None:
    """The patch-id goes on, so the message that is missing held no changes."""
    story = Changes()
    for one in (None, 0, 1):
        story.patch(one)
    story.lost()
    story.patch(2)
    story.wait(5)
    said = story.tell(Pipeline())
    assert (said_of(said), wanted_of(said)) == ([], [])


def test_a_message_that_cannot_be_read_is_a_loss() -> None:
    story = Changes()
    for one in (None, 0):
        story.patch(one)
    story.data(story.now + 0.5, b"{broken")
    story.wait(5)
    said = story.tell(Pipeline())
    assert [kind for _, kind, _ in said_of(said)] == ["out_of_sync"]
    assert wanted_of(said) == [(9, "message 3 could not be read")]


def test_what_is_over_is_wanted_no_more() -> None:
    story = Changes()
    for one in (None, 0):
        story.patch(one)
    story.lost()
    story.patch(5)
    story.over()
    story.wait(5)
    said = story.tell(Pipeline())
    assert (said_of(said), wanted_of(said)) == ([], [])


def test_while_nobody_listened_changes_may_be_lost() -> None:
    story = Changes()
    for one in (None, 0, 1):
        story.patch(one)
    story.now += 500
    story.note(story.now, RecordKind.COLLECTOR_START)
    for _ in range(9):
        story.lost()
    story.patch(11)
    story.wait(5)
    said = story.tell(Pipeline())
    assert [kind for _, kind, _ in said_of(said)] == ["out_of_sync"]


def long_story() -> Changes:
    """Two cards; gaps of patches and of messages, overtaken ones, push-updates, an end."""
    story = Changes()
    for header in (1, 2):
        for one in (None, 0, 1):
            story.patch(one, header)
    story.lost(2)
    story.patch(7, 2)
    for one in (2, 3):
        story.patch(one)
    story.wait(4)
    story.patch(None, 2)
    story.lost()
    story.patch(4)
    story.wait(3)
    # overtaken: the id before comes right behind it
    story.lost(2)
    story.patch(1, 2)
    late = story._ids[2] - 1
    story.batch.append(
        ns(story.now + 0.4), RecordKind.DATA, change(story.now - 0.5, 0, edit("e")),
        transport=Transport.UDP_NOTIF, peer=SOURCE, port=4000, version=1, flags=FLAG_IDS,
        media_type=1, publisher_id=2, message_id=late,
    )  # fmt: skip
    story.wait(3)
    story.patch(9)
    story.wait(4)
    story.over()
    story.wait(3)
    return story


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 9])
def test_batch_borders_change_nothing(rows: int) -> None:
    story = long_story()
    whole = story.tell(Pipeline())
    assert [(kind, who) for _, kind, who in said_of(whole)] == [
        ("out_of_sync", "2"), ("in_sync", "2"), ("out_of_sync", "1"),
    ]  # fmt: skip
    parts = story.tell(Pipeline(), rows)
    assert said_of(parts) == said_of(whole)
    assert wanted_of(parts) == wanted_of(whole)


@pytest.mark.parametrize("cut", range(4, 36, 3))
def test_a_restart_changes_nothing(cut: int) -> None:
    story = long_story()
    whole = story.tell(Pipeline())
    first, second = Pipeline(), Pipeline()
    before = story.tell(first, end=cut)
    parts = [(name, cut, first.snapshot_part(name)) for name in first.snapshot_names()]
    assert second.restore(parts) == cut
    after = story.tell(second, start=cut)
    assert said_of(before) + said_of(after) == said_of(whole)
    assert wanted_of(before) + wanted_of(after) == wanted_of(whole)
