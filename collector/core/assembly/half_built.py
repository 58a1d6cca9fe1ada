"""What reassembly keeps of a message while it is built, and of segments set aside.

Does not: decide what to keep or for how long (``reassembly``).
"""

from __future__ import annotations

from typing import Final

from collector.core.assembly.segments import Key, SegmentReceived

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


class Aside:
    """Segments that equal those of a finished message: its duplicates, or the next message."""

    __slots__ = ("arrival", "parts")

    def __init__(self, arrival: int) -> None:
        self.arrival = arrival
        """Of the first one."""
        self.parts: dict[int, SegmentReceived] = {}
        """Segment number -> segment."""

    @property
    def weight(self) -> int:
        """Octets charged against ``max_octets``."""
        return sum(len(part.payload) + OVERHEAD for part in self.parts.values())
