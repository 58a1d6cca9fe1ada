"""Outgoing: the units of a publisher that were made and have not left, in the order they leave in.

Does not: send, or decide when one is due (``faults`` did).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from msgspec import Struct

from publisher_sim.agent.faults import Sending
from publisher_sim.cards.channel import Destination
from publisher_sim.truth.accounts import Produced, Recorded


class Leaving(Struct, frozen=True, gc=False):
    """A message some units of which have not left."""

    subscription_id: int
    destination: Destination
    made: Produced | Recorded | None
    """None: a copy for a further destination, of which nothing is accounted for."""


class Outgoing:
    """Of one publisher process."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Sending, Leaving]] = []
        """(due, order, unit, its message)."""
        self._order = 0

    def __bool__(self) -> bool:
        return bool(self._heap)

    @property
    def next_due(self) -> int | None:
        """When the next unit leaves, ns since 1970; None while there is none."""
        return self._heap[0][0] if self._heap else None

    def put(self, message: Leaving, sendings: Iterable[Sending]) -> None:
        """Units of a message; those that are due at once leave in the order of their coming."""
        for sending in sendings:
            self._order += 1
            heapq.heappush(self._heap, (sending.due, self._order, sending, message))

    def take(self, now: int) -> Iterator[tuple[Sending, Leaving]]:
        """All that is due."""
        while self._heap and self._heap[0][0] <= now:
            _, _, sending, message = heapq.heappop(self._heap)
            yield sending, message

    def forget(self, subscription_id: int) -> bool:
        """Nothing of a subscription leaves any more; whether something would have."""
        kept = [entry for entry in self._heap if entry[3].subscription_id != subscription_id]
        some = len(kept) < len(self._heap)
        if some:
            self._heap = kept
            heapq.heapify(kept)
        return some
