"""Faults and their truth, on messages made by hand."""

from __future__ import annotations

import pytest

from publisher_sim.distort.faults import distort
from publisher_sim.distort.messages import SECOND, Message, counters, streams
from publisher_sim.distort.periods import assign, guess
from publisher_sim.distort.plan import ALL, ANY, Moved, Plan, Span, moved, span
from publisher_sim.distort.steady import clone_cards, numbered, repeat, steady_part
from publisher_sim.distort.truth import PeriodTruth

PERIOD = 10 * SECOND
PERIODS = {1: PERIOD}
START = 1_800_000_000 * SECOND


def sent(
    cards: int = 2, periods: int = 20, updates: int = 2, *, shared: bool = False
) -> list[Message]:
    """Cards that send ``updates`` messages a period, card 1 first."""
    found = []
    for period in range(periods):
        for card in range(1, cards + 1):
            for part in range(updates):
                at = START + period * PERIOD + card * SECOND + part * SECOND // 10
                found.append(
                    Message(
                        at=at,
                        source="192.0.2.7",
                        port=5000,
                        publisher_id=9 if shared else card,
                        message_id=0,
                        subscription_id=1,
                        generator=str(card),
                        event_time=at,
                        observation_time=at,
                        datagrams=2,
                    )
                )
    last: dict[int, int] = {}
    for one in found:
        one.message_id = last.get(one.publisher_id, 99) + 1
        last[one.publisher_id] = one.message_id
    return numbered(found, PERIODS)


def truth(plan: Plan, messages: list[Message] | None = None) -> dict[tuple[str, int], PeriodTruth]:
    """(originator, period) -> its truth, for those that are not complete."""
    made = distort(messages or sent(), plan, PERIOD)
    return {(row.generator, row.period): row for row in made.truth if row.verdict != "complete"}


def test_nothing_goes_wrong_without_faults() -> None:
    messages = sent()
    made = distort(messages, Plan(), PERIOD)
    assert made.messages == messages
    assert {row.verdict for row in made.truth} == {"complete"}
    assert len(made.truth) == 40


def test_silence_closes_the_ids_up_and_loss_does_not() -> None:
    silent = distort(sent(), Plan(silent=(Span("2", 3),)), PERIOD)
    ids = [one.message_id for one in silent.messages if one.generator == "2"]
    assert ids == list(range(100, 134))
    lost = distort(sent(), Plan(lost=(Span("2", 3),)), PERIOD)
    ids = [one.message_id for one in lost.messages if one.generator == "2"]
    assert len(ids) == 34
    assert ids[-1] == 139
    for made, cause in ((silent, "silent"), (lost, "lost")):
        bad = [row for row in made.truth if row.verdict != "complete"]
        assert [(row.generator, row.verdict, row.cause) for row in bad] == [
            ("2", "missing", cause)
        ] * 3
        assert [row.period for row in bad] == list(range(bad[0].period, bad[0].period + 3))
        assert bad[0].period >= 5
        assert bad[-1].period < 18


def test_lost_datagrams_leave_messages_half() -> None:
    made = distort(sent(), Plan(drop=0.2), PERIOD)
    halves = [one for one in made.messages if one.lost]
    assert halves
    assert all(len(one.lost) == 1 for one in halves)
    whole = sum(not one.lost for one in made.messages)
    assert sum(row.delivered for row in made.truth) == whole
    assert {row.verdict for row in made.truth} == {"complete", "loss", "missing"}


def test_a_duplicate_of_a_lost_message_delivers_it() -> None:
    found = distort(sent(), Plan(lose=0.3, duplicate=1.0), PERIOD)
    assert {row.verdict for row in found.truth} == {"complete"}
    assert any(one.copy_of is not None for one in found.messages)


def test_an_outage_loses_everything_for_a_while() -> None:
    found = truth(Plan(outage=12 * SECOND))
    assert {row.cause for row in found.values()} <= {"lost", "loss"}
    assert {name for name, _ in found} == {"1", "2"}


def test_a_restart_begins_at_zero_and_may_miss_a_period() -> None:
    made = distort(sent(shared=True), Plan(restart=("1",)), PERIOD)
    ids = [one.message_id for one in made.messages]
    again = ids.index(0)
    assert ids[again:] == list(range(len(ids) - again))
    assert {row.verdict for row in made.truth} == {"complete"}
    missed = truth(Plan(restart_missed=("1",)), sent(shared=True))
    assert sorted(name for name, _ in missed) == ["1", "2"]
    assert {row.cause for row in missed.values()} == {"restarted"}


def test_clocks_step_from_one_moment_on() -> None:
    made = distort(sent(), Plan(clock=(Moved("1", -3 * SECOND),)), PERIOD)
    off = [one.at - one.time for one in made.messages if one.generator == "1"]
    assert sorted(set(off)) == [0, 3 * SECOND]
    assert off == sorted(off)
    everywhere = distort(sent(), Plan(begin=0, clock=(Moved(ALL, SECOND),)), PERIOD)
    assert {one.time - one.at for one in everywhere.messages} == {SECOND}


def test_nonsense_times_and_none() -> None:
    made = distort(sent(), Plan(garbage_time=1.0), PERIOD)
    assert {abs(one.time - one.at) >= 3600 * SECOND for one in made.messages[40:60]} == {True}
    made = distort(sent(), Plan(no_time=True), PERIOD)
    assert {one.event_time for one in made.messages} == {None}


