"""Which period of its originator a message belongs to, by look-ahead over the whole capture.

Does: fold the record times of one originator of one subscription over the length of its period and
cut where nothing is ever sent; estimate the cadence that a device really keeps (some announce 30 s
and send every 30.3 s). Does not: judge.

Rules: a burst may last for most of a period; the widest pause between bursts, seen over all of
them at once, is the border. Numbers are counts of periods from an originator's first burst.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from publisher_sim.distort.messages import Message, Stream

STEPS = 41
"""Cadences that are tried, from 2 % below the period announced to 2 % above it."""
SPREAD = 0.02
SNAP = 0.002
"""A cadence this near to the period announced is the period."""


def assign(messages: Sequence[Message], periods: Mapping[int, int]) -> dict[Stream, int]:
    """Set ``period`` of every update of a periodic subscription.

    Args:
        messages: of a whole capture, in order of arrival.
        periods: subscription id -> ns.

    Returns:
        stream -> cadence in ns.
    """
    found: dict[Stream, list[Message]] = defaultdict(list)
    for one in messages:
        one.period = None
        if one.update and one.subscription_id in periods:
            found[one.stream].append(one)
    cadences = {}
    for stream, sent in found.items():
        assert stream[1] is not None
        cadences[stream] = _number(sent, periods[stream[1]])
    return cadences


def _number(sent: list[Message], period: int) -> int:
    """Number the messages of one stream; returns the cadence."""
    times = [one.time for one in sent]
    cadence, cut = max(
        (_cut(times, candidate) for candidate in candidates(period)),
        key=lambda found: (found[2], -abs(found[0] - period)),
    )[:2]
    first = min((time - cut) // cadence for time in times)
    for one, time in zip(sent, times, strict=True):
        one.period = (time - cut) // cadence - first
    refined = _refined(sent, cadence)
    return period if abs(refined - period) <= SNAP * period else refined


def candidates(period: int) -> Iterable[int]:
    """Lengths to try: the one announced first, then ever further from it."""
    for step in range(STEPS):
        away = (step + 1) // 2 * (1 if step % 2 else -1)
        yield period + round(period * away * SPREAD / (STEPS // 2))


def _cut(times: Sequence[int], cadence: int) -> tuple[int, int, int]:
    """Cadence, where to cut its fold, and how wide the pause there is in 1/64 of it."""
    folded = sorted({time % cadence for time in times})
    folded.append(folded[0] + cadence)
    width, start = max((after - before, before) for before, after in _pairs(folded))
    return cadence, (start + width // 2) % cadence, 64 * width // cadence


def _pairs(values: Sequence[int]) -> Iterable[tuple[int, int]]:
    return pairwise(values)


def _refined(sent: Sequence[Message], cadence: int) -> int:
    """The mean distance of burst starts."""
    starts: dict[int, int] = {}
    for one in sent:
        assert one.period is not None
        starts[one.period] = min(one.time, starts.get(one.period, one.time))
    first, last = min(starts), max(starts)
    return round((starts[last] - starts[first]) / (last - first)) if last > first else cadence


COMMON = tuple(seconds * 1_000_000_000 for seconds in (1, 5, 10, 30, 60, 300, 900))
NEAR = 0.05
"""How far a distance may be from a common period."""


def guess(messages: Sequence[Message], known: Mapping[int, int]) -> dict[int, int]:
    """Periods of subscriptions whose terms the capture does not hold: id -> ns.

    The median distance of burst starts of the originator with the most bursts, where it is near a
    usual length; nothing for subscriptions with fewer than three bursts.
    """
    times: dict[Stream, list[int]] = defaultdict(list)
    without = {*known, *(one.subscription_id for one in messages if one.on_change)}
    for one in messages:
        if one.update and one.subscription_id is not None and one.subscription_id not in without:
            times[one.stream].append(one.at)
    found: dict[int, tuple[int, int]] = {}
    for stream, at in times.items():
        distances = _distances(sorted(at))
        number = stream[1]
        if number is None or len(distances) < 2:
            continue
        middle = sorted(distances)[len(distances) // 2]
        nearest = min(COMMON, key=lambda length: abs(length - middle))
        if abs(nearest - middle) <= NEAR * nearest:
            found[number] = max(found.get(number, (0, 0)), (len(distances), nearest))
    return {number: length for number, (_, length) in found.items()}


def _distances(times: list[int]) -> list[int]:
    """Distances of burst starts: a pause of more than a third of the longest is between bursts.

    A third: the longest may be twice as long as usual, where a period is missing.
    """
    pauses = [after - before for before, after in _pairs(times)]
    longest = max(pauses, default=0)
    starts = times[:1] + [after for before, after in _pairs(times) if after - before > longest / 3]
    return [after - before for before, after in _pairs(starts)]
