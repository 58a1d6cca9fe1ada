"""After a start: what the journal knows is brought back, and what the store lacks is stored.

From the newest usable snapshot on, the journal's records go through the pipeline as they did the
first time; they say the same rows. Rows of segments that the store has are dropped by the writer,
the others are stored, so a kill at any moment neither loses nor doubles a row.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from collector.journal import Journal
from collector.pipeline import Pipeline, reread, restore
from collector.store.snapshots import SnapshotStore
from collector.store.writer import StoreWriter

log = logging.getLogger(__name__)

SAY_AFTER_SECONDS = 2.0
"""A longer recovery is worth a line in the log."""


def recover(
    folder: Path,
    journal: Journal,
    pipeline: Pipeline,
    store: StoreWriter,
    *,
    given_up: Callable[[], bool] = lambda: False,
) -> int:
    """Bring ``pipeline`` and ``store`` up to the journal's end; arrival of its last record, ns.

    Where ``given_up`` says so it ends early: the next start does it again.

    Raises:
        SinkError: the store cannot be written.
    """
    SnapshotStore(folder, on_damage=log.warning).discard_beyond(journal.next_offset)
    start = restore(pipeline, folder, store.stored_offset)
    began = said_at = time.monotonic()
    segment, last_arrival, records = None, 0, 0
    for one in reread(pipeline, folder, start):
        if given_up():
            return last_arrival
        if segment is not None and one.segment != segment:
            store.seal(segment, one.said.first_offset)
        segment, last_arrival = one.segment, one.last_arrival
        if not _wait_for_room(store, given_up):
            return last_arrival
        store.add(one.said)
        records += one.said.next_offset - one.said.first_offset
        if time.monotonic() - said_at > SAY_AFTER_SECONDS:
            said_at = time.monotonic()
            left = journal.next_offset - one.said.next_offset
            log.info("Reading the journal again: %d records, %d left.", records, left)
    if segment is not None:
        store.seal(segment, journal.next_offset)
        _wait_for_room(store, given_up)  # or the first record of this run would not be taken
    if records:
        log.info(
            "Read %d records of the journal again in %.1f s.", records, time.monotonic() - began
        )
    return max(last_arrival, pipeline.last_arrival)


def _wait_for_room(store: StoreWriter, given_up: Callable[[], bool]) -> bool:
    """False when it was given up first."""
    while not store.has_room:
        if given_up():
            return False
        store.flush(1.0)
    return True
