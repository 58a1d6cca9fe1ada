"""Hundreds of subscriptions behind one header id: losses cost each message about the same.

Counted are looks at what a suspect owes and verdicts read again, not seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from collector.core.judging import amendments
from collector.core.judging.judge import judge
from collector.core.memory.state import Counter as IdCounter
from collector.core.memory.state import Hole, Originator, Run, Subscription
from collector.core.memory.state_parts import Period, Slot, Windows
from collector.core.numbering import gaps
from collector.model import Cause, Outcome, SubscriptionTerms, Update
from tests.helpers import DEVICE, Wire, established, ns, update

WARM = 6
"""Periods until usual counts are known and the book is decided."""


def bursts(subscriptions: int, lost: dict[int, set[int]], *, per_period: int = 1) -> list[Update]:
    """One card that sends all its subscriptions in a tenth of a second.

    Args:
        lost: period -> places in the burst of that period whose messages do not come.
    """
    sent = []
    number = 0
    for index in range(WARM + 4):
        for place in range(subscriptions * per_period):
            number += 1
            if place not in lost.get(index, ()):
                at = index * 10 + 0.1 + 0.1 * place / (subscriptions * per_period)
                sent.append(update(at, "1", number, subscription=1 + place // per_period))
    return sent


def told(subscriptions: int) -> Wire:
    """All of them established."""
    wire = Wire()
    for one in range(1, subscriptions + 1):
        wire.send(established(-1, ("1",), subscription=one, name=f"s{one}"))
    return wire


def looks(monkeypatch: pytest.MonkeyPatch, subscriptions: int) -> tuple[float, float]:
    """(looks at what is owed, verdicts read) a message; two of each burst are lost."""
    counted: Counter[str] = Counter()
    shortfall = gaps.shortfall

    def looked(originator: Originator, index: int) -> int:
        counted["owed"] += 1
        return shortfall(originator, index)

    def judged(*given: object) -> object:
        counted["judged"] += 1
        return judge(*given)  # type: ignore[arg-type]  # handed through

    lost = {
        index: {subscriptions // 4 + index, subscriptions // 2 + index}
        for index in range(WARM, WARM + 4)
    }
    sent = bursts(subscriptions, lost)
    first = next(
        at for at, one in enumerate(sent) if one.arrival >= sent[0].arrival + WARM * 10**10
    )
    wire = told(subscriptions).send(*sent[:first])
    with monkeypatch.context() as patch:
        patch.setattr(gaps, "shortfall", looked)
        patch.setattr(amendments, "judge", judged)
        wire.send(*sent[first:]).until(WARM * 10 + 60)
    messages = len(sent) - first
    return counted["owed"] / messages, counted["judged"] / messages


def test_each_message_costs_about_the_same_however_many_subscriptions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few, many = looks(monkeypatch, 30), looks(monkeypatch, 120)
    assert few[0] < 10
    assert many[0] < 1.5 * few[0]  # was four times as much, and ten times as many
    assert many[1] < 1.5 * few[1]


def test_the_record_that_ends_the_burst_acquits_or_charges() -> None:
    """One of twenty is lost: of each message others are blamed until the last one came."""
    wire = told(20).send(*bursts(20, {WARM: {7}})).until(WARM * 10 + 43)
    bad = [(row.subscription_id, row.outcome) for row in wire.lasts() if row.missing]
    assert bad == [(8, Outcome.INCOMPLETE)]
    assert [one.cause for row in wire.lasts() for one in row.missing] == [Cause.LOST]
    assert not [row for row in wire.lasts() if row.degraded]


def test_several_records_a_period_are_charged_to_the_one_that_is_short() -> None:
    """Two of its three records come, in the middle of the burst."""
    wire = told(12).send(*bursts(12, {WARM: {13}}, per_period=3)).until(WARM * 10 + 43)
    bad = [(row.subscription_id, [one.cause for one in row.degraded])
           for row in wire.lasts() if row.outcome is Outcome.DEGRADED]  # fmt: skip
    assert bad == [(5, [Cause.LOSS])]


def test_a_late_record_leaves_the_hole_to_those_that_are_short_still() -> None:
    """Of two lost ones of a burst one comes late: the other one stays the only one to blame."""
    sent = bursts(10, {WARM: {3, 6}})
    late = update(WARM * 10 + 6, "1", WARM * 10 + 4, subscription=4, time=WARM * 10 + 0.13)
    wire = told(10)
    wire.send(*sorted([*sent, late], key=lambda one: one.arrival)).until(WARM * 10 + 43)
    rows = [row for row in wire.lasts() if row.outcome is not Outcome.COMPLETE]
    assert [(row.subscription_id, row.missing[0].cause) for row in rows] == [(7, Cause.LOST)]


def test_many_holes_in_one_burst_share_whom_they_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven holes and a hundred subscriptions: each new hole looks at each of them once or so, and
    what other holes explain is looked at no further than it takes."""
    places = set(range(3, 100, 14))
    yielded: Counter[str] = Counter()
    affected, open_records = gaps.affected, gaps.open_records

    def counted(blamed: Iterable[gaps.Suspect]) -> Iterator[tuple[Subscription, int]]:
        found = list(affected(blamed))
        yielded["calls"] += 1
        yielded["periods"] += len(found)
        yield from found

    def looked(hole: Hole) -> int:
        yielded["looks"] += 1
        return open_records(hole)

    sent = bursts(100, {WARM: places})
    wire = told(100).send(*sent[: 100 * WARM])
    with monkeypatch.context() as patch:
        patch.setattr(gaps, "affected", counted)
        patch.setattr(gaps, "open_records", looked)
        wire.send(*sent[100 * WARM : 100 * (WARM + 1) - len(places)]).until(WARM * 10 + 9)
    holes = {hole for one in _originators(wire) for hole in one.holes.get(_index(wire), ())}
    assert len(holes) == len(places)
    assert len({id(hole.suspects) for hole in holes}) <= 3
    assert yielded["periods"] < 2.5 * 100 * yielded["calls"]
    assert yielded["looks"] < 2 * 100 * len(places)
    assert [row.subscription_id - 1 for row in wire.lasts() if row.missing] == sorted(places)


