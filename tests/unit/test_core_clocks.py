"""Clocks and arcs: where a record belongs, and what its time is worth."""

from __future__ import annotations

import msgspec
import pytest

from collector.core.engine import Engine
from collector.core.memory import arcs, clocks
from collector.core.memory.arcs import Arc
from collector.core.memory.clocks import Placing
from collector.core.settings import EngineSettings
from collector.model import SECOND, Cause, CollectorTime, DeviceTime, GeneratorCause
from tests.helpers import DEVICE, established, letters, ns, run, steady, update

PERIOD = 60 * SECOND


def test_lag_is_negative_when_the_publisher_is_ahead() -> None:
    assert clocks.lag(CollectorTime(5), DeviceTime(9)) == -4
    assert clocks.on_our_clock(DeviceTime(9), -4) == 5
    assert clocks.on_their_clock(CollectorTime(5), -4) == 9


def test_the_median_of_nothing_is_none_and_of_two_the_lower() -> None:
    assert clocks.median([]) is None
    assert clocks.median([7, 3]) == 3
    assert clocks.median([9, 1, 4]) == 4


@pytest.mark.parametrize(
    ("lag", "siblings", "expected"),
    [
        (59 * SECOND, None, 0),
        (61 * SECOND, None, -61 * SECOND),
        (-61 * SECOND, None, 61 * SECOND),
        (29 * SECOND, 0, 0),
        (31 * SECOND, 0, -31 * SECOND),
        (31 * SECOND, 20 * SECOND, 0),
        (0, 40 * SECOND, 40 * SECOND),
    ],
)
def test_the_first_record_sets_the_shift(lag: int, siblings: int | None, expected: int) -> None:
    assert clocks.first_shift(lag, siblings, PERIOD) == expected


def placing(by_time: int, by_arrival: int, **more: object) -> Placing:
    values = {
        "lag_now": 20 * SECOND, "lag_usual": 0, "period": PERIOD, "first_index": 0,
        "was_overtaken": False, "has_old_record": False, **more,
    }  # fmt: skip
    return clocks.placing(by_time, by_arrival, **values)  # type: ignore[arg-type]


def test_equal_indexes_and_usual_lags_go_by_time() -> None:
    assert placing(5, 5) is Placing.BY_TIME
    assert placing(4, 5, lag_now=15 * SECOND) is Placing.BY_TIME


def test_a_record_long_on_the_way_keeps_its_period() -> None:
    assert placing(4, 5) is Placing.HELD_UP
    assert placing(4, 5, has_old_record=True) is Placing.BY_ARRIVAL
    assert placing(4, 5, has_old_record=True, was_overtaken=True) is Placing.HELD_UP


def test_a_record_from_the_future_or_from_before_the_first_period_goes_by_arrival() -> None:
    assert placing(6, 5, lag_now=-20 * SECOND) is Placing.BY_ARRIVAL
    assert placing(4, 5, first_index=5) is Placing.BY_ARRIVAL


def test_beyond_reason_is_absurd() -> None:
    assert placing(0, 5000) is Placing.BY_ARRIVAL or placing(0, 5000) is Placing.HELD_UP
    assert placing(0, 5001) is Placing.ABSURD


def test_behind_a_record_held_up_the_next_one_comes_soon() -> None:
    early = {"lag_now": 0, "lag_usual": 35 * SECOND, "next_index": 6}
    assert placing(6, 5, **early) is Placing.NO_LONGER_HELD_UP
    assert placing(7, 5, **early) is Placing.BY_ARRIVAL
    assert placing(6, 5, **early | {"next_index": None}) is Placing.BY_ARRIVAL
    assert placing(6, 5, **early | {"lag_now": 70 * SECOND}) is Placing.BY_ARRIVAL


