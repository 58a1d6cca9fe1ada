"""Period index, and the arcs of a period in which record times and arrivals fall.

Does: arithmetic on plain numbers. Does not: know messages.
Rules: docs/verdicts.md, "Arcs". Offsets are ns from nominal(n) = offset + n x period; the
index counts from 1970, so that it survives re-establishment, restart and replay.
"""

from __future__ import annotations

from typing import NamedTuple


class Arc(NamedTuple):
    """From the earliest to the latest offset from nominal, ns."""

    start: int
    end: int


def nominal(offset: int, period: int, index: int) -> int:
    """The tick of period ``index``."""
    return offset + index * period


def nearest(offset: int, period: int, time: int) -> int:
    """Index of the tick nearest to ``time``; half way belongs to the later one."""
    return (time - offset + period // 2) // period


def rounded(distance: int, period: int) -> int:
    """``distance`` in whole periods, rounded; half way goes up."""
    return (distance + period // 2) // period


def slip(middle: int, period: int) -> int:
    """+1 when an arc drifted so late that it belongs a period on, -1 when so early, else 0."""
    if 8 * middle > 5 * period:
        return 1
    return -1 if 8 * middle < -5 * period else 0


def indexes_meeting(arc: Arc, offset: int, period: int, start: int, end: int, width: int) -> range:
    """Periods whose arc, widened by ``width`` on both sides, meets [start, end]."""
    first = -((offset + arc.end + width - start) // period)
    last = (end - offset - arc.start + width) // period
    return range(first, last + 1)
