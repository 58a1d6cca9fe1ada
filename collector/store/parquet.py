"""One Arrow table -> one Parquet file that appears whole, synced, by rename. No manifest here."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from collector.store.manifest import StoredFile
from collector.store.tables import TABLES, TIME_COLUMN

ROW_GROUP = 20_000
"""Rows; 5,000 and more cost the same, 200 cost three times as much."""
_NO_DICTIONARY = {"payload", "journal_offset", "message_id", "received_at", "text"}
"""Columns whose values hardly repeat: looking for repeats costs and finds nothing."""


def file_name(table: str, first_offset: int, next_offset: int, level: int) -> str:
    """Name of a store file; those merged from several say where they end."""
    behind = f"-{next_offset:020d}" if level else ""
    return f"{table}-{first_offset:020d}{behind}.parquet"


def write_file(
    folder: Path, table: str, rows: pa.Table, first_offset: int, next_offset: int, level: int
) -> StoredFile:
    """Write rows; on return the file is durable under its name. Raises OSError."""
    name = file_name(table, first_offset, next_offset, level)
    under_way = folder / f"{name}.tmp"
    with under_way.open("wb") as file:
        pq.write_table(
            rows,
            file,
            compression="zstd",
            compression_level=1,
            row_group_size=ROW_GROUP,
            use_dictionary=[n for n in TABLES[table].names if n not in _NO_DICTIONARY],
            write_statistics=[n for n in TABLES[table].names if n != "payload"],
        )
        file.flush()
        os.fsync(file.fileno())
        octets = file.tell()
    under_way.rename(folder / name)
    times = pc.min_max(rows.column(TIME_COLUMN[table]).cast(pa.int64())).as_py()
    return StoredFile(
        table=table,
        name=name,
        first_offset=first_offset,
        next_offset=next_offset,
        rows=rows.num_rows,
        octets=octets,
        level=level,
        min_time=times["min"] or 0,
        max_time=times["max"] or 0,
    )


def read_file(folder: Path, file: StoredFile) -> pa.Table:
    """All rows of a live file. Raises OSError or pyarrow.ArrowInvalid."""
    return pq.read_table(folder / file.name, schema=TABLES[file.table])
