"""Tables of the engine that a device could fill: bounded, and what is refused is counted."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from collector.core.expectation import deadlines
from collector.core.settings import EngineSettings, Limits
from collector.model import EngineInput, NotificationKind, SubscriptionRow
from tests.helpers import DEVICE, Wire, changed, established, letters, run, steady, terms, update

STARTED = NotificationKind.SUBSCRIPTION_STARTED
MODIFIED = NotificationKind.SUBSCRIPTION_MODIFIED
TWO = EngineSettings(limits=Limits(subscriptions_per_device=2))


def start(
    at: float, number: int, kind: NotificationKind = STARTED, port: int = 5000
) -> EngineInput:
    return changed(at, kind, generators=("1",), subscription=number, terms=terms(10), port=port)


def by_time(*records: Iterable[EngineInput]) -> list[EngineInput]:
    return sorted((one for some in records for one in some), key=lambda one: one.arrival)


def ends(wire: Wire) -> list[tuple[int, str]]:
    """Subscriptions that are over, in order, and why."""
    found = [one for one in wire.facts if isinstance(one, SubscriptionRow) and one.state == "ended"]
    return [(one.id, one.reason) for one in found]


def live(wire: Wire) -> set[int]:
    found = wire.engine._devices[DEVICE].subscriptions.values()
    return {one.id for one in found if one.live}


def test_a_flood_of_starts_fills_no_memory() -> None:
    wire = run([start(number / 1000, number) for number in range(1, 2001)])
    device = wire.engine._devices[DEVICE]
    limit = Limits().subscriptions_per_device
    assert len(device.subscriptions) == limit
    assert live(wire) == set(range(2001 - limit, 2001)), "what never sent gives way, oldest first"
    assert wire.engine.fell_off() == {DEVICE: {"subscriptions": 2000 - limit}}
    assert all(len(started) <= 2 for started in device.ports.values())
    assert ends(wire)[0] == (1, "forgotten")


def test_deadlines_that_are_moved_or_given_up_do_not_pile_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadlines, "ROOM", 16)
    year = 365 * 86_400
    starts = [
        changed(n / 10, STARTED, generators=("1",), subscription=n, terms=terms(year))
        for n in range(1, 501)
    ]
    moved = [
        changed(60 + n / 10, MODIFIED, generators=tuple(map(str, range(n % 7 + 1))), subscription=9)
        for n in range(500)
    ]
    wire = run([established(-5, ("1",), period=year, subscription=9), *starts, *moved], TWO)
    assert len(live(wire)) == 2
    assert len(wire.engine._context.deadlines.heap) <= 2 * 16


def test_a_flood_hurts_neither_what_we_asked_for_nor_what_delivers() -> None:
    ours = established(-5, ("1",), subscription=7, name="ours")
    wire = run(
        by_time(
            [ours, start(-4, 8)],
            steady([1], periods=6, subscription=8),
            [start(11 + number / 100, 1000 + number) for number in range(100)],
            [start(31 + number / 100, 2000 + number, MODIFIED) for number in range(100)],
        ),
        TWO,
        until=58,
    )
    assert live(wire) == {7, 8}
    assert wire.engine.fell_off() == {DEVICE: {"subscriptions": 200}}
    assert letters(row for row in wire.lasts() if row.subscription_id == 8) == "CCCCCC"


def test_what_fell_silent_long_ago_makes_room() -> None:
    silent = steady([1], periods=2, subscription=8)
    alive = steady([1], periods=31, subscription=9, first_id=500, offset=0.3)
    records = by_time([start(-4, 8), start(-3, 9)], silent, alive, [start(100, 10), start(300, 11)])
    wire = run(records, TWO)
    assert (8, "forgotten") in ends(wire)
    assert live(wire) == {9, 11}, "10 came while 8 was silent for a few periods only"


def test_what_is_over_makes_room_first_and_takes_its_other_id_along() -> None:
    other = update(1, "1", 5, subscription=77, port=4000)
    over = changed(5, NotificationKind.SUBSCRIPTION_TERMINATED, subscription=1)
    wire = run([start(0, 1, port=4000), other, over, start(6, 2), start(7, 3)], TWO)
    device = wire.engine._devices[DEVICE]
    assert "id_differs" in wire.kinds()
    assert live(wire) == {2, 3}
    assert device.aliases == {}
    assert [number for number, _ in ends(wire)] == [1], "nothing alive was given up"


def test_a_period_that_is_learned_where_all_places_are_taken_begins_nothing() -> None:
    known = by_time(
        [start(-4, 8), start(-3, 9)],
        steady([1], periods=8, subscription=8),
        steady([1], periods=8, subscription=9, first_id=500, offset=0.3),
        steady([3], periods=8, subscription=66, first_id=900, offset=0.5),
    )
    wire = run(known, TWO, until=78)
    assert live(wire) == {8, 9}
    assert wire.engine.fell_off()[DEVICE]["subscriptions"] >= 1
    assert run(known, until=78).kinds() == ["period_source"], "with room it is learned"


def test_a_start_that_is_repeated_is_one_start_of_its_port() -> None:
    starts = [start(-2, 1, port=4000), start(-1, 1, port=4000)]
    wire = run([*starts, update(1, "1", 5, subscription=77, port=4000)])
    assert wire.kinds() == ["id_differs"]


def test_originators_beyond_the_limit_are_counted() -> None:
    options = EngineSettings(limits=Limits(originators_per_subscription=3))
    sent = [update(1 + card / 100, str(card), 1) for card in range(1, 8)]
    wire = run([established(-5, ("1",)), *sent], options, until=30)
    assert wire.engine.fell_off() == {DEVICE: {"originators": 4}}


def test_messages_that_came_twice_are_counted_over_all_devices() -> None:
    wire = run([established(-5, ("1",)), *steady([1], periods=2), *steady([1], periods=1)[:1]])
    wire.send(update(12, "1", 101, time=10.06, device="other"))
    wire.send(update(12.1, "1", 101, time=10.06, device="other"))
    assert wire.engine.duplicates() == 2


def test_a_list_is_no_longer_than_originators_are_followed() -> None:
    options = EngineSettings(limits=Limits(originators_per_subscription=3))
    many = tuple(map(str, range(1, 1000)))
    first = established(-5, many)
    again = changed(-4, MODIFIED, generators=many[1:])
    begun = changed(-3, STARTED, generators=many, subscription=5, terms=terms(10))
    wire = run([first, again, begun], options)
    told = [one.generators for one in wire.facts if isinstance(one, SubscriptionRow)]
    assert told == [("1", "2", "3"), ("2", "3", "4"), ("1", "2", "3")]
    assert wire.engine.fell_off() == {DEVICE: {"generators": 3}}
