"""Runs of Message IDs of subscriptions that come and go behind one header id.

A device that re-establishes for months, each time under another id, is followed as on the first
day, and what is over leaves nothing behind. Batches go the straight way, records step by step.
"""

from __future__ import annotations

import pytest

from collector.core.engine import Engine
from collector.core.placing import updates
from collector.core.placing.update_columns import UpdateColumns
from collector.core.settings import EngineSettings, Limits
from collector.model import (
    CollectorTime,
    Ended,
    EngineInput,
    Fact,
    NotificationKind,
    Outcome,
    Update,
    Verdict,
)
from tests.helpers import DEVICE, Wire, changed, established, ns, numbered, update

LIVES = 6
"""Periods that a subscription lives."""
FEW = EngineSettings(limits=Limits(keys_per_counter=3))


def ended(at: float, subscription: int) -> Ended:
    """A dynamic subscription is over."""
    return Ended(CollectorTime(ns(at)), DEVICE, subscription, "deleted", 0)


def lives(
    count: int, *, per_subscription: bool, lost: tuple[int, int] = (-1, -1)
) -> list[EngineInput]:
    """One card, one subscription that is established again and again, each time under another id.

    Args:
        lost: (life, period of it) whose only record does not come.
    """
    made: list[EngineInput] = []
    number = 100
    for life in range(count):
        begin = life * LIVES * 10
        made.append(established(begin - 1, ("1",), subscription=life + 1, name="ifs"))
        number = 50 if per_subscription else number
        for index in range(LIVES):
            at = begin + 10 * index + 0.2
            number += 1
            if (life, index) != lost:
                made.append(update(at, "1", number, subscription=life + 1))
        made.append(ended(begin + LIVES * 10 - 3, life + 1))
    return made


def run(records: list[EngineInput], *, batch: int, settings: EngineSettings = FEW) -> Engine:
    """An engine that took them; ``batch`` updates at a time, 0: one by one."""
    engine = Engine(settings)
    said(engine, records, batch=batch)
    return engine


def said(engine: Engine, records: list[EngineInput], *, batch: int) -> list[Fact]:
    facts: list[Fact] = []
    waiting: list[Update] = []
    for record in numbered(records):
        if isinstance(record, Update) and batch:
            waiting.append(record)
            if len(waiting) < batch:
                continue
            record = None
        if waiting:
            facts += engine.receive_batch(UpdateColumns.of(waiting))[1]
            waiting = []
        if record is not None:
            facts += engine.receive(record, record.arrival)
    facts += engine.receive_batch(UpdateColumns.of(waiting))[1]
    return facts + engine.handle_timer(CollectorTime(ns(10_000_000)))


@pytest.mark.usefixtures("either_fold")
@pytest.mark.parametrize("per_subscription", [True, False])
@pytest.mark.parametrize("batch", [0, 1, 4])
def test_after_many_lives_a_loss_is_seen_where_it_was(per_subscription: bool, batch: int) -> None:
    """Far more lives than runs are kept for."""
    records = lives(12, per_subscription=per_subscription, lost=(11, 3))
    facts = said(Engine(FEW), records, batch=batch)
    rows = [fact for fact in facts if isinstance(fact, Verdict)]
    last = {(row.subscription_id, row.period_index): row for row in rows}
    bad = [row for row in last.values() if row.outcome is Outcome.INCOMPLETE]
    assert [(row.subscription_id, row.nominal_time) for row in bad] == [(12, ns(690))]
    assert [one.cause for one in bad[0].missing] == ["lost"]


@pytest.mark.parametrize("per_subscription", [True, False])
def test_what_is_over_leaves_no_run_behind(per_subscription: bool) -> None:
    engine = run(lives(9, per_subscription=per_subscription), batch=0, settings=EngineSettings())
    (counter,) = engine._devices[DEVICE].counters.values()
    assert counter.per_key is per_subscription
    assert list(counter.each) == ([9] if per_subscription else [])
    assert engine.per_subscription() == ({DEVICE: 1} if per_subscription else {})


