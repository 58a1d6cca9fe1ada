"""Event streams: what happens on the device, when, and what of it is kept for replay.

Does: alarms at a seeded pace, records that others add, a log of bounded size. Does not: know
subscriptions. Rules: the n-th alarm of a stream falls into the n-th slot of its pace, where in it
and what it says follow from (seed, stream, n); so nothing has to be counted while nobody listens.
Records are in the order in which they happened (RFC 8639 §2.1), the oldest of the log go first.

Spec: RFC 8639 §2.1, §2.4.2.1; alarms RFC 8348 §7.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from collector.model import SECOND
from publisher_sim.scenario import Scenario, Stream

_STATES = ("major", "minor", "warning")
CHANGES = "ietf-hardware:hardware-state-change"
DISABLED = "ietf-hardware:hardware-state-oper-disabled"
ENABLED = "ietf-hardware:hardware-state-oper-enabled"


class EventRecord(Struct, frozen=True):
    """One event (RFC 8639 §1.2)."""

    at: int
    """ns since 1970."""
    name: str
    """``module:local-name`` of the notification."""
    values: dict[str, Any]
    """Its members, in the JSON of RFC 7951."""

    @property
    def tree(self) -> dict[str, Any]:
        """What filters look at."""
        return {self.name: self.values}


class EventStream:
    """One stream from the start of the device on."""

    def __init__(self, stream: Stream, seed: int, parts: tuple[str, ...], now: int) -> None:
        """Nothing has happened yet.

        Args:
            stream: its settings.
            seed: of the scenario.
            parts: names of the hardware that may break.
            now: ns since 1970.
        """
        self.name = stream.name
        self.description = stream.description
        self.pace = stream.events_per_second
        """Alarms a second."""
        self.replays = stream.replay_records > 0
        self.created = now
        """When its log begins, ns since 1970 (``replay-log-creation-time``)."""
        self.aged: int | None = None
        """Time of the last record that was purged (``replay-log-aged-time``)."""
        self._seed = seed
        self._parts = parts or ("chassis",)
        self._log: deque[EventRecord] = deque()
        self._room = stream.replay_records
        self._next = 0
        """Number of the next alarm that is not in the log."""
        self._taken = 0
        """Number of the next alarm that nobody has taken."""

    @property
    def next_at(self) -> int | None:
        """When the next alarm happens that nobody has taken; None: never."""
        return self._happens(self._taken) if self.pace else None

    def take(self, now: int, since: int) -> list[EventRecord]:
        """The alarms from ``since`` to ``now`` that nobody has taken.

        Args:
            now: ns since 1970.
            since: when the first who waits for them began.
        """
        if not self.pace:
            return []
        self._taken = max(self._taken, self._first_after(since))
        found = []
        while (at := self._happens(self._taken)) <= now:
            found.append(self._alarm(self._taken, at))
            self._taken += 1
        return found

    def _first_after(self, time: int) -> int:
        """Number of an alarm that is the first or second one not before ``time``."""
        return max(0, int((time - self.created) * self.pace / SECOND))

    def _catch_up(self, now: int) -> None:
        """What happened until now is in the log; of a long silence only as much as it keeps."""
        if not self.pace or not self._room:
            return
        first = self._first_after(now) - self._room - 1
        if first > self._next:
            self._next = first
            self.aged = self._happens(first - 1)
            self._log.clear()
        while (at := self._happens(self._next)) <= now:
            self._keep(self._alarm(self._next, at))
            self._next += 1

    def _happens(self, number: int) -> int:
        place = random.Random(f"{self._seed}/{self.name}/{number}").random()
        return self.created + round((number + place) * SECOND / self.pace)

    def _alarm(self, number: int, at: int) -> EventRecord:
        dice = random.Random(f"{self._seed}/{self.name}/{number}/what")
        part = dice.choice(self._parts)
        kind = dice.choice((ENABLED, DISABLED, DISABLED, CHANGES))
        if kind == CHANGES:
            return EventRecord(at, kind, {})
        state = dice.choice(_STATES) if kind == DISABLED else ""
        values = {"name": part, "admin-state": "unlocked", "alarm-state": state}
        return EventRecord(at, kind, values)

    def add(self, record: EventRecord) -> None:
        """Something else happened, now."""
        self._catch_up(record.at)
        if self._room:
            self._keep(record)

    def _keep(self, record: EventRecord) -> None:
        if len(self._log) >= self._room:
            self.aged = self._log.popleft().at
        self._log.append(record)

    def begins(self, wanted: int, now: int) -> int:
        """From when on a replay can be had, if it is wanted from ``wanted`` on."""
        self._catch_up(now)
        oldest = self.created if self.aged is None else self.aged + 1
        return max(wanted, oldest)

    def past(self, start: int, end: int | None, now: int) -> list[EventRecord]:
        """Records kept of [start, end), in their order."""
        self._catch_up(now)
        return [one for one in self._log if start <= one.at and (end is None or one.at < end)]

    def aged_by(self, now: int) -> int | None:
        """Time of the last record that was purged until now (``replay-log-aged-time``)."""
        self._catch_up(now)
        return self.aged

    def last_before(self, at: int) -> int | None:
        """When the last record before ``at`` happened (``replay-previous-event-time``); None:
        the log knows of none."""
        times = [record.at for record in self._log if record.at < at]
        if times:
            return times[-1]
        return self.aged if self.aged is not None and self.aged < at else None


class Streams:
    """All event streams of one device, by name."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._known: dict[str, EventStream] = {}

    def begin(self, now: int) -> None:
        """The device is switched on; later calls change nothing."""
        if self._known:
            return
        parts = tuple(name for one in self._scenario.publishers for name in one.hardware)
        for stream in self._scenario.streams:
            self._known[stream.name] = EventStream(stream, self._scenario.seed, parts, now)

    def get(self, name: str) -> EventStream | None:
        """The stream of that name."""
        return self._known.get(name)

    def __iter__(self) -> Iterator[EventStream]:
        return iter(self._known.values())
