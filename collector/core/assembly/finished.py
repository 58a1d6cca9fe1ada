"""Messages that reassembly has delivered: kept for a while so that their segments are known again.

Does: remember them, the oldest first, within bounds of time, number and octets. Does not: decide
what a segment that is known means (``reassembly``).

Rules: a segment is known by a hash. Of messages that came whole in one batch the batch's octets are
kept instead, and hashes made when one of those keys is seen again, which is rare. When more than
``max_remembered_octets`` are kept the oldest batch is let go of for the hashes of its messages,
four octets a segment: so it is a matter of time and memory only, never of what is decided.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Iterable
from itertools import pairwise, repeat
from zlib import crc32

from collector.core.assembly.segments import Key, ReassemblyLimits, Runs, SegmentReceived
from collector.model import Octets


class _Together:
    """Messages that were finished together; each has a place."""

    __slots__ = ("end", "expires", "first", "left", "octets")

    def __init__(self, expires: list[int]) -> None:
        self.expires = expires
        """When the message at each place is to be forgotten."""
        self.first = self.end = 0
        """Those remembered lie between these places."""
        self.left = 0
        """How many they are."""
        self.octets = 0
        """Memory that is kept for them, hashes not counted."""


class FinishedOne(_Together):
    """A message whose segments came one by one."""

    __slots__ = ("_prints",)

    def __init__(self, expires: int, parts: Iterable[SegmentReceived]) -> None:
        super().__init__([expires])
        self.end = self.left = 1
        self._prints = {part.number: _fingerprint(part) for part in parts}
        """Segment number -> hash."""

    def segments(self, place: int) -> int:
        """How many it had."""
        return len(self._prints)

    def knows(self, place: int, segment: SegmentReceived) -> bool:
        """Was it a part of it?"""
        return self._prints.get(segment.number) == _fingerprint(segment)


class FinishedRuns(_Together):
    """Messages that came whole in a batch."""

    __slots__ = ("_base", "_checks", "_ends", "_forms", "_payload", "_starts", "runs")

    def __init__(self, runs: Runs, remember: int) -> None:
        """``remember``: ns that a message is remembered. None of them is yet."""
        super().__init__([runs.arrivals[end - 1] + remember for end in runs.ends])
        self.octets = runs.payload.memory
        self.runs: Runs | None = runs
        """The places are those in it; None: only hashes are kept."""
        self._forms, self._starts, self._ends = runs.forms, runs.starts, runs.ends
        self._payload = runs.payload
        self._checks = array("I")
        """Of each row from ``_base`` on, once they are kept instead of octets."""
        self._base = 0

    def segments(self, place: int) -> int:
        """How many a message had."""
        return self._ends[place] - self._starts[place]

    def knows(self, place: int, segment: SegmentReceived) -> bool:
        """Was it a part of that message?"""
        row, end = self._starts[place] + segment.number, self._ends[place]
        return (
            row < end
            and segment.last == (row == end - 1)
            and segment.form == self._forms[place]
            and not segment.options
            and len(segment.payload) == self._payload.offsets[row + 1] - self._payload.offsets[row]
            and crc32(segment.payload) == self._check(row)
        )

    def _check(self, row: int) -> int:
        boiled_down = self.runs is None
        return self._checks[row - self._base] if boiled_down else crc32(self._payload[row])

    def boil_down(self) -> None:
        """Keep hashes instead of octets."""
        base, offsets = self._starts[self.first], self._payload.offsets
        checks = array("I", bytes(4 * (self._ends[self.end - 1] - base)))
        with memoryview(self._payload.data) as data:
            for place in range(self.first, self.end):
                start, end = self._starts[place], self._ends[place]
                borders = pairwise(offsets[start : end + 1])
                checks[start - base : end - base] = array(
                    "I", [crc32(data[begin:behind]) for begin, behind in borders]
                )
        self._payload = Octets(b"", offsets)
        self.runs, self._checks, self._base = None, checks, base


Finished = FinishedOne | FinishedRuns


class FinishedMessages:
    """All that are remembered."""

    def __init__(self, limits: ReassemblyLimits, remember: int) -> None:
        """``remember``: ns that a message is remembered."""
        self._limits = limits
        self._remember = remember
        # OrderedDict: the oldest of a plain dict costs a walk over all that was deleted before it
        self.messages: OrderedDict[Key, tuple[Finished, int]] = OrderedDict()
        """Oldest first; with the place of the message. To be read only."""
        self._kept: OrderedDict[FinishedRuns, None] = OrderedDict()
        """Those with octets, oldest first."""
        self._octets = 0
        self._newest: FinishedRuns | None = None
        """What runs were added to last; the next ones may be of the same batch."""

    @property
    def octets(self) -> int:
        """Memory that is kept, hashes not counted."""
        return self._octets

    def add(self, key: Key, parts: Iterable[SegmentReceived], now: int) -> list[Key]:
        """Remember a message; returns the keys of others that had to be forgotten."""
        if not self._remember:
            return []
        if (before := self.messages.pop(key, None)) is not None:
            before[0].left -= 1
            if not before[0].left:
                self._let_go(before[0])
        self.messages[key] = FinishedOne(now + self._remember, parts), 0
        return self._make_room()

    def add_runs(self, runs: Runs, start: int, end: int) -> list[Key]:
        """Remember the messages from place ``start`` up to ``end``, of which no key is known.

        Returns the keys of others that are forgotten.
        """
        if not self._remember:
            return []
        finished = self._newest
        if finished is None or finished.runs is not runs:
            finished = self._newest = self._keep(runs)
            finished.first = start
        finished.end = end
        finished.left += end - start
        places = zip(repeat(finished, end - start), range(start, end), strict=True)
        self.messages.update(zip(runs.keys[start:end], places, strict=True))
        forgotten = self.forget(finished.expires[end - 1] - self._remember) + self._make_room()
        while self._octets > self._limits.max_remembered_octets:
            oldest, _ = self._kept.popitem(last=False)
            self._octets -= oldest.octets
            oldest.boil_down()
        return forgotten

    def _keep(self, runs: Runs) -> FinishedRuns:
        finished = FinishedRuns(runs, self._remember)
        self._kept[finished] = None
        self._octets += finished.octets
        return finished

    def forget(self, now: int) -> list[Key]:
        """Forget what is to be forgotten by now; returns the keys."""
        forgotten: list[Key] = []
        while self.messages:
            finished, place = next(iter(self.messages.values()))
            if now < finished.expires[place]:
                break
            forgotten += self._forget_oldest(1)
        return forgotten

    def clear(self) -> None:
        """Forget everything."""
        self.messages.clear()
        self._kept.clear()
        self._octets, self._newest = 0, None

    def _make_room(self) -> list[Key]:
        return self._forget_oldest(len(self.messages) - self._limits.max_half_built)

    def _forget_oldest(self, many: int) -> list[Key]:
        messages, forgotten = self.messages, []
        for _ in range(many):
            key, (finished, place) = messages.popitem(last=False)
            finished.first = place + 1
            finished.left -= 1
            if not finished.left:
                self._let_go(finished)
            forgotten.append(key)
        return forgotten

    def _let_go(self, finished: Finished) -> None:
        """None of its messages is left."""
        if isinstance(finished, FinishedRuns) and finished in self._kept:
            del self._kept[finished]
            self._octets -= finished.octets
            if finished is self._newest:
                self._newest = None


def _fingerprint(segment: SegmentReceived) -> int:
    """What tells a segment from another one of the same number, in one number.

    Whoever makes up two that look the same only has the second one taken for a duplicate.
    """
    payload = segment.payload
    return hash((segment.form, segment.last, segment.options, len(payload), crc32(payload)))