def test_windows_meet_at_their_ends() -> None:
    windows: list[clocks.Window] = []
    for start in range(5):
        clocks.add_window(windows, start * 10, start * 10 + 5, 3)
    assert windows == [(20, 25), (30, 35), (40, 45)]
    assert clocks.meets(windows, 25, 28)
    assert not clocks.meets(windows, 26, 29)


def test_windows_that_meet_become_one_so_that_a_long_loss_stays_short() -> None:
    windows: list[clocks.Window] = []
    for start in range(1000):
        clocks.add_window(windows, start * 10, start * 10 + 10, 3)
    clocks.add_window(windows, 9000, 9500, 3)
    assert windows == [(0, 10_000), (9000, 9500)]


# --------------------------------------------------------------------------- arcs
def test_a_record_belongs_to_the_nearest_tick() -> None:
    assert [arcs.nearest(0, 10, time) for time in (-6, -5, 4, 5, 14)] == [-1, 0, 0, 1, 1]
    assert arcs.rounded(14, 10) == 1
    assert arcs.nominal(3, 10, 2) == 23


def test_an_arc_slips_behind_five_eighths() -> None:
    assert arcs.slip(5, 8) == 0
    assert arcs.slip(6, 8) == 1
    assert arcs.slip(-6, 8) == -1


def test_the_periods_whose_arc_meets_a_time() -> None:
    arc = Arc(20, 30)
    assert list(arcs.indexes_meeting(arc, 0, 100, 130, 219, 0)) == [1]
    assert list(arcs.indexes_meeting(arc, 0, 100, 130, 220, 0)) == [1, 2]
    assert list(arcs.indexes_meeting(arc, 0, 100, 131, 219, 0)) == []
    assert list(arcs.indexes_meeting(arc, 0, 100, 131, 219, 1)) == [1, 2]


# --------------------------------------------------------------------------- in the engine
def test_three_originators_of_one_subscription_stand_apart_in_the_period() -> None:
    """0, 23 and 50 s of a 60 s period: one grid for all would make records flip."""
    sent = [
        update(60 * index + at, card, index, time=60 * index + at - 0.1 + 0.4 * (index % 2))
        for index in range(10)
        for card, at in (("1", 0.2), ("2", 23.0), ("3", 50.0))
    ]
    wire = run([established(-3, ("1", "2", "3"), period=60), *sent], until=609)
    assert letters(wire.firsts())[1:-1] == "C" * 8


def test_a_cadence_longer_than_the_period_slips_once() -> None:
    """30.5 s instead of 30 s: after some 37 periods one index is left out, and said so."""
    sent = [update(30.5 * index + 1, "1", index) for index in range(60)]
    wire = run([established(-1, ("1",), period=30), *sent])
    assert letters(wire.lasts()).count("n") == 1
    slipped = [row for row in wire.lasts() if row.outcome == "NOT_JUDGED"]
    assert [row.reason for row in slipped] == ["slipped"]
    assert "I" not in letters(wire.lasts())


def test_a_cadence_shorter_than_the_period_gets_the_last_index_again() -> None:
    sent = [update(29.5 * index + 1, "1", index) for index in range(60)]
    wire = run([established(-1, ("1",), period=30), *sent])
    assert set(letters(wire.lasts())) == {"C"}
    assert wire.lasts()[-1].period_index - wire.lasts()[0].period_index in (57, 58)


def test_a_clock_that_steps_back_is_followed_after_two_records() -> None:
    sent = steady((1, 2), periods=12)
    moved = [
        update((one.arrival - ns(0)) / 1e9, one.generator, one.message_id,
               time=(one.arrival - ns(0)) / 1e9 - 12.0)
        if one.generator == "1" and one.arrival > ns(60) else one
        for one in sent
    ]  # fmt: skip
    wire = run([established(), *moved], until=118)
    assert letters(wire.lasts()) == "C" * 12
    assert wire.kinds().count("clock_step") == 1


