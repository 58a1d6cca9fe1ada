"""Flaps: when something of the datastore is away for a while, and until when.

Does not: keep state. Time is cut into slots from 1970 on; in each slot every flap is away once, for
a sixteenth to five sixteenths of the slot, from an instant that follows from seed, name and slot
alone. So all processes of a device and all runs agree, and nobody has to be told.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from msgspec import Struct

_GRAIN = 1_000_000
"""Instants are whole milliseconds, as most clocks of devices show them."""


class Flap(Struct, frozen=True):
    """One thing that comes and goes."""

    name: str
    slot: int
    """ns; 0: it never goes."""

    def is_away(self, at: int) -> bool:
        """At that instant, ns since 1970?"""
        if not self.slot:
            return False
        begin, end = self._away(at // self.slot)
        return begin <= at < end

    def since(self, at: int) -> int | None:
        """The last change up to ``at``; None when it never changes."""
        if not self.slot:
            return None
        slot = at // self.slot
        return max(one for near in (slot - 1, slot) for one in self._away(near) if one <= at)

    def next_change(self, after: int) -> int | None:
        """The first change later than ``after``; None when it never changes."""
        return next((one for one in self._changes(after) if one > after), None)

    def _changes(self, after: int) -> Iterator[int]:
        if self.slot:
            slot = after // self.slot
            yield from self._away(slot)
            yield from self._away(slot + 1)

    def _away(self, slot: int) -> tuple[int, int]:
        """From when to when, both within the slot."""
        number = zlib.crc32(f"{self.name}/{slot}".encode())
        waits = number % 65_536 * self.slot // 131_072
        lasts = self.slot // 16 + number // 65_536 * self.slot // 262_144
        begin = slot * self.slot + waits // _GRAIN * _GRAIN
        return begin, begin + max(_GRAIN, lasts // _GRAIN * _GRAIN)
