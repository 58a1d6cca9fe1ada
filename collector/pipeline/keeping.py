"""A folder that a replay fills: the store, and for captures the journal in front of it.

Does: write what was said segment by segment, waiting for the disk where it has to, so that queries
find it as if a live collector had written it. Does not: judge, or add to a folder that holds
something.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from collector.errors import SinkError, UsageError
from collector.journal import Journal, JournalSettings
from collector.journal.writer import JournalAppend
from collector.model import ReceivedBatch
from collector.store.said import Said
from collector.store.snapshots import SnapshotStore
from collector.store.writer import StoreWriter

SEGMENT_OCTETS = 16 * 2**20
"""Smaller than live, since the rows of a segment wait in memory (ours)."""


class KeptStore:
    """The store alone: rows of a journal that is elsewhere."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageError where the folder holds something, SinkError where it cannot be made."""
        try:
            if folder.exists() and any(folder.iterdir()):
                raise UsageError(f"{folder} is not empty; a replay starts a new store")
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder} cannot be used: {error.strerror or error}") from None
        self._problem: SinkError | None = None
        self._writer = StoreWriter(folder, max_waiting=1, on_error=self._failed)
        self._segment: int | None = None
        self._end = 0

    def _failed(self, error: SinkError) -> None:
        self._problem = error

    def add(self, segment: int, said: Said) -> None:
        """Take rows; a new segment stores the one before. Raises SinkError."""
        if self._segment is not None and segment != self._segment:
            self.seal()
        self._segment, self._end = segment, said.next_offset
        self._writer.add(said)

    def seal(self) -> None:
        """Store the rows taken so far, and wait for it. Raises SinkError."""
        if self._segment is None:
            return
        self._writer.seal(self._segment, self._end)
        while not self._writer.flush(0.5):
            if self._problem is not None:
                raise self._problem

    def close(self) -> None:
        """Store the rest. Raises SinkError."""
        try:
            self.seal()
        finally:
            self._writer.close()


class KeptCapture:
    """Journal and store of a capture."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageError, ConfigError, SinkError: the folder cannot be used."""
        self._made = not folder.exists()
        self._store = KeptStore(folder)
        self._folder = folder
        settings = JournalSettings(segment_seconds=1e9, segment_octets=SEGMENT_OCTETS)
        try:
            self._journal = Journal.open(folder, settings)
        except BaseException:
            self._store.close()
            self._clear()
            raise

    def append(self, batch: ReceivedBatch) -> JournalAppend:
        """Write a batch. Raises IntakeFullError: the disk is full."""
        return self._journal.append(batch)

    def add(self, segment: int, said: Said) -> None:
        """Take what a batch said. Raises SinkError."""
        self._store.add(segment, said)

    def finish(self, parts: Iterable[tuple[str, bytes]]) -> None:
        """Store everything, and the state behind the last record, so that nobody reads it again.

        ``parts``: names and contents of the snapshot. Raises SinkError.
        """
        self._journal.seal()
        self._store.seal()
        offset = self._journal.next_offset
        SnapshotStore(self._folder).save(
            [(name, offset, content) for name, content in parts], stored_offset=offset
        )

    def close(self, *, failed: bool = False) -> None:
        """End threads and free the folder; what was not finished is not in the store.

        Nothing of a run that ``failed`` before its first record stays, so that it can be tried
        again.
        """
        empty = not self._journal.next_offset
        self._journal.close()
        self._store.close()
        if failed and empty:
            self._clear()

    def _clear(self) -> None:
        """Take away what we made in the folder, which held nothing before."""
        for entry in self._folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
        if self._made:
            self._folder.rmdir()
