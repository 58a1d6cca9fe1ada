"""What the pipeline said, segment by segment, into Parquet files and the manifest.

Does not know the journal beyond its offsets, and judges nothing.

Why no row is ever doubled or lost:
* Every row belongs to the journal record that made it say so. Timers run only when a record is
  read whose ``received_at`` is past the deadline (a TICK at least), live as in a re-run; so what is
  said about a segment follows from the journal alone, and a re-run says the same rows.
* A segment is stored whole and once: its files are written and synced first, then the manifest
  that lists them and moves ``stored_offset`` behind it is put in place with one rename. Killed
  before the rename, nothing is listed and the re-run writes the same files again; killed after it,
  the re-run's rows lie before ``stored_offset`` and are dropped by ``add``.
* Rows of the open segment live in memory only. So a re-run starts from an engine snapshot none of
  whose parts is past ``stored_offset`` (``snapshots.SnapshotStore.load``), and the journal gives no
  offset below it again (``Journal.open(minimum_offset=)``).

Rules: ``add``, ``seal`` and ``open_rows`` are called from one thread and never wait for the disk;
one background thread writes them, a second one with a lower priority merges, deletes and lets go,
so that a merge of minutes keeps no segment waiting. At most ``max_waiting`` sealed segments wait in
memory. A merge reads files that nobody changes; it counts only when all of them are still listed
when it is done.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
from msgspec import Struct

from collector.errors import SinkError
from collector.store.compaction import StoreLimits, choose_expired, choose_merge
from collector.store.manifest import (
    PAGE_PREFIX,
    Manifest,
    Page,
    StoredFile,
    full_page,
    load_manifest,
    load_page,
    save_manifest,
    store_folder,
    write_page,
)
from collector.store.merging import MergeStopped, merge
from collector.store.open_rows import OpenRows
from collector.store.parquet import write_file
from collector.store.said import Said, tables_of
from collector.store.tables import TABLES

DELETE_DELAY = 60_000_000_000
"""ns between leaving the manifest and being deleted: readers of the old manifest go on."""
RETRY_SECONDS = 1.0
UPKEEP_SECONDS = 5.0
NICENESS = 5
"""Of the thread that merges (where threads have one): receiving and judging go before it."""


class _Sealed(Struct, frozen=True):
    first_offset: int
    next_offset: int
    said: Sequence[Said]


class StoreWriter:
    """The store of one data folder; the caller holds the folder's lock."""

    def __init__(
        self,
        data_folder: Path,
        *,
        limits: StoreLimits | None = None,
        max_waiting: int = 4,
        wall_clock: Callable[[], int] = time.time_ns,
        tables: Callable[[Sequence[Said]], Mapping[str, pa.Table]] = tables_of,
        on_error: Callable[[SinkError], None] = lambda error: None,
    ) -> None:
        """``tables`` makes the rows of a segment, in the background thread (``tables_of``, or with
        the leaves). ``on_error`` is called there as well, once for each trouble; writing is tried
        again every second until it works.

        Raises:
            SinkError: the manifest cannot be read or the folder cannot be made.
        """
        self._folder = store_folder(data_folder)
        self._limits = limits or StoreLimits()
        self._max_waiting = max_waiting
        self._wall_clock = wall_clock
        self._tables = tables
        self._on_error = on_error
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(
                f"the store folder {self._folder} cannot be made: {error.strerror}", retryable=False
            ) from error
        self._manifest = load_manifest(self._folder)
        self._sealed_offset = self._manifest.stored_offset
        self._open: list[Said] = []
        self._waiting: deque[_Sealed] = deque()
        self._doomed = self._leftovers()
        self._replacing = threading.Lock()
        """Held from looking at the manifest to replacing it."""
        self._changed = threading.Condition()
        self._stopping = False
        self._troubles: frozenset[str] = frozenset()
        """Steps that failed the last time they were tried."""
        self._merges = 0
        self._unmergeable: frozenset[str] = frozenset()
        """Names of files of a group that could not be read."""
        self._threads = [
            threading.Thread(target=self._write, name="store-writer", daemon=True),
            threading.Thread(target=self._keep_up, name="store-upkeep", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    # ------------------------------------------------------------------ the pipeline's side
    @property
    def stored_offset(self) -> int:
        """Rows of all journal records before it are in files that the manifest lists."""
        return self._manifest.stored_offset

    @property
    def manifest(self) -> Manifest:
        """The present list of files."""
        return self._manifest

    @property
    def has_room(self) -> bool:
        """False while ``max_waiting`` sealed segments wait for the disk: ask before journalling."""
        return len(self._waiting) < self._max_waiting

    @property
    def failing(self) -> frozenset[str]:
        """What could not be written when it was tried last: ``storing``, ``upkeep``."""
        return self._troubles

    def add(self, said: Said) -> None:
        """Take rows of the open segment; those of records stored already are dropped.

        One segment more than ``max_waiting`` is taken, so that rows of records journalled while
        there was still room are never refused because their batch sealed the last segment.

        Raises:
            SinkError: no room (see ``has_room``); offer it again later.
        """
        if said.next_offset <= self._sealed_offset:
            return
        if len(self._waiting) > self._max_waiting:
            raise SinkError(
                f"the store is {len(self._waiting)} segments behind the journal", retryable=True
            )
        self._open.append(said)

    def seal(self, first_offset: int, next_offset: int) -> None:
        """The segment [first, next) is over: store its rows. Stored or sealed already: no-op."""
        if next_offset <= self._sealed_offset:
            return
        with self._changed:
            said = [one for one in self._open if one.first_offset < next_offset]
            self._open = [one for one in self._open if one.first_offset >= next_offset]
            self._sealed_offset = next_offset
            self._waiting.append(_Sealed(first_offset, next_offset, said))
            self._changed.notify_all()

    def open_rows(self, tables: Sequence[str] = tuple(TABLES)) -> list[OpenRows]:
        """Rows that were said and are in no listed file yet, for queries."""
        with self._changed:
            parts = [(one.next_offset, one.said) for one in self._waiting]
            if self._open:
                parts.append((self._open[-1].next_offset, tuple(self._open)))
        return [
            OpenRows(next_offset, {name: rows[name] for name in tables})
            for next_offset, rows in ((offset, tables_of(said)) for offset, said in parts)
        ]

    def flush(self, timeout_seconds: float | None = None) -> bool:
        """Return when everything sealed is stored; False when the time is over first."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout_seconds)

    def close(self) -> None:
        """Store what is sealed and end the threads; after a failed try what is left stays for the
        next start, and a merge under way is given up. May be called twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    # ------------------------------------------------------------------ the background threads
    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if not self._waiting:
                    return
                job = self._waiting[0]
            stored = self._attempt("storing", partial(self._store, job))
            del job  # a whole segment in memory: not until the next one is sealed
            if not stored:
                with self._changed:
                    if self._stopping:
                        return
                    self._changed.wait(RETRY_SECONDS)

    def _keep_up(self) -> None:
        """Also under load and on a full disk: letting old files go may be what helps."""
        if sys.platform == "linux":  # elsewhere the number of a thread may be that of a process
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        pause = UPKEEP_SECONDS
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: self._stopping, pause):
                    return
            merges = self._merges
            self._attempt("upkeep", self.upkeep)
            pause = UPKEEP_SECONDS if self._merges == merges else 0.0

    def _attempt(self, name: str, step: Callable[[], None]) -> bool:
        try:
            step()
        except Exception as error:  # noqa: BLE001  # said once, tried again: the thread must live
            if name not in self._troubles:
                sentence = f"the store cannot be written ({name}): {error}"
                self._on_error(SinkError(sentence, retryable=True))
            with self._changed:
                self._troubles |= {name}
            return False
        with self._changed:
            self._troubles -= {name}
        return True

    def _store(self, job: _Sealed) -> None:
        if not self._folder.is_dir():
            self._begin_anew()
        files = tuple(
            write_file(self._folder, table, rows, job.first_offset, job.next_offset, level=0)
            for table, rows in self._tables(job.said).items()
            if rows.num_rows
        )
        with self._replacing:
            self._replace(added=files, stored_offset=job.next_offset, job_done=True)

    def _begin_anew(self) -> None:
        """Somebody took the folder away: what comes from now on is kept all the same."""
        self._folder.mkdir(mode=0o700)
        gone: tuple[StoredFile | Page, ...] = (*self._manifest.pages, *self._manifest.files)
        number = sum(entry.files if isinstance(entry, Page) else 1 for entry in gone)
        with self._replacing:
            self._replace(removed=gone)
        sentence = f"the store folder {self._folder} was taken away with {number} files"
        self._on_error(SinkError(sentence, retryable=True))

    def upkeep(self) -> None:
        """Delete what is due, let expired files go, merge one group of small ones.

        A background thread does it every ``UPKEEP_SECONDS``, and again at once after a merge.
        Raises OSError, pyarrow.ArrowInvalid.
        """
        with self._replacing:
            now = self._wall_clock()
            for name in [name for name, due in self._doomed.items() if due <= now]:
                (self._folder / name).unlink(missing_ok=True)
                del self._doomed[name]
            if expired := choose_expired(self._manifest, self._limits, now):
                self._replace(removed=expired)
            merges = self._limits.merges
            group = choose_merge(self._manifest, avoid=self._unmergeable) if merges else ()
        if group:
            with contextlib.suppress(MergeStopped):
                self._merge(group)

    def _merge(self, group: tuple[StoredFile, ...]) -> None:
        try:
            merged = merge(self._folder, group, stopped=lambda: self._stopping)
        except (OSError, pa.ArrowException) as error:
            # Without an errno it is a file that cannot be decoded: it must not block the others.
            if getattr(error, "errno", None) is None:
                self._unmergeable |= {file.name for file in group}
            raise
        with self._replacing:
            if set(group) <= set(self._manifest.files):
                self._replace(added=(merged,), removed=group)
                self._merges += 1
            else:  # some went meanwhile, by age or with the folder
                (self._folder / merged.name).unlink(missing_ok=True)

    def _replace(
        self,
        *,
        added: tuple[StoredFile, ...] = (),
        removed: tuple[StoredFile | Page, ...] = (),
        stored_offset: int | None = None,
        job_done: bool = False,
    ) -> None:
        manifest = self._manifest.changed(added=added, removed=removed, stored_offset=stored_offset)
        # what a crash leaves of a page that no manifest lists goes like any other file
        while paged := full_page(manifest):
            page = write_page(self._folder, paged)
            self._doomed.pop(page.name, None)
            manifest = manifest.changed(removed=paged, pages=(page,))
        names = [name for entry in removed for name in self._names(entry)]
        save_manifest(self._folder, manifest)
        due = self._wall_clock() + DELETE_DELAY
        self._doomed.update(dict.fromkeys(names, due))
        for file in added:
            self._doomed.pop(file.name, None)
        with self._changed:
            self._manifest = manifest
            if job_done:
                self._waiting.popleft()
            self._changed.notify_all()

    def _names(self, entry: StoredFile | Page) -> list[str]:
        """What is to be deleted with an entry of the manifest."""
        if isinstance(entry, StoredFile):
            return [entry.name]
        try:
            return [entry.name, *(file.name for file in load_page(self._folder, entry))]
        except SinkError:
            return [entry.name]  # its files are leftovers at the next start

    def _leftovers(self) -> dict[str, int]:
        """Files that no manifest lists: of a crash, or waiting to be deleted when we stopped."""
        for under_way in self._folder.glob("*.tmp"):
            under_way.unlink(missing_ok=True)
        live = {file.name for file in self._manifest.files}
        kept: set[str] = set()
        for page in self._manifest.pages:
            live.add(page.name)
            try:
                live.update(file.name for file in load_page(self._folder, page))
            except SinkError as error:
                kept.add(page.table)  # nobody knows which of them are live
                self._on_error(error)
        found = [*self._folder.glob("*.parquet"), *self._folder.glob(f"{PAGE_PREFIX}*.json")]
        names = {path.name for path in found} - live
        due = self._wall_clock() + DELETE_DELAY
        return {name: due for name in names if name.partition("-")[0] not in kept}
