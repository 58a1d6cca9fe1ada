"""Messages of streams on their way into the intake, for transports whose only answer is to read on.

Does: gather what was read into batches, hand them over, keep one that a full intake did not take,
and say when to read no further: so much ahead of the last commit, or while the intake is full.
Does not: read.

Rules:
* A batch costs a millisecond behind us, however small it is: what comes within ``_GATHER_SECONDS``
  of the last one goes together, what comes later goes at the end of its turn of the loop.
* No more than ``AHEAD_RECORDS`` records or ``AHEAD_OCTETS`` octets are ahead of what is committed,
  but for one message of each reader; that is all that is held here.
"""

from __future__ import annotations

import asyncio
import logging
from array import array
from typing import Final

from collector.errors import IntakeFullError
from collector.interfaces import Clock, Intake
from collector.model import Coded, Octets, ReceivedBatch, RecordKind

AHEAD_RECORDS: Final = 4096
AHEAD_OCTETS: Final = 8 << 20
"""Read ahead of the commit at most, of all streams together (ours)."""
_BATCH: Final = 1024
"""Records that are handed over at once, without waiting for more."""
_GATHER_SECONDS: Final = 0.01
_RETRY_SECONDS: Final = 0.1
"""Between two offers to an intake that is full."""
_CLOSE_SECONDS: Final = 2.0
"""How long the last commit may take."""

_log = logging.getLogger(__name__)


Who = tuple[str, int, str]
"""Address, port and session of whoever opened a stream."""
_Row = tuple[int, int, Who, bytes]
"""Arrival, media type, who, payload."""


def _batch(rows: list[_Row], transport: int) -> ReceivedBatch:
    """Records of messages."""
    times, media_types, who, payloads = zip(*rows, strict=True)
    known = Coded.of(who)
    peers, ports, sessions = zip(*known.words, strict=True)
    count, batch = len(rows), ReceivedBatch()
    batch.received_at = array("q", times)
    batch.kind = array("B", [RecordKind.DATA]) * count
    batch.transport = array("B", [transport]) * count
    batch.session = Coded(list(sessions), known.codes)
    batch.peer = Coded(list(peers), known.codes[:])
    batch.port = array("H", map(ports.__getitem__, known.codes))
    batch.version = array("B", bytes(count))
    batch.flags = array("B", bytes(count))
    batch.media_type = array("H", media_types)
    batch.publisher_id = array("I", bytes(4 * count))
    batch.message_id = array("I", bytes(4 * count))
    batch.segments = array("H", [1]) * count
    batch.options = Octets.empty(count)
    batch.payload = Octets.of(payloads)
    return batch