@pytest.mark.parametrize("lost", [8, 12, 30, 70])
def test_a_burst_that_lost_many_is_no_reason_to_count_otherwise(lost: int) -> None:
    """The run of each subscription alone would begin in that burst, and find nothing odd."""
    places = set(range(5, 95, 90 // lost))
    wire = told(100).send(*bursts(100, {WARM: places})).until((WARM + 4) * 10)
    assert [row.missing[0].cause for row in wire.lasts() if row.missing] == [Cause.LOST] * len(
        places
    )
    assert not {"restart", "unattributed_loss"} & set(wire.kinds())
    assert wire.engine.per_subscription() == {}


def test_a_device_that_counts_otherwise_after_an_upgrade_is_found_out() -> None:
    """First one run for all, of which some were lost; then one for each subscription."""
    before = bursts(12, {WARM: {3, 7}})
    after = [
        update(10 * index + 0.1 + one / 120, "1", 5_000_000 + 77_777 * one + index,
               subscription=one)
        for index in range(WARM + 4, WARM + 12)
        for one in range(1, 13)
    ]  # fmt: skip
    wire = told(12).send(*before)
    assert wire.engine.per_subscription() == {}
    wire.send(*after).until((WARM + 12) * 10 - 1)
    assert wire.engine.per_subscription() == {DEVICE: 1}
    late = [row for row in wire.lasts() if row.nominal_time >= ns(10 * (WARM + 7))]
    assert {row.outcome for row in late} == {Outcome.COMPLETE}


def _originators(wire: Wire) -> list[Originator]:
    device = wire.engine._devices[DEVICE]
    return [originator for one in device.subscriptions.values()
            for originator in one.originators.values()]  # fmt: skip


def _index(wire: Wire) -> int:
    (found,) = {row.period_index for row in wire.lasts() if row.missing}
    return found


# --------------------------------------------------------------------------- one hole
def suspects(*counts: int, usual: int | None = 1, ids: int = 1) -> tuple[Hole, list[Originator]]:
    """A hole of so many ids, and suspects with so many records each in its period 5."""
    counter = IdCounter("192.0.2.7", 1)
    found = []
    for number, count in enumerate(counts):
        one = Subscription("d", Windows(), f"s{number}", number, 0, SubscriptionTerms(), 10)
        one.next_index = 5
        period = one.periods[5] = Period(5)
        if count:
            period.slots["1"] = Slot(5, 0, 0, count)
        originator = Originator("1", one)
        originator.usual = usual
        found.append(originator)
    return hole_of(counter, found, ids), found


def hole_of(counter: IdCounter, blamed: list[Originator], ids: int) -> Hole:
    hole = Hole(Run(counter, -2, in_force=True), 7, ids, 0, 0, "lost")
    gaps.blame(hole, [(one, 5) for one in blamed])
    return hole


def others(originator: Originator) -> list[str]:
    """Names of those whose verdict may change with a record of one."""
    found = gaps.affected_by_records(originator, 5)
    return [one.name for one, _ in found][1:]


def test_while_two_others_are_short_and_explain_all_ids_nothing_changes() -> None:
    _, (one, *_) = suspects(1, 0, 0)
    assert others(one) == []


def test_the_last_but_one_that_stops_to_be_short_leaves_one_to_blame() -> None:
    _, (one, *_) = suspects(1, 0, 1)
    assert others(one) == ["s0", "s1", "s2"]


def test_two_short_ones_do_not_explain_three_ids() -> None:
    _, (one, *_) = suspects(1, 0, 0, ids=3)
    assert others(one) == ["s0", "s1", "s2"]
    _, (one, *_) = suspects(1, 0, 0, 0, 0, ids=3)
    assert others(one) == []


def test_who_still_owes_what_it_owed_changes_nothing() -> None:
    _, (one, *_) = suspects(0, 1, 1)
    assert others(one) == []


def test_who_owes_less_than_before_is_short_still() -> None:
    """Its records explain fewer ids, of which others may have lost one."""
    _, (one, *_) = suspects(1, 3, 3, usual=3, ids=3)
    assert others(one) == ["s0", "s1", "s2"]


def test_what_other_holes_explain_is_not_explained_twice() -> None:
    """Two holes touch all: no record of one explains either, whoever is short."""
    hole, blamed = suspects(1, 0, 0, ids=4)
    hole_of(hole.run.counter, blamed, 4)
    assert others(blamed[0]) == []


def test_closed_holes_concern_nobody() -> None:
    hole, blamed = suspects(1, 0, 1)
    hole.found = {0}
    assert others(blamed[0]) == []


def test_who_owes_nothing_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    hole, blamed = suspects(1, 1, 0, 1, 0)
    assert gaps.another_is_short(hole, blamed[2], 5)
    assert not gaps.has_ids_left(hole, blamed[0], 5)
    assert hole.owing is not None
    assert set(hole.owing) >= {(blamed[4], 5), (blamed[2], 5)}
    assert len(hole.owing) < 5
    blamed[2].subscription.periods[5].slots["1"] = Slot(5, 0, 0, 1)
    assert not gaps.another_is_short(hole, blamed[4], 5)
    assert gaps.has_ids_left(hole, blamed[4], 5)
    assert hole.owing == [(blamed[4], 5)]


def test_who_sends_more_than_was_known_owes_again() -> None:
    hole, blamed = suspects(1, 1, 0)
    assert not gaps.another_is_short(hole, blamed[2], 5)
    blamed[0].usual = 2
    gaps.look_again(blamed[0])
    assert gaps.another_is_short(hole, blamed[2], 5)
    gaps.look_again(blamed[2], 4)
    assert hole.owing is not None
    gaps.look_again(blamed[2], 5)
    assert hole.owing is None
