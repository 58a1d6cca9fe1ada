"""Messages that reassembly has delivered: kept for a while so that their segments are known again.

Does: remember them, the oldest first, within bounds of time, number and octets. Does not: decide
what a segment that is known means (``reassembly``).

Rules: a segment is known by a hash. Of messages that came whole in one batch the batch's octets are
kept instead, and hashes made when one of those keys is seen again, which is rare. When more than
``max_remembered_octets`` are kept the oldest batch is let go of for the hashes of its messages: so
it is a matter of time and memory only, never of what is decided.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from itertools import repeat
from zlib import crc32

from collector.core.segments import Key, ReassemblyLimits, Runs, SegmentReceived


class Finished:
    """Messages that were finished together; each has a place."""

    __slots__ = ("_prints", "end", "expires", "first", "left", "octets", "runs")

    def __init__(self, expires: list[int], prints: dict[int, dict[int, int]], runs: Runs | None):
        """Either ``prints`` (see ``prints``) of all messages, or ``runs`` to make them from."""
        self._prints = prints
        self.runs = runs
        """The places are those in it; None: only hashes are kept."""
        self.expires = expires
        """When the message at each place is to be forgotten."""
        self.first = self.end = 0
        """Those remembered lie between these places."""
        self.left = 0
        """How many they are."""
        self.octets = 0 if runs is None else runs.payload.memory
        """Memory that is kept for them, hashes not counted."""

    def prints(self, place: int) -> dict[int, int]:
        """Segment number -> hash of the segment."""
        found = self._prints.get(place)
        if found is None and self.runs is not None:
            found = self._prints[place] = _prints(self.runs, place)
        return found or {}

    def knows(self, place: int, segment: SegmentReceived) -> bool:
        """Was it a part of that message?"""
        known = self.prints(place).get(segment.number)
        return known == fingerprint(segment.form, segment.last, segment.options, segment.payload)

    def boil_down(self) -> None:
        """Keep hashes instead of octets."""
        for place in range(self.first, self.end):
            self.prints(place)
        self.runs = None


class FinishedMessages:
    """All that are remembered."""

    def __init__(self, limits: ReassemblyLimits, remember: int) -> None:
        """``remember``: ns that a message is remembered."""
        self._limits = limits
        self._remember = remember
        # OrderedDict: the oldest of a plain dict costs a walk over all that was deleted before it
        self.messages: OrderedDict[Key, tuple[Finished, int]] = OrderedDict()
        """Oldest first; with the place of the message. To be read only."""
        self._kept: OrderedDict[Finished, None] = OrderedDict()
        """Those with octets, oldest first."""
        self._octets = 0
        self._newest: Finished | None = None
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
        prints = {
            part.number: fingerprint(part.form, part.last, part.options, part.payload)
            for part in parts
        }
        finished = Finished([now + self._remember], {0: prints}, None)
        finished.left = 1
        self.messages[key] = finished, 0
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

    def _keep(self, runs: Runs) -> Finished:
        expires = [runs.arrivals[end - 1] + self._remember for end in runs.ends]
        finished = Finished(expires, {}, runs)
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
        if finished in self._kept:
            del self._kept[finished]
            self._octets -= finished.octets
            if finished is self._newest:
                self._newest = None


def fingerprint(form: int, last: bool, options: bytes, payload: bytes) -> int:
    """What tells a segment from another one of the same number, in one number.

    Whoever makes up two that look the same only has the second one taken for a duplicate.
    """
    return hash((form, last, options, len(payload), crc32(payload)))


def _prints(runs: Runs, place: int) -> dict[int, int]:
    form, start, end = runs.forms[place], runs.starts[place], runs.ends[place]
    return {
        row - start: fingerprint(form, row == end - 1, b"", runs.payload[row])
        for row in range(start, end)
    }
