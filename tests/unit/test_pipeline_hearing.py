"""Who was heard where no period says it, and what never sent; whatever the batches."""

from __future__ import annotations

import pytest

from collector.errors import WireError
from collector.model import (
    DeviceTime,
    MediaType,
    Notification,
    NotificationKind,
    OnChange,
    RecordKind,
    StateChange,
    SubscriptionTerms,
)
from collector.pipeline import Pipeline
from collector.pipeline import hearing as room
from collector.store.said import Said
from collector.wire.notifications.notification import encode
from collector.wire.values import names
from tests.unit.pipeline_records import DEVICE, SECOND, START, Story, ns
from tests.unit.pipeline_records import state_change as periodic
from tests.unit.pipeline_records import update as with_contents
from tests.unit.test_pipeline_patches import change, edit

STARTED = NotificationKind.SUBSCRIPTION_STARTED
ENDED = NotificationKind.SUBSCRIPTION_TERMINATED
KINDS = ("never_sent", "nothing_yet", "began_to_send", "brings_data")
BATCHES = (1, 3, 1 << 20)


def started(terms: SubscriptionTerms, number: int = 9, cards: tuple[str, ...] = ("1",)) -> bytes:
    told = Notification(
        STARTED, "ietf-subscribed-notifications:subscription-started", names.ROOT_ENVELOPE, number,
        event_time=DeviceTime(ns(1)), state_change=StateChange(terms, cards),
    )  # fmt: skip
    return encode(told, mode=names.MODE_DN_19)


def ended(at: float, number: int = 9) -> bytes:
    told = Notification(
        ENDED, "ietf-subscribed-notifications:subscription-terminated", names.ROOT_ENVELOPE, number,
        event_time=DeviceTime(ns(at)), state_change=StateChange(reason="no-such-subscription"),
    )  # fmt: skip
    return encode(told, mode=names.MODE_DN_19)


CHANGES = SubscriptionTerms(datastore="operational", on_change=OnChange())
STREAM = SubscriptionTerms(stream="alarms")


def empty(at: float, contents: object = None, media_type: int = MediaType.YANG_DATA_JSON) -> bytes:
    told = Notification(
        NotificationKind.PUSH_UPDATE, "ietf-yang-push:push-update", names.ROOT_ENVELOPE, 1,
        event_time=DeviceTime(ns(at)),
    )  # fmt: skip
    return encode(told, {} if contents is None else contents, media_type)


def story() -> Story:
    made = Story()
    made.configured()
    return made


def wait(made: Story, first: float, end: float) -> None:
    for second in range(round(first), round(end)):
        made.note(second + 0.5, RecordKind.TICK)


def kinds(said: list[Said]) -> list[tuple[str, float]]:
    found = [row for one in said for row in one.events if row.kind in KINDS]
    return [(row.kind, (row.time - ns(0)) / SECOND) for row in found]


def arrivals(pipeline: Pipeline) -> dict[tuple[str, str], float | None]:
    """(subscription, generator) -> last arrival, seconds."""
    return {
        (one.subscription_name, one.generator): None
        if one.last_arrival is None
        else (one.last_arrival - START * SECOND) / SECOND
        for one in pipeline.hearing.originators(pipeline.engine)
    }


# --------------------------------------------------------------------------- last arrivals
def test_generators_of_an_on_change_subscription_have_a_last_arrival() -> None:
    made, pipeline = story(), Pipeline()
    made.data(1, started(CHANGES, cards=("1", "2")), header=0)
    made.data(2, change(2, None), header=1)
    made.data(4.5, change(4.5, 0, edit("e")), header=1)
    made.data(5, change(5, 0, edit("e")), header=3)
    made.tell(pipeline)
    assert arrivals(pipeline) == {("9", "1"): 4.5, ("9", "2"): None, ("9", "3"): 5}
    (stranger,) = [
        one for one in pipeline.hearing.originators(pipeline.engine) if one.generator == "3"
    ]
    assert (stranger.required, stranger.usual_count, stranger.counter) == (False, None, "")


def test_records_of_a_stream_belong_to_whoever_is_declared_for_it() -> None:
    made, pipeline = story(), Pipeline()
    made.data(1, started(STREAM, cards=("501",)), header=0)
    event = {"ietf-hardware:fan-failed": {"name": "fan1"}}
    told = Notification(
        NotificationKind.OTHER, "ietf-hardware:fan-failed", names.ROOT_NOTIFICATION, None,
        event_time=DeviceTime(ns(3)),
    )  # fmt: skip
    made.data(3, encode(told, event), header=7)
    made.tell(pipeline)
    assert arrivals(pipeline) == {("9", "501"): 3}


def test_periodic_ones_are_as_the_engine_knows_them() -> None:
    made, pipeline = story(), Pipeline()
    made.started()
    made.periods(1, 4)
    made.tell(pipeline)
    assert arrivals(pipeline) == {("1", "1"): 30.2, ("1", "2"): 30.2}


def test_with_the_end_of_a_subscription_its_generators_are_forgotten() -> None:
    made, pipeline = story(), Pipeline()
    made.data(1, started(CHANGES), header=0)
    made.data(2, change(2, None), header=1)
    made.data(3, ended(3), header=0)
    made.tell(pipeline)
    assert arrivals(pipeline) == {}
    assert pipeline.hearing._last == {DEVICE: {}}


