"""Several subscriptions behind one header id: the verdicts while one book is laid aside.

Batches go the straight way, single records step by step; both have to say the same.
"""

from __future__ import annotations

import pytest

from collector.core.engine import Engine
from collector.core.placing.update_columns import UpdateColumns
from collector.core.settings import EngineSettings
from collector.model import EngineInput, Event, Fact, Outcome, Update, Verdict
from tests.helpers import established, ns, numbered, update

pytestmark = pytest.mark.usefixtures("either_fold")

SUBSCRIPTIONS = (1, 2, 3)
CARDS = ("1", "2")
PERIODS = 30


def traffic(*, per_subscription: bool, changes_at: int = PERIODS, lost: int = 20) -> list[Update]:
    """Two cards, each with three subscriptions; card 2 loses one record of period ``lost``.

    From period ``changes_at`` on ids are counted the other way, after a restart of both cards.
    """
    sent = []
    ids: dict[tuple[object, ...], int] = {}
    for index in range(PERIODS):
        own = per_subscription != (index >= changes_at)
        for card in CARDS:
            for subscription in SUBSCRIPTIONS:
                key = (own, card, subscription if own else 0)
                ids[key] = ids.get(key, 100 * int(card) + (7 * subscription if own else 0)) + 1
                if (index, card, subscription) == (lost, "2", 2):
                    continue
                at = index * 10 + 0.1 * int(card) + 0.01 * subscription
                sent.append(update(at, card, ids[key], subscription=subscription, time=at - 0.05))
    return sent


def said(records: list[EngineInput], *, batch: int, engine: Engine | None = None) -> list[Fact]:
    """What an engine says, given ``batch`` updates at a time; 0: one by one."""
    engine = engine or Engine(EngineSettings())
    facts: list[Fact] = []
    waiting: list[Update] = []
    for record in numbered(records):
        if isinstance(record, Update) and batch:
            waiting.append(record)
            if len(waiting) == batch:
                facts += engine.receive_batch(UpdateColumns.of(waiting))[1]
                waiting = []
        else:
            facts += engine.receive(record, record.arrival)
    facts += engine.receive_batch(UpdateColumns.of(waiting))[1]
    return facts + engine.handle_timer(record.arrival + ns(60) - ns(0))


def worst(facts: list[Fact], subscription: int) -> dict[int, Outcome]:
    """period -> last outcome, of those that are not COMPLETE; periods counted from the start."""
    last: dict[int, Verdict] = {}
    for fact in facts:
        if isinstance(fact, Verdict) and fact.subscription_id == subscription:
            last[round((fact.nominal_time - ns(0)) / 10e9)] = fact
    return {
        index: row.outcome
        for index, row in last.items()
        if row.outcome is not Outcome.COMPLETE and 0 < index < PERIODS
    }


@pytest.mark.parametrize("per_subscription", [True, False])
@pytest.mark.parametrize("batch", [0, 1, 5, 1000])
def test_a_loss_is_seen_and_charged_to_the_right_period(per_subscription: bool, batch: int) -> None:
    start = [established(subscription=one, name=f"s{one}") for one in SUBSCRIPTIONS]
    records = [*start, *traffic(per_subscription=per_subscription)]
    facts = said(records, batch=batch)
    assert worst(facts, 2) == {20: Outcome.INCOMPLETE}
    assert worst(facts, 1) == worst(facts, 3) == {}
    assert facts == said(records, batch=0)


@pytest.mark.parametrize("per_subscription", [True, False])
@pytest.mark.parametrize("batch", [0, 5])
def test_a_device_that_counts_another_way_from_now_on(per_subscription: bool, batch: int) -> None:
    """The book that was laid aside wins again, and a loss behind the change is seen."""
    start = [established(subscription=one, name=f"s{one}") for one in SUBSCRIPTIONS]
    sent = traffic(per_subscription=per_subscription, changes_at=12)
    facts = said([*start, *sent], batch=batch)
    assert worst(facts, 2)[20] is Outcome.INCOMPLETE
    for subscription in SUBSCRIPTIONS:
        assert not [index for index in worst(facts, subscription) if not 12 <= index <= 20]


def test_a_hole_of_both_books_is_acquitted_in_one_only() -> None:
    """A loss while both are followed stays blamed in the book that counts."""
    start = [established(subscription=one, name=f"s{one}") for one in SUBSCRIPTIONS]
    facts = said([*start, *traffic(per_subscription=False, lost=2)], batch=5)
    assert worst(facts, 2) == {2: Outcome.INCOMPLETE}
    said_of_it = [
        fact
        for fact in facts
        if isinstance(fact, Verdict) and (fact.subscription_id, fact.nominal_time) == (2, ns(20))
    ]
    assert {one.cause for one in said_of_it[-1].missing} == {"lost"}


def late_burst(others: int, third: float) -> list[Update]:
    """Behind one header id, ids by subscription: card 1 sends twelve messages of subscription 1,
    card 2 some more of it 2 s later, card 3 three of subscription 2 after ``third`` seconds. Those
    of card 1 in period 20 come 7 s late."""
    sent, due = [], []
    for index in range(PERIODS):
        due += [(index * 10 + 0.01 * part, "1", 1) for part in range(12)]
        due += [(index * 10 + third + 0.01 * part, "3", 2) for part in range(3)]
        due += [(index * 10 + 2 + 0.01 * part, "2", 1) for part in range(others)]
    ids = {1: 400, 2: 60}
    for time, card, subscription in sorted(due):
        ids[subscription] += 1
        at = time + 0.05 + (7 if card == "1" and 200 <= time < 201 else 0)
        number = ids[subscription]
        sent.append(update(at, card, number, subscription=subscription, header=9, time=time))
    return sent


@pytest.mark.parametrize(("others", "third"), [(24, 4.0), (1, 1.0)])
@pytest.mark.parametrize("batch", [0, 1000])
def test_a_late_burst_does_not_speak_for_the_book_that_is_laid_aside(
    others: int, third: float, batch: int
) -> None:
    """Twelve ids come later than min(10 s, period/2): late in both books, or rather in neither.

    With the second numbers the run for all would begin afresh with the first of them.
    """
    start = [
        established(subscription=1, name="s1", generators=("1", "2")),
        established(subscription=2, name="s2", generators=("3",)),
    ]
    facts = said([*start, *late_burst(others, third)], batch=batch)
    assert worst(facts, 1) == worst(facts, 2) == {}
    rows = [fact for fact in facts if isinstance(fact, Verdict)]
    after = [row.outcome for row in rows if ns(205) < row.nominal_time < ns(295)]
    assert after == [Outcome.COMPLETE] * 18
    assert not [fact for fact in facts if isinstance(fact, Event) and fact.kind == "restart"]
