"""Reading the journal again: after a restart, for rows not stored yet, and for ``replay``.

Does: bring a pipeline to where a snapshot or the journal's beginning leaves it, and say again what
follows. Does not: write the live store (the service does), change what it reads.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from collector.errors import UsageError
from collector.journal import JournalReader
from collector.model import ReceivedBatch
from collector.pipeline.flow import Pipeline
from collector.store.manifest import load_manifest, store_folder
from collector.store.open_rows import OpenRows
from collector.store.said import Said, tables_of
from collector.store.snapshots import SnapshotStore

log = logging.getLogger(__name__)


class Reread(Struct, frozen=True):
    """What one journal frame says when it is read again."""

    segment: int
    """First offset of the segment that it is in."""
    first_arrival: int
    last_arrival: int
    """Arrivals of its first and last record, ns."""
    said: Said
    batch: ReceivedBatch


def restore(pipeline: Pipeline, folder: Path, stored_offset: int) -> int:
    """Load the newest snapshot that the store does not lag behind; the offset to read from."""
    snapshots = SnapshotStore(folder, on_damage=log.warning)
    parts = snapshots.load(stored_offset)
    if parts is None:
        return 0
    try:
        return pipeline.restore((part.device, part.offset, part.state) for part in parts)
    except (UsageError, msgspec.MsgspecError) as error:
        log.warning("The last snapshot is not used, the journal is read from its start: %s", error)
        return 0


def reread(pipeline: Pipeline, folder: Path, from_offset: int = 0) -> Iterator[Reread]:
    """Feed everything from an offset to the journal's present end into the pipeline."""
    reader = JournalReader(folder, on_damage=log.warning)
    for frame in reader.read(from_offset):
        batch = frame.batch()
        try:
            said = pipeline.receive(frame.first_offset, batch, frame.records)
        except Exception:
            # a fault of ours, met by the live run too: it must not keep the collector from starting
            log.exception("The records from offset %d on could not be judged.", frame.first_offset)
            said = Said(
                first_offset=frame.first_offset,
                next_offset=frame.first_offset + len(batch),
                updates=None,
                verdicts=[],
                events=[],
                subscriptions=[],
            )
        yield Reread(frame.segment, batch.received_at[0], batch.received_at[-1], said, batch)


def open_rows(folder: Path) -> list[OpenRows]:
    """Rows of the journal's end that no Parquet file has, computed without touching anything."""
    stored_offset = load_manifest(store_folder(folder)).stored_offset
    pipeline = Pipeline()
    start = restore(pipeline, folder, stored_offset)
    said = [one.said for one in reread(pipeline, folder, start)]
    said = [one for one in said if one.next_offset > stored_offset]
    return [OpenRows(said[-1].next_offset, tables_of(said))] if said else []
