"""Stamps of a capture -> arrival times that never go back.

Does: repair what stamps of captures do wrong, count it, say where the capturing clock was set back.
Does not: read files, or sort: packets keep the order of the file, which is that of their arrival.

Rules (ours):
* A packet up to ``SLACK`` older than the one before it arrived with that one: network cards with
  several queues do this (``out-of-order``).
* A stamp further back, or more than ``JUMP`` ahead, is judged by the ``LOOK`` packets behind it.
  Where most of them contradict it, it is nonsense (``odd-stamp``). Else the clock was set back: the
  collector's time never goes back, so it goes on from where it was (``clock-set-back``), as that of
  a live run would; or it was silent for long, which nobody has to vouch for up to ``SILENCE``.
* A packet whose stamp is nonsense, or that has none (0, or beyond 2116: ``no-stamp``), arrived with
  the next one that has a time: who seems held up a little is judged by the device's time, who
  seems to come before its time is not believed. In front of all others it is left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from statistics import median_low
from typing import Final

from collector.model import SECOND, ClockNote, CollectorTime
from collector.wire.captures.packets import UdpPacket

SLACK: Final = SECOND
JUMP: Final = 60 * SECOND
SILENCE: Final = 30 * 86_400 * SECOND
LOOK: Final = 8
LATEST: Final = 2**62
"""ns since 1970; times are 64-bit numbers everywhere, with room to add a period."""
NOTES: Final = 100
"""Clock notes that are kept until somebody takes them; a file could be nothing but steps."""


class Chronology:
    """The packets of one capture in file order, with their arrival times."""

    def __init__(self, packets: Iterable[UdpPacket]) -> None:
        self.odd: dict[str, int] = {}
        """Reason word -> packets whose stamp was not taken as it is."""
        self._packets = iter(packets)
        self._ahead: deque[UdpPacket] = deque()
        self._notes: deque[ClockNote] = deque(maxlen=NOTES)
        self._shift = 0
        """ns that are added to stamps since the clock was set back."""

    def take_notes(self) -> list[ClockNote]:
        """Where the capturing clock was set back, since the last call."""
        notes = list(self._notes)
        self._notes.clear()
        return notes

    def __iter__(self) -> Iterator[tuple[int, UdpPacket]]:
        """Arrival (CollectorTime, ns, never decreasing) and packet."""
        last: int | None = None
        while (packet := self._next()) is not None:
            last = self._first(packet) if last is None else self._arrival(packet, last)
            if last is not None:
                yield last, packet

    def _next(self) -> UdpPacket | None:
        return self._ahead.popleft() if self._ahead else next(self._packets, None)

    def _look_ahead(self) -> list[int]:
        """Stamps of the packets to come, those without one left out."""
        self._ahead.extend(islice(self._packets, LOOK - len(self._ahead)))
        return [one.time_ns + self._shift for one in self._ahead if self._has_time(one)]

    def _first(self, packet: UdpPacket) -> int | None:
        """Where time begins: the first stamp, if the next ones do not contradict it."""
        if not self._has_time(packet):
            self._count("no-stamp")
            return None
        stamp, stamps = packet.time_ns, self._look_ahead()
        ahead = all(one < stamp - SLACK for one in stamps)
        behind = all(one > stamp + SILENCE for one in stamps)
        if len(stamps) > 1 and (ahead or behind):
            self._count("odd-stamp")
            middle = median_low(stamps)
            return min(one for one in stamps if abs(one - middle) <= SILENCE)
        return stamp

    def _arrival(self, packet: UdpPacket, last: int) -> int:
        stamp = packet.time_ns + self._shift
        if not self._has_time(packet):
            return self._with_the_next(last, last + SILENCE, "no-stamp")
        if last <= stamp <= last + JUMP:
            return stamp
        if last - SLACK <= stamp < last:
            self._count("out-of-order")
            return last
        return self._after_silence(stamp, last) if stamp > last else self._set_back(stamp, last)

    def _after_silence(self, stamp: int, last: int) -> int:
        stamps = self._look_ahead()
        contradict = sum(last - SLACK <= one < stamp - SLACK for one in stamps)
        agree = sum(one >= stamp - SLACK for one in stamps)
        if contradict > agree or (stamp > last + SILENCE and not agree):
            return self._with_the_next(last, stamp - SLACK, "odd-stamp")
        return stamp

    def _set_back(self, stamp: int, last: int) -> int:
        stamps = self._look_ahead()
        going_on = sum(last - SLACK <= one <= last + SILENCE for one in stamps)
        if 2 * going_on >= len(stamps):
            return self._with_the_next(last, last + SILENCE, "odd-stamp")
        self._count("clock-set-back")
        self._shift += last - stamp
        self._notes.append(ClockNote(CollectorTime(last), stamp - last))
        return last

    def _with_the_next(self, last: int, latest: int, word: str) -> int:
        """Arrival of a packet whose stamp says nothing."""
        self._count(word)
        stamps = [one for one in self._look_ahead() if last <= one <= latest]
        return stamps[0] if stamps else last

    def _count(self, word: str) -> None:
        self.odd[word] = self.odd.get(word, 0) + 1

    def _has_time(self, packet: UdpPacket) -> bool:
        return packet.time_ns > 0 and packet.time_ns + self._shift <= LATEST
