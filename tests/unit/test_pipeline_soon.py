"""After a change of the list periods are looked into at once, not when the sample comes to them."""

from __future__ import annotations

from array import array

import numpy as np
import pytest
from msgspec.structs import replace

from collector.core.placing.update_columns import UpdateColumns
from collector.journal import to_arrow
from collector.model import NOTHING, SECOND, CollectorTime, Event, SubscriptionRow
from collector.pipeline import Pipeline, soon
from collector.pipeline.soon import Soon
from publisher_sim.device.simulate import START
from publisher_sim.scenario import Fault
from tests.sim_scenarios import small
from tests.unit.store_rows import subscription
from tests.unit.test_pipeline_coverage import Recorded, sampled

PERIODS, MOVED_AT, EVERY = 60, 26, 20


def moving() -> Recorded:
    """An interface moves to the other card; one period in twenty is looked into."""
    fault = Fault("move", MOVED_AT, card="lc1", moves_to="lc2", interfaces=("eth1/0",))
    return Recorded(small(fault, periods=PERIODS), sample=1 / EVERY)


def moves(said: list[object]) -> list[Event]:
    return [one for part in said for one in part.events if one.kind == "nodes_moved"]


def test_moved_nodes_are_found_at_once() -> None:
    recorded = moving()
    (event,) = moves(recorded.tell(Pipeline()))
    periods = (event.time - START) / SECOND  # of one second
    assert MOVED_AT < periods < MOVED_AT + 9, "not when the sample comes round"
    assert "moved from generator 101 to 102" in event.text


@pytest.mark.parametrize("rows", [1, 13])
def test_neither_batches_nor_a_restart_change_it(rows: int) -> None:
    recorded = moving()
    whole = moves(recorded.tell(Pipeline()))
    assert moves(recorded.tell(Pipeline(), rows)) == whole
    parts = list(recorded.parts(1))
    change = next(
        number for number, (_, part) in enumerate(parts)
        if part.received_at[0] > START + MOVED_AT * SECOND
    )  # fmt: skip
    for cut in range(change, len(parts), 29):
        before, after = Pipeline(), Pipeline()
        said = [before.receive(first, part, to_arrow(part)) for first, part in parts[:cut]]
        names = before.snapshot_names()
        after.restore([(name, cut, before.snapshot_part(name)) for name in names])
        said += [after.receive(first, part, to_arrow(part)) for first, part in parts[cut:]]
        assert moves(said) == whole, cut


def test_no_more_is_looked_into_than_two_periods() -> None:
    quiet = Recorded(small(periods=PERIODS), sample=1 / EVERY)
    assert 0 < sampled(moving()) - sampled(quiet) <= 2 * 2 * 3  # cards, updates a period


# --------------------------------------------------------------------------- alone
def row(seconds: float, **more: object) -> SubscriptionRow:
    """A subscription of 10 s that began at 0."""
    values = {"revision": 5, "period_cs": 1000, "from_time": CollectorTime(0)} | more
    return replace(subscription(0), time=CollectorTime(round(seconds * SECOND)), **values)


def chosen(room: Soon, *placed: tuple[float, int, int]) -> list[int]:
    """Positions of the chosen of (arrival, revision, index)."""
    updates = UpdateColumns()
    updates.arrival = array("q", [round(at * SECOND) for at, _, _ in placed])
    revisions = np.array([revision for _, revision, _ in placed], np.int64)
    indexes = np.array([index for _, _, index in placed], np.int64)
    return list(room.rows(updates, revisions, indexes))


def changed(*rows: SubscriptionRow) -> Soon:
    room = Soon()
    for one in rows:
        room.told(one)
    return room


def test_the_first_whole_periods_when_all_is_settled() -> None:
    room = changed(row(100))
    seen = [(101.0, 5, 10), (111, 5, 11), (112, 5, 14), (120, 5, 12), (121, 5, 13)]
    assert chosen(room, *seen) == []
    assert chosen(room, (141, 5, 14), (151, 5, 15), (152, 5, 16), (153, 6, 15)) == [1, 2]
    assert chosen(room, (161, 5, 15), (162, 5, NOTHING), (171, 5, 17)) == [0]
    assert 5 in room._changed
    assert chosen(room, (900, 5, 15 + soon.KEPT), (901, 5, 15)) == []
    assert 5 not in room._changed


@pytest.mark.parametrize(
    "last",
    [
        row(0),
        row(110, state="suspended"),
        row(110, state="ended"),
        row(110, period_cs=None),
    ],
)
def test_what_is_no_change_of_a_running_one(last: SubscriptionRow) -> None:
    assert 5 not in changed(row(100), last)._changed


def test_another_change_begins_anew() -> None:
    room = changed(row(100))
    assert chosen(room, (121, 5, 12)) == []
    room.told(row(122))
    assert chosen(room, (131, 5, 13), (142, 5, 14), (151, 5, 15)) == [2]


def test_bounds_and_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soon, "MOST", 2)
    room = changed(row(100), row(100, revision=6, device="core8"), row(100, revision=7))
    assert list(room._changed) == [5, 6]
    again = Soon()
    assert Soon().snapshot("core7") == b""
    again.restore(b"")
    again.restore(room.snapshot("core8"))
    assert list(again._changed) == [6]
