"""Nodes that move between line cards: cards send more or fewer records, and nothing is lost.

The device says subscription-modified, with the list as it was or with another one (draft-zhou §7).
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec import structs

from collector.core.engine import Engine
from collector.core.memory.state import Originator
from collector.core.settings import EngineSettings
from collector.model import (
    Cause,
    CollectorTime,
    Ended,
    NotificationKind,
    Outcome,
    StateChanged,
    Update,
)
from tests.helpers import DEVICE, Wire, changed, established, ns, numbered, run, terms, update

CARDS = ("1", "2", "3")
MODIFIED = NotificationKind.SUBSCRIPTION_MODIFIED
BEFORE = {"1": 3, "2": 2, "3": 2}
AFTER = {"1": 2, "2": 3, "3": 2}
MOVE = 6
"""The first period in which the cards send according to ``AFTER``."""


def sent(
    counts: Sequence[dict[str, int]], lost: Sequence[tuple[int, str, int]] = (), period: int = 10
) -> list[Update]:
    """What cards send, period by period; each has a header id of its own.

    Args:
        lost: (period, card, which of its records) that do not come.
    """
    found = []
    numbers = dict.fromkeys(CARDS, 100)
    for index, count in enumerate(counts):
        for card, records in count.items():
            for part in range(records):
                numbers[card] += 1
                if (index, card, part) not in lost:
                    at = index * period + 0.1 * int(card) + 0.02 * part
                    found.append(update(at, card, numbers[card], time=at - 0.05))
    return found


def modified(at: float, generators: tuple[str, ...] | None = CARDS) -> StateChanged:
    """Nodes were moved."""
    return changed(at, MODIFIED, generators=generators)


def moved(lost: Sequence[tuple[int, str, int]] = (), *more: StateChanged, after: int = 6) -> Wire:
    """Six periods, a move, some more."""
    records = sent([BEFORE] * MOVE + [AFTER] * after, lost)
    said = more or (modified(MOVE * 10 - 4),)
    wire = run([established(generators=CARDS), *said, *records])
    return wire.until((MOVE + after) * 10 - 1)


def card(wire: Wire, name: str) -> Originator:
    return wire.engine._devices[DEVICE].subscriptions[1].originators[name]


def degraded(wire: Wire) -> dict[int, dict[str, Cause]]:
    """Period -> who lost something in it, as said last."""
    return {
        (row.nominal_time - ns(0)) // (ns(10) - ns(0)): {
            one.generator: one.cause for one in row.degraded
        }
        for row in wire.lasts()
        if row.outcome is not Outcome.COMPLETE
    }


def test_the_first_verdicts_after_a_move_are_right() -> None:
    wire = moved()
    assert {row.outcome for row in wire.verdicts} == {Outcome.COMPLETE}
    assert [row.amendment for row in wire.verdicts] == [0] * (MOVE + 6)
    assert {name: card(wire, name).usual for name in CARDS} == AFTER


@pytest.mark.parametrize("expect", [None, CARDS])
def test_a_reply_with_another_list_tells_of_a_move_too(expect: tuple[str, ...] | None) -> None:
    """Card 4 joined while the subscription was modified, and took over from card 1."""
    records = sent([BEFORE] * MOVE + [AFTER] * 6)
    asked = established(generators=CARDS, expect=expect)
    joined = established(MOVE * 10 - 4, (*CARDS, "4"), modified=True, expect=expect)
    wire = run([asked, joined, *records]).until((MOVE + 6) * 10 - 1)
    assert not [row for row in wire.verdicts if row.degraded]
    assert {name: card(wire, name).usual for name in CARDS} == AFTER


@pytest.mark.parametrize("listed", [None, CARDS[::-1]])
def test_a_reply_that_names_nobody_else_raises_no_doubt(listed: tuple[str, ...] | None) -> None:
    renewed = established(MOVE * 10 - 4, listed, modified=True)
    wire = run([established(generators=CARDS), renewed, *sent([BEFORE] * MOVE)])
    assert [card(wire, name).doubt for name in CARDS] == [None] * 3


def test_a_move_that_nobody_told_of_is_amended_by_the_next_message() -> None:
    """What the device does not say cannot be known: as before."""
    nothing = changed(-3, MODIFIED, generators=CARDS)
    wire = moved((), nothing)
    (first,) = [row for row in wire.firsts() if row.outcome is Outcome.DEGRADED]
    assert first.nominal_time == ns(MOVE * 10)
    assert {row.outcome for row in wire.lasts()} == {Outcome.COMPLETE}


def test_who_sends_what_it_did_is_believed_at_once() -> None:
    """Card 3 took no part: once that is seen what it loses is its loss."""
    wire = moved([(MOVE + 2, "3", 0)])
    assert degraded(wire) == {MOVE + 2: {"3": Cause.LOSS}}


def unmoved(*lost: tuple[int, str, int]) -> Wire:
    """The device says that something changed, and all send what they did, once a second."""
    records = sent([BEFORE] * 12, lost, period=1)
    asked = established(generators=CARDS, period=1)
    said = changed(MOVE - 0.4, MODIFIED, generators=CARDS, terms=terms(1))
    return run([asked, said, *records]).until(11.9)


def losses(wire: Wire) -> dict[int, dict[str, Cause]]:
    """Period -> who lost something in it, as said last, of periods of a second."""
    return {
        round((row.nominal_time - ns(0)) / 1e9): {one.generator: one.cause for one in row.degraded}
        for row in wire.lasts()
        if row.degraded
    }


def test_what_is_lost_in_doubt_is_said_when_the_count_is_known() -> None:
    wire = unmoved((MOVE, "2", 1), (MOVE + 1, "2", 0))
    assert losses(wire) == {MOVE: {"2": Cause.LOSS}, MOVE + 1: {"2": Cause.LOSS}}


def test_who_sent_as_many_as_before_is_not_charged_while_in_doubt() -> None:
    """The ids lie between two periods; one of them has fewer records than before."""
    wire = unmoved((MOVE, "2", 1))
    assert {row.nominal_time for row in wire.verdicts if row.degraded} == {ns(MOVE)}
    assert losses(wire) == {MOVE: {"2": Cause.LOSS}}


def test_a_loss_in_doubt_is_still_seen_by_its_ids() -> None:
    """Card 2 sends three and its second one is lost: two came, as many as before the move."""
    wire = moved([(MOVE, "2", 1)])
    assert degraded(wire) == {MOVE: {"2": Cause.LOSS}}
    assert {name: card(wire, name).usual for name in CARDS} == AFTER


def test_who_may_be_short_excuses_the_period_before() -> None:
    """The first of two records of card 1 is lost, of which three were usual."""
    wire = moved([(MOVE, "1", 0)])
    assert degraded(wire) == {MOVE: {"1": Cause.LOSS}}


def test_two_that_may_be_short_do_not_excuse_each_other() -> None:
    """Both share a header id and have fewer records than before, and one id is missing."""
    fewer = {"1": 2, "2": 1}
    number, records = 0, []
    for index, counts in enumerate([{"1": 3, "2": 3}] * MOVE + [fewer] * 4):
        for part in range(3):
            for name, count in counts.items():
                if part >= count:
                    continue
                number += 1
                at = index * 10 + 0.1 * part + 0.01 * int(name)
                if (index, name, part) != (MOVE, "1", 1):
                    records.append(update(at, name, number, header=7))
    wire = run([established(), modified(MOVE * 10 - 4, ("1", "2")), *records], until=99)
    assert "1" in degraded(wire)[MOVE]


def test_a_period_that_may_lack_a_record_does_not_end_the_doubt() -> None:
    """Nor does one in which nothing came; the next whole one does."""
    wire = moved([(MOVE + 1, "2", 1), (MOVE + 1, "1", 0), (MOVE + 1, "1", 1)])
    outcomes = [row.outcome for row in wire.lasts()[MOVE + 1 :]]
    assert outcomes == [Outcome.INCOMPLETE, *[Outcome.COMPLETE] * 4]
    assert {name: card(wire, name).usual for name in CARDS} == AFTER


def test_while_in_doubt_nobody_is_complete_before_its_deadline() -> None:
    """Card 2 has what it usually had, and one more is on its way."""
    wire = moved(after=1)
    rows = wire.firsts()
    early = [row.nominal_time for row in rows if row.judged_at < row.deadline]
    assert ns((MOVE - 1) * 10) in early
    assert ns(MOVE * 10) not in early


def test_periods_before_the_move_are_judged_by_what_was_usual_then() -> None:
    """A loss of the last period before it is a loss also when it is looked at again after it."""
    wire = moved([(MOVE - 1, "1", 1)])
    assert degraded(wire) == {MOVE - 1: {"1": Cause.LOSS}}


def test_a_second_move_before_the_first_is_understood() -> None:
    """Counts that were not known yet begin anew: not everything varies by that."""
    counts = [BEFORE] * MOVE + [AFTER] * 2 + [{"1": 1, "2": 4, "3": 2}] * 5
    wire = run([
        established(generators=CARDS), modified(MOVE * 10 - 4), modified(MOVE * 10 + 16),
        *sent(counts),
    ], until=(MOVE + 7) * 10 - 1)  # fmt: skip
    assert {row.outcome for row in wire.verdicts} == {Outcome.COMPLETE}
    assert {name: card(wire, name).usual for name in CARDS} == counts[-1]
    assert not wire.engine._devices[DEVICE].subscriptions[1].varies


def test_two_moves_within_a_period_are_one_doubt() -> None:
    wire = moved((), modified(MOVE * 10 - 4), modified(MOVE * 10 - 3))
    assert {row.outcome for row in wire.verdicts} == {Outcome.COMPLETE}


def test_nodes_that_come_and_go_within_three_periods_leave_no_trace() -> None:
    """For two periods card 2 has what card 1 lacks: none of its counts is usual, and what it
    sends afterwards is known by three periods as ever."""
    counts = [BEFORE] * MOVE + [AFTER] * 2 + [BEFORE] * 7
    back = MOVE + 2
    said = [modified(MOVE * 10 - 4), modified(back * 10 - 4)]
    wire = run([established(generators=CARDS), *said, *sent(counts, [(back + 4, "2", 1)])])
    wire.until(len(counts) * 10 - 1)
    assert {name: card(wire, name).usual for name in CARDS} == BEFORE
    assert not wire.engine._devices[DEVICE].subscriptions[1].varies
    (first,) = [row for row in wire.firsts() if row.outcome is not Outcome.COMPLETE]
    assert first.nominal_time == ns((back + 4) * 10)
    assert degraded(wire) == {back + 4: {"2": Cause.LOSS}}


def test_a_late_card_that_is_in_no_list_learns_nothing_from_the_period_of_a_move() -> None:
    """Card 4 always comes behind the deadline, and sends more while nodes move."""
    records = sent([BEFORE] * 12, period=60)
    number = 500
    for index in range(12):
        for _ in range(3 if index == MOVE else 1):
            number += 1
            at = index * 60 + 20
            records.append(update(at, "4", number, time=at - 0.05))
    said = changed(MOVE * 60 - 4, MODIFIED, generators=CARDS, terms=terms(60))
    wire = run([established(generators=CARDS, period=60), said, *records]).until(12 * 60 - 1)
    late = card(wire, "4")
    assert (late.usual, late.varies) == (1, False)


def test_cards_that_vary_are_not_forgiven_by_a_move() -> None:
    counts = [{"1": 2 + index % 2, "2": 2, "3": 2} for index in range(12)]
    wire = run([established(generators=CARDS), modified(85), *sent(counts)], until=119)
    assert card(wire, "1").varies
    assert wire.engine._devices[DEVICE].subscriptions[1].varies


def test_a_list_without_one_and_no_list_at_all() -> None:
    """Card 3 is gone and card 2 has its nodes; the second device names nobody."""
    after = {"1": 3, "2": 4}
    records = sent([BEFORE] * MOVE + [after] * 5)
    wire = run([established(generators=CARDS), modified(MOVE * 10 - 4, ("1", "2")), *records])
    wire.until((MOVE + 5) * 10 - 1)
    assert {row.outcome for row in wire.verdicts} == {Outcome.COMPLETE}
    learned = sent([BEFORE] * MOVE + [AFTER] * 5)
    wire = run([established(generators=None), modified(MOVE * 10 - 4, None), *learned])
    wire.until((MOVE + 5) * 10 - 1)
    assert {row.outcome for row in wire.verdicts} == {Outcome.UNKNOWN, Outcome.COMPLETE}


def test_nodes_that_moved_while_there_was_no_session() -> None:
    """Card 3 was pulled meanwhile and card 2 has its nodes: the new list is another one."""
    before = run([established(generators=CARDS), *sent([BEFORE] * MOVE)], until=57)
    before.send(Ended(CollectorTime(ns(58)), DEVICE, 1, "session", 0))
    again = established(59, ("1", "2"), subscription=2)
    after = [one for one in sent([BEFORE] * MOVE + [{"1": 2, "2": 5}] * 5) if one.arrival > ns(59)]
    before.send(again, *(structs.replace(one, subscription_id=2) for one in after))
    before.until((MOVE + 5) * 10 - 1)
    rows = [row for row in before.verdicts if row.subscription_id == 2]
    assert [row.outcome for row in rows] == [Outcome.COMPLETE] * 5
    subscription = before.engine._devices[DEVICE].subscriptions[2]
    assert {name: one.usual for name, one in subscription.originators.items()} == {
        "1": 2, "2": 5, "3": 2
    }  # fmt: skip


def test_a_doubt_outlives_the_session() -> None:
    """It broke just behind the move, and the list is as it was."""
    wire = run([established(generators=CARDS), *sent([BEFORE] * MOVE), modified(57)], until=57.5)
    wire.send(Ended(CollectorTime(ns(58)), DEVICE, 1, "session", 0))
    after = [one for one in sent([BEFORE] * MOVE + [AFTER] * 5) if one.arrival > ns(59)]
    wire.send(established(59, CARDS, subscription=2))
    wire.send(*(structs.replace(one, subscription_id=2) for one in after))
    wire.until((MOVE + 5) * 10 - 1)
    assert {row.outcome for row in wire.verdicts} == {Outcome.COMPLETE}


def test_an_operators_list_is_no_sign_of_a_move() -> None:
    """It differs from what the device declares, now as before."""
    wire = run([established(expect=("1",)), *sent([BEFORE] * MOVE)], until=57)
    wire.send(Ended(CollectorTime(ns(58)), DEVICE, 1, "session", 0))
    wire.send(established(59, expect=("1",), subscription=2))
    subscription = wire.engine._devices[DEVICE].subscriptions[2]
    assert [one.doubt for one in subscription.originators.values()] == [None] * 3


def test_a_move_before_the_grid_is_known_means_nothing() -> None:
    records = sent([BEFORE] * 5)
    unanchored = established(generators=CARDS, anchor_time=None)
    same = changed(-2, MODIFIED, generators=CARDS, terms=terms(anchor_time=None))
    wire = run([unanchored, same, *records], until=49)
    assert {row.outcome for row in wire.verdicts} == {Outcome.COMPLETE}


def test_doubt_survives_a_snapshot() -> None:
    records = numbered([
        established(generators=CARDS), modified(MOVE * 10 - 4),
        *sent([BEFORE] * MOVE + [AFTER] * 5),
    ])  # fmt: skip
    engine, facts = Engine(EngineSettings()), []
    for record in records:
        if record.arrival > ns(MOVE * 10) and engine is not None:
            engine = Engine.restore(EngineSettings(), {DEVICE: engine.snapshot_device(DEVICE)})
        facts += engine.receive(record, record.arrival)
    assert {getattr(fact, "outcome", Outcome.COMPLETE) for fact in facts} == {Outcome.COMPLETE}
