"""What streams could not bring in time because of us: who is excused, and how long.

Does: say whether a record may have waited unread. Does not: judge, or place a record.
Rules: docs/verdicts.md, "When it is our own fault": nobody is blamed for our disk. Reading on is
all that NETCONF and gRPC get for an answer, and HTTPS gets 503: what we do not take waits in the
device, and nobody knows when it would have come. Datagrams follow with the time at which the kernel
had them, and what it dropped is told as such. Who was not heard yet may come either way.
"""

from __future__ import annotations

from collector.core.expectation.deadlines import deadline_of, nominal
from collector.core.memory.clocks import meets, on_our_clock
from collector.core.memory.state import Originator, Subscription
from collector.core.memory.state_parts import Period
from collector.model import SECOND

SHORTEST_RETURN = 2 * SECOND
LONGEST_RETURN = 10 * SECOND
"""How long a device may take to go on once there is room (ours): whoever waits longer each time
that it is refused waits as long again at most, and 503 asks for a second."""


def end_of_return(since: int, until: int) -> int:
    """Until when devices may still be going on after a pause, CollectorTime."""
    return until + min(max(until - since, SHORTEST_RETURN), LONGEST_RETURN)


def kept_waiting(subscription: Subscription, originator: Originator | None, period: Period) -> bool:
    """May what lacks of an originator in a period have waited for room on our disk?"""
    windows = subscription.windows
    if not windows.pauses:
        return False
    timed = originator is not None and originator.by_datagrams
    return meets(
        windows.blind if timed else windows.pauses, *awaited(subscription, period, originator)
    )


def awaited(
    subscription: Subscription, period: Period, of: Originator | None = None
) -> tuple[int, int]:
    """When records of a period may come: from the arc, or from the earliest, to the deadline."""
    tick = nominal(subscription, period.index)
    deadline = period.deadline if period.closed else deadline_of(subscription, period.index)
    ones = [of] if of is not None and of.heard else subscription.originators.values()
    starts = [one.arrivals_from for one in ones if one.heard]
    return on_our_clock(tick, min(starts, default=0)), deadline


def has_waited(originator: Originator, arrival: int, lag: int) -> bool:
    """Was our disk full, or did we stand still, between the moment at which a record that lags so
    should have come, by the usual lag of its originator, and its arrival?"""
    windows, longer = originator.subscription.windows, lag - originator.lag
    if longer <= 0 or not (windows.pauses or windows.stalls):
        return False
    due = arrival - longer
    if originator.by_datagrams:
        return meets(windows.blind, due, arrival)
    return meets(windows.pauses, due, arrival) or meets(windows.stalls, due, arrival)


def last_index(subscription: Subscription, first: int, last: int) -> int:
    """The last of the periods ``first`` to ``last`` that has part in the same pauses as the first:
    what is said of a long silence holds for all of it."""
    for _, until in subscription.windows.pauses:
        start, _ = awaited(subscription, Period(0))
        over = (until - start) // subscription.period
        if first <= over < last:
            last = over
    return last
