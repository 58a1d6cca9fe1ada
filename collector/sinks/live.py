"""Sink: the last rows in memory, for the terminal, the control socket and who follows along.

Does: keep the newest verdicts and events in ring buffers, and hand each new fact to followers.
Does not: wait for a follower. A follower that does not keep up loses its oldest facts; they are
counted, and it is told how many.
Rules: one thread (that of the event loop) calls everything here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from collector.interfaces import Said
from collector.model import Event, Fact, Verdict

VERDICTS_KEPT = 10_000
EVENTS_KEPT = 2_000
"""Rows kept (ours): a thousand devices with ten periods each, some MB."""
FOLLOWER_QUEUE = 4096
"""Facts that wait for one follower (ours)."""


class Follower:
    """A bounded queue of facts between the pipeline and somebody slower."""

    def __init__(self, limit: int = FOLLOWER_QUEUE, wake: Callable[[], None] | None = None) -> None:
        self._facts: deque[Fact] = deque(maxlen=limit)
        self._wake = wake
        self.dropped = 0
        """Facts lost since ``take`` was called last."""

    def offer(self, facts: Iterable[Fact]) -> int:
        """Add facts; returns how many older ones fell off."""
        lost = 0
        for fact in facts:
            lost += len(self._facts) == self._facts.maxlen
            self._facts.append(fact)
        self.dropped += lost
        if self._wake is not None:
            self._wake()
        return lost

    def take(self) -> tuple[list[Fact], int]:
        """Everything that waits, oldest first, and how many were lost before it."""
        taken, lost = list(self._facts), self.dropped
        self._facts.clear()
        self.dropped = 0
        return taken, lost


class LiveSink:
    """Ring buffers of the newest rows, and the followers."""

    name = "live"

    def __init__(
        self, *, verdicts_kept: int = VERDICTS_KEPT, events_kept: int = EVENTS_KEPT
    ) -> None:
        self.verdicts: deque[Verdict] = deque(maxlen=verdicts_kept)
        """Newest last; amendments follow the row that they amend."""
        self.events: deque[Event] = deque(maxlen=events_kept)
        self.followers_dropped = 0
        """Facts that slow followers lost, all together."""
        self._followers: list[Follower] = []

    def start(self) -> None:
        """Nothing to open."""

    def write(self, said: Said) -> None:
        """Keep the rows and hand them on."""
        self.verdicts.extend(said.verdicts)
        self.events.extend(said.events)
        if self._followers and (said.subscriptions or said.events or said.verdicts):
            facts: list[Fact] = [*said.subscriptions, *said.events, *said.verdicts]
            for follower in self._followers:
                self.followers_dropped += follower.offer(facts)

    def follow(
        self, *, limit: int = FOLLOWER_QUEUE, wake: Callable[[], None] | None = None
    ) -> Follower:
        """A new follower of everything from now on; ``wake`` is called when facts came."""
        follower = Follower(limit, wake)
        self._followers.append(follower)
        return follower

    def unfollow(self, follower: Follower) -> None:
        """Forget a follower. May be called twice."""
        if follower in self._followers:
            self._followers.remove(follower)

    def flush(self) -> None:
        """Nothing waits."""

    def stop(self) -> None:
        """Forget the followers; the rows stay readable. May be called twice, or without start."""
        self._followers.clear()
