"""Several Parquet files of one table become one, sorted by device and time.

Writes the file; listing it and letting the others go is the writer's. Rows are never dropped or
changed here.

Rules: memory does not grow with the files: of each some thousand rows are held, of a few MiB at
most, and those written that nobody can come before any more; a large merge takes minutes, so it can
be stopped. Files that are not sorted are held whole, so whoever chooses them looks at what they
hold (``compaction``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from collector.store.manifest import StoredFile
from collector.store.parquet import (
    FileWriter,
    file_name,
    read_file,
    read_slowly,
    row_group_of,
    sorted_rows,
)
from collector.store.tables import ORDER, TABLES

GROUP_OCTETS = 32 << 20
"""Of a row group; it waits in memory until it is whole."""


class MergeStopped(Exception):  # noqa: N818  # no error: somebody asked for it
    """The merge was given up; nothing is left of it."""


def merge(
    folder: Path, files: Sequence[StoredFile], *, stopped: Callable[[], bool] = lambda: False
) -> StoredFile:
    """Write the rows of these files (of one table, neighbours, oldest first) into a new one.

    ``stopped`` is asked now and then. Raises OSError, pyarrow.ArrowInvalid, MergeStopped.
    """
    table, level = files[0].table, files[0].level + 1
    size = row_group_of(table, sum(file.rows for file in files))
    first, behind = files[0].first_offset, files[-1].next_offset
    writer = FileWriter(folder, table, file_name(table, first, behind, level), size)
    try:
        for rows in _row_groups(sorted_together(folder, files), size):
            if stopped():
                raise MergeStopped
            writer.append(rows)
        return writer.finish(first, behind, level)
    except BaseException:
        writer.abandon()
        raise


def sorted_together(folder: Path, files: Sequence[StoredFile]) -> Iterator[pa.Table]:
    """All rows of these files in the table's order, some at a time."""
    table = files[0].table
    sources = [_Source(folder, file) for file in files]
    while sources:
        for source in sources:
            source.fill()
        sources = [source for source in sources if source.rows.num_rows]
        bound = min((source.last() for source in sources if not source.ended), default=None)
        parts = [source.take(bound) for source in sources]
        taken = pa.concat_tables(parts) if parts else TABLES[table].empty_table()
        del parts
        if taken.num_rows:
            taken = sorted_rows(table, taken)
            yield taken
        else:  # one source holds nothing but rows of one moment
            for source in sources:
                if not source.ended and source.last() == bound:
                    source.read()


def _row_groups(rows: Iterator[pa.Table], size: int) -> Iterator[pa.Table]:
    """Whole row groups of ``size`` rows; smaller ones where rows are so large."""
    waiting: list[pa.Table] = []
    count = octets = 0
    for some in rows:
        waiting.append(some)
        count += some.num_rows
        octets += some.nbytes
        if count >= size or octets >= GROUP_OCTETS:
            together = pa.concat_tables(waiting)
            whole = count - count % size if octets < GROUP_OCTETS else count
            yield together.slice(0, whole)
            waiting, count = [together.slice(whole)], count - whole
            octets = waiting[0].nbytes
    if count:
        yield pa.concat_tables(waiting)


class _Source:
    """What was read of one file and not yet written, in order."""

    def __init__(self, folder: Path, file: StoredFile) -> None:
        self._keys = ORDER[file.table][:2]
        self.rows = TABLES[file.table].empty_table()
        self.ended = False
        """Nothing comes behind ``rows``."""
        # files of an older version are small where they are not sorted
        self._more = (
            read_slowly(folder, file)
            if file.is_sorted or file.level
            else iter([sorted_rows(file.table, read_file(folder, file))])
        )

    def fill(self) -> None:
        """Hold some rows, if there are any more."""
        while not self.ended and not self.rows.num_rows:
            self.read()

    def read(self) -> None:
        """Hold some rows more."""
        more = next(self._more, None)
        if more is None:
            self.ended = True
        else:
            self.rows = pa.concat_tables([self.rows, more])

    def last(self) -> tuple[str, int]:
        """Device and time of the last row held: what comes behind is not before it."""
        return self._key(self.rows.num_rows - 1)

    def take(self, bound: tuple[str, int] | None) -> pa.Table:
        """Give away the rows before a device and time; all of them for None."""
        low, high = 0, self.rows.num_rows
        if bound is None:
            low = high
        while low < high:
            middle = (low + high) // 2
            if self._key(middle) < bound:  # type: ignore[operator]  # None is over at once
                low = middle + 1
            else:
                high = middle
        taken, rest = self.rows.slice(0, low), self.rows.slice(low)
        # an empty slice would keep the memory of what is taken
        self.rows = rest if rest.num_rows else rest.schema.empty_table()
        return taken

    def _key(self, row: int) -> tuple[str, int]:
        device, moment = (self.rows.column(column)[row] for column in self._keys)
        return device.as_py(), moment.value
