"""Looks into /subscriptions on their way through the journal: what is counted, what is said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from collector.model import FLAG_IDS, RecordKind, RpcNote, SubscriptionTerms, Transport
from collector.pipeline import Pipeline
from collector.wire.netconf.looks import CROSS_CHECK, LOOK
from collector.wire.netconf.replies import ReceiverState, Subscriptions, SubscriptionState
from collector.wire.netconf.rpc import SubscriptionState as Entry
from collector.wire.netconf.rpc import encode_reply, encode_rpc
from tests.unit.pipeline_records import DEVICE, PERIOD, Story, ns, rpc, update

KINDS = ("records_", "device_lists_", "receiver_", "not_at_", "at_device_")
EVERY = 10
"""Periods between two looks."""


def entry(sent: int | None, generators: tuple[str, ...] | None = ("1", "2")) -> Entry:
    receivers = (ReceiverState("r", "active", sent),)
    return SubscriptionState(1, SubscriptionTerms(), generators, None, receivers)


def look(story: Story, at: float, *entries: Entry, subject: str = CROSS_CHECK) -> None:
    reply = encode_reply("1", Subscriptions(entries), mode="mso")
    request = encode_rpc("1", LOOK)
    note = RpcNote(DEVICE, subject, "get", request.decode(), reply.decode())
    story.note(at, RecordKind.REPLY, note)


def story_of(
    *, lost: Iterable[int] = (), looks: int = 6, generators: tuple[str, ...] = ("1", "2")
) -> Story:
    """Two cards; of card 2 the periods ``lost`` never arrive, though the device counts them."""
    story = Story()
    story.configured()
    story.started()
    gone = frozenset(lost)
    for index in range(1, looks * EVERY + 1):
        story.periods(index, index + 1, ("1",) if index in gone else ("1", "2"))
        if index % EVERY == 0:
            look(story, index * PERIOD + 9.5, entry(5000 + 2 * index, generators))
    return story


def events(said: Iterable[Any]) -> list[tuple[str, str]]:
    return [
        (row.kind, row.text) for one in said for row in one.events if row.kind.startswith(KINDS)
    ]


def test_a_healthy_device_agrees() -> None:
    pipeline = Pipeline()
    assert events(story_of().tell(pipeline)) == []
    assert [one.own for one in pipeline.cross_check.watched.values()] == [2 * 5 * EVERY]


def test_a_loss_is_seen_by_the_counters() -> None:
    ((kind, text),) = events(story_of(lost=range(21, 50)).tell(Pipeline()))
    assert kind == "records_differ"
    assert text == "core7 says that it sent 60 records of 1 in 300 s, 40 arrived here."


def test_another_list_is_seen() -> None:
    ((kind, text),) = events(story_of(generators=("1", "3")).tell(Pipeline()))
    assert kind == "device_lists_others"
    assert "lists 3, which we do not know, and does not list 2" in text


def test_a_message_that_came_twice_counts_once() -> None:
    story = Story()
    story.configured()
    story.started()
    for index in range(1, 4 * EVERY + 1):
        story.periods(index, index + 1)
        for card in (1, 2):
            story.batch.append(
                ns(index * PERIOD + 9), RecordKind.DATA, update(index * PERIOD),
                transport=Transport.UDP_NOTIF, peer="192.0.2.7", port=4000, version=1,
                flags=FLAG_IDS, media_type=1, publisher_id=card, message_id=index,
            )  # fmt: skip
        if index % EVERY == 0:
            look(story, index * PERIOD + 9.5, entry(5000 + 2 * index))
    pipeline = Pipeline()
    assert events(story.tell(pipeline)) == []
    (series,) = pipeline.cross_check.watched.values()
    assert series.own == 2 * 3 * EVERY


@pytest.mark.parametrize("rows", [1, 7, 50])
def test_batch_borders_change_nothing(rows: int) -> None:
    story = story_of(lost=range(21, 50), generators=("1", "3"))
    whole = events(story.tell(Pipeline()))
    assert {kind for kind, _ in whole} == {"records_differ", "device_lists_others"}
    assert events(story.tell(Pipeline(), rows)) == whole


@pytest.mark.parametrize("cut", [60, 100, 130, 180])
def test_a_restart_changes_nothing(cut: int) -> None:
    story = story_of(lost=range(21, 50), generators=("1", "3"))
    whole = events(story.tell(Pipeline()))
    first, second = Pipeline(), Pipeline()
    before = events(story.tell(first, end=cut))
    parts = [(name, cut, first.snapshot_part(name)) for name in first.snapshot_names()]
    assert second.restore(parts) == cut
    assert before + events(story.tell(second, start=cut)) == whole


def test_what_we_lost_ourselves_is_not_compared() -> None:
    story = Story()
    story.configured()
    story.started()
    for index in range(1, 6 * EVERY + 1):
        story.periods(index, index + 1, ("1",))
        if index % EVERY == 0:
            drops = {"since": ns(index * PERIOD), "count": 3, "where": "kernel"}
            story.note(index * PERIOD + 9.3, RecordKind.DROPS, drops)
            look(story, index * PERIOD + 9.5, entry(5000 + 2 * index))
    assert events(story.tell(Pipeline())) == []


@pytest.mark.parametrize(
    "reply", ["<data/>", "<rpc-error/>", "<ok", "<data><subscriptions/></data>"]
)
def test_answers_that_say_nothing(reply: str) -> None:
    story = Story()
    story.configured()
    story.started()
    story.periods(1, 4)
    note = msgspec.structs.replace(rpc("get", "<get/>", reply), subscription=CROSS_CHECK)
    for at in (41, 42, 43):
        story.note(at, RecordKind.REPLY, note)
    said = story.tell(Pipeline())
    assert events(said) == []
    assert not [row for one in said for row in one.events if row.kind == "request_refused"]


def test_what_others_read_is_no_look() -> None:
    story = Story()
    story.configured()
    story.started()
    story.periods(1, 4)
    for at in (41, 42, 43):
        look(story, at, entry(5, ("7",)), subject="capabilities")
    pipeline = Pipeline()
    assert events(story.tell(pipeline)) == []
    assert not pipeline.cross_check.watched
