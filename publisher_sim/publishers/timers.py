"""Timers: one heap for everybody in this process who waits for an instant of its device's clock.

Does: wake each at its time, the earliest first, and measure how late that was. Does not: know what
is due. Rules: an alarm is set to one instant, a new one replaces it; nobody is woken from within
``set``; after ``SLICE`` seconds of waking others the event loop gets its turn, so that
sessions are read while thousands of publishers send.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable

SLICE = 0.02
"""Seconds; ours."""


def now() -> int:
    """ns since 1970 by the machine's clock, which all processes of a device share."""
    return time.time_ns()


class Clock:
    """The clock of one device, and its alarms."""

    def __init__(self, timers: Timers, shift: int = 0) -> None:
        """``shift``: how far it is ahead of the machine's, ns, either sign."""
        self._timers = timers
        self._shift = shift

    def now(self) -> int:
        """ns since 1970."""
        return now() + self._shift

    def alarm(self, wake: Callable[[], None]) -> Alarm:
        """An alarm that is not set."""
        return Alarm(self._timers, self._shift, wake)


class Alarm:
    """Wakes somebody."""

    __slots__ = ("_shift", "_timers", "_wake", "due")

    def __init__(self, timers: Timers, shift: int, wake: Callable[[], None]) -> None:
        self._timers = timers
        self._shift = shift
        self._wake = wake
        self.due: int | None = None
        """When, by the machine's clock; None: not at all."""

    def set(self, at: int | None) -> None:
        """Ring then instead; at once when it has passed, not at all with None.

        Args:
            at: ns since 1970 by the device's clock.
        """
        due = None if at is None else at - self._shift
        if due != self.due:
            self.due = due
            if due is not None:
                self._timers.add(due, self)

    def ring(self) -> None:
        """It is time; for ``Timers`` alone."""
        self.due = None
        self._wake()


class Timers:
    """The heap; used in one event loop."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Alarm]] = []
        """(when, order, whose); one whose ``due`` is another by now is passed over."""
        self._order = 0
        self._handle: asyncio.TimerHandle | None = None
        self._armed: int | None = None
        """What ``_handle`` waits for."""
        self._many = 1024
        self.woken = 0
        """How many were woken."""
        self._latest = 0

    def clock(self, shift: int = 0) -> Clock:
        """The clock of a device, ``shift`` ns ahead of the machine's."""
        return Clock(self, shift)

    def take_latest(self) -> int:
        """By how much the latest was woken too late since the last call, ns."""
        latest, self._latest = self._latest, 0
        return latest

    def add(self, due: int, who: Alarm) -> None:
        """For ``Alarm`` alone."""
        self._order += 1
        heapq.heappush(self._heap, (due, self._order, who))
        if len(self._heap) > self._many:
            self._heap = [entry for entry in self._heap if entry[2].due == entry[0]]
            heapq.heapify(self._heap)
            self._many = 1024 + 2 * len(self._heap)
        if self._armed is None or due < self._armed:
            self._arm()

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed = self._heap[0][0]
        wait = max(0.0, (self._armed - now()) / 1e9)
        self._handle = asyncio.get_running_loop().call_later(wait, self._wake)

    def _wake(self) -> None:
        self._handle = None
        self._armed = 0  # nobody needs to arm while we are at it
        try:
            self._wake_due(time.monotonic() + SLICE)
        finally:
            self._armed = None
            if self._heap:
                self._arm()

    def _wake_due(self, until: float) -> None:
        present = now()
        while self._heap and self._heap[0][0] <= present:
            due, _, who = heapq.heappop(self._heap)
            if who.due != due:
                continue
            self.woken += 1
            self._latest = max(self._latest, present - due)
            who.ring()
            if time.monotonic() >= until:
                return
            present = now()