def test_a_late_period_is_complete_and_late() -> None:
    made = distort(sent(), Plan(late=(Moved("2", 60 * SECOND),)), PERIOD)
    late = [row for row in made.truth if row.late]
    assert [(row.generator, row.late, row.verdict) for row in late] == [
        ("2", 8 * SECOND, "complete")
    ]
    assert [one.at for one in made.messages] == sorted(one.at for one in made.messages)


def test_order_is_shuffled_within_its_window() -> None:
    messages = sent(updates=4)
    made = distort(messages, Plan(reorder=SECOND), PERIOD)
    assert [one.at for one in made.messages] == [one.at for one in messages]
    assert [one.number for one in made.messages] != [one.number for one in messages]
    assert max(one.late for one in made.messages) <= SECOND


def test_what_the_capture_itself_lacks_is_uncertain() -> None:
    messages = sent(cards=1)
    for one in messages[11:]:
        one.message_id += 3
    made = distort(messages, Plan(), PERIOD)
    assert [row.period for row in made.truth if row.uncertain] == [5]


def test_who_leaves_and_who_joins() -> None:
    left = truth(Plan(leave=("2",)))
    assert {row.verdict for row in left.values()} == {"missing"}
    assert max(period for _, period in left) == 19
    joined = truth(Plan(join=("2",)))
    assert {row.verdict for row in joined.values()} == {"absent"}
    assert min(period for _, period in joined) == 0


def test_the_same_seed_does_the_same_and_another_does_not() -> None:
    def lost(seed: int) -> list[int]:
        made = distort(sent(), Plan(seed=seed, lose=0.1), PERIOD)
        return [one.number for one in made.messages]

    assert lost(1) == lost(1)
    assert lost(1) != lost(2)


def test_an_unknown_originator_is_said() -> None:
    with pytest.raises(ValueError, match=r"no originator 7 .*known: 1, 2"):
        distort(sent(), Plan(silent=(Span("7", 1),)), PERIOD)
    with pytest.raises(ValueError, match="no originator any"):
        distort([], Plan(leave=(ANY,)), PERIOD)


# --------------------------------------------------------------------------- structure
def test_the_way_of_counting_is_found() -> None:
    messages = sent(cards=1)
    for one in messages:
        one.subscription_id = 1 + one.number % 2
    assert counters(messages) == {1: False}
    for one in messages:
        one.message_id = one.number // 2
    assert counters(messages) == {1: True}


def test_periods_are_cut_where_nothing_is_sent() -> None:
    messages = sent(cards=1, updates=1, periods=30)
    for one in messages:
        one.event_time = one.observation_time = one.at + round(one.period * 0.01 * PERIOD)
    cadences = assign(messages, PERIODS)
    assert [one.period for one in messages] == list(range(30))
    assert list(cadences.values()) == [round(1.01 * PERIOD)]


def test_periods_that_nobody_said_are_guessed() -> None:
    assert guess(sent(), {}) == PERIODS
    assert guess(sent(), {1: 5}) == {}
    assert guess(sent(periods=2), {}) == {}


def test_the_steady_part_goes_on_with_ids_and_times() -> None:
    messages = sent(periods=6, shared=True)
    steady = steady_part(messages, PERIODS)
    assert (steady.periods, steady.length) == (5, 50 * SECOND)
    again = repeat(steady, 4, PERIODS)
    assert [one.message_id for one in again] == list(range(100, 180))
    found = streams(again)
    assert {len(bursts) for bursts in found.values()} == {20}
    assert {len(burst) for bursts in found.values() for burst in bursts.values()} == {2}
    assert again[20].at - again[0].at == 50 * SECOND


def test_a_hole_ends_the_steady_part() -> None:
    messages = sent(cards=1, periods=9)
    for one in messages[6:]:
        one.message_id += 1
    steady = steady_part(messages, PERIODS)
    assert steady.messages[0].number == 6
    with pytest.raises(ValueError, match="no steady part"):
        steady_part(messages[:3], PERIODS)


@pytest.mark.parametrize("together", [False, True])
def test_clones_have_ids_counters_and_phases_of_their_own(together: bool) -> None:
    cards = clone_cards(sent(shared=True), PERIODS, 4, together=together, generator="1", alone=True)
    assert {(one.publisher_id, one.generator) for one in cards} == {
        (number, str(number)) for number in (1, 2, 3, 4)
    }
    starts = [next(one.at for one in cards if one.generator == name) for name in "1234"]
    assert starts[3] - starts[0] == (3 * PERIOD // 80 if together else 3 * PERIOD // 4)
    assert counters(cards) == dict.fromkeys((1, 2, 3, 4), False)


def test_clones_stand_beside_the_others() -> None:
    cards = clone_cards(sent(shared=True), PERIODS, 2, generator="1")
    assert {one.generator for one in cards} == {"1", "2", "3"}
    ids = [one.message_id for one in cards if one.generator == "2"]
    assert ids == list(range(ids[0], ids[0] + 40))  # closed up
    with pytest.raises(ValueError, match="no originator 8"):
        clone_cards(sent(), PERIODS, 2, generator="8")


def test_the_spelling_of_faults() -> None:
    assert span("a:b:3") == Span("a:b", 3)
    assert moved("all:+10") == Moved(ALL, 10 * SECOND)
    assert moved("7:-0.5") == Moved("7", -SECOND // 2)
    for text in ("", "7", "7:", ":3", "7:x", "7:0"):
        with pytest.raises(ValueError):
            span(text)
    for text in ("7:x", "7:nan", "7:1e10", "7"):
        with pytest.raises(ValueError):
            moved(text)
