"""Time for the engine: a tick record when a deadline is due, and one a second while idle.

The engine is driven by journal records alone; so a timer here does not call it but writes a tick,
and a replay of the journal meets every deadline at the same place. Before a tick the receivers are
drained: a timer never overtakes messages that wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from collector.errors import IntakeFullError
from collector.interfaces import Clock, Receiver
from collector.model import SECOND, ReceivedBatch, RecordKind
from collector.service.intake import LiveIntake

log = logging.getLogger(__name__)

IDLE = SECOND
"""Longest time without a record: "we were listening" (the design's, section 2)."""
SPACING = SECOND // 50
"""Time between two looks at the deadlines; those in between share a tick (ours)."""
LATE = 10 * SECOND
"""A timer that did not fire for so long stands still (ours)."""


class Ticker:
    """Wakes up for the next deadline."""

    def __init__(
        self,
        intake: LiveIntake,
        clock: Clock,
        receivers: Sequence[Receiver],
        each_second: Callable[[], None],
    ) -> None:
        """``each_second`` is called about once a second, for housekeeping that must not block."""
        self._intake = intake
        self._clock = clock
        self._receivers = receivers
        self._each_second = each_second
        self._timer: asyncio.TimerHandle | None = None
        self._housekept_at = 0
        self._fired_at = 0
        self._faults = 0

    @property
    def alive(self) -> bool:
        """Whether the timer fired not long ago."""
        return self._timer is not None and self._clock.now() - self._fired_at < LATE

    def start(self) -> None:
        """Begin; call in a running loop."""
        self._fire()

    def stop(self) -> None:
        """No tick from now on. May be called twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._intake.alertness.asleep()

    def _fire(self) -> None:
        try:
            self._look()
        except Exception:  # without the timer no deadline is met any more
            self._faults += 1
            if self._faults & (self._faults - 1) == 0:  # 1, 2, 4, 8, ...: no flood
                log.exception("A fault in the timer (%d times); it goes on.", self._faults)
        self._fired_at = self._clock.now()
        self._schedule()

    def _look(self) -> None:
        self._notice_stall()  # sessions are read behind us, whatever the sockets bring
        now = self._clock.now()  # before the drain: what comes during it may still wait behind it
        engine = self._intake.pipeline.engine
        deadline = engine.next_deadline()
        idle = now - self._intake.last_arrival >= IDLE
        if idle or (deadline is not None and deadline <= now):
            for receiver in self._receivers:
                receiver.drain()
            deadline = engine.next_deadline()
        since = now - self._intake.last_arrival
        if any(receiver.behind for receiver in self._receivers):
            pass  # what waits would be older than the tick
        elif since >= IDLE or (since > 0 and deadline is not None and deadline <= now):
            self._tick(now)
        if now - self._housekept_at >= SECOND:
            self._housekept_at = now
            self._each_second()

    def _notice_stall(self) -> None:
        with contextlib.suppress(IntakeFullError):  # counted and said by the intake
            self._intake.notice_stall()

    def _tick(self, now: int) -> None:
        batch = ReceivedBatch()
        batch.append(now, RecordKind.TICK, b"")
        try:
            self._intake.take(batch)
        except IntakeFullError:
            pass  # counted and said by the intake; deadlines wait until there is room

    def _schedule(self) -> None:
        """Look again soon enough for any deadline, also for one that the next record sets."""
        self._notice_stall()  # our own work may have taken long, too
        deadline = self._intake.pipeline.engine.next_deadline()
        wait = IDLE if deadline is None else SPACING
        if self._intake.full_since is not None:
            wait = IDLE // 4
        self._intake.alertness.awake(wait)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(wait / SECOND, self._fire)
