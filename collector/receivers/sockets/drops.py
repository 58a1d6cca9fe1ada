"""What the kernel dropped at a socket, until the record that says so has its turn.

Does: turn a counter that is looked at now and then into windows of about a second. Does not: read
the counter, or a clock.

Rules: a receiver that lags reads what came seconds ago, while the counter speaks of now. So the
record of a window waits until everything that came before its end was read: else it would stand
ahead of older messages, which would all look as late as we were. The first one is told at once, so
that it is known before the deadlines of what it hit; then there is one a second at most, since each
has every open period looked at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from collector.model import (
    SECOND,
    CollectorTime,
    DropsNote,
    ReceivedBatch,
    RecordKind,
    Transport,
)

TOGETHER: Final = SECOND
"""ns for which drops make one window."""
MAX_WAITING: Final = 64
"""Windows that wait at most; then the newest one grows."""
_UINT32: Final = 1 << 32


class DropWindow(NamedTuple):
    """Between two times so many datagrams were dropped."""

    since: CollectorTime
    until: CollectorTime
    datagrams: int


def records_of(windows: Iterable[DropWindow], read: int) -> ReceivedBatch:
    """A DROPS record of each window, at the time ``read`` (CollectorTime)."""
    batch = ReceivedBatch()
    for window in windows:
        payload = msgspec.json.encode(DropsNote(window.since, window.datagrams, "kernel"))
        batch.append(read, RecordKind.DROPS, payload, transport=Transport.UDP_NOTIF)
    return batch


class KernelDrops:
    """The drops of one socket."""

    def __init__(self, counted: int, now: int) -> None:
        """``counted``: what the kernel's counter says at ``now``, uint32."""
        self.total = 0
        """Dropped since then."""
        self._counted = counted
        self._looked = now
        self._told: int | None = None
        """When a window was given away last."""
        self._waiting: deque[DropWindow] = deque()

    def look(self, counted: int, now: int) -> None:
        """The counter stands there now; to be called often."""
        count = (counted - self._counted) % _UINT32
        if count:
            self.total += count
            self._counted = counted
            since = CollectorTime(self._looked)
            newest = self._waiting[-1] if self._waiting else None
            if newest and (now - newest.since < TOGETHER or len(self._waiting) >= MAX_WAITING):
                since, count = newest.since, newest.datagrams + count
                self._waiting.pop()
            self._waiting.append(DropWindow(since, CollectorTime(now), count))
        self._looked = now

    def due(self, read: int, now: int) -> list[DropWindow]:
        """Windows to be recorded; each is given once.

        Args:
            read: everything that came before this time was read.
            now: of the last look.
        """
        if self._told is not None and now - self._told < TOGETHER:
            return []
        return self.rest(read, now)

    def rest(self, read: int, now: int) -> list[DropWindow]:
        """As ``due``, at the end: nobody comes back in a second."""
        found = []
        while self._waiting and self._waiting[0].until <= read:
            found.append(self._waiting.popleft())
            self._told = now
        return found
