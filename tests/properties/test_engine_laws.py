"""Laws of the completeness engine, on random traffic with faults (docs/verdicts.md)."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from random import Random
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.engine import Engine
from collector.core.placing import straight, straight_compiled
from collector.core.placing.update_columns import UpdateColumns
from collector.core.settings import EngineSettings
from collector.fast import native
from collector.model import CollectorTime, Fact, Update, Verdict
from tests import engine_scenarios
from tests.helpers import established as reply
from tests.helpers import ns, numbered, run, steady, update

seeds = st.integers(0, 2**32)
END = ns(2000)


def said(records: list[Any], options: EngineSettings) -> list[Fact]:
    """One by one, no timer in between."""
    engine = Engine(options)
    facts: list[Fact] = []
    for record in records:
        facts += engine.receive(record, record.arrival)
    return facts + engine.handle_timer(END)


def in_batches(seed: int, records: list[Any], options: EngineSettings) -> tuple[list[Fact], Any]:
    """What an engine says that gets updates in batches, and its state at the end."""
    engine, random = Engine(options), Random(seed)
    facts: list[Fact] = []
    waiting: list[Update] = []
    for record in records:
        if waiting and (not isinstance(record, Update) or random.random() < 0.1):
            facts += engine.receive_batch(UpdateColumns.of(waiting))[1]
            waiting = []
        if isinstance(record, Update):
            waiting.append(record)
        else:
            facts += engine.receive(record, record.arrival)
    facts += engine.receive_batch(UpdateColumns.of(waiting))[1] + engine.handle_timer(END)
    return facts, {name: engine.snapshot_device(name) for name in engine.devices()}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(seeds)
def test_batch_borders_change_no_row(seed: int) -> None:
    records, options = engine_scenarios.traffic(seed), engine_scenarios.settings(seed)
    with patch("collector.core.engine.place_all", straight.place_all):
        facts, state = in_batches(seed, records, options)
    assert facts == said(records, options)
    if native is not None:
        with patch("collector.core.engine.place_all", straight_compiled.place_all):
            assert in_batches(seed, records, options) == (facts, state)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seeds)
def test_tidying_the_deadlines_changes_no_row(seed: int) -> None:
    records, options = engine_scenarios.traffic(seed), engine_scenarios.settings(seed)
    with patch("collector.core.expectation.deadlines.ROOM", 1):
        often = said(records, options)
    assert often == said(records, options)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(seeds)
def test_extra_timer_calls_change_no_row(seed: int) -> None:
    records, options = engine_scenarios.traffic(seed), engine_scenarios.settings(seed)
    engine, random = Engine(options), Random(seed)
    facts: list[Fact] = []
    now = records[0].arrival
    for record in records:
        while random.random() < 0.6:
            now = random.randint(now, record.arrival)
            due = engine.next_deadline()
            if due is not None and random.random() < 0.5:
                now = max(now, min(due, record.arrival))
            since = getattr(record, "since", None)
            if since is None or now <= since:
                facts += engine.handle_timer(CollectorTime(now))
        now = record.arrival
        facts += engine.receive(record, record.arrival)
    assert facts + engine.handle_timer(END) == said(records, options)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(seeds, st.floats(0, 1))
def test_a_snapshot_taken_anywhere_changes_no_row(seed: int, place: float) -> None:
    records, options = engine_scenarios.traffic(seed), engine_scenarios.settings(seed)
    cut = int(place * len(records))
    engine = Engine(options)
    facts: list[Fact] = []
    for record in records[:cut]:
        facts += engine.receive(record, record.arrival)
    engine = Engine.restore(
        options, {name: engine.snapshot_device(name) for name in engine.devices()}
    )
    # reading begins a little earlier: what the part knows already is skipped
    for record in records[max(0, cut - 3) :]:
        more = engine.receive(record, record.arrival)
        assert not more or record.offset >= cut or not engine.devices()
        facts += more
    assert facts + engine.handle_timer(END) == said(records, options)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(seeds)
def test_each_period_gets_exactly_one_first_verdict(seed: int) -> None:
    facts = said(engine_scenarios.traffic(seed), engine_scenarios.settings(seed))
    rows: dict[tuple[str, int, int], list[Verdict]] = defaultdict(list)
    for fact in facts:
        if isinstance(fact, Verdict):
            rows[fact.device, fact.subscription_id, fact.revision].append(fact)
    for one in rows.values():
        firsts = sorted((row for row in one if row.amendment == 0), key=lambda r: r.period_index)
        for before, after in pairwise(firsts):
            assert after.period_index == before.period_to + 1
        amended: dict[int, list[Verdict]] = defaultdict(list)
        for row in one:
            amended[row.period_index].append(row)
        for group in amended.values():
            assert [row.amendment for row in group] == list(range(len(group)))
            finals = [row.final for row in group]
            assert finals == sorted(finals)
            assert all(a.judged_at <= b.judged_at for a, b in pairwise(group))


@settings(max_examples=75, deadline=None, derandomize=True)
@given(seeds, seeds)
def test_one_device_never_touches_another(seed: int, other: int) -> None:
    options = engine_scenarios.settings(seed)
    first = engine_scenarios.Traffic(seed, device="a").make()
    second = engine_scenarios.Traffic(other, device="b").make()
    both = numbered([*first, *second])
    together = said(both, options)
    for name in ("a", "b"):
        alone = said([record for record in both if record.device == name], options)
        assert [fact for fact in together if fact.device == name] == alone


@settings(max_examples=75, deadline=None, derandomize=True)
@given(seeds)
def test_duplicates_change_no_row(seed: int) -> None:
    records, options = engine_scenarios.traffic(seed), engine_scenarios.settings(seed)
    random = Random(seed)
    doubled: list[Any] = []
    for place, record in enumerate(records):
        doubled.append(record)
        if isinstance(record, Update) and None not in (record.event_time, record.message_id):
            for _ in range(random.choice([0, 0, 1, 2])):
                late = records[min(place + random.randint(0, 3), len(records) - 1)].arrival
                doubled.append(_again(record, min(late, record.arrival + 1_000_000_000)))
    doubled = engine_scenarios.heard(sorted(doubled, key=lambda record: record.arrival))
    assert said(doubled, options) == said(records, options)


def _again(record: Update, arrival: int) -> Update:
    values = {name: getattr(record, name) for name in record.__struct_fields__}
    return Update(**{**values, "arrival": CollectorTime(arrival)})


def content(facts: list[Fact]) -> list[tuple[Any, ...]]:
    """Outcome, missing and causes of the last row of each period."""
    last: dict[tuple[int, int], Verdict] = {}
    for fact in facts:
        if isinstance(fact, Verdict):
            last[fact.subscription_id, fact.period_index] = fact
    return [(row.outcome, row.reason, row.missing, row.degraded) for _, row in sorted(last.items())]


def lossy(seed: int, clock: float = 0.0, order: bool = False) -> list[Any]:
    """Three cards with a declared list, some messages lost from the fourth period on."""
    random = Random(seed)
    cards = (1, 2, 3)
    per_period = random.randint(1, 3)
    sent: list[Any] = [reply(-2, ("1", "2", "3"), anchor_time=None)]
    for one in steady(cards, periods=12, per_period=per_period):
        settled = one.arrival >= ns(40) and one.arrival < ns(100)
        late = random.random() * 0.3
        if random.random() < 0.08 and settled:
            continue
        at = (one.arrival - ns(0)) / 1e9
        sent.append(
            update(
                at + (late if order and settled else 0.0), one.generator, one.message_id,
                time=at - 0.05 + clock,
            )
        )  # fmt: skip
    return numbered(sent)


@settings(max_examples=75, deadline=None, derandomize=True)
@given(seeds)
def test_order_inside_the_grace_changes_no_last_row(seed: int) -> None:
    options = EngineSettings()
    assert content(said(lossy(seed, order=True), options)) == content(said(lossy(seed), options))


@settings(max_examples=75, deadline=None, derandomize=True)
@given(seeds, st.sampled_from([-7200.0, -33.0, -4.0, 0.5, 6.0, 25.0, 86400.0]))
def test_a_common_clock_offset_changes_no_last_row(seed: int, clock: float) -> None:
    options = EngineSettings()
    assert content(said(lossy(seed, clock), options)) == content(said(lossy(seed), options))


@settings(max_examples=75, deadline=None, derandomize=True)
@given(seeds, st.integers(1, 4), st.integers(1, 3), st.integers(4, 8))
def test_a_removed_record_never_leaves_its_period_complete(
    seed: int, cards: int, per_period: int, period: int
) -> None:
    numbers = tuple(range(1, cards + 1))
    sent = steady(numbers, periods=10, per_period=per_period)
    there = [one for one in sent if ns(period * 10 - 3) < one.arrival < ns(period * 10 + 7)]
    gone = Random(seed).choice(there)
    sent.remove(gone)
    wire = run([reply(-2, tuple(map(str, numbers))), *sent], until=200)
    row = wire.row(period)
    named = {one.generator for one in (*row.missing, *row.degraded)}
    assert row.outcome != "COMPLETE"
    assert gone.generator in named


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seeds)
def test_memory_is_bounded(seed: int) -> None:
    """Hostile ids, times and generators: what is kept does not grow with what came."""
    random = Random(seed)
    engine = Engine(EngineSettings())
    engine.receive(reply(-2, ("1", "2")), CollectorTime(ns(-2)))
    sizes = []
    for index in range(900):
        for _ in range(3):
            at = index * 10 + random.random() * 9
            one = update(
                at, random.choice(["1", "2", "3"]), random.choice([index, random.getrandbits(32)]),
                time=random.choice([at, at, at - 40, random.uniform(0, 1e9)]), header=7,
                subscription=random.choice([1, 1, 2]),
            )  # fmt: skip
            engine.receive(one, CollectorTime(max(one.arrival, ns(index * 10))))
        if index in (300, 600, 899):
            sizes.append(len(engine.snapshot_device("core7")))
    assert sizes[2] < 2 * sizes[0] + 20_000
    assert sizes[2] < 400_000
