"""``collector replay FILE.pcap``: captures judged in pretend time, by the code that judges live.

Does: feed the datagrams of captures, each at the time of its stamp, to the receiver's batcher, its
batches to a journal if one is kept, and to the pipeline. Does not: find or open files
(``capture_files``), print.

Rules: the records are those of a live collector that was started with the first datagram and
stopped in good order with the last one: start, configuration, what came, what stayed half built,
stop. Ticks are left out: a deadline passes with the first record behind it, and its rows carry the
deadline as their time, so a live run that had ticks says the same rows. The stop closes what is
open, COMPLETE or NOT_JUDGED(ended), as a live stop does: nobody listened any longer, so nobody is
blamed for a period that the capture cuts off, and no period that has begun goes without a row.
Devices are the configured ones, every other source address is one of its own.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import msgspec

from collector.model import ReceivedBatch, RecordKind
from collector.pipeline.capture_files import CaptureFiles
from collector.pipeline.flow import Pipeline
from collector.pipeline.keeping import KeptCapture
from collector.pipeline.quirks import in_words, quirks_needed
from collector.pipeline.replay import Look, Replayed, Show
from collector.pipeline.settings import (
    JournalledConfig,
    encode_config,
    reassembly_limits,
    strict_sources,
    wire_quirks,
)
from collector.receivers.datagrams.batcher import DatagramBatcher

log = logging.getLogger(__name__)


def judge_captures(
    files: CaptureFiles,
    config: JournalledConfig,
    *,
    folder: Path | None = None,
    show: Show = lambda said: None,
    look: Look = lambda batch, devices, sids: None,
) -> Replayed:
    """Judge captures from their first datagram to their last.

    Args:
        files: open captures; read to their end.
        config: names, terms, graces.
        folder: keeps journal and store; must be empty or missing. None: nothing is kept.
        show: called with what each batch of records says; updates are in it only with ``folder``.
        look: called with the records themselves before that.

    Raises:
        UsageError: the folder cannot be used.
        SinkError: the journal or the store cannot be written.
    """
    batcher = DatagramBatcher(
        reassembly_limits(config),
        strict_sources=strict_sources(config),
        quirks=wire_quirks(config),
    )
    with ExitStack() as ending:
        kept = None
        if folder is not None:
            kept = KeptCapture(folder)
            ending.push(partial(_close, kept))
        run = _Run(config, kept, show, look)
        for batch in batcher.receive_datagrams(files):
            for note in files.take_notes():
                at = batch.received_at[0] if len(batch) else max(note.since, run.last_arrival)
                run.take(_one(at, RecordKind.CLOCK, msgspec.json.encode(note)))
            run.take(batch)
        run.stop(batcher, files.last_arrival)
        if kept is not None:
            kept.finish((name, run.pipeline.snapshot_part(name)) for name in run.names())
    counts = run.pipeline.counts
    return Replayed(
        records=run.next_offset,
        first_arrival=run.first_arrival,
        last_arrival=run.last_arrival,
        states=run.pipeline.engine.states(ended=True),
        unknown=run.pipeline.engine.unknown(),
        rejected=_sum(batcher.counters.rejected, counts.rejected, run.faults),
        discarded={word: count for word, count in batcher.discarded.items() if count},
        quirks_needed=in_words(
            quirks_needed(
                config, [batcher.counters.quirks], run.pipeline.engine.per_subscription()
            ).items()
        ),
        left_out=files.left_out,
        odd_stamps=files.odd_stamps,
        datagrams=batcher.counters.datagrams,
        messages=batcher.counters.messages,
        ports=sorted(files.ports),
        damage=tuple(files.damage),
    )


class _Run:
    """Records in the order of time: into the journal, through the pipeline, to whoever looks."""

    def __init__(
        self, config: JournalledConfig, kept: KeptCapture | None, show: Show, look: Look
    ) -> None:
        self.pipeline = Pipeline()
        self.next_offset = 0
        self.first_arrival = 0
        self.faults: dict[str, int] = {}
        self._config = config
        self._kept = kept
        self._show = show
        self._look = look

    def take(self, batch: ReceivedBatch) -> None:
        """Take the next records; in front of the first ones the start is noted."""
        if not len(batch):
            return
        if not self.next_offset:
            start = self.first_arrival = batch.received_at[0]
            self._record(_one(start, RecordKind.COLLECTOR_START))
            self._record(_one(start, RecordKind.CONFIG, encode_config(self._config)))
        self._record(batch)

    @property
    def last_arrival(self) -> int:
        """Arrival of the newest record, ns; 0 before the first."""
        return self.pipeline.last_arrival

    def stop(self, batcher: DatagramBatcher, now: int) -> None:
        """The capture is over: half-built messages as such, and the stop."""
        self.take(batcher.stop(now))
        if self.next_offset:
            self.take(_one(now, RecordKind.COLLECTOR_STOP))

    def names(self) -> list[str]:
        """The parts of a snapshot, if there is anything to be kept."""
        return self.pipeline.snapshot_names() if self.next_offset else []

    def _record(self, batch: ReceivedBatch) -> None:
        first, segment, records = self.next_offset, 0, None
        if self._kept is not None:
            appended = self._kept.append(batch)
            first, segment, records = appended.first_offset, appended.segment, appended.records
        self.next_offset = first + len(batch)
        said = None
        try:
            said = self.pipeline.receive(first, batch, records)
        except Exception:  # as live: a fault of ours must not end the run
            self.faults["internal-error"] = self.faults.get("internal-error", 0) + len(batch)
            log.exception("The records from offset %d on could not be judged.", first)
        self._look(batch, self.pipeline.senders.of_batch(batch), self.pipeline.sids)
        if said is None:
            return
        if self._kept is not None:
            self._kept.add(segment, said)
        self._show(said)


def _close(kept: KeptCapture, kind: type[BaseException] | None, *_: object) -> None:
    kept.close(failed=kind is not None)


def _one(time: int, kind: RecordKind, payload: bytes = b"") -> ReceivedBatch:
    batch = ReceivedBatch()
    batch.append(time, kind, payload)
    return batch


def _sum(*counts: dict[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in counts:
        for word, count in one.items():
            found[word] = found.get(word, 0) + count
    return found
