"""One run of Message IDs as it was seen: steps, holes, repetitions, restarts.

Does: follow the ids of one counter, modulo 2^32. Does not: decide what a counter covers (whoever
keeps several runs compares them), or judge: ``core.numbering.message_ids`` does both for
verdicts, this is for people who look at traffic.

Rules (ours): up to ``JUMP`` ahead is a hole; an id that fills one was overtaken; an id seen before
with the same octets is a repetition; everything else starts the run anew.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

JUMP: Final = 4096
"""Ids ahead that are still taken for a hole; also how many ids are remembered."""
HOLES: Final = 256
"""Holes that can still be filled."""
_MODULUS: Final = 1 << 32


class IdRun:
    """Ids in the order in which they came."""

    __slots__ = (
        "_holes", "_recent", "fine", "first", "messages", "missing", "newest", "odd", "overtaken",
        "repeated", "restarts",
    )  # fmt: skip

    def __init__(self) -> None:
        self.first: int | None = None
        self.newest = 0
        """The one from which the next one is expected."""
        self.messages = 0
        """Ids that came, repetitions included."""
        self.fine = 0
        """Steps of +1."""
        self.odd = 0
        """Other steps, repetitions and overtaken ones left out: holes and restarts."""
        self.missing = 0
        """Ids in holes."""
        self.overtaken = 0
        self.repeated = 0
        self.restarts = 0
        self._holes: list[tuple[int, int]] = []
        """First id and length of each, the oldest first."""
        self._recent: OrderedDict[int, int | None] = OrderedDict()
        """Id -> print of its octets; None while it is half built."""

    def take(self, number: int, stamp: int | None) -> None:
        """An id came; ``stamp`` tells messages apart, None: only a part of it is here."""
        known = number in self._recent
        before = self._recent.get(number)
        if known and (stamp is None or before is None):
            self._recent[number] = before if stamp is None else stamp
            self.messages += before is None and stamp is not None
            return
        self.messages += stamp is not None
        if known and before == stamp:
            self.repeated += 1
            return
        self._step(number)
        self._recent[number] = stamp
        self._recent.move_to_end(number)
        if len(self._recent) > JUMP:
            self._recent.popitem(last=False)

    def _step(self, number: int) -> None:
        if self.first is None:
            self.first = self.newest = number
            return
        ahead = (number - self.newest) % _MODULUS
        if ahead == 1:
            self.fine += 1
        elif 1 < ahead <= JUMP:
            self.odd += 1
            self.missing += ahead - 1
            self._holes.append(((self.newest + 1) % _MODULUS, ahead - 1))
            del self._holes[:-HOLES]
        elif self._fill(number):
            return
        else:
            self.odd += 1
            self.restarts += 1
            self._holes.clear()
        self.newest = number

    def _fill(self, number: int) -> bool:
        for place, (start, length) in enumerate(self._holes):
            before = (number - start) % _MODULUS
            if before < length:
                rest = (number + 1) % _MODULUS, length - before - 1
                self._holes[place : place + 1] = [
                    hole for hole in ((start, before), rest) if hole[1]
                ]
                self.missing -= 1
                self.overtaken += 1
                return True
        return False
