"""Truth: takes what the device says that it did, and says which verdict rows its periods deserve.

Does not: judge (``rows``), doubt (``doubts``), know arcs, folds, learned values or heaps of
deadlines (it must not import a collector). Rules: the facts of each publisher come in order, those
of two in any order; the only number that is shared with a collector is the grace of the scenario.

Update records of on-change subscriptions have no period, and no rows: ``records`` says which were
made, with their patch-ids, and what became of them.
"""

from __future__ import annotations

from collections import defaultdict

from msgspec import structs

from publisher_sim.truth import accounts
from publisher_sim.truth.accounts import OnWire, Produced, Recorded, TruthFact
from publisher_sim.truth.books import (
    SECOND,
    Cell,
    Epoch,
    Message,
    RecordMessage,
    Units,
    epochs,
    road,
    timelines,
)
from publisher_sim.truth.doubts import Manners
from publisher_sim.truth.rows import Judge, PeriodTruth

BELIEVED = 60 * SECOND
"""A clock that is off by more, and by half a period, tells nobody which period is meant."""


def default_grace(period: int) -> int:
    """The grace a collector uses when nobody says otherwise, ns."""
    return max(min(max(period // 2, SECOND // 5), 5 * SECOND), period // 20)


class Truth:
    """Takes accounts, those of each publisher in order, and says the rows."""

    def __init__(
        self,
        grace: int | None = None,
        *,
        counted: bool = True,
        anchor_off: float = 0.0,
        clock_shift: int = 0,
    ) -> None:
        """Nothing is known yet.

        Args:
            grace: ns; None: each period's default.
            counted: messages carry numbers, so that a lost one shows.
            anchor_off: how far ticks are off those that were announced, part of the period.
            clock_shift: how far the device's clock, which tells all times here, is ahead of true
                time, ns. Beyond ``BELIEVED`` nobody believes it, and periods are told by true time.
        """
        self._clock_shift = clock_shift
        self._grace = grace
        self._manners = Manners(counted=counted, anchor_off=anchor_off)
        self._early: dict[tuple[str, int], list[OnWire]] = defaultdict(list)
        """Units whose message was not told of yet: another process forwarded them."""
        self._facts: list[TruthFact] = []
        self._messages: dict[tuple[str, int], Message] = {}
        self._records: dict[tuple[str, int], RecordMessage] = {}
        self._killed: dict[str, list[int]] = defaultdict(list)

    def note(self, fact: TruthFact) -> None:
        """Take one fact."""
        if isinstance(fact, Produced | Recorded):
            key = (fact.run, fact.message_id)
            message: Units
            if isinstance(fact, Produced):
                message = self._messages[key] = Message(fact)
            else:
                message = self._records[key] = RecordMessage(fact)
            for unit in self._early.pop(key, ()):
                message.leave(unit)
        elif isinstance(fact, OnWire):
            self._left(fact)
        elif isinstance(fact, accounts.Killed):
            self._killed[fact.generator].append(fact.at)
        else:
            self._facts.append(fact)

    def _left(self, fact: OnWire) -> None:
        key = (fact.run, fact.message_id)
        message = self._messages.get(key) or self._records.get(key)
        if message is None:
            self._early[key].append(fact)
        else:
            message.leave(fact)

    def records(self, until: int) -> list[RecordMessage]:
        """The update records of on-change subscriptions that were due by ``until``, in order."""
        due = [one for one in self._records.values() if one.made.planned <= until]
        return sorted(due, key=lambda one: (one.made.subscription_id, one.made.planned))

    def rows(self, until: int) -> list[PeriodTruth]:
        """The periods whose deadline passed by ``until``, or that an end closed, in order."""
        by_road: dict[str, list[Message]] = defaultdict(list)
        for message in self._messages.values():
            by_road[road(message.made.run)].append(message)
        lines = {name: timelines(messages) for name, messages in by_road.items()}
        cells: dict[int, dict[int, Cell]] = defaultdict(lambda: defaultdict(dict))
        for message in self._messages.values():
            made = message.made
            cell = cells[made.subscription_id][made.nominal]
            cell.setdefault(made.generator, []).append(message)
        found: list[PeriodTruth] = []
        for epoch in epochs(self._facts):
            grace = default_grace(epoch.period) if self._grace is None else self._grace
            own = cells[epoch.subscription_id]
            along = lines.get(_road_of(own, epoch), {})
            judge = Judge(epoch, grace, own, along, self._killed, self._manners)
            unbelieved = abs(self._clock_shift) > max(BELIEVED, epoch.period // 2)
            shift = self._clock_shift if unbelieved else 0
            found.extend(
                structs.replace(row, nominal=row.nominal - shift) for row in judge.rows(until)
            )
        return sorted(found, key=lambda row: (row.subscription_id, row.nominal))


def _road_of(cells: dict[int, Cell], epoch: Epoch) -> str:
    """Where its messages went: each destination has numbers of its own."""
    for nominal, cell in cells.items():
        if epoch.start <= nominal and (epoch.end is None or nominal <= epoch.end):
            return next(road(one.made.run) for messages in cell.values() for one in messages)
    return ""
