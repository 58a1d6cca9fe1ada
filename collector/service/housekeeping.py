"""What has to be done now and then, without stalling the loop: snapshots, retention, addresses.

A snapshot is taken device by device, one at each turn of the loop, each part with its own offset;
it may be used once the store has everything before the largest of them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import msgspec

from collector.errors import CollectorError, IntakeFullError, SinkError
from collector.journal import JournalRetention, RetentionLimits
from collector.model import SECOND, ClockNote, RecordKind
from collector.service.addresses import without_addresses
from collector.service.memory import Tidying
from collector.service.parts import Parts
from collector.store.snapshots import SnapshotStore

log = logging.getLogger(__name__)

RETENTION_SECONDS = 10
LOOK_UP_AGAIN_SECONDS = 60
"""Between two tries to find the addresses of devices that have none yet (ours)."""
PAUSE_FACTOR = 9
"""While a snapshot is taken, other work has the loop for so many times longer (ours)."""
PARTS_AT_ONCE = 64
"""Parts of a snapshot that are written together (ours): all of them are as large as the state."""
REST_FACTOR = 50
"""After it the next one waits for at least so many times longer: 2 % of the time (ours)."""


class Housekeeping:
    """Called once a second by the ticker; the work is done in tasks and threads."""

    def __init__(self, service: Parts) -> None:
        self._service = service
        self._snapshots = SnapshotStore(service.folder, on_damage=log.warning)
        self._retention = JournalRetention(service.folder)
        self._seconds = 0
        self._tidying = Tidying()
        self._snapshot: asyncio.Task[None] | None = None
        self._sweep: asyncio.Task[None] | None = None
        self._look_up: asyncio.Task[None] | None = None
        self._due_in = service.config.journal.snapshot_seconds
        """Seconds until the next snapshot."""
        self._taken_at = -1
        """Journal offset of the last snapshot."""
        self._clock_note: ClockNote | None = None
        """What the journal does not say yet."""

    def each_second(self) -> None:
        """Start what is due and is not running yet."""
        self._seconds += 1
        counters, calls = self._service.counters, self._service.manager.calls
        ended = counters.session_failures.total()
        if calls is not None:
            ended += sum(calls.counts.values())
        self._tidying.each_second(counters.journal_records, ended)
        self._watch_the_clock()
        self._note_clock()
        self._due_in -= 1
        if self._due_in <= 0 and _idle(self._snapshot):
            self._due_in = self._service.config.journal.snapshot_seconds
            self._snapshot = asyncio.create_task(self._take_snapshot())
        if self._seconds % RETENTION_SECONDS == 0 and _idle(self._sweep):
            self._sweep = asyncio.create_task(self._let_go())
        if self._seconds % LOOK_UP_AGAIN_SECONDS == 0 and self._needs_addresses():
            self._look_up = asyncio.create_task(self._find_addresses())

    def _watch_the_clock(self) -> None:
        """Move on with it; the journal says that nobody listened in the time that is left out."""
        clock, before = self._service.clock, self._service.clock.now()
        drift = clock.drifted()
        if not drift:
            return
        clock.follow(drift)
        log.warning("The machine's clock was moved by %+.1f s.", drift / SECOND)
        self._clock_note = self._clock_note or ClockNote(before, drift)

    def _note_clock(self) -> None:
        if self._clock_note is None:
            return
        try:
            self._service.intake.note(RecordKind.CLOCK, msgspec.json.encode(self._clock_note))
        except IntakeFullError:
            return  # said by the intake; offered again in a second
        self._clock_note = None

    async def _take_snapshot(self) -> None:
        service = self._service
        pipeline, journal = service.pipeline, service.journal
        if journal.next_offset == self._taken_at:
            return
        under_way = self._snapshots.begin()
        parts: list[tuple[str, int, bytes]] = []
        spent = 0.0
        try:
            for name in pipeline.snapshot_names():
                began = time.monotonic()
                parts.append((name, journal.next_offset, pipeline.snapshot_part(name)))
                turn = time.monotonic() - began
                spent += turn
                await asyncio.sleep(turn * PAUSE_FACTOR)
                if len(parts) >= PARTS_AT_ONCE:
                    await asyncio.to_thread(under_way.add, parts)
                    parts = []
            self._taken_at = journal.next_offset
            self._due_in = max(self._due_in, spent * REST_FACTOR)
            stored = service.store.stored_offset
            await asyncio.to_thread(under_way.add, parts)
            await asyncio.to_thread(under_way.finish, stored_offset=stored)
        except SinkError as error:
            log.error("No snapshot: %s", error)
        finally:
            under_way.give_up()

    async def _let_go(self) -> None:
        """Old journal files, once nobody needs them: not the store, not a restart."""
        service = self._service
        settings = service.config.journal
        limits = RetentionLimits(
            max_octets=settings.retention_bytes or None,
            max_age=settings.retention_seconds * SECOND or None,
        )
        now, stored = service.clock.now(), service.store.stored_offset
        try:
            await asyncio.to_thread(self._apply, limits, stored, now)
        except OSError as error:
            log.error("Old journal files could not be deleted: %s", error)

    def _apply(self, limits: RetentionLimits, stored: int, now: int) -> list[Path]:
        safe = min(stored, self._snapshots.needed_offset(stored))
        return self._retention.apply(limits, safe_offset=safe, now=now)

    def _needs_addresses(self) -> bool:
        return _idle(self._look_up) and bool(without_addresses(self._service.config))

    async def _find_addresses(self) -> None:
        try:
            await self._service.find_addresses()
        except CollectorError as error:
            log.warning("The addresses that were found are not used yet: %s", error)

    async def stop(self) -> None:
        """Give a snapshot up that is being taken, wait for the rest. May be called twice."""
        for task in (self._snapshot, self._look_up):
            if task is not None:
                task.cancel()
        for task in (self._snapshot, self._look_up, self._sweep):
            if task is not None:
                await asyncio.gather(task, return_exceptions=True)


def _idle(task: asyncio.Task[None] | None) -> bool:
    return task is None or task.done()
