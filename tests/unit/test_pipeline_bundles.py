"""Bundled messages on their way: several rows of one record, one Message ID, any batch borders."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from collector.core.engine import Engine
from collector.model import SECOND, NotificationKind, Outcome, RecordKind
from collector.pipeline import Pipeline
from collector.wire.values import names
from tests.unit.pipeline_records import (
    CARDS,
    PERIOD,
    STRANGER,
    Story,
    events,
    ns,
    state_change,
    update,
    updates,
    verdicts,
)

STARTED = NotificationKind.SUBSCRIPTION_STARTED
COLUMNS = ("generator", "subscription_id", "kind", "period_index", "message_id", "journal_offset")


def entry(message: bytes) -> dict[str, Any]:
    """What another message says, as an entry of a bundle."""
    envelope = json.loads(message)[names.ROOT_ENVELOPE]
    header = {"notification-time": envelope["event-time"]}
    return {"notification-header": header, "notification-contents": envelope["contents"]}


def bundle(*messages: bytes) -> bytes:
    body = {
        "message-header": {"message-time": "2027-01-15T08:00:00Z"},
        "notifications": [entry(message) for message in messages],
    }
    return json.dumps({names.ROOT_MESSAGES: body}).encode()


def two_subscriptions(bundled: bool, periods: int = 6, lost: int = 0, doubled: int = 0) -> Story:
    """Both cards deliver for subscriptions 1 and 2, in one message or in two of their own ids."""
    story = Story()
    story.configured()
    for number in (1, 2):
        told = state_change(STARTED, 1, CARDS)
        story.data(1, told.replace(b'"id":1', b'"id":%d' % number), header=0)
    for index in range(1, periods):
        for card in (1, 2):
            at, time = index * PERIOD + 0.2, index * PERIOD
            if bundled:
                parts = [bundle(update(time, 1), update(time, 2))]
            else:
                parts = [update(time, 1), update(time, 2)]
            for part in parts:
                if index == lost and card == 2:
                    story._ids[card] += 1
                    continue
                story.data(at, part, header=card)
                if index == doubled:
                    story._ids[card] -= 1
                    story.data(at, part, header=card)
        story.note(index * PERIOD + 9, RecordKind.TICK)
    return story


def outcomes(story: Story, rows: int = 1 << 30) -> list[Any]:
    return [
        (one.subscription_id, one.period_index, one.outcome, one.missing, one.degraded)
        for one in verdicts(story.tell(Pipeline(), rows))
    ]


def test_rows_share_the_offset_and_the_id() -> None:
    story = two_subscriptions(bundled=True, periods=3)
    said = story.tell(Pipeline())
    rows = [tuple(row[name] for name in COLUMNS) for row in updates(said)]
    first = ns(0) // (PERIOD * SECOND)
    assert rows == [
        (card, number, "push-update", first + index, index, 4 + 3 * (index - 1) + int(card) - 1)
        for index in (1, 2)
        for card in CARDS
        for number in (1, 2)
    ]
    payloads = {row["journal_offset"]: row["payload"] for row in updates(said)}
    assert len(payloads) == 4
    assert all(json.loads(one) for one in payloads.values())
    for row in updates(said):
        assert row["payload"] == payloads[row["journal_offset"]]


def test_verdicts_are_those_of_single_messages() -> None:
    assert outcomes(two_subscriptions(bundled=True)) == outcomes(two_subscriptions(bundled=False))


@pytest.mark.parametrize("lost", [3, 4])
def test_a_lost_bundle_is_a_loss_of_each_subscription(lost: int) -> None:
    story = two_subscriptions(bundled=True, periods=8, lost=lost)
    said = story.tell(Pipeline())
    last = {(one.subscription_id, one.period_index): one for one in verdicts(said)}
    first = ns(0) // (PERIOD * SECOND)
    for number in (1, 2):
        for index in range(2, 7):
            row = last[number, first + index]
            assert (row.outcome is Outcome.COMPLETE) is (index != lost), (number, index)
        (missing,) = last[number, first + lost].missing
        assert (missing.generator, missing.cause) == ("2", "lost")
    assert not events(said, "restart")
    assert not events(said, "unattributed_loss")


def test_a_doubled_bundle_is_one_duplicate() -> None:
    pipeline = Pipeline()
    doubled = two_subscriptions(bundled=True, doubled=3)
    assert [row.outcome for row in verdicts(doubled.tell(pipeline))] == [
        row.outcome for row in verdicts(two_subscriptions(bundled=True).tell(Pipeline()))
    ]
    assert pipeline.engine.duplicates() == 2


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 7])
def test_batch_borders_change_nothing(rows: int) -> None:
    for lost, doubled in ((0, 0), (3, 0), (0, 3)):
        story = two_subscriptions(bundled=True, lost=lost, doubled=doubled)
        whole, cut = (story.tell(Pipeline(), size) for size in (1 << 30, rows))
        assert verdicts(whole) == verdicts(cut)
        assert updates(whole) == updates(cut)


@pytest.mark.parametrize("at", range(2, 14))
def test_a_snapshot_anywhere_changes_nothing(at: int) -> None:
    story = two_subscriptions(bundled=True, lost=3)
    before, after = Pipeline(), Pipeline()
    whole = story.tell(Pipeline(), 1)
    said = story.tell(before, 1, 0, at)
    parts = [(name, at, before.snapshot_part(name)) for name in before.snapshot_names()]
    assert after.restore(parts) == at
    said += story.tell(after, 1, at)
    assert verdicts(said) == verdicts(whole)
    assert updates(said) == updates(whole)


def test_a_state_change_and_data_in_one_message() -> None:
    story = Story()
    story.configured()
    story.data(1, bundle(state_change(STARTED, 1, CARDS), update(1)))
    said = story.tell(Pipeline())
    assert [row.state for one in said for row in one.subscriptions] == ["active"]
    (row,) = updates(said)
    assert (row["subscription_id"], row["journal_offset"]) == (1, 2)
    story = Story()
    story.configured()
    story.data(1, bundle(state_change(STARTED, 1, CARDS), state_change(STARTED, 1, CARDS)))
    assert updates(story.tell(Pipeline())) == []


def test_bundles_of_strangers_are_counted_once() -> None:
    story, pipeline = Story(), Pipeline()
    story.configured()
    story.data(1, bundle(update(1), update(1)), peer=STRANGER)
    assert updates(story.tell(pipeline)) == []
    assert pipeline.counts.unknown_sources == {STRANGER: 1}


def test_what_a_device_knows_already_is_not_taken_again() -> None:
    story = two_subscriptions(bundled=True)
    pipeline = Pipeline()
    story.tell(pipeline)
    ring = pipeline.engine.snapshot_device("core7")
    engine = Engine.restore(pipeline._settings, {"core7": ring})
    pipeline.engine = engine
    again = [row["period_index"] for row in updates(story.tell(pipeline, 1, 4, 5))]
    assert again == [None, None]


def test_contents_of_every_entry_are_compared() -> None:
    """Nodes of the second notification are those of the second."""
    from collector.wire.notifications.nodes import read_nodes

    first = update(1).replace(b'{"c":1}', b'{"l":[{"name":"x","v":1}]}')
    second = update(1).replace(b'{"c":1}', b'{"l":[{"name":"y","v":1}]}')
    both = bundle(first, second)
    assert read_nodes(both, 1).ids == {"/a:b/l[name=x]"}
    assert read_nodes(both, 1, 1).ids == {"/a:b/l[name=y]"}
    assert read_nodes(first, 1, 1).ids == {"/a:b/l[name=x]"}


def test_the_same_in_cbor_and_xml() -> None:
    def rows(media_type: int) -> list[Any]:
        story = Story()
        story.configured()
        story.data(1, state_change(STARTED, 1, CARDS), header=0)
        message = msgspec.json.decode(bundle(update(10), update(10, 3)))
        if media_type == 3:
            import cbor2

            payload = cbor2.dumps(message)
        else:
            from collector.wire.values.plain_xml import message_to_xml

            payload = message_to_xml(message)
        story.data(10.2, payload, media_type=media_type)
        found = updates(story.tell(Pipeline()))
        return [{name: row[name] for name in COLUMNS} for row in found]

    assert rows(2) == rows(3)
    assert len(rows(2)) == 2
