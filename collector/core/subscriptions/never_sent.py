"""Subscriptions that are active and never brought anything: said once, and once when they do.

Does: wait for the first record with contents of each revision that a reply or a state change began.
Does not: judge periods (``judge``), read contents, follow those that brought something once, or
wait for event streams and for on-change without sync-on-start: these send when something happens.
Rules: records are due after ``PERIODS`` periods and ``SHORTEST`` at least, for real devices began
up to 2.9 periods after their reply; of on-change, which begins with all that there is, after
``ON_CHANGE``. While it is suspended, and while nobody listened here, nothing was due. A publisher
that follows the RFC sends empty updates where a filter selects nothing, others send none.
Where it selects nothing, an on-change subscription has nothing to send.
Spec: RFC 8641 §3.9 (nothing selected), §4.2 (sync-on-start).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from collector.model import CENTISECOND, SECOND, CollectorTime, Event, SubscriptionRow

PERIODS = 5
SHORTEST = 20 * SECOND
ON_CHANGE = 60 * SECOND
"""All three ours."""
KEPT_PER_DEVICE = 256
"""Revisions of one device that are waited for (ours)."""


class Waiting(Struct):
    """A revision of which no record came yet."""

    device: str
    name: str
    id: int
    revision: int
    since: int
    """When it began, or went on after a suspension."""
    wait: int
    """ns."""
    due: int | None
    """When it is said; None: it was, or the subscription is suspended."""
    on_change: bool = False
    said: str = ""
    """Kind of the event that said it."""
    empty: int = 0
    """Updates that came, all of them without contents."""


class NeverSent:
    """All devices."""

    def __init__(self) -> None:
        self.waiting: dict[int, Waiting] = {}
        """By revision."""
        self._next: int | None = None
        """Not after the earliest due; None: nothing is due."""
        self._said: list[Event] = []

    # ------------------------------------------------------------------ the three verbs
    def told(self, row: SubscriptionRow) -> None:
        """A subscription began, changed or ended, and no record of it did that."""
        self._until(row.time)
        one = self.waiting.get(row.revision)
        if row.state == "ended":
            self.waiting.pop(row.revision, None)
        elif one is not None:
            one.due = None if row.state != "active" or one.said else one.due or self._due(one, row)
        elif row.time == row.from_time and (wait := _wait_of(row)):
            self._begin(row, wait)

    def is_looked_at(self, revision: int, arrival: int) -> bool:
        """Whether it matters what a record holds: after empty ones only now and then."""
        self._until(arrival)
        one = self.waiting.get(revision)
        if one is None:
            return False
        return (
            not (one.said and one.empty) or (arrival - one.since) % one.wait < one.wait // PERIODS
        )

    def heard(self, revision: int, arrival: int, *, empty: bool = False) -> None:
        """A record that ``is_looked_at``; ``empty``: one without contents."""
        one = self.waiting[revision]
        if empty:
            one.empty += 1
            return
        del self.waiting[revision]
        if one.said:
            self._event(
                arrival, one, _OVER[one.said],
                f"Subscription {one.name} of {one.device} brings data now, "
                f"{(arrival - one.since) / SECOND:.0f} s after it became active.",
            )  # fmt: skip

    def handle_timer(self, now: CollectorTime) -> list[Event]:
        """Time passed; what was said since the last call."""
        self._until(now)
        said, self._said = self._said, []
        return said

    # ------------------------------------------------------------------ oddities
    def nobody_listened(self, since: int, now: int) -> None:
        """What came meanwhile is lost: everything that is due then or later is due later."""
        self._until(since)
        for one in self.waiting.values():
            if one.due is not None:
                one.due = max(one.due, now + one.wait)

    # ------------------------------------------------------------------ snapshots
    def snapshot(self, device: str) -> bytes:
        """Of one device; empty for nothing."""
        found = [one for one in self.waiting.values() if one.device == device]
        return msgspec.msgpack.encode(found) if found else b""

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot. Raises msgspec.MsgspecError: not one; nothing was changed."""
        found = msgspec.msgpack.decode(state, type=list[Waiting]) if state else []
        self.waiting |= {one.revision: one for one in found}
        self._look_again(one.due for one in found)

    # ------------------------------------------------------------------ inside
    def _begin(self, row: SubscriptionRow, wait: int) -> None:
        mine = [one.revision for one in self.waiting.values() if one.device == row.device]
        if len(mine) >= KEPT_PER_DEVICE:
            del self.waiting[min(mine)]
        due = row.time + wait
        self.waiting[row.revision] = Waiting(
            *(row.device, row.name, row.id, row.revision, row.time, wait, due),
            on_change=row.period_cs is None,
        )
        self._look_again((due,))

    def _due(self, one: Waiting, row: SubscriptionRow) -> int:
        """It went on after a suspension."""
        one.since = row.time
        due = row.time + one.wait
        self._look_again((due,))
        return due

    def _look_again(self, dues: Iterable[int | None]) -> None:
        known = [due for due in (self._next, *dues) if due is not None]
        self._next = min(known, default=None)

    def _until(self, now: int) -> None:
        if self._next is None or self._next >= now:
            return
        self._next = None
        for one in sorted(self.waiting.values(), key=lambda one: (one.due or 0, one.revision)):
            if one.due is not None and one.due < now:
                self._say(one, one.due)
        self._look_again(one.due for one in self.waiting.values())

    def _say(self, one: Waiting, now: int) -> None:
        active = f"has been active for {(now - one.since) / SECOND:.0f} s"
        one.due, one.said = None, "nothing_yet" if one.empty or one.on_change else "never_sent"
        came = "empty updates only" if one.empty else "nothing"
        otherwise = "what is sent does not arrive here"
        if one.said == "nothing_yet":
            otherwise = "there is nothing yet"
        why = f"and brought {came}: its filter selects nothing there, or {otherwise}"
        self._event(now, one, one.said, f"Subscription {one.name} of {one.device} {active} {why}.")

    def _event(self, time: int, one: Waiting, kind: str, text: str) -> None:
        self._said.append(Event(CollectorTime(time), one.device, one.name, kind, text))


_OVER = {"never_sent": "began_to_send", "nothing_yet": "brings_data"}
"""Kind of an event -> the kind that says it is over."""


def _wait_of(row: SubscriptionRow) -> int:
    """ns until something should have come; 0: nobody can tell."""
    if row.state != "active" or row.stream is not None:
        return 0
    if row.period_cs is not None:
        return max(PERIODS * row.period_cs * CENTISECOND, SHORTEST)
    return ON_CHANGE if row.sync_on_start else 0