class ReadAhead:
    """What was read and is not committed yet. Used on one event loop."""

    def __init__(self, intake: Intake, clock: Clock, name: str, transport: int) -> None:
        """
        Args:
            intake: takes the batches.
            clock: of the arrivals.
            name: of the receiver, for the log.
            transport: ``Transport`` of the records.
        """
        self._intake, self._now = intake, clock.now
        self._name, self._transport = name, transport
        self._loop: asyncio.AbstractEventLoop | None = None
        self._flush: asyncio.Handle | None = None
        self._retry: asyncio.TimerHandle | None = None
        """Set while the intake is full."""
        self._flushed_at = 0.0
        self._rows: list[_Row] = []
        """Read and not handed over."""
        self._kept: ReceivedBatch | None = None
        """A batch that the intake did not take."""
        self._committing: asyncio.Task[None] | None = None
        self._uncommitted: list[tuple[int, int, int]] = []
        """Journal offset, records and octets of what was taken and is not committed."""
        self._records = self._octets = 0
        """Read and not committed."""
        self.is_far = False
        """Whether nobody should read on before there is ``room``."""
        self._room: asyncio.Future[None] | None = None
        """What readers wait for."""
        self.messages = 0
        """Handed over since the start."""

    @property
    def is_full(self) -> bool:
        """Whether the intake did not take the last batch."""
        return self._kept is not None

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on messages may come."""
        self._loop = loop

    async def close(self) -> None:
        """Hand over the rest, wait for its commit for a moment, let all readers go."""
        self.hand_over()
        if self._committing is not None:
            await asyncio.wait([self._committing], timeout=_CLOSE_SECONDS)
        if self._committing is not None:
            self._committing.cancel()
        for handle in (self._flush, self._retry):
            if handle is not None:
                handle.cancel()
        self._flush = self._retry = self._loop = None
        if self._kept is not None:
            lost = len(self._kept) + len(self._rows)
            _log.error("%s: the intake is full; %d records are lost at the stop", self._name, lost)
        self._kept, self._rows = None, []
        self._uncommitted.clear()
        self._records = self._octets = 0
        self.is_far = False
        self._make_room()

    # ------------------------------------------------------------------ in
    def add(self, payload: bytes, media_type: int, who: Who) -> None:
        """One whole message that arrived now. Runs once a message."""
        rows = self._rows
        rows.append((self._now(), media_type, who, payload))
        self._records += 1
        self._octets += len(payload)
        if self._records >= AHEAD_RECORDS or self._octets >= AHEAD_OCTETS:
            self.is_far = True
            self.hand_over()
        elif self._flush is None or len(rows) >= _BATCH:
            self._hand_over_soon()

    def _hand_over_soon(self) -> None:
        """At the end of this turn of the loop, or a moment after the last time."""
        if self._kept is not None or self._loop is None:
            return
        wait = self._flushed_at + _GATHER_SECONDS - self._loop.time()
        if len(self._rows) >= _BATCH:
            self.hand_over()
        elif wait > 0:
            self._flush = self._loop.call_later(wait, self.hand_over)
        else:
            self._flush = self._loop.call_soon(self.hand_over)

    async def room(self) -> None:
        """Return when there is room for more."""
        if self.is_far and self._loop is not None:
            if self._room is None:
                self._room = self._loop.create_future()
            await asyncio.shield(self._room)

    async def all_committed(self) -> None:
        """Return when what was read so far is committed."""
        while self._records and self._loop is not None:
            self.hand_over()
            if self._committing is not None:
                await asyncio.wait([self._committing])
            else:
                await self.room()

    # ------------------------------------------------------------------ out
    def hand_over(self) -> int:
        """Give what waits to the intake; returns the records taken."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        if self._loop is None:
            return 0
        self._flushed_at = self._loop.time()
        taken = 0
        if self._kept is not None:
            taken = self._offer(self._kept)
        if self._kept is None and self._rows:
            rows, self._rows = self._rows, []
            taken += self._offer(_batch(rows, self._transport))
        return taken

    def _offer(self, batch: ReceivedBatch) -> int:
        """Hand a batch over, or keep it while the intake is full.

        While it is being handed over nothing older waits (``is_full``), so that the intake leaves
        it the time at which it came.
        """
        assert self._loop is not None
        waited, self._kept = self._kept is not None, None
        try:
            offset = self._intake.take(batch)
        except IntakeFullError as error:
            if not waited:
                _log.warning("%s: nothing is read for now: %s", self._name, error)
            self._kept, self.is_far = batch, True
            if self._retry is None:
                self._retry = self._loop.call_later(_RETRY_SECONDS, self._try_again)
            return 0
        if waited:
            _log.warning("%s: reading goes on", self._name)
        self.messages += len(batch)
        self._uncommitted.append((offset, len(batch), batch.payload.end))
        if self._committing is None:
            self._committing = self._loop.create_task(self._commit())
        return len(batch)

    def _try_again(self) -> None:
        self._retry = None
        self.hand_over()

    async def _commit(self) -> None:
        """Until everything taken is committed; each time there is room for more."""
        try:
            while self._uncommitted:
                taken, self._uncommitted = self._uncommitted, []
                try:
                    await self._intake.committed(taken[-1][0])
                except IntakeFullError as error:  # nobody is told that it is safe; go on
                    _log.error("%s: what was taken may not be safe: %s", self._name, error)
                self._records -= sum(records for _, records, _ in taken)
                self._octets -= sum(octets for _, _, octets in taken)
                self.is_far = (
                    self._kept is not None
                    or self._records >= AHEAD_RECORDS
                    or self._octets >= AHEAD_OCTETS
                )
                if not self.is_far:
                    self._make_room()
        finally:
            self._committing = None

    def _make_room(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.set_result(None)
