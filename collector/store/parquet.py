"""Arrow rows -> one Parquet file that appears whole, synced, by rename. No manifest here.

Rules: rows of every table but ``updates`` lie sorted by device and time (``tables.ORDER``), so that
the statistics of a row group say which devices it can have, and a query about one device reads one
row group a file; sorting payloads would cost more than it brings. The ranges of time and of periods
go into the manifest's entry, so that a file can be passed over unopened.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from math import isqrt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from collector.store.manifest import StoredFile
from collector.store.tables import ORDER, PERIOD_COLUMN, TABLES, TIME_COLUMN, with_all_columns

ROW_GROUP = 20_000
"""Rows; 5,000 and more cost the same, 200 cost three times as much."""
FEWEST_ROWS, MOST_ROWS = 5_000, 60_000
"""Bounds of a row group in a sorted file."""
READ_ROWS, READ_OCTETS = 4_096, 4 << 20
"""Rows read at a time where several files are read at once, and about what they hold at most: rows
have a payload of a hundred octets or of a megabyte."""
SORTED = frozenset(TABLES) - {"updates"}
"""Tables whose files are sorted from the start."""
_NO_DICTIONARY = {"payload", "journal_offset", "message_id", "received_at", "text"}
"""Columns whose values hardly repeat: looking for repeats costs and finds nothing."""
_RISING = {"verdicts": ("period_index", "period_to", "nominal_time", "deadline", "judged_at")}
"""Columns that rise slowly among the rows of a device: the differences take a third of the space,
and less time to write."""


_STATISTICS = {
    "verdicts": (
        "device", "subscription_name", "subscription_id", "period_index", "nominal_time",
        "amendment", "outcome", "judged_at",
    ),
    "leaves": ("device", "node", "received_at", "subscription_id", "period_index"),
}  # fmt: skip
"""Columns worth statistics; the description of a row group has to be read before it is passed."""


class FileWriter:
    """One file under way; appears with ``finish``, or goes with ``abandon``."""

    def __init__(self, folder: Path, table: str, name: str, row_group: int = ROW_GROUP) -> None:
        """``row_group``: rows of one, see ``row_group_of``. Raises OSError."""
        self._row_group = row_group
        self._table, self._target = table, folder / name
        self._under_way = folder / f"{name}.tmp"
        self._file = self._under_way.open("wb")
        rising = _RISING.get(table, ())
        plain = {*_NO_DICTIONARY, *rising}
        self._parquet = pq.ParquetWriter(
            self._file,
            TABLES[table],
            compression="zstd",
            compression_level=1,
            use_dictionary=[n for n in TABLES[table].names if n not in plain],
            column_encoding=dict.fromkeys(rising, "DELTA_BINARY_PACKED"),
            write_statistics=list(
                _STATISTICS.get(table) or (n for n in TABLES[table].names if n != "payload")
            ),
        )
        self.rows = 0
        self._held = 0
        self._times: list[int] = []
        self._periods: list[int] = []

    def append(self, rows: pa.Table) -> None:
        """Write rows behind those before, whole row groups but for the last. Raises OSError."""
        self._parquet.write_table(rows, row_group_size=self._row_group)
        self.rows += rows.num_rows
        self._held += rows.nbytes
        self._times = _widened(self._times, rows.column(TIME_COLUMN[self._table]))
        if column := PERIOD_COLUMN.get(self._table):
            self._periods = _widened(self._periods, rows.column(column))

    def finish(self, first_offset: int, next_offset: int, level: int) -> StoredFile:
        """Put the file in place; on return it is durable. Raises OSError."""
        self._parquet.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        octets = self._file.tell()
        self._file.close()
        self._under_way.rename(self._target)
        return StoredFile(
            table=self._table,
            name=self._target.name,
            first_offset=first_offset,
            next_offset=next_offset,
            rows=self.rows,
            octets=octets,
            level=level,
            min_time=self._times[0] if self._times else 0,
            max_time=self._times[1] if self._times else 0,
            min_period=self._periods[0] if self._periods else None,
            max_period=self._periods[1] if self._periods else None,
            is_sorted=self._table in SORTED or level > 0,
            held_octets=self._held,
        )

    def abandon(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError, pa.ArrowException):  # what it still holds may not fit
            self._parquet.close()
        with contextlib.suppress(OSError):
            self._file.close()
        self._under_way.unlink(missing_ok=True)


def file_name(table: str, first_offset: int, next_offset: int, level: int) -> str:
    """Name of a store file; those merged from several say where they end."""
    behind = f"-{next_offset:020d}" if level else ""
    return f"{table}-{first_offset:020d}{behind}.parquet"


def row_group_of(table: str, rows: int) -> int:
    """Rows of one row group in a file of so many rows.

    Who asks for one device decodes a description of each row group and all rows of one of them
    (measured with DuckDB 2.0: 30 us and 0.3 us), which costs least with 10 x sqrt(rows).
    """
    return min(max(10 * isqrt(rows), FEWEST_ROWS), MOST_ROWS) if table in SORTED else ROW_GROUP


def write_file(
    folder: Path, table: str, rows: pa.Table, first_offset: int, next_offset: int, level: int
) -> StoredFile:
    """Write rows; on return the file is durable under its name. Raises OSError."""
    name, size = file_name(table, first_offset, next_offset, level), row_group_of(table, len(rows))
    writer = FileWriter(folder, table, name, size)
    try:
        writer.append(sorted_rows(table, rows) if table in SORTED or level else rows)
        return writer.finish(first_offset, next_offset, level)
    except BaseException:
        writer.abandon()
        raise


def sorted_rows(table: str, rows: pa.Table) -> pa.Table:
    """The rows of a table in its order."""
    return rows.sort_by([(column, "ascending") for column in ORDER[table]])


def read_file(folder: Path, file: StoredFile) -> pa.Table:
    """All rows of a live file. Raises OSError or pyarrow.ArrowInvalid."""
    return with_all_columns(file.table, pq.read_table(folder / file.name))


def read_slowly(folder: Path, file: StoredFile) -> Iterator[pa.Table]:
    """The rows of a live file in its order, ``READ_ROWS`` at a time at most, in this thread alone.

    Raises OSError or pyarrow.ArrowInvalid.
    """
    # buffered ahead, every file would hold 32 MiB
    path, ahead = folder / file.name, {"buffer_size": 1 << 16, "pre_buffer": False}
    with pq.ParquetFile(path, **ahead) as parquet:
        for batch in parquet.iter_batches(_rows_at_a_time(parquet.metadata), use_threads=False):
            rows = pa.Table.from_batches([batch])
            yield with_all_columns(file.table, rows)


def _rows_at_a_time(metadata: pq.FileMetaData) -> int:
    """As many as hold ``READ_OCTETS`` on an average."""
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    octets: int = sum(group.total_byte_size for group in groups)  # before they were compressed
    rows: int = metadata.num_rows
    return max(1, min(READ_ROWS, READ_OCTETS * rows // max(1, octets)))


def _widened(so_far: Sequence[int], times: Any) -> list[int]:
    found = pc.min_max(times.cast(pa.int64())).as_py()
    known = [*so_far, *(found[end] for end in ("min", "max") if found[end] is not None)]
    return [min(known), max(known)] if known else []
