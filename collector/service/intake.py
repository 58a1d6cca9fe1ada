"""Where every record enters: journal first, then the pipeline, then the outputs.

All of it happens in the event loop's thread, one batch after the other: the order of the journal is
the order of everything. A receiver that gets ``IntakeFullError`` stops reading, so back-pressure
reaches the peer (or the kernel's buffer, whose drops are counted) and no queue grows here.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Mapping, Sequence

import msgspec

from collector.errors import IntakeFullError, SinkError, WireError
from collector.interfaces import Clock, Sink
from collector.journal import Journal
from collector.metrics import Counters
from collector.model import SECOND, CollectorTime, PauseNote, ReceivedBatch, RecordKind, Transport
from collector.pipeline import Pipeline
from collector.service.alertness import Alertness
from collector.store.said import Said
from collector.store.writer import StoreWriter

_ENDS = frozenset((RecordKind.REPLY, RecordKind.SESSION_DOWN))
_STATE_CHANGE = b"subscription-"
"""In the names of the state changes of RFC 8639 §2.7, but for replay-completed."""

log = logging.getLogger(__name__)


class LiveIntake:
    """Meets ``interfaces.Intake``."""

    def __init__(
        self,
        *,
        journal: Journal,
        pipeline: Pipeline,
        store: StoreWriter,
        sinks: Sequence[Sink],
        clock: Clock,
        counters: Counters,
    ) -> None:
        self.journal = journal
        self.pipeline = pipeline
        self._store = store
        self._sinks = sinks
        self._clock = clock
        self._counters = counters
        self.last_arrival = 0
        """Arrival of the newest record, ns."""
        self.behind: Callable[[], bool] = lambda: False
        """Whether datagrams wait that came earlier than now (``Receiver.behind``)."""
        self.drain: Callable[[], None] = lambda: None
        """Have the receivers hand over what waits (``Receiver.drain``)."""
        self.stamped = True
        """Do datagrams that waited keep the times at which they came (``sources.keep_times``)?"""
        self.alertness = Alertness()
        """Given signs of life by the timer."""
        self.full_since: int | None = None
        """When the journal or the store began to refuse, None while they take."""
        self.full_why = ""
        """Why, in a sentence."""

    @property
    def unreadable(self) -> Mapping[int, WireError]:
        """See ``interfaces.Telling``."""
        return self.pipeline.unreadable

    def take(self, batch: ReceivedBatch) -> int:
        """Take a batch; returns the offset behind it. Raises IntakeFullError."""
        if _may_end(batch):
            self.drain()  # what came before an end is not overtaken by it, however late we are
        if self.full_since is not None:
            self._end_pause(self.full_since)
        self._end_stall()
        return self._take(batch)

    def _take(self, batch: ReceivedBatch) -> int:
        self._keep_order(batch)
        try:
            if not self._store.has_room:
                raise IntakeFullError("the store is several segments behind the journal")
            appended = self.journal.append(batch)
        except IntakeFullError as error:
            self._is_full(error)
            raise
        self._counters.journal_records += len(batch)
        self.last_arrival = batch.received_at[-1]
        self._conclude(appended.first_offset, batch, appended.records)
        return appended.next_offset

    def _end_pause(self, since: int) -> None:
        """The journal says that for a while nothing was taken, at the place where that began:
        what waited meanwhile keeps its time of arrival. Raises IntakeFullError."""
        now = self._clock.now()
        self._note_pause(PauseNote(CollectorTime(since), now, self.full_why, stamped=self.stamped))
        self.full_since = None
        log.warning("There is room again: records are taken.")

    def notice_stall(self) -> None:
        """For the timer, whose next sign of life would hide it. Raises IntakeFullError."""
        if self.full_since is None:
            self._end_stall()

    def _end_stall(self) -> None:
        """Likewise for a time in which we stood still. Raises IntakeFullError."""
        stall = self.alertness.stalled_for()
        if not stall:
            return
        now = self._clock.now()
        why = "nothing of it ran"
        since = CollectorTime(now - stall)
        self._note_pause(PauseNote(since, now, why, refused=False, stamped=self.stamped))
        self.alertness.awake()  # only now: a disk that is full must not make us forget it
        if stall >= SECOND:
            log.warning("The collector stood still for %.1f s.", stall / SECOND)

    def _note_pause(self, note: PauseNote) -> None:
        pause = ReceivedBatch()
        arrival = self.last_arrival or note.until
        pause.append(arrival, RecordKind.PAUSE, msgspec.json.encode(note))
        self._take(pause)

    async def committed(self, offset: int) -> None:
        """Return once all records before ``offset`` survive a power failure."""
        await self.journal.wait_committed(offset)

    def note(self, kind: RecordKind, payload: bytes = b"") -> int:
        """Take one record of our own, as of now. Raises IntakeFullError."""
        batch = ReceivedBatch()
        batch.append(self._clock.now(), kind, payload)
        return self.take(batch)

    def _keep_order(self, batch: ReceivedBatch) -> None:
        """A batch that waited for room is older than what came meanwhile: it arrives now.

        While datagrams wait that came before, what others hand over does not move the time on: the
        datagrams would all look as late as we are.
        """
        times = batch.received_at
        if times and times[0] > self.last_arrival > 0 and _may_wait(batch) and self.behind():
            batch.received_at = array("q", [self.last_arrival]) * len(times)
            return
        if times and times[0] < self.last_arrival:
            last = self.last_arrival
            batch.received_at = array("q", [time if time > last else last for time in times])

    def _is_full(self, error: IntakeFullError) -> None:
        self._counters.intake_refused += 1
        self.full_why = str(error)
        if self.full_since is None:
            self.full_since = self._clock.now()
            log.error("Nothing more is taken for now: %s", error)

    def _conclude(self, first_offset: int, batch: ReceivedBatch, records: object) -> None:
        try:
            said = self.pipeline.receive(first_offset, batch, records)
        except Exception:
            self._counters.messages_rejected.add(("internal-error",), len(batch))
            log.exception("The records from offset %d on could not be judged.", first_offset)
            return
        self._store.add(said)
        rows = len(said.verdicts) + len(said.events) + len(said.subscriptions)
        updates = getattr(said, "updates", None)
        stored = rows + (0 if updates is None else updates.num_rows)
        if stored:
            self._counters.sink_rows_written.add(("store",), stored)
        for sink in self._sinks:
            self._write(sink, said, rows)

    def _write(self, sink: Sink, said: Said, rows: int) -> None:
        try:
            sink.write(said)
        except SinkError as error:
            labels = (sink.name, str(error.retryable).lower())
            if not self._counters.sink_errors[labels]:
                log.error("Output %s: %s", sink.name, error)
            self._counters.sink_errors.add(labels)
            return
        except Exception:
            labels = (sink.name, "false")
            if not self._counters.sink_errors[labels]:
                log.exception("Output %s failed; further failures are only counted.", sink.name)
            self._counters.sink_errors.add(labels)
            return
        if rows:
            self._counters.sink_rows_written.add((sink.name,), rows)


def _may_end(batch: ReceivedBatch) -> bool:
    """May a subscription be over, or be another one, with what came on a management session?"""
    if not len(batch) or batch.transport[0] != Transport.NETCONF:
        return False
    return not _ENDS.isdisjoint(batch.kind) or _STATE_CHANGE in bytes(batch.payload.data)


def _may_wait(batch: ReceivedBatch) -> bool:
    """Is it none of the datagrams, and no word on our clock?"""
    return batch.transport[0] != Transport.UDP_NOTIF and batch.kind[0] != RecordKind.CLOCK
