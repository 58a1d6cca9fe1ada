"""No terms at all: the length of the period is learned from the data.

Does: find burst starts in the record times of each originator and snap their distance.
Does not: keep the messages (``state.Unknown.held``).
Rules: docs/verdicts.md, "No terms at all". A burst starts at a record whose distance to the
originator's previous one is more than half the largest seen. Ours, from captures of real routers:
the largest shrinks by an eighth with each distance between a quarter and half of it, else one lost
burst would make every later distance half of it; and distances that agree cover at least
``LEAST``, since one card writes the records of one burst a second apart.
"""

from __future__ import annotations

from collector.core.memory.state_parts import Unknown
from collector.model import SECOND

PERIODS = tuple(seconds * SECOND for seconds in (1, 5, 10, 30, 60, 300, 900))
TOLERANCE = 20
"""Within a twentieth (5 %) of a length."""
IN_A_ROW = 3
LEAST = 10 * SECOND
ORIGINATORS = 16


def snapped(distance: int) -> int | None:
    """The usual length that a distance is within 5 % of."""
    for period in PERIODS:
        if abs(distance - period) * TOLERANCE <= period:
            return period
    return None


def observe(unknown: Unknown, generator: str, time: int) -> int | None:
    """Follow one record; returns the period once enough distances in a row agree."""
    before = unknown.last_time.get(generator)
    if before is None:
        if len(unknown.last_time) < ORIGINATORS:
            unknown.last_time[generator] = unknown.last_start[generator] = time
        return None
    unknown.last_time[generator] = time
    distance = time - before
    largest = unknown.largest[generator] = max(unknown.largest.get(generator, 0), distance)
    if 2 * distance <= largest:
        if 4 * distance > largest:
            unknown.largest[generator] = largest - largest // 8
        return None
    gap = snapped(time - unknown.last_start[generator])
    unknown.last_start[generator] = time
    same = gap is not None and gap == unknown.gap.get(generator)
    unknown.agreed[generator] = unknown.agreed.get(generator, 0) + 1 if same else 1
    if gap is None:
        unknown.gap.pop(generator, None)
        return None
    unknown.gap[generator] = gap
    agreed = unknown.agreed[generator]
    return gap if agreed >= IN_A_ROW and agreed * gap >= LEAST else None
