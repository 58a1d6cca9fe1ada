"""The same input through the fast way and through the slow one: are the rows the same?

Does: let a collector run as it is, in batches and with whatever is compiled; then give every record
of its journal, one by one, to a pipeline of pure Python, and compare the rows with those in the
Parquet files. Does not: look at what comes before the journal; there the tests of the receive path
compare octets.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from tests.bench import end_to_end, on_disk, processes
from tests.bench.end_to_end import EndToEnd
from tests.bench.load import Plan

_EXAMPLES = 5
_SLOW_SECONDS = 600.0
_KEYS = {
    "updates": ("journal_offset",),
    "verdicts": ("device", "subscription_id", "revision", "period_index", "amendment"),
    "events": ("time", "device", "subject", "kind", "text"),
    "subscriptions": ("device", "id", "revision", "time"),
}


class Table(Struct, frozen=True):
    """One table of the store."""

    name: str
    fast: int
    """Rows."""
    slow: int
    differing: int
    examples: tuple[str, ...]


class Equality(Struct, frozen=True):
    """What the comparison came to."""

    run: EndToEnd
    path: str
    """What was live in the fast way."""
    records: int
    """Of the journal, given one by one to the slow way."""
    tables: tuple[Table, ...]

    @property
    def equal(self) -> bool:
        """Every row of every table."""
        return not any(one.differing for one in self.tables)


def compare(plan: Plan, *, folder: Path | None, lanes: int = 1) -> Equality:
    """Run, then read again slowly and compare."""
    from collector import fast

    found: list[tuple[int, tuple[Table, ...]]] = []

    def slowly(data: Path) -> None:
        before = os.environ.get("COLLECTOR_PURE_PYTHON")
        os.environ["COLLECTOR_PURE_PYTHON"] = "1"
        try:
            with processes.process(serve_slow, str(data)) as pipe:
                found.append(processes.answer(pipe, _SLOW_SECONDS))
        finally:
            del os.environ["COLLECTOR_PURE_PYTHON"]
            if before is not None:
                os.environ["COLLECTOR_PURE_PYTHON"] = before

    run = end_to_end.run(plan, folder=folder, lanes=lanes, inspect=slowly)
    records, tables = found[0]
    return Equality(run, fast.PATH, records, tables)


def serve_slow(pipe: Connection, folder: str) -> None:
    """In a process where nothing compiled is loaded: read all journals record by record."""
    records, slow = 0, list[dict[str, pa.Table]]()
    for lane in on_disk.lane_folders(Path(folder)):
        count, said = _said_slowly(lane)
        records += count
        slow.append(said)
    tables = tuple(
        _compared(
            name, _stored(Path(folder), name), [one[name] for one in slow if name in one]
        )
        for name in _KEYS
    )  # fmt: skip
    pipe.send((records, tables))
    pipe.recv()


def _said_slowly(lane: Path) -> tuple[int, dict[str, pa.Table]]:
    from collector.journal import JournalReader
    from collector.journal.columns import from_arrow
    from collector.pipeline import Pipeline
    from collector.store.said import tables_of

    pipeline, said = Pipeline(), []
    for frame in JournalReader(lane).read():
        for row in range(frame.records.num_rows):
            records = frame.records.slice(row, 1)
            said.append(pipeline.receive(frame.first_offset + row, from_arrow(records), records))
    return len(said), tables_of(said)


def _stored(folder: Path, name: str) -> list[pa.Table]:
    from collector.store.manifest import load_manifest, store_folder

    return [
        pq.read_table(store_folder(lane) / one.name)
        for lane in on_disk.lane_folders(folder)
        for one in load_manifest(store_folder(lane)).files_of(name)
    ]


def _compared(name: str, fast: list[pa.Table], slow: list[pa.Table]) -> Table:
    return compared(name, _rows(name, fast), _rows(name, slow))


def compared(name: str, fast: list[dict[str, Any]], slow: list[dict[str, Any]]) -> Table:
    """Rows of two ways, each in the order of its keys."""
    pairs = list(zip(fast, slow, strict=False))
    examples = [_difference(one, other) for one, other in pairs if one != other]
    differing = len(examples) + abs(len(fast) - len(slow))
    return Table(name, len(fast), len(slow), differing, tuple(examples[:_EXAMPLES]))


def _rows(name: str, tables: list[pa.Table]) -> list[dict[str, Any]]:
    rows = [row for table in tables for row in _plain(table)]
    return sorted(rows, key=lambda row: [str(row[key]) for key in _KEYS[name]])


def _plain(table: pa.Table) -> Iterable[dict[str, Any]]:
    """Times as numbers: Python has no ns."""
    for number, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(number, field.name, table.column(number).cast(pa.int64()))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _difference(fast: dict[str, Any], slow: dict[str, Any]) -> str:
    return ", ".join(
        f"{key}: {fast.get(key)!r} fast, {slow.get(key)!r} slow"
        for key in fast | slow
        if fast.get(key) != slow.get(key)
    )[:300]
