"""A process to be killed: journal, a toy pipeline, store and snapshots, as the collector runs them.

Run as ``python -m tests.integration.journal_child FOLDER FIRST_NUMBER``; prints ``NUMBER`` lines of
records that are committed, that is: would have been acknowledged.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from collector.journal import Journal, JournalReader, JournalSettings
from collector.model import CollectorTime, Event, RecordKind
from collector.store.said import Said, update_rows
from collector.store.snapshots import SnapshotStore
from collector.store.writer import StoreWriter
from tests.columns import update_row_columns
from tests.unit.journal_batches import batch_of, numbers


class ToyPipeline:
    """Counts records; every seventh makes an event that tells the count, so state matters."""

    def __init__(self, data_folder: Path, *, save_snapshots: bool = True) -> None:
        self.save_snapshots = save_snapshots
        self.store = StoreWriter(data_folder)
        self.snapshots = SnapshotStore(data_folder)
        self.count = 0
        self.offset = 0
        self.frames = 0
        self.segment: int | None = None

    def resume(self, data_folder: Path, end: int) -> None:
        """Load the snapshot that the store allows, read on to the end of the journal."""
        self.snapshots.discard_beyond(end)
        for part in self.snapshots.load(self.store.stored_offset) or ():
            self.count, self.offset = int(part.state), part.offset
        for frame in JournalReader(data_folder).read(self.offset):
            self.read(frame)

    def read(self, frame) -> None:  # type: ignore[no-untyped-def]  # JournalFrame or JournalAppend
        """Say what a frame makes us say; seal the segment before it when it is over."""
        if self.segment is not None and frame.segment != self.segment:
            self.store.seal(self.segment, frame.first_offset)
        self.segment = frame.segment
        rows = frame.records.num_rows
        events = []
        for number in range(frame.first_offset, frame.next_offset):
            self.count += 1
            if number % 7 == 0:
                text = f"{number} is the {self.count}th"
                events.append(Event(CollectorTime(number), "toy", "count", "seventh", text))
        updates = update_rows(
            frame.records,
            frame.first_offset,
            rows=None,
            **update_row_columns(
                device=["toy"] * rows,
                generator=[None] * rows,
                subscription_id=[None] * rows,
                revision=[-1] * rows,
                period_index=[None] * rows,
                kind=["push-update"] * rows,
                event_time=[None] * rows,
                observation_time=[None] * rows,
            ),
        )
        while not self.store.has_room:
            self.store.flush(1)
        self.store.add(Said(frame.first_offset, frame.next_offset, updates, (), events))
        self.offset = frame.next_offset
        self.frames += 1
        if (
            self.save_snapshots and self.frames % 7 == 0
        ):  # anywhere in a segment, mostly past what is stored
            self.snapshots.save(
                [("toy", self.offset, b"%d" % self.count)], stored_offset=self.store.stored_offset
            )


async def run(data_folder: Path, first: int) -> None:
    """Append for ever."""
    settings = JournalSettings(
        segment_seconds=0.05,
        segment_octets=40_000,
        commit_interval_seconds=0.002,
        free_space_reserve=0,
    )
    pipeline = ToyPipeline(data_folder)
    journal = Journal.open(data_folder, settings, minimum_offset=pipeline.store.stored_offset)
    pipeline.resume(data_folder, journal.next_offset)
    number = first
    while True:
        assert RecordKind.DATA == 0
        batch = batch_of(1 + number % 13, first=number)
        pipeline.read(journal.append(batch))
        number = numbers(batch)[-1] + 1
        if number % 3 == 0:
            await journal.wait_committed(journal.next_offset)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))
