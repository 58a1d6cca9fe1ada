"""Numbering: the Message IDs and sequence numbers of one publisher process.

Does: a run of each for every destination, for a receiver that gets half of the messages would see
the other half as lost (udp-notif-26 §3.2). Does not: make messages.

Rules: Message IDs start at random for each life of the process and count on by one, modulo 2^32;
sequence numbers start at 1 and wrap to 1 here, so that 0 is never seen (notif-envelope §3.2).
"""

from __future__ import annotations

import random

from publisher_sim.channel import Destination

_UINT32 = 2**32


class Numbers:
    """The numbers of what goes to one destination."""

    def __init__(self, seed: int, run: str) -> None:
        self.run = run
        """Names the process and the destination, for the truth."""
        self.message_id = random.Random(f"{seed}/{run}").randrange(_UINT32)
        """Of the next message."""
        self._sequence_number = 0

    def used(self) -> None:
        """The Message ID is taken."""
        self.message_id = (self.message_id + 1) % _UINT32

    def next_sequence_number(self) -> int:
        """Take one."""
        self._sequence_number = self._sequence_number % (_UINT32 - 1) + 1
        return self._sequence_number


class Numbering:
    """All destinations of one publisher process."""

    def __init__(self, seed: int, run: str) -> None:
        """``run``: this life of the process; the first destination has its name, further ones
        ``run+1``, ``run+2``, ..."""
        self._seed = seed
        self._run = run
        self._known: dict[tuple[str, str, int], Numbers] = {}

    def of(self, destination: Destination) -> Numbers:
        """Those of one destination."""
        key = (destination.transport, destination.address, destination.port)
        if key not in self._known:
            run = f"{self._run}+{len(self._known)}" if self._known else self._run
            self._known[key] = Numbers(self._seed, run)
        return self._known[key]
