"""When a period closes and learning moves: the grace, the deadline, and one heap for all.

Does: say until when to wait and keep who is due. Does not: judge.
Rules: docs/verdicts.md, "When". A deadline at the very moment of an arrival comes after it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from collector.core.expectation import expected
from collector.core.memory import arcs
from collector.core.memory.clocks import lag, meets, on_our_clock
from collector.core.memory.state import Originator, Subscription
from collector.core.memory.state_parts import Life
from collector.model import SECOND, CollectorTime, DeviceTime

STARTING_PERIODS = 4
"""The period of the reply and the three after it: who was not heard yet may still be starting."""
ROOM = 1024
"""Entries below which nobody looks for those that are no longer true (ours)."""
CLOSE = 0
FINAL = 1
LIFE = 2
STALLS = 16
"""So many of the times at which we stood still are remembered (ours): nobody waits for longer."""
SHORTEST_CATCHING_UP = SECOND // 4
LONGEST_CATCHING_UP = 5 * SECOND
"""How long reading what waited may take (ours), at most half as long as we stood still."""
Entry = tuple[int, int, str, int, int, int, int, Subscription]
"""(time, revision, device, subscription id, index, CLOSE, FINAL or LIFE, serial, subscription)."""


def default_grace(period: int) -> int:
    """Half a period within 0.2 s to 5 s, at least a twentieth of it (slow timers), ns."""
    return max(min(max(period // 2, SECOND // 5), 5 * SECOND), period // 20)


def amendable(period: int) -> int:
    """For how long after the deadline an outcome may still be amended, ns."""
    return max(2 * period, 20 * SECOND)


def nominal(subscription: Subscription, index: int) -> DeviceTime:
    """The tick of a period; only when the grid is known."""
    assert subscription.offset is not None
    return DeviceTime(arcs.nominal(subscription.offset, subscription.period, index))


def wait_after_nominal(subscription: Subscription, members: Iterable[str] | None) -> int:
    """ns from nominal to the deadline without the grace.

    Args:
        members: who is required; None when no list is known, then everybody heard counts.
    """
    known = subscription.originators
    required = list(known.values()) if members is None else [known.get(one) for one in members]
    ends = [one.arrivals_to for one in required if one is not None and one.heard]
    if members is not None and len(ends) == len(required) and ends:
        return max(ends)
    starts = [one.arrivals_from for one in known.values() if one.heard]
    start = min(starts) if starts else lag_of_reply(subscription)
    return max([start + subscription.period // 2, *ends])


def lag_of_reply(subscription: Subscription) -> int:
    """By how much the reply came after the tick nearest to it, ns."""
    reply, offset = subscription.reply, subscription.offset
    if reply is None or offset is None:
        return 0
    index = arcs.nearest(offset, subscription.period, reply)
    return lag(CollectorTime(reply), nominal(subscription, index))


def deadline_of(subscription: Subscription, index: int) -> CollectorTime:
    """Until when period ``index`` is waited for, as things stand."""
    wait = subscription.arc_end
    if not expected.is_settled(subscription, index):
        in_force = expected.at(subscription, index)
        wait = wait_after_nominal(subscription, in_force.members if in_force else None)
    due = on_our_clock(nominal(subscription, index), wait + subscription.grace)
    return _postponed(subscription, due) if subscription.windows.stalls else due


def _postponed(subscription: Subscription, due: CollectorTime) -> CollectorTime:
    """A deadline that passes while we stand still holds until what waits is read; datagrams have
    the times at which they came, so it passes where nothing else is heard."""
    for since, until in subscription.windows.stalls:
        if since <= due < until:
            heard = [one for one in subscription.originators.values() if one.heard]
            timed = bool(heard) and all(one.by_datagrams for one in heard)
            timed = timed and not meets(subscription.windows.blind, due, due)
            return due if timed else CollectorTime(until)
    return due


def end_of_stall(since: int, until: int) -> int:
    """When what waits is read, after we stood still."""
    longest = max((until - since) // 2, SHORTEST_CATCHING_UP)
    return until + min(longest, LONGEST_CATCHING_UP)


def add_stall(stalls: list[tuple[int, int]], since: int, end: int) -> None:
    """Stalls are not joined: else one after the other would put off for ever."""
    stalls.append((since, end))
    del stalls[:-STALLS]


def refresh(subscription: Subscription) -> None:
    """Read afresh what depends on the newest list, on arcs and on usual counts."""
    newest = subscription.lists[-1] if subscription.lists else None
    known = subscription.originators
    subscription.arc_end = wait_after_nominal(subscription, newest.members if newest else None)
    for originator in known.values():
        originator.member = newest is not None and originator.name in newest.allowed
    required = newest.members if newest else ()
    subscription.required_count = len(required)
    subscription.regular = newest is not None and all(
        _delivers_regularly(known.get(name)) for name in required
    )


def _delivers_regularly(originator: Originator | None) -> bool:
    return originator is not None and originator.usual is not None and originator.doubt is None


def is_true(entry: Entry) -> bool:
    """Is what an entry says still to be done, and at that time?"""
    time, _, _, _, index, what, _, subscription = entry
    if what == CLOSE:
        return subscription.live and subscription.due == time
    if what == LIFE:
        life = subscription.life
        return life is not None and subscription.live and life.due == time
    period = subscription.periods.get(index)
    return period is not None and period.final_due == time


class Deadlines:
    """One heap; an entry that is no longer true is dropped when it comes up, or when they are many
    (a deadline of a long period can be moved more often than anybody has memory)."""

    __slots__ = ("_room", "_serial", "heap")

    def __init__(self) -> None:
        self.heap: list[Entry] = []
        """The next entry first; only read from outside."""
        self._serial = 0
        self._room = ROOM
        """Entries at which those that are no longer true are looked for."""

    def next(self) -> CollectorTime | None:
        """The time of the next entry."""
        return CollectorTime(self.heap[0][0]) if self.heap else None

    def pop(self) -> Entry:
        """The next entry, taken off."""
        return heapq.heappop(self.heap)

    def close_at(self, subscription: Subscription, time: int | None) -> None:
        """The oldest open period of a subscription closes at ``time``; None: never."""
        if time is None or time == subscription.due:
            subscription.due = time
            return
        subscription.due = time
        self._push(subscription, time, subscription.next_index, CLOSE)

    def final_at(self, subscription: Subscription, index: int, time: int) -> None:
        """The final row of a period is due."""
        subscription.periods[index].final_due = time
        self._push(subscription, time, index, FINAL)

    def life_at(self, subscription: Subscription, life: Life, time: int | None) -> None:
        """What is known of the originators is told at ``time``; None: there is nothing to tell."""
        if time != life.due:
            life.due = time
            if time is not None:
                self._push(subscription, time, 0, LIFE)

    def restore(self, subscription: Subscription) -> None:
        """Enter everything that a restored subscription waits for."""
        if subscription.due is not None:
            self._push(subscription, subscription.due, subscription.next_index, CLOSE)
        life = subscription.life
        if life is not None and life.due is not None:
            self._push(subscription, life.due, 0, LIFE)
        for period in subscription.periods.values():
            if period.final_due is not None:
                self._push(subscription, period.final_due, period.index, FINAL)

    def _push(self, subscription: Subscription, time: int, index: int, what: int) -> None:
        if len(self.heap) >= self._room:
            self.heap[:] = [entry for entry in self.heap if is_true(entry)]
            heapq.heapify(self.heap)
            self._room = max(ROOM, 2 * len(self.heap))
        self._serial += 1
        entry = (
            time, subscription.revision, subscription.device, subscription.id, index, what,
            self._serial, subscription,
        )  # fmt: skip
        heapq.heappush(self.heap, entry)