def test_a_clock_that_steps_ahead_is_followed_after_two_records() -> None:
    sent = steady((1, 2), periods=12)
    moved = [
        update((one.arrival - ns(0)) / 1e9, one.generator, one.message_id,
               time=(one.arrival - ns(0)) / 1e9 + 12.0)
        if one.generator == "1" and one.arrival > ns(60) else one
        for one in sent
    ]  # fmt: skip
    wire = run([established(), *moved], until=118)
    assert letters(wire.lasts()) == "C" * 12
    assert wire.kinds() == ["clock_step"]


def test_a_record_taken_for_held_up_moves_when_the_clock_turns_out_to_have_stepped() -> None:
    """The record before the step was lost on the way, so the first one behind it looks late."""
    sent = [update(10 * index + 1, "1", index) for index in range(5)]
    sent += [update(10 * index + 1, "1", index, time=10 * index - 9) for index in range(6, 12)]
    wire = run([established(-1, ("1",)), *sent], until=118)
    assert letters(wire.lasts()) == "CCCCCICCCCCC"
    assert wire.kinds() == ["clock_step"]


@pytest.mark.parametrize(("late", "first"), [(5.5, "C"), (6.8, "C"), (9.5, "C"), (17.0, "n")])
def test_a_first_burst_held_up_is_no_clock_that_steps_behind_it(late: float, first: str) -> None:
    """Whoever starts is busy: what came first lay in the socket for more than half a period."""
    sent = [
        (max(10 * index + at, late), who, 2 * index + part, 10 * index + at)
        for index in range(12) for who in ("1", "2")
        for part, at in enumerate((0.2, 1.1)) if (who, index) != ("1", 8)
    ]  # fmt: skip
    records = [update(at, who, number, time=time) for at, who, number, time in sorted(sent)]
    wire = run([established(-1), *records], until=118)
    assert letters(wire.lasts()) == first + "CCCCCCCICCC"
    assert wire.row(8).missing == (GeneratorCause("1", Cause.LOST),)
    assert "clock_step" not in wire.kinds()


def test_a_first_burst_held_up_behind_that_of_a_sibling_comes_right_by_itself() -> None:
    """Its clock is taken to be off at first, as if it were a sibling's in another zone."""
    sent = [
        (max(10 * index + at, 6.4 if who == "2" else 0), who, 2 * index + part, 10 * index + at)
        for index in range(12) for who in ("1", "2")
        for part, at in enumerate((0.2, 1.1)) if (who, index) != ("2", 8)
    ]  # fmt: skip
    records = [update(at, who, number, time=time) for at, who, number, time in sorted(sent)]
    wire = run([established(-1), *records], until=118)
    assert letters(wire.lasts())[1:] == "CCCCCCCICCC"
    assert wire.row(8).missing == (GeneratorCause("2", Cause.LOST),)
    assert wire.kinds()[:1] == ["clock_offset"]
    assert "clock_step" not in wire.kinds()


def test_a_late_burst_stays_in_its_period() -> None:
    sent = [
        update(10 * index + 1 + part / 10, "1", 3 * index + part)
        for index in range(12) for part in range(3) if index != 6
    ]  # fmt: skip
    late = [update(68.5 + part / 10, "1", 18 + part, time=61 + part / 10) for part in range(3)]
    wire = run([established(-1, ("1",)), *sent, *late], until=118)
    assert letters(wire.firsts()) == "CCCCCCICCCCC"
    assert letters(wire.lasts()) == "C" * 12
    row = [one for one in wire.lasts() if one.late_generators]
    assert [one.late_generators for one in row] == [("1",)]
    assert "clock_step" not in wire.kinds()


def test_one_nonsense_time_changes_nothing_but_a_counter() -> None:
    sent = steady((1, 2), periods=8)
    sent[6] = update((sent[6].arrival - ns(0)) / 1e9, "1", 106, time=-1_000_000_000)
    wire = run([established(), *sent], until=78)
    assert letters(wire.lasts()) == "C" * 8
    assert wire.kinds() == ["absurd_time"]
    odd = [state for state in wire.engine.states() if state.generator == "1"]
    assert (odd[0].odd_times, odd[0].absurd_times) == (1, 1)


