"""The two clocks: where they meet, a publisher's clock shift, held-up records and odd times.

Does: say what a record's time is worth. ``lag`` and ``on_our_clock`` are the only two places
where collector time and publisher time meet.
Does not: keep state; what is remembered of an originator lives in ``state.Originator``.
Rules: docs/verdicts.md, "Record time" and "Clocks".
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from collector.model import SECOND, CollectorTime, DeviceTime

ABSURD_PERIODS = 5000
"""A record time further from its arrival than so many periods says nothing."""
NO_SIBLING_SHIFT = 60 * SECOND
"""Alone, a publisher's clock is believed within this, or half a period where that is more."""


def lag(arrival: CollectorTime, time: DeviceTime) -> int:
    """Collector time minus publisher time, ns; negative when the publisher's clock is ahead."""
    return arrival - time


def on_our_clock(time: DeviceTime, lag_: int) -> CollectorTime:
    """When something of publisher time ``time`` is here, if it lags by ``lag_``."""
    return CollectorTime(time + lag_)


def on_their_clock(arrival: CollectorTime, lag_: int) -> DeviceTime:
    """Publisher time of something that is here at ``arrival``, if it lags by ``lag_``."""
    return DeviceTime(arrival - lag_)


def median(values: Iterable[int]) -> int | None:
    """The lower median, None of nothing."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2] if ordered else None


def first_shift(lag_: int, siblings: int | None, period: int) -> int:
    """Clock shift of an originator whose first record lags by ``lag_``, ns to subtract.

    Args:
        siblings: median lag of the subscription's other originators, None without any.
    """
    if siblings is None:
        return -lag_ if abs(lag_) > max(period // 2, NO_SIBLING_SHIFT) else 0
    return siblings - lag_ if abs(lag_ - siblings) > period // 2 else 0


class Placing(IntEnum):
    """Which time decides the period of a record."""

    BY_TIME = 0
    HELD_UP = 1
    """The device's time is right, the record was long on the way."""
    BY_ARRIVAL = 2
    ABSURD = 3
    """As ``BY_ARRIVAL``; the time is beyond reason."""
    NO_LONGER_HELD_UP = 4
    """The device's time is right; what came before had been long on the way."""


EARLY_PERIODS = 3
"""Behind the first one of an originator, in which its lag may rest on what was held up."""


def placing(
    by_time: int,
    by_arrival: int,
    *,
    lag_now: int,
    lag_usual: int,
    period: int,
    first_index: int,
    was_overtaken: bool,
    has_old_record: bool,
    next_index: int | None = None,
) -> Placing:
    """Which of two period indexes counts.

    Args:
        next_index: the one behind the newest of its originator, None behind its first periods.
        was_overtaken: the record's id fills a gap, or came behind newer ones.
        has_old_record: its originator's record of that period is older than half a period.
    """
    if abs(by_time - by_arrival) > ABSURD_PERIODS:
        return Placing.ABSURD
    if by_time == by_arrival or abs(lag_now - lag_usual) <= period // 4:
        return Placing.BY_TIME
    earlier = first_index <= by_time < by_arrival and lag_now > lag_usual
    if earlier and (was_overtaken or not has_old_record):
        return Placing.HELD_UP
    # nobody sends two updates within half a period: the one before came late (ours)
    if by_arrival < by_time == next_index and lag_now < lag_usual:
        return Placing.NO_LONGER_HELD_UP
    return Placing.BY_ARRIVAL


def is_remembered(lag_now: int, remembered: int, period: int) -> bool:
    """Does a record show the lag that was remembered of the one before?"""
    return abs(lag_now - remembered) <= period // 4


# --------------------------------------------------------------------------- windows
Window = tuple[int, int]
"""From, to; CollectorTime."""


def add_window(windows: list[Window], since: int, until: int, limit: int) -> None:
    """Remember a window, joined to the last one where they meet; the oldest falls off."""
    since = min(since, until)
    if windows and windows[-1][0] <= since <= windows[-1][1] <= until:
        windows[-1] = (windows[-1][0], until)
        return
    windows.append((since, until))
    if len(windows) > limit:
        del windows[0]


def meets(windows: list[Window], start: int, end: int) -> bool:
    """Does one of the windows meet [start, end]?"""
    for since, until in reversed(windows):  # noqa: SIM110 - any() costs a generator
        if since <= end and start <= until:
            return True
    return False
