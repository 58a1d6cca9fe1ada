"""The master's part of the timeline: which card goes, comes or gives nodes away, and when.

Does not: act. What touches messages is the publishers' own part (``faults``). Periods count from
the first tick of the device's first subscription. A deed for period n is done a quarter period
before its tick: everything of period n - 1 has left by then, nothing of period n has, so the deed
falls between them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from publisher_sim.scenario import Fault

What = Literal[
    "stop", "start", "move", "move_back", "suspend", "resume", "terminate", "overload", "relief",
    "cut", "restart", "finish",
]  # fmt: skip


class Deed(Struct, frozen=True):
    """Something that is done once."""

    what: What
    fault: Fault | None = None
    """None for ``finish``: the run is over."""


_DEEDS: dict[str, tuple[What, What | None]] = {
    "kill": ("stop", "start"),
    "pull": ("stop", "start"),
    "move": ("move", "move_back"),
    "suspend": ("suspend", "resume"),
    "terminate": ("terminate", None),
    "overload": ("overload", "relief"),
    "cut": ("cut", None),
    "restart": ("restart", None),
}
"""kind of fault -> (what is done at ``at_period``, what at ``until_period``)."""


class Timeline:
    """Deeds with their periods, waiting for the first subscription to say when those are."""

    def __init__(self, faults: Iterable[Fault], periods: int) -> None:
        self._waiting: list[tuple[int, Deed]] = []
        """(period, deed), next one first."""
        for fault in faults:
            begin, end = _DEEDS.get(fault.kind, (None, None))
            if begin is not None:
                self._waiting.append((fault.at_period, Deed(begin, fault)))
            if end is not None and fault.until is not None:
                self._waiting.append((fault.until, Deed(end, fault)))
        if periods:
            self._waiting.append((periods, Deed("finish")))
        self._waiting.sort(key=lambda entry: entry[0])
        self.start: int | None = None
        """Tick 0, ns since 1970; None before the first subscription."""
        self.period = 0

    def begin(self, first_tick: int, period: int) -> None:
        """The first subscription is there; later ones change nothing."""
        if self.start is None:
            self.start, self.period = first_tick, period

    def next_deadline(self) -> int | None:
        """When the next deed is due, ns."""
        if self.start is None or not self._waiting:
            return None
        return self.start + self._waiting[0][0] * self.period - self.period // 4

    def due(self, now: int) -> list[Deed]:
        """The deeds that are due, taken off the list."""
        deeds = []
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            deeds.append(self._waiting.pop(0)[1])
        return deeds
