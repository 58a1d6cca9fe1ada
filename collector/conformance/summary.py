"""What came of each originator, and the ids of each counter: the summary of ``collector decode``.

Does: count. Does not: judge or print. Every table is bounded; what falls off is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final
from zlib import crc32

from msgspec import Struct

from collector.conformance.id_runs import IdRun
from collector.model import (
    Notification,
    Observed,
    ObservedHalfBuilt,
    ObservedMessage,
    ObservedRefusal,
)

ORIGINATORS: Final = 4096
COUNTERS: Final = 4096
"""Rows that are kept (ours)."""


class OriginatorCount:
    """One originator of one subscription."""

    def __init__(self, device: str, subscription_id: int | None, generator: str) -> None:
        self.device = device
        self.subscription_id = subscription_id
        self.generator = generator
        """Id of the payload, else that of the header; empty where neither is known."""
        self.messages = 0
        """Notifications: a message may bundle several."""
        self.segmented = 0
        """Messages that came in more than one datagram."""
        self.segments = 0
        """Datagrams of all messages."""
        self.octets = 0
        """Of all payloads."""
        self.kinds: Counter[str] = Counter()
        self.first = 0
        self.last = 0
        """Arrivals, ns."""


class CounterIds(Struct, frozen=True):
    """One run of Message IDs."""

    device: str
    source: str
    publisher_id: int
    subscription_id: int | None
    """The subscription that has a run of its own; None: the run is of the header id."""
    scope: str
    """``header`` or ``subscription``."""
    generators: tuple[str, ...]
    run: IdRun
    half_built: int


class _Counter:
    """The runs of one header id: one for all, and one for each subscription."""

    def __init__(self, device: str, source: str, publisher_id: int) -> None:
        self.device, self.source, self.publisher_id = device, source, publisher_id
        self.whole = IdRun()
        self.parts: dict[int | None, IdRun] = {}
        self.generators: dict[int | None, set[str]] = {}
        self.half_built = 0

    def take(self, message: ObservedMessage, subscription: int | None, generator: str) -> None:
        assert message.message_id is not None
        stamp = crc32(message.payload)
        self.whole.take(message.message_id, stamp)
        if message.said is None:
            return  # nobody knows of which subscription it is
        if subscription in self.parts or len(self.parts) < COUNTERS:
            self.parts.setdefault(subscription, IdRun()).take(message.message_id, stamp)
            names = self.generators.setdefault(subscription, set())
            if len(names) < COUNTERS:
                names.add(generator)

    def rows(self) -> Iterable[CounterIds]:
        """The book with fewer odd steps; the header id's where both have as many."""
        per_part = sum(run.odd for run in self.parts.values())
        if len(self.parts) < 2 or self.whole.odd <= per_part:
            names = set().union(*self.generators.values())
            yield self._row(None, "header", names, self.whole, self.half_built)
            return
        for key, run in self.parts.items():
            yield self._row(key, "subscription", self.generators[key], run, 0)

    def _row(
        self, key: int | None, scope: str, names: set[str], run: IdRun, half_built: int
    ) -> CounterIds:
        generators = tuple(sorted(name for name in names if name))
        return CounterIds(
            self.device, self.source, self.publisher_id, key, scope, generators, run, half_built
        )


def generator_of(message: ObservedMessage) -> str:
    """The originator of a message: the id of the payload, else of the header; may be empty."""
    said = message.said
    if said is not None and said.generator is not None:
        return said.generator
    return "" if message.publisher_id is None else str(message.publisher_id)


class TrafficSummary:
    """Counts all that came."""

    def __init__(self) -> None:
        self.messages = 0
        self.refused: Counter[str] = Counter()
        """Reason word -> datagrams and payloads that were refused."""
        self.half_built = 0
        self.left_out = 0
        """Messages of originators beyond the bound."""
        self._originators: dict[tuple[str, int | None, str], OriginatorCount] = {}
        self._counters: dict[tuple[str, int], _Counter] = {}

    def receive(self, one: Observed) -> None:
        """Take in what came."""
        if isinstance(one, ObservedMessage):
            self._message(one)
        elif isinstance(one, ObservedRefusal):
            self.refused[one.note.reason] += 1
        elif isinstance(one, ObservedHalfBuilt):
            self.half_built += 1
            counter = self._counter(one.origin.device, one.origin.source, one.publisher_id)
            if counter is not None:
                counter.half_built += 1
                counter.whole.take(one.message_id, None)

    def originators(self) -> list[OriginatorCount]:
        """In the order in which they were first heard."""
        return list(self._originators.values())

    def counters(self) -> list[CounterIds]:
        """Runs of ids in the order of their first message."""
        return [row for counter in self._counters.values() for row in counter.rows()]

    def _message(self, one: ObservedMessage) -> None:
        self.messages += 1
        said, origin = one.said, one.origin
        subscription = None if said is None else said.subscription_id
        generator = generator_of(one)
        if one.publisher_id is not None:
            counter = self._counter(origin.device, origin.source, one.publisher_id)
            if counter is not None:
                counter.take(one, subscription, generator)
        if said is None:
            assert one.refused is not None
            self.refused[one.refused.reason] += 1
            return
        self._count(one, said, generator, first=True)
        for other in said.bundled:
            self._count(one, other, other.generator or generator, first=False)

    def _count(
        self, one: ObservedMessage, said: Notification, generator: str, *, first: bool
    ) -> None:
        """One notification; the message itself counts with the first one."""
        key = one.origin.device, said.subscription_id, generator
        row = self._originators.get(key)
        if row is None:
            if len(self._originators) >= ORIGINATORS:
                self.left_out += 1
                return
            row = self._originators[key] = OriginatorCount(*key)
            row.first = one.arrival
        row.last = one.arrival
        row.kinds[said.kind.value] += 1
        row.messages += 1
        if first:
            row.segmented += one.segments > 1
            row.segments += one.segments
            row.octets += len(one.payload)

    def _counter(self, device: str, source: str, publisher_id: int) -> _Counter | None:
        key = source, publisher_id
        found = self._counters.get(key)
        if found is None and len(self._counters) < COUNTERS:
            found = self._counters[key] = _Counter(device, source, publisher_id)
        return found
