"""Records that come when something happens share Message IDs with those that come on ticks."""

from __future__ import annotations

import pytest
from msgspec import structs

from collector.core.engine import Engine
from collector.core.settings import EngineSettings
from collector.model import (
    CollectorTime,
    Ended,
    EngineInput,
    Established,
    Fact,
    NotificationKind,
    OnChange,
    Outcome,
    Update,
    Verdict,
)
from tests.helpers import DEVICE, established, ns, numbered, tick, update

PERIODS = 16
ON_CHANGE = 2


def asked_on_change(number: int = ON_CHANGE) -> Established:
    plain = established(subscription=number, name=f"changes{number}", generators=("1",))
    terms = structs.replace(plain.terms, period=None, anchor_time=None, on_change=OnChange())
    return structs.replace(plain, terms=terms)


def change(at: float, message_id: int | None, number: int = ON_CHANGE) -> Update:
    found = update(at, "1", message_id, subscription=number)
    return structs.replace(found, kind=NotificationKind.PUSH_CHANGE_UPDATE)


def traffic(*, until: float = PERIODS, lost: float, each: bool = False) -> list[EngineInput]:
    """A card that sends once a period, with a change in the middle of each.

    Args:
        until: period from which on there are no changes.
        lost: period that loses its change, with half a period added its own record.
        each: ids count for each subscription alone.
    """
    ids = {1: 100, ON_CHANGE: 5000 if each else 100}
    sent: list[EngineInput] = []
    for half in range(2 * PERIODS):
        index, changes = half / 2, bool(half % 2)
        if changes and index > until:
            continue
        subscription = ON_CHANGE if changes else 1
        key = subscription if each else 1
        ids[key] += 1
        if index != lost:
            at = 10 * index
            sent.append(change(at, ids[key]) if changes else update(at, "1", ids[key]))
    return sent


def outcomes(*records: EngineInput) -> dict[int, Outcome]:
    """Period -> last outcome of the subscription on ticks, its first and last ones left out."""
    engine = Engine(EngineSettings())
    facts: list[Fact] = []
    begins = (established(generators=("1",)), *records)
    for one in numbered(begins):
        facts += engine.receive(one, one.arrival)
    end = CollectorTime(ns(PERIODS * 10 + 60))
    facts += engine.receive(tick(PERIODS * 10 + 60), end)
    found = {
        round((one.nominal_time - ns(0)) / 10e9): one.outcome
        for one in facts
        if isinstance(one, Verdict) and one.subscription_id == 1
    }
    return {index: found[index] for index in range(4, PERIODS - 1)}


@pytest.mark.parametrize("each", [False, True])
def test_a_lost_change_is_no_loss_of_a_period(each: bool) -> None:
    found = outcomes(asked_on_change(), *traffic(lost=8.5, each=each))
    assert set(found.values()) == {Outcome.COMPLETE}


@pytest.mark.parametrize("each", [False, True])
def test_a_lost_record_of_a_tick_is_missed_all_the_same(each: bool) -> None:
    found = outcomes(asked_on_change(), *traffic(lost=8, each=each))
    assert {index for index in found if found[index] is not Outcome.COMPLETE} == {8}
    assert found[8] is Outcome.INCOMPLETE


def test_once_changes_are_over_missing_ids_are_a_loss_again() -> None:
    """Ids that nobody sends any more: somebody whose records are all there lost one."""
    ended = Ended(CollectorTime(ns(72)), DEVICE, ON_CHANGE, "deleted", 0)
    sent = traffic(until=7, lost=-1)
    later = [
        structs.replace(one, message_id=(one.message_id or 0) + (one.arrival > ns(105)))
        for one in sent
        if isinstance(one, Update)
    ]
    found = outcomes(asked_on_change(), ended, *later)
    assert {index for index in found if found[index] is Outcome.DEGRADED} == {10, 11}
    kept = outcomes(asked_on_change(), *later)
    assert set(kept.values()) == {Outcome.COMPLETE}


def test_subscriptions_that_are_over_are_not_kept() -> None:
    """A new one takes their place; one without Message IDs is not noted at all."""
    engine = Engine(EngineSettings())
    number = 100
    for subscription in range(2, 12):
        records = [
            asked_on_change(subscription),
            change(subscription, number := number + 1, subscription),
            change(subscription, None, subscription),
            Ended(CollectorTime(ns(subscription)), DEVICE, subscription, "deleted", 0),
        ]
        for one in records:
            engine.receive(one, one.arrival)
    (device,) = engine._devices.values()
    assert [len(one.irregular) for one in device.counters.values()] == [1]
