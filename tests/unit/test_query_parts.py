"""SQL over several folders as one: the lanes of a collector, and what earlier runs left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collector.cli.verdict_rows import Selection
from collector.errors import UsageError
from collector.model import Outcome
from collector.store.query import Part, QuerySession, open_parts
from collector.store.said import Said
from collector.store.tables import TABLES
from collector.store.writer import StoreWriter
from tests.unit.store_rows import said, verdict


def one_verdict(first_offset: int = 0, amendment: int = 0, **changes: Any) -> Said:
    rows = [verdict(1, amendment, **changes)]
    return Said(first_offset, first_offset + 5, None, rows, [], [])


def filled(folder: Path, *rows: Said) -> StoreWriter:
    """A store of one segment stored, and what else is said open."""
    writer = StoreWriter(folder)
    first, *rest = rows
    writer.add(first)
    writer.seal(first.first_offset, first.next_offset)
    assert writer.flush(30)
    for one in rest:
        writer.add(one)
    return writer


def values(session: QuerySession, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in session.run(sql).to_pylist()]


def test_rows_of_all_folders_say_their_lane(tmp_path: Path) -> None:
    stores = [filled(tmp_path / str(n), said(0), said(5)) for n in range(3)]
    parts = [
        Part(tmp_path / str(n), stores[n].open_rows(), lane) for n, lane in enumerate((None, 0, 12))
    ]
    with open_parts(parts) as session:
        counts = "SELECT lane, count(*) FROM updates GROUP BY lane ORDER BY lane NULLS FIRST"
        assert values(session, counts) == [(None, 10), (0, 10), (12, 10)]
        for table, schema in TABLES.items():
            names = [row[0] for row in values(session, f"DESCRIBE {table}")]
            assert names == [*schema.names, "lane"]
    for store in stores:
        store.close()


def test_the_newest_row_of_a_period_is_that_of_its_lane(tmp_path: Path) -> None:
    """Revisions are offsets of one journal: two lanes may use the same number."""
    first = filled(tmp_path / "a", one_verdict(), one_verdict(5, 1, outcome=Outcome.COMPLETE))
    second = filled(tmp_path / "b", one_verdict(outcome=Outcome.DEGRADED))
    parts = [
        Part(tmp_path / "a", first.open_rows(), 0),
        Part(tmp_path / "b", second.open_rows(), 1),
    ]
    with open_parts(parts) as session:
        last = "SELECT lane, outcome FROM verdicts_last ORDER BY lane"
        assert values(session, last) == [(0, "COMPLETE"), (1, "DEGRADED")]
        chosen = Selection().ask(session).select(["lane", "outcome"]).to_pylist()
        assert sorted((row["lane"], row["outcome"]) for row in chosen) == [
            (0, "COMPLETE"),
            (1, "DEGRADED"),
        ]
    first.close()
    second.close()


def test_open_rows_that_one_folder_stored_meanwhile_count_once(tmp_path: Path) -> None:
    store = filled(tmp_path / "a", said(0), said(5))
    other = filled(tmp_path / "b", said(0))
    before = store.open_rows()
    store.seal(5, 10)
    assert store.flush(30)
    with open_parts([Part(tmp_path / "a", before, 0), Part(tmp_path / "b", (), 1)]) as session:
        assert values(session, "SELECT count(*) FROM updates") == [(15,)]
    store.close()
    other.close()


def test_only_the_folders_that_are_read_can_be_read(tmp_path: Path) -> None:
    for name in "abc":
        filled(tmp_path / name, said(0)).close()
    stored = next((tmp_path / "c" / "store").glob("*.parquet"))
    parts = [Part(tmp_path / "a", (), 0), Part(tmp_path / "b", (), 1)]
    with open_parts(parts) as session, pytest.raises(UsageError):
        session.run(f"SELECT * FROM read_parquet('{stored}')")


def test_a_part_without_a_store_is_named(tmp_path: Path) -> None:
    filled(tmp_path / "a", said(0)).close()
    with pytest.raises(UsageError, match=r"no store in .*nowhere"):
        open_parts([Part(tmp_path / "a"), Part(tmp_path / "nowhere")])
