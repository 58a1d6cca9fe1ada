"""The truth's books: accounts put in order, per message, per generator and per stretch of terms.

Does not: judge, know a collector. Everything here is counted from ``accounts`` alone.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from msgspec import Struct

from publisher_sim.truth import accounts
from publisher_sim.truth.accounts import OnWire, Produced, Recorded, TruthFact

SECOND = 1_000_000_000
REASSEMBLY_WINDOW = 10 * SECOND
"""A message whose datagrams are further apart is not put together (udp-notif-26 §4)."""


class Units:
    """The units of a message, and what became of them."""

    __slots__ = ("_count", "garbled", "left", "slack")

    def __init__(self, count: int) -> None:
        self._count = count
        self.left: dict[int, int] = {}
        """number of the datagram -> when its first copy left."""
        self.garbled = False
        self.slack = 0
        """How much later than meant a datagram left, at worst, ns."""

    def leave(self, datagram: OnWire) -> None:
        """Note that a datagram left."""
        self.left[datagram.number] = min(self.left.get(datagram.number, datagram.at), datagram.at)
        self.garbled |= datagram.garbled
        self.slack = max(self.slack, datagram.at - datagram.due)

    @property
    def heard_at(self) -> int | None:
        """When its header could first be read."""
        return min(self.left.values()) if self.left else None

    @property
    def good_at(self) -> int | None:
        """When it could be read as a whole, None when never."""
        return max(self.left.values()) if self.fate == "good" else None

    @property
    def fate(self) -> str:
        """``good``, or the cause that its absence has."""
        if not self.left:
            return "lost"
        spread = max(self.left.values()) - min(self.left.values())
        if len(self.left) < self._count or spread >= REASSEMBLY_WINDOW:
            return "unreassembled"
        return "rejected" if self.garbled else "good"


class Message(Units):
    """A message of a tick."""

    __slots__ = ("made",)

    def __init__(self, made: Produced) -> None:
        super().__init__(made.units)
        self.made = made


class RecordMessage(Units):
    """An update record of an on-change subscription."""

    __slots__ = ("made",)

    def __init__(self, made: Recorded) -> None:
        super().__init__(made.units)
        self.made = made


class Timeline:
    """All messages of one generator in the order they were made."""

    def __init__(self, messages: list[Message]) -> None:
        self.messages = sorted(messages, key=lambda message: message.made.planned)
        self._planned = [message.made.planned for message in self.messages]
        self.of_subscription: dict[int, list[Message]] = defaultdict(list)
        """subscription id -> its messages in that order."""
        for message in self.messages:
            self.of_subscription[message.made.subscription_id].append(message)
        self.read_from: dict[str, int] = {}
        """run -> when its first message that could be read was planned."""
        for message in self.messages:
            if message.good_at is not None:
                self.read_from.setdefault(message.made.run, message.made.planned)

    @cached_property
    def read(self) -> list[Message]:
        """Those that could be read."""
        return [message for message in self.messages if message.good_at is not None]

    @cached_property
    def ticks_read(self) -> set[int]:
        """Ticks of which something could be read."""
        return {message.made.nominal for message in self.read}

    @cached_property
    def steps(self) -> list[tuple[Message, Message]]:
        """Two that could be read, one after the other, stamped by clocks that differ."""
        pairs = itertools.pairwise(self.read)
        return [(one, next_) for one, next_ in pairs if one.made.skew != next_.made.skew]

    def around(self, at: int) -> tuple[Message | None, list[Message], Message | None]:
        """Last message heard of before ``at``, those unheard of between, first heard of after."""
        before = bisect_left(self._planned, at) - 1
        while before >= 0 and self.messages[before].heard_at is None:
            before -= 1
        after = bisect_right(self._planned, at)
        while after < len(self.messages) and self.messages[after].heard_at is None:
            after += 1
        between = [one for one in self.messages[before + 1 : after] if one.heard_at is None]
        return (
            self.messages[before] if before >= 0 else None,
            between,
            self.messages[after] if after < len(self.messages) else None,
        )


def road(run: str) -> str:
    """Which destination of its process a run counts for; empty: the first one."""
    return run.rpartition("/")[2].partition("+")[2]


def timelines(messages: Iterable[Message]) -> dict[str, Timeline]:
    """generator -> its timeline."""
    by_generator: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        by_generator[message.made.generator].append(message)
    return {generator: Timeline(made) for generator, made in by_generator.items()}


_NOT_SAID = (Produced, Recorded, OnWire, accounts.Killed)
"""Facts that are not about the terms of a subscription."""
Cell = dict[str, list[Message]]
"""generator -> its messages for one tick of one subscription."""


class Period(Struct):
    """What is looked at for one tick."""

    nominal: int
    start: int
    """Of the window in which lists and changes count."""
    end: int
    required: tuple[str, ...]
    allowed: tuple[str, ...]
    deadline: int
    amendable: int
    cell: Cell


class Epoch(Struct):
    """A stretch of one subscription under the same terms."""

    subscription_id: int
    period: int
    anchor: int
    start: int
    lists: list[tuple[int, tuple[str, ...]]]
    """(from, generators), in order of time."""
    pauses: list[tuple[int, int | None]]
    """(suspended, resumed or None)."""
    told: bool = True
    """Does the subscriber hear of lists?"""
    end: int | None = None
    end_reason: str = ""

    def lists_between(self, start: int, end: int) -> list[tuple[str, ...]]:
        """The lists in force at some instant of [start, end)."""
        found = []
        for position, (begin, generators) in enumerate(self.lists):
            later = self.lists[position + 1][0] if position + 1 < len(self.lists) else None
            if begin < end and (later is None or later > start):
                found.append(generators)
        return found

    def is_over(self, at: int) -> bool:
        """Had it ended by then?"""
        return self.end is not None and self.end < at

    def changes(self) -> list[int]:
        """Instants at which the list changed."""
        return [begin for begin, _ in self.lists[1:]]

    def leaves(self, generator: str, after: int, until: int) -> bool:
        """Does a list without the generator come into force in [after, until]?"""
        return any(
            after <= begin <= until and generator not in generators
            for begin, generators in self.lists
        )

    def paused(self, start: int, end: int) -> bool:
        """Was it suspended, or resumed, at some instant of [start, end)?"""
        return any(
            begin < end and (resumed is None or resumed >= start) for begin, resumed in self.pauses
        )


def epochs(facts: Iterable[TruthFact]) -> Iterator[Epoch]:
    """The stretches of constant terms, from the master's facts."""
    running: dict[int, Epoch] = {}
    said = [fact for fact in facts if not isinstance(fact, _NOT_SAID)]
    for fact in sorted(said, key=lambda fact: fact.at):
        epoch = running.get(fact.subscription_id)
        if isinstance(fact, accounts.Established | accounts.TermsChanged):
            if epoch is not None:
                epoch.end, epoch.end_reason = fact.at, "terms_changed"
                yield epoch
            running[fact.subscription_id] = Epoch(
                fact.subscription_id,
                fact.period,
                fact.anchor,
                fact.at,
                lists=[(fact.at, fact.generators)],
                pauses=[],
                told=fact.told,
            )
        elif epoch is not None:
            _apply(epoch, fact)
            if epoch.end is not None:
                yield running.pop(fact.subscription_id)
    yield from running.values()


def _apply(epoch: Epoch, fact: TruthFact) -> None:
    match fact:
        case accounts.ListChanged():
            epoch.lists.append((fact.at, fact.generators))
        case accounts.Suspended():
            epoch.pauses.append((fact.at, None))
        case accounts.Resumed() if epoch.pauses:
            epoch.pauses[-1] = (epoch.pauses[-1][0], fact.at)
        case accounts.Ended():
            epoch.end, epoch.end_reason = fact.at, "ended"
        case _:
            pass
