"""What reassembly keeps of a message: while it is built, and for a while after it was delivered.

Does not: decide what to keep or for how long (``reassembly``).
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

from collector.core.segments import Key, SegmentReceived

OVERHEAD: Final = 512
"""Octets that a segment is charged beside its payload: options and the objects around it."""


class Building:
    """One generation of a message, or (``refused`` set) the memory that its key is refused."""

    __slots__ = ("first_arrival", "form", "key", "octets", "opened", "parts", "refused", "total")

    def __init__(self, key: Key, form: int, opened: int) -> None:
        self.key = key
        self.form = form
        self.opened = opened
        """When the window began to run; later than ``first_arrival`` if segments were set aside."""
        self.first_arrival = opened
        self.parts: dict[int, SegmentReceived] = {}
        """Segment number -> segment."""
        self.total: int | None = None
        self.octets = 0
        self.refused = ""
        """Reason under which further segments are counted; empty while building."""

    @property
    def weight(self) -> int:
        """Octets charged against ``max_octets``."""
        return self.octets + len(self.parts) * OVERHEAD

    def put(self, segment: SegmentReceived) -> None:
        """Add a segment that is accepted."""
        self.parts[segment.number] = segment
        self.octets += len(segment.payload)
        if segment.last:
            self.total = segment.number + 1

    def accepts(self, segment: SegmentReceived) -> bool:
        """True when ``segment`` is new here and nothing there contradicts it."""
        if segment.form != self.form or segment.number in self.parts:
            return False
        if self.total is not None:
            return not segment.last and segment.number < self.total
        return not segment.last or all(number < segment.number for number in self.parts)


class Finished:
    """A message that was delivered: enough to know its segments again."""

    __slots__ = ("aside", "aside_arrival", "expires", "prints")

    def __init__(self, prints: dict[int, int], expires: int) -> None:
        self.prints = prints
        """Segment number -> hash of the segment."""
        self.expires = expires
        self.aside: dict[int, SegmentReceived] = {}
        """Segment number -> segment that came again."""
        self.aside_arrival = 0
        """Arrival of the first one set aside."""

    def knows(self, segment: SegmentReceived) -> bool:
        """Was it a part of the message?"""
        known = self.prints.get(segment.number)
        return known == fingerprint(segment.form, segment.last, segment.options, segment.payload)


def fingerprint(form: int, last: bool, options: bytes, payload: bytes) -> int:
    """What tells a segment from another one of the same number, in one number.

    Whoever makes up two that look the same only has the second one taken for a duplicate.
    """
    return hash((form, last, options, len(payload), crc32(payload)))
