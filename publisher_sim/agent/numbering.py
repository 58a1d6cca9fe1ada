"""Numbering: the Message IDs and sequence numbers of one publisher process.

Does: a run of each for every destination, for a receiver that gets half of the messages would see
the other half as lost (udp-notif-26 §3.2). Does not: make messages.

Rules: Message IDs start at random for each life of the process and count on by one, modulo 2^32;
sequence numbers start at 1 and wrap to 1 here, so that 0 is never seen (notif-envelope §3.2).
A ``Behaviour`` may have other beginnings, and runs for each subscription.
"""

from __future__ import annotations

import random
from typing import Any

from publisher_sim.cards.channel import Destination
from publisher_sim.scenario import Behaviour

_UINT32 = 2**32
AS_DRAFTED = Behaviour()
MAX_RUNS = 4096
"""Runs of numbers that one process keeps; ours."""


class Numbers:
    """The numbers of what goes to one destination."""

    def __init__(self, seed: int, run: str, behaviour: Behaviour) -> None:
        self.run = run
        """Names the process and the destination, for the truth."""
        first = behaviour.first_message_id
        self.message_id = (
            random.Random(f"{seed}/{run}").randrange(_UINT32) if first is None else first
        )
        """Of the next message."""
        self._first = behaviour.first_sequence_number
        self._by_subscription = behaviour.sequence_per == "subscription"
        self._next: dict[int, int] = {}
        """subscription id, or 0 for all -> its next sequence number."""

    def used(self) -> None:
        """The Message ID is taken."""
        self.message_id = (self.message_id + 1) % _UINT32

    def next_sequence_number(self, subscription_id: int) -> int:
        """Take one."""
        key = subscription_id if self._by_subscription else 0
        number = self._next.get(key, self._first)
        self._next[key] = number % (_UINT32 - 1) + 1
        _bound(self._next)
        return number


class Numbering:
    """All destinations of one publisher process."""

    def __init__(self, seed: int, run: str, behaviour: Behaviour = AS_DRAFTED) -> None:
        """``run``: this life of the process; the first destination has its name, further ones
        ``run+1``, ``run+2``, ...; with a run for each subscription ``run+ID``, ``run+ID.1``, ..."""
        self._seed = seed
        self._run = run
        self._behaviour = behaviour
        self._known: dict[tuple[str, str, int, int], Numbers] = {}
        """transport, address, port, and subscription id where each has its own (else 0)."""

    def of(self, destination: Destination, subscription_id: int) -> Numbers:
        """Those of what a subscription sends to one destination."""
        own = subscription_id if self._behaviour.ids_per == "subscription" else 0
        key = (destination.transport, destination.address, destination.port, own)
        if key not in self._known:
            others = sum(known[3] == own for known in self._known)
            names = [str(one) for one in (own, others) if one]
            run = f"{self._run}+{'.'.join(names)}" if names else self._run
            self._known[key] = Numbers(self._seed, run, self._behaviour)
            _bound(self._known)
        return self._known[key]


def _bound(table: dict[Any, Any]) -> None:
    """Forget the oldest; a subscription that ended may be suspended only, so nothing says which."""
    if len(table) > MAX_RUNS:
        del table[next(iter(table))]
