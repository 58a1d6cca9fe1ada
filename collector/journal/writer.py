"""The journal's writing end: batches in, offsets out, one file after the other.

Does not decide when to acknowledge (``commit`` knows what is durable) and does not read records.

Rules:
* ``append`` is called from one thread; the commit thread only ever sees whole frames.
* One gathering write a batch. What could not be written whole is cut off again, so the file always
  ends with a whole frame, and the same batch can be offered again later.
* A file is never written again after it was sealed, nor after a start: recovery seals what it
  finds. So a segment's content follows from its name for ever, and what was derived from it stays
  true.
* A new file appears under its name only with its head whole (rename), and its name keeps the offset
  even while it holds no record.
* Normally nothing here waits for the disk. Only after a file that could not be synced the next one
  must prove itself: its head is synced before it gets a record.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from msgspec import Struct

from collector.errors import ConfigError, IntakeFullError
from collector.journal import format as segment_format
from collector.journal import segments
from collector.journal.columns import to_arrow
from collector.journal.commit import GroupCommit, OpenFile
from collector.journal.disk import Disk
from collector.journal.lock import FolderLock
from collector.journal.segments import Recovery, Segment
from collector.model import ReceivedBatch, RecordKind

MEBIBYTE = 1 << 20
IDLE_FACTOR = 12
"""A segment of ticks only may grow so many times older (ours): an idle day left 17,000 files."""


class JournalSettings(Struct, frozen=True):
    """Sizes and times of a journal."""

    segment_seconds: float = 5.0
    """Age at which a segment with records is sealed, looked at when the next batch comes."""
    segment_octets: int = 64 * MEBIBYTE
    """Size at which a segment is sealed; of its records, however small the file."""
    commit_interval_seconds: float = 0.02
    """Longest time a written record waits for its group commit."""
    commit_octets: int = MEBIBYTE
    """Octets that start a group commit at once."""
    free_space_reserve: int = 256 * MEBIBYTE
    """Octets of the file system left alone: below it nothing more is taken. 0 looks at nothing."""


class JournalAppend(Struct, frozen=True, gc=False):
    """Where a batch went."""

    first_offset: int
    next_offset: int
    segment: int
    """First offset of the segment it is in; a change of it says that the last one is sealed."""
    records: pa.RecordBatch
    """The batch as Arrow columns (``columns.SCHEMA``), so that the store need not copy payloads."""


class Journal:
    """The only durable state of a collector. Open it with ``Journal.open``."""

    def __init__(
        self,
        data_folder: Path,
        settings: JournalSettings,
        recovery: Recovery,
        *,
        disk: Disk,
        monotonic: Callable[[], float],
        lock: FolderLock,
        on_failure: Callable[[Path, OSError], None],
    ) -> None:
        self.recovery = recovery
        """What the start found; its notes belong into the log."""
        self.on_sealed: list[Callable[[Segment], None]] = []
        """Called in the appending thread when a segment got its last record."""
        self._folder = segments.journal_folder(data_folder)
        self._settings = settings
        self._disk = disk
        self._monotonic = monotonic
        self._lock = lock
        self._next_offset = recovery.next_offset
        self._file: OpenFile | None = None
        self._first_offset = 0
        self._octets = 0
        """Of the open file."""
        self._held = 0
        """Octets of its records before they were compressed: so much the store holds meanwhile."""
        self._opened_at = 0.0
        self._busy = False
        """The open segment holds more than ticks."""
        self._closed = False
        self._prove = False
        self._commit = GroupCommit(
            disk,
            committed_offset=recovery.next_offset,
            interval_seconds=settings.commit_interval_seconds,
            octets=settings.commit_octets,
            on_failure=on_failure,
        )

    @classmethod
    def open(
        cls,
        data_folder: Path,
        settings: JournalSettings | None = None,
        *,
        minimum_offset: int = 0,
        disk: Disk | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        on_failure: Callable[[Path, OSError], None] = lambda path, error: None,
    ) -> Journal:
        """Lock the data folder, recover what a crash left, and open a new segment.

        ``minimum_offset``: offsets start at least here. Give the store's ``stored_offset``: where
        the journal's files were taken away, or a power failure left less than the store already
        has, offsets that the store knows would otherwise be given twice.
        ``on_failure`` is called in a background thread when a file could not be brought to disk.

        Raises:
            ConfigError: the folder is in use by another process or cannot be made.
            SinkError: the last segment cannot be recovered.
            IntakeFullError: no room for a new segment.
        """
        disk = disk or Disk()
        lock = FolderLock.acquire(data_folder)
        try:
            recovery = _recover(segments.journal_folder(data_folder), minimum_offset, disk)
            journal = cls(
                data_folder,
                settings or JournalSettings(),
                recovery,
                disk=disk,
                monotonic=monotonic,
                lock=lock,
                on_failure=on_failure,
            )
        except BaseException:
            lock.release()
            raise
        try:
            journal._open_file()
        except BaseException:
            journal.close()
            raise
        return journal

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ------------------------------------------------------------------ state
    @property
    def next_offset(self) -> int:
        """The offset that the next record gets."""
        return self._next_offset

    @property
    def committed_offset(self) -> int:
        """Records before it survive a power failure (``commit`` names the exception)."""
        return self._commit.committed_offset

    @property
    def segment(self) -> int:
        """First offset of the segment that is written now."""
        return self._first_offset

    def segments(self) -> list[Segment]:
        """All files by offset, the open one last."""
        return segments.list_segments(self._folder)

    # ------------------------------------------------------------------ writing
    def append(self, batch: ReceivedBatch) -> JournalAppend:
        """Write a batch; it is readable at once and durable after ``wait_committed``.

        Raises:
            IntakeFullError: nothing was taken (disk full or refusing); try again later.
            ValueError: columns of unequal length, or numbers out of range.
        """
        rows = len(batch)
        if rows == 0:
            raise ValueError("an empty batch has no place in the journal")
        records = to_arrow(batch)
        payload = segment_format.encode_payload(records)
        head = segment_format.encode_frame_head(payload, self._next_offset, rows)
        file = self._writable_file()
        self._write(file, head, payload)
        self._busy = self._busy or batch.kind.count(RecordKind.TICK) < rows
        self._held += records.nbytes
        first = self._next_offset
        self._next_offset = first + rows
        self._commit.wrote(file, self._next_offset, len(head) + payload.size)
        return JournalAppend(first, self._next_offset, self._first_offset, records)

    async def wait_committed(self, offset: int) -> None:
        """Return once all records before ``offset`` are durable.

        Raises:
            IntakeFullError: they could not be brought to the disk; do not acknowledge them.
        """
        await self._commit.wait(offset)

    def wait_durable(self, offset: int, timeout_seconds: float | None = None) -> bool:
        """As ``wait_committed``, for threads (never the event loop's); False after the time."""
        return self._commit.wait_blocking(offset, timeout_seconds)

    def seal(self) -> None:
        """End the open segment if it holds records; the next batch opens another."""
        file = self._file
        if file is None or self._next_offset == self._first_offset:
            return
        self._file = None
        self._commit.seal(file)
        sealed = Segment(
            file.path, self._first_offset, self._next_offset, self._octets, time.time_ns()
        )
        for callback in self.on_sealed:
            callback(sealed)

    def close(self) -> None:
        """Seal, commit, end the thread, free the folder. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self.seal()
        if self._file is not None:
            self._commit.seal(self._file)
            self._file = None
        self._commit.stop()
        self._lock.release()

    # ------------------------------------------------------------------ files
    def _writable_file(self) -> OpenFile:
        if self._closed:
            raise IntakeFullError("the journal is closed")
        file = self._file
        if file is not None and (file.failed or self._is_due()):
            self._prove = self._prove or file.failed
            self._end_file(file)
        file = self._file or self._open_file()
        reserve = self._settings.free_space_reserve
        if reserve and self._disk.free_octets(file.fd) < reserve:
            raise IntakeFullError(
                f"the file system of {self._folder} has less than {_size(reserve)} free"
            )
        return file

    def _is_due(self) -> bool:
        if self._next_offset == self._first_offset:
            return False
        settings = self._settings
        age = self._monotonic() - self._opened_at
        longest = settings.segment_seconds * (1 if self._busy else IDLE_FACTOR)
        return max(self._held, self._octets) >= settings.segment_octets or age >= longest

    def _end_file(self, file: OpenFile) -> None:
        if self._next_offset > self._first_offset:
            self.seal()
        else:
            self._file = None
            self._commit.seal(file)

    def _open_file(self) -> OpenFile:
        """Begin the segment that starts at the next offset. Raises IntakeFullError."""
        path = self._folder / segment_format.segment_name(self._next_offset)
        head = segment_format.encode_head(self._next_offset)
        under_way = path.with_suffix(".tmp")
        try:
            if not self._folder.is_dir():  # somebody took it away: go on in a new one
                self._folder.mkdir(mode=0o700)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
            fd = os.open(under_way, flags, 0o600)
        except OSError as error:
            raise _full(self._folder, error) from error
        try:
            if self._disk.write(fd, [head]) != len(head):
                raise _no_room()
            if self._prove:
                self._disk.sync(fd)
                self._prove = False
            under_way.rename(path)
        except OSError as error:
            os.close(fd)
            raise _full(self._folder, error) from error
        self._file = OpenFile(fd, path, self._next_offset)
        self._first_offset = self._next_offset
        self._octets, self._held = len(head), 0
        self._opened_at = self._monotonic()
        self._busy = False
        return self._file

    def _write(self, file: OpenFile, head: bytes, payload: pa.Buffer) -> None:
        total = len(head) + payload.size
        written = 0
        problem: OSError | None = None
        try:
            written = self._disk.write(file.fd, [head, payload])
            if 0 < written < total:
                rest = memoryview(head + payload.to_pybytes())[written:]
                written += self._disk.write(file.fd, [rest])
        except OSError as error:
            problem = error
        if problem is None and written == total:
            self._octets += total
            return
        self._cut_back(file)
        raise _full(self._folder, problem or _no_room())

    def _cut_back(self, file: OpenFile) -> None:
        """Take a half-written frame away; if even that fails, the file ends here for good."""
        try:
            self._disk.truncate(file.fd, self._octets)
        except OSError:
            self._end_file(file)


def _recover(folder: Path, minimum_offset: int, disk: Disk) -> Recovery:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        recovery = segments.recover(folder)
        for segment in segments.list_segments(folder)[-1:]:
            fd = os.open(segment.path, os.O_RDONLY)
            try:
                disk.sync(fd)
            finally:
                os.close(fd)
    except OSError as error:
        raise ConfigError(f"the journal folder {folder} cannot be used: {error}") from error
    if recovery.next_offset >= minimum_offset:
        return recovery
    note = (
        f"the journal ends at offset {recovery.next_offset} but the store knows records before "
        f"{minimum_offset}: offsets go on there"
    )
    return Recovery(minimum_offset, recovery.cut_octets, (*recovery.notes, note))


def _no_room() -> OSError:
    """What a write means that took only a part."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _full(folder: Path, error: OSError) -> IntakeFullError:
    return IntakeFullError(f"the journal in {folder} cannot be written: {error.strerror or error}")


def _size(octets: int) -> str:
    """A size for people."""
    for unit, name in ((1 << 30, "GiB"), (MEBIBYTE, "MiB")):
        if octets >= unit:
            return f"{octets / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{octets} octets"