def test_absurd_times_are_said_less_and_less() -> None:
    sent = [
        update(10 * index + 1, "1", index, time=(-1) ** index * 1e8 * index)
        for index in range(1, 40)
    ]  # fmt: skip
    wire = run([established(-1, ("1",)), update(1, "1", 0), *sent])
    assert 3 < wire.kinds().count("absurd_time") < 8


def test_without_any_time_the_rules_work_on_arrivals() -> None:
    sent = [
        update(10 * index + 1, str(card), index, time=None)
        for index in range(8) for card in (1, 2) if (index, card) != (5, 2)
    ]  # fmt: skip
    wire = run([established(), *sent], until=78)
    assert letters(wire.lasts()) == "CCCCCICC"
    assert wire.row(5).missing[0].cause == "lost"


def test_a_sibling_far_off_is_shifted_at_its_first_record() -> None:
    sent = [
        update(10 * index + 1, card, index, time=10 * index + 0.9 + skew)
        for index in range(6) for card, skew in (("1", 0), ("2", 0), ("3", 40))
    ]  # fmt: skip
    wire = run([established(-1, ("1", "2", "3")), *sent], until=58)
    assert letters(wire.lasts()) == "C" * 6
    assert wire.kinds() == ["clock_offset"]


def test_a_clock_off_by_half_a_period_is_reported() -> None:
    sent = [update(30 * index + 1, "1", index, time=30 * index + 21) for index in range(4)]
    wire = run([established(-1, ("1",), period=30), *sent])
    assert wire.kinds() == ["clock_skew"]


def test_a_period_waits_for_an_originator_that_slipped_back() -> None:
    """One stands half a period off; a step of its clock makes its record the last period's."""
    sent = []
    for index in range(2, 16):
        step = -10 if index >= 8 else 0
        sent.append(update(index * 60 + 1, "1", index, time=index * 60 + 1 + step))
        sent.append(update(index * 60 - 29.9, "2", index, time=index * 60 - 29.9 + step))
    wire = run([established(at=90, period=60), *sent], until=15 * 60 + 5)
    assert {row.outcome for row in wire.verdicts} == {"COMPLETE"}
    waited = {(row.deadline - row.nominal_time) / SECOND for row in wire.lasts()}
    assert max(waited) > 30  # and the other's arrivals are over after a second


@pytest.mark.parametrize("swapped", [False, True])
def test_order_changed_within_a_moment_is_no_record_held_up_for_a_period(swapped: bool) -> None:
    """The clock steps by a whole period while neighbours change places on the way."""
    sent = []
    for index in range(1, 14):
        step = -10 if index >= 8 else 0
        first, second = ("2", "1") if swapped and index == 8 else ("1", "2")
        for place, card in enumerate((first, second)):
            at = index * 10 + 0.1 + place * 0.05
            number = 2 * index + (card == "2")
            sent.append(update(at, card, number, header=7, time=at + (step if card == "1" else 0)))
    wire = run([established(at=5), *sent], until=135)
    assert {row.outcome for row in wire.verdicts} == {"COMPLETE"}
    assert wire.kinds().count("clock_step") == 1


@pytest.mark.parametrize("time", [-(1 << 63), (1 << 63) - 1])
def test_a_clock_as_far_off_as_can_be_goes_into_a_snapshot(time: int) -> None:
    """What it is off by has more than 64 bits."""
    sent = [steady((1,), periods=1)[0]]
    sent = [msgspec.structs.replace(one, event_time=DeviceTime(time)) for one in sent]
    wire = run([established(-1, ("1",)), *sent])
    part = wire.engine.snapshot_device(DEVICE)
    again = Engine.restore(EngineSettings(), {DEVICE: part})
    assert again.states() == wire.engine.states()