@pytest.mark.usefixtures("either_fold")
@pytest.mark.parametrize("per_subscription", [True, False])
def test_a_second_life_goes_the_straight_way_again(
    per_subscription: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One subscription left: both books would be the same, so that one is enough."""
    step_by_step: list[Update] = []
    take = updates.take

    def counted(context: object, device: object, one: Update) -> updates.Placed:
        step_by_step.append(one)
        return take(context, device, one)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(updates, "take", counted)
    run(lives(3, per_subscription=per_subscription), batch=1, settings=EngineSettings())
    third = [one.arrival for one in step_by_step if one.subscription_id == 3]
    assert max(third) <= ns(2 * LIVES * 10 + 20.2)


def test_losses_of_the_only_one_left_do_not_change_the_way_of_counting() -> None:
    """Every other message is lost: the book that is laid aside would have paid as well."""
    wire = Wire().send(*lives(2, per_subscription=True))
    begin = 2 * LIVES * 10
    wire.send(established(begin - 1, ("1",), subscription=3, name="ifs"))
    wire.send(*(update(begin + 10 * index + 0.2, "1", 50 + 2 * index, subscription=3)
                for index in range(12)))  # fmt: skip
    (counter,) = wire.engine._devices[DEVICE].counters.values()
    assert counter.per_key
    assert list(counter.each) == [3]
    # one that comes late closes its hole and costs nothing either
    wire.send(update(begin + 111, "1", 71, subscription=3))
    assert (counter.cost_all, counter.cost_each) == (1, 0)


def test_a_wrong_guess_is_mended_when_a_second_one_comes() -> None:
    """The card counted for all and was restarted just when the subscription was renewed: it looked
    as if ids began anew with the subscription."""
    wire = Wire().send(*lives(2, per_subscription=True))
    (counter,) = wire.engine._devices[DEVICE].counters.values()
    begin = 2 * LIVES * 10
    wire.send(established(begin - 1, ("1",), subscription=3, name="ifs"))
    wire.send(established(begin - 1, ("1",), subscription=4, name="cpu"))
    number = 57
    for index in range(8):
        for one in (3, 4):
            wire.send(update(begin + 10 * index + 0.1 * one, "1", number, subscription=one))
            number += 1
    assert not counter.per_key
    wire.until(begin + 100)
    rows = [row for row in wire.lasts() if row.nominal_time >= ns(begin + 50)]
    assert {row.outcome for row in rows if row.nominal_time < ns(begin + 80)} == {Outcome.COMPLETE}


def test_the_last_run_stays_while_its_book_counts() -> None:
    """All that were known are over when a new one comes."""
    wire = Wire().send(
        established(-1, ("1",), subscription=1, name="ifs"),
        established(-1, ("1",), subscription=2, name="cpu"),
    )
    for index in range(4):
        wire.send(update(10 * index + 0.1, "1", 100 + index, subscription=1))
        wire.send(update(10 * index + 0.2, "1", 700 + index, subscription=2))
    (counter,) = wire.engine._devices[DEVICE].counters.values()
    assert counter.per_key
    wire.send(ended(40, 1), ended(40, 2), established(60, ("1",), subscription=3, name="ifs"))
    wire.send(update(60.1, "1", 5, subscription=3))
    assert sorted(counter.each) == [2, 3]
    wire.send(update(70.1, "1", 6, subscription=3), update(80.1, "1", 7, subscription=3))
    assert sorted(counter.each) == [3]


def test_runs_of_unknown_ids_stay_while_their_messages_are_held() -> None:
    """And of what names no subscription."""
    wire = Wire().send(established(-1, ("1",), subscription=1, name="ifs"))
    for index in range(4):
        at = 10 * index
        wire.send(update(at + 0.1, "1", 100 + index, subscription=1))
        wire.send(update(at + (0.2, 4.1, 1.3, 0.7)[index], "1", 700 + index, subscription=77))
    wire.send(changed(31, NotificationKind.SUBSCRIPTION_STARTED, subscription=None, header=1,
                      message_id=3))  # fmt: skip
    (counter,) = wire.engine._devices[DEVICE].counters.values()
    wire.send(ended(35, 1), update(61, "1", 702, subscription=77))
    assert sorted(counter.each) == [-1, 77]
    del wire.engine._devices[DEVICE].unknown[77]
    wire.send(update(90, "1", 4, subscription=5))
    assert sorted(counter.each) == [-1, 5]


def test_a_counter_that_counts_by_subscription_is_not_taken_for_silent() -> None:
    """Its run for all is laid aside, and is not what says when it spoke last."""
    settings = EngineSettings(limits=Limits(counters_per_device=2), forget_after=ns(50) - ns(0))
    wire = Wire(settings).send(
        established(-1, ("1", "2"), subscription=1, name="ifs"),
        established(-1, ("1", "2"), subscription=2, name="cpu"),
    )
    for index in range(20):
        for one in (1, 2):
            wire.send(update(10 * index + 0.1 * one, "1", 1000 * one + index, subscription=one))
        if index < 4:
            wire.send(update(10 * index + 0.5, "2", 10 + index))
    counters = wire.engine._devices[DEVICE].counters
    assert [header for _, header in counters] == [1, 2]
    wire.send(update(200, "3", 10))
    assert [header for _, header in counters] == [1, 3]