def test_more_generators_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "GENERATORS_KEPT", 2)
    made, pipeline = story(), Pipeline()
    made.data(1, started(CHANGES), header=0)
    for at, header in ((2, 1), (3, 2), (4, 3), (5, 1)):
        made.data(at, change(at, None), header=header)
    made.data(6, with_contents(6, 77), header=5)  # of a subscription that nobody started
    made.tell(pipeline)
    assert arrivals(pipeline) == {("9", "1"): 5, ("9", "2"): 3}


# --------------------------------------------------------------------------- never sent
@pytest.mark.parametrize("rows", BATCHES)
def test_a_subscription_without_data_is_said_and_its_first_data(rows: int) -> None:
    made, pipeline = story(), Pipeline()
    made.data(1, periodic(STARTED, 1, ("1",)), header=0)
    wait(made, 2, 60)
    made.data(70.2, with_contents(70))
    wait(made, 71, 80)
    assert kinds(made.tell(pipeline, rows)) == [("never_sent", 51), ("began_to_send", 70.2)]


@pytest.mark.parametrize("rows", BATCHES)
@pytest.mark.parametrize("contents", [None, {"a:b": {}}, {"a:b": {"c": []}}])
def test_updates_without_contents_are_told_apart(rows: int, contents: object) -> None:
    """RFC 8641 §3.9: an empty update is sent where nothing is selected."""
    made, pipeline = story(), Pipeline()
    made.data(1, periodic(STARTED, 1, ("1",)), header=0)
    for index in range(1, 8):
        made.data(10 * index + 0.2, empty(10 * index, contents))
    made.data(80.2, with_contents(80))
    found = kinds(made.tell(pipeline, rows))
    assert found[0] == ("nothing_yet", 51)
    assert len(found) == 1  # the update at 80 is of a period that is not looked at
    (one,) = pipeline.hearing.never.waiting.values()
    assert one.empty == 6


@pytest.mark.parametrize("media_type", [MediaType.YANG_DATA_XML, MediaType.YANG_DATA_CBOR])
def test_empty_updates_in_other_encodings(media_type: int) -> None:
    made, pipeline = story(), Pipeline()
    made.data(1, periodic(STARTED, 1, ("1",)), header=0)
    made.data(10.2, empty(10, {}, media_type), media_type=media_type)
    made.tell(pipeline)
    (one,) = pipeline.hearing.never.waiting.values()
    assert one.empty == 1
    made.data(20.2, empty(20, {"a:b": {"c": 1}}, media_type), media_type=media_type)
    made.tell(pipeline, start=len(made.batch) - 1)
    assert not pipeline.hearing.never.waiting


def test_contents_that_cannot_be_read_are_contents(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise WireError("bad-sid", "no name is known for it")

    monkeypatch.setattr(room, "skim_contents", refuse)
    made, pipeline = story(), Pipeline()
    made.data(1, periodic(STARTED, 1, ("1",)), header=0)
    made.data(10.2, empty(10))
    made.tell(pipeline)
    assert not pipeline.hearing.never.waiting


def test_what_data_brought_to_life_is_not_waited_for() -> None:
    made, pipeline = story(), Pipeline()
    for index in range(1, 9):  # a period is learned from data alone
        made.data(10 * index + 0.2, empty(10 * index))
    made.tell(pipeline)
    assert pipeline.engine.running(DEVICE)
    assert not pipeline.hearing.never.waiting


def test_while_nobody_listens_nothing_is_due() -> None:
    made, pipeline = story(), Pipeline()
    made.data(1, periodic(STARTED, 1, ("1",)), header=0)
    made.note(20, RecordKind.TICK)
    made.note(500, RecordKind.COLLECTOR_START)
    wait(made, 501, 545)
    assert kinds(made.tell(pipeline)) == []
    wait(made, 545, 553)
    assert kinds(made.tell(pipeline, start=len(made.batch) - 8)) == [("never_sent", 550)]


# --------------------------------------------------------------------------- snapshots
@pytest.mark.parametrize("cut", [4, 10, 60])
def test_a_restart_changes_nothing(cut: int) -> None:
    made = story()
    made.data(1, periodic(STARTED, 1, ("1",)), header=0)
    made.data(1.5, started(CHANGES), header=0)
    made.data(2, change(2, None), header=1)
    wait(made, 3, 60)
    made.data(61, change(61, 0, edit("e")), header=1)
    made.data(70.2, with_contents(70))
    whole = Pipeline()
    expected = kinds(made.tell(whole))
    assert expected == [("never_sent", 51), ("began_to_send", 70.2)]
    before, after = Pipeline(), Pipeline()
    said = made.tell(before, 1, end=cut)
    parts = [(name, cut, before.snapshot_part(name)) for name in before.snapshot_names()]
    assert after.restore(parts) == cut
    said += made.tell(after, 1, start=cut)
    assert kinds(said) == expected
    assert arrivals(after) == arrivals(whole)


def test_a_snapshot_of_an_earlier_version_has_no_such_part() -> None:
    hearing = room.Hearing()
    hearing.restore(DEVICE, b"")
    assert not hearing.never.waiting
    assert not hearing._last
