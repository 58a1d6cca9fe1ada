"""``per_subscription`` of the engine's settings: the operator says which book of ids counts."""

from __future__ import annotations

import pytest

from collector.core.engine import Engine
from collector.core.memory.state import Counter
from collector.core.settings import EngineSettings
from collector.model import Event, Fact, Outcome
from tests.helpers import DEVICE, established, ns, numbered
from tests.unit.test_core_two_books import SUBSCRIPTIONS, said, traffic, worst

pytestmark = pytest.mark.usefixtures("either_fold")

START = [established(subscription=one, name=f"s{one}") for one in SUBSCRIPTIONS]


def engine_with(per_subscription: bool | None) -> Engine:
    told = {} if per_subscription is None else {DEVICE: per_subscription}
    return Engine(EngineSettings(per_subscription=told))


def restarts(facts: list[Fact]) -> int:
    return sum(isinstance(fact, Event) and fact.kind == "restart" for fact in facts)


def counters_of(engine: Engine) -> list[Counter]:
    return list(engine._devices[DEVICE].counters.values())


@pytest.mark.parametrize("per_subscription", [True, False])
@pytest.mark.parametrize("batch", [0, 5, 1000])
def test_what_is_told_is_not_found_out(per_subscription: bool, batch: int) -> None:
    engine = engine_with(per_subscription)
    facts = said([*START, *traffic(per_subscription=per_subscription)], batch=batch, engine=engine)
    assert worst(facts, 2) == {20: Outcome.INCOMPLETE}
    assert worst(facts, 1) == worst(facts, 3) == {}
    assert restarts(facts) == 0
    assert all(counter.per_key == per_subscription for counter in counters_of(engine))
    assert engine.per_subscription() == ({DEVICE: 2} if per_subscription else {})


@pytest.mark.parametrize("batch", [0, 1000])
def test_it_counts_even_where_it_is_wrong(batch: int) -> None:
    records = [*START, *traffic(per_subscription=True)]
    wrong = said(records, batch=batch, engine=engine_with(False))
    found_out = said(records, batch=batch, engine=engine_with(None))
    assert worst(found_out, 1) == {}
    assert worst(wrong, 1) != {}, "holes between the ids of other subscriptions are losses"


@pytest.mark.parametrize("batch", [0, 1000])
def test_the_verdicts_of_a_wrong_guess_change_when_it_is_told(batch: int) -> None:
    engine = engine_with(False)
    sent = traffic(per_subscription=True)
    records = numbered([*START, *sent])
    half = len(records) // 2
    for record in records[:half]:
        engine.receive(record, record.arrival)
    now = records[half].arrival
    facts = engine.configure(EngineSettings(per_subscription={DEVICE: True}), now)
    assert engine.per_subscription() == {DEVICE: 2}
    for record in records[half:]:
        facts += engine.receive(record, record.arrival)
    facts += engine.handle_timer(records[-1].arrival + ns(60) - ns(0))
    later = {index: one for index, one in worst(facts, 1).items() if index > 17}
    assert later == {}
    assert {index for index in worst(facts, 2) if index > 17} == {20}


def test_one_subscription_needs_no_second_book() -> None:
    engine = engine_with(True)
    records = [one for one in traffic(per_subscription=True) if one.subscription_id == 2]
    facts = said([START[1], *records], batch=0, engine=engine)
    assert worst(facts, 2) == {20: Outcome.INCOMPLETE}
    assert engine.per_subscription() == {}
    assert all(counter.all.in_force for counter in counters_of(engine))
