"""Group commit: one background thread that brings written records to the disk, many at a time.

Does not write records and knows no format. It is told of every write (``wrote``), waits until the
oldest of them is ``interval`` old or ``octets`` have gathered, syncs the files in the order in
which they were written, and then says that everything before an offset is durable. While somebody
waits for that, the interval is ``WAITED_SECONDS``: a publisher that posts one notification after
the other gets as many through as there are commits.

A failed sync. After an error of ``fdatasync`` the kernel may have thrown the pages away and marked
them clean: the next ``fdatasync`` of the same file succeeds without having written anything.
Therefore a file is never synced again after one failure: its records that were not committed yet
are *doubtful*, whoever waits for one of them gets IntakeFullError and must not acknowledge, and the
journal goes on in a new file. The doubtful records stay readable if the octets made it to the disk;
since nobody acknowledged them they may also be gone after a power failure, which is what was
promised. ``committed_offset`` moves on with the new file, behind the doubtful range.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from collector.errors import IntakeFullError
from collector.journal.disk import Disk

WAITED_SECONDS = 0.005
"""So old the oldest write gets while somebody waits for it (ours): company still comes, and
the waiting costs little beside what a disk takes."""
_DOUBTFUL_KEPT = 1024
_Waiter = tuple[int, int, asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class OpenFile:
    """A segment file that is written or waits for its last sync. Fields are guarded by the lock."""

    __slots__ = ("failed", "fd", "folder", "folder_synced", "next_offset", "path", "sealed")

    def __init__(self, fd: int, path: Path, next_offset: int) -> None:
        self.fd = fd
        self.path = path
        self.next_offset = next_offset
        """Offset behind the last record written."""
        self.folder_synced = False
        """Whether the file's name is durable."""
        self.sealed = False
        """Nothing more comes: close after the next sync."""
        self.failed = False
        """A sync failed: never sync again, never claim its records."""


class GroupCommit:
    """Thread, waiters and the committed offset of one journal."""

    def __init__(
        self,
        disk: Disk,
        *,
        committed_offset: int,
        interval_seconds: float,
        octets: int,
        on_failure: Callable[[Path, OSError], None],
    ) -> None:
        """``on_failure`` is called in the background thread, once for each file that failed."""
        self._disk = disk
        self._interval = interval_seconds
        self._octets = octets
        self._on_failure = on_failure
        self._changed = threading.Condition()
        self._files: list[OpenFile] = []
        self._gathered = 0
        self._oldest: float | None = None
        self._hurry = False
        self._stopping = False
        self._ended = False
        self._committed = committed_offset
        self._doubtful: list[tuple[int, int]] = []
        self._waiters: list[_Waiter] = []
        self._order = itertools.count()
        self._thread = threading.Thread(target=self._run, name="journal-commit", daemon=True)
        self._thread.start()

    @property
    def committed_offset(self) -> int:
        """Everything before it is durable, except what waiters were refused (module text)."""
        return self._committed

    def wrote(self, file: OpenFile, next_offset: int, octets: int) -> None:
        """Note that records up to ``next_offset`` were written to ``file``."""
        with self._changed:
            file.next_offset = next_offset
            if file not in self._files:
                self._files.append(file)
            self._gathered += octets
            if self._oldest is None:
                self._oldest = time.monotonic()
                self._changed.notify_all()
            elif self._gathered >= self._octets:
                self._changed.notify_all()

    def seal(self, file: OpenFile) -> None:
        """Nothing more comes to this file: commit it and close it."""
        with self._changed:
            file.sealed = True
            if file not in self._files:
                self._files.append(file)
            self._oldest = self._oldest or time.monotonic()
            self._changed.notify_all()

    async def wait(self, offset: int) -> None:
        """Return once all records before ``offset`` are durable. Raises IntakeFullError."""
        with self._changed:
            if self._settled(offset):
                return
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            heapq.heappush(self._waiters, (offset, next(self._order), loop, future))
            if len(self._waiters) == 1:
                self._changed.notify_all()  # the time to gather is shorter from now on
        await future

    def wait_blocking(self, offset: int, timeout_seconds: float | None = None) -> bool:
        """As ``wait``, for threads; commits without waiting for company. False after the time."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._settled(offset), timeout_seconds)

    def stop(self) -> None:
        """Commit what is left and end the thread. May be called twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    def _settled(self, offset: int) -> bool:
        for first, last in self._doubtful:
            if first < offset <= last:
                raise _not_durable(offset)
        if offset <= self._committed:
            return True
        if self._ended:
            raise IntakeFullError("the journal is closed")
        return False

    def _run(self) -> None:
        try:
            self._commit_until_stopped()
        finally:
            self._settle_rest()

    def _commit_until_stopped(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._oldest is not None or self._stopping)
                self._gather()
                if not self._files and self._stopping:
                    return
                work = [(file, file.next_offset, file.sealed) for file in self._files]
                self._files = []
                self._gathered, self._oldest, self._hurry = 0, None, False
            for file, next_offset, sealed in work:
                self._commit(file, next_offset)
                if sealed:
                    os.close(file.fd)

    def _gather(self) -> None:
        """Wait for company: until the oldest write is old enough or enough octets are there."""
        while not (self._hurry or self._stopping or self._gathered >= self._octets):
            patience = min(self._interval, WAITED_SECONDS) if self._waiters else self._interval
            left = (self._oldest or 0.0) + patience - time.monotonic()
            if left <= 0:
                return
            self._changed.wait(left)

    def _commit(self, file: OpenFile, next_offset: int) -> None:
        problem: OSError | None = None
        if not file.failed:
            try:
                self._disk.sync(file.fd)
                if not file.folder_synced:
                    self._disk.sync_folder(file.path.parent)
                    file.folder_synced = True
            except OSError as error:
                problem = error
        with self._changed:
            if problem is not None:
                file.failed = True
            if not file.failed:
                self._committed = max(self._committed, next_offset)
            else:
                self._doubt(next_offset)
            self._release(next_offset, failed=file.failed)
            self._changed.notify_all()
        if problem is not None:
            self._on_failure(file.path, problem)

    def _doubt(self, next_offset: int) -> None:
        first = max([self._committed, *(last for _, last in self._doubtful[-1:])])
        if next_offset > first:
            self._doubtful = [*self._doubtful, (first, next_offset)][-_DOUBTFUL_KEPT:]

    def _release(self, offset: int, *, failed: bool) -> None:
        released = []
        while self._waiters and self._waiters[0][0] <= offset:
            released.append(heapq.heappop(self._waiters))
        _send_home(released, _not_durable(offset) if failed else None)

    def _settle_rest(self) -> None:
        """Whoever waits for a record that was never committed is sent away."""
        with self._changed:
            self._ended = True
            _send_home(self._waiters, IntakeFullError("the journal is closed"))
            self._waiters = []
            self._changed.notify_all()


def _send_home(waiters: list[_Waiter], error: IntakeFullError | None) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for _, _, loop, future in waiters:
        by_loop.setdefault(loop, []).append(future)
    for loop, futures in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, futures, error)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more


def _settle(futures: list[asyncio.Future[None]], error: IntakeFullError | None) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def _not_durable(offset: int) -> IntakeFullError:
    return IntakeFullError(
        f"the disk refused to keep the records before offset {offset}; they are not acknowledged"
    )
