"""What rows hold in memory counts, however small a file of them is on the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from collector.store import compaction, merging, parquet
from collector.store.manifest import Manifest, StoredFile
from collector.store.parquet import read_file, read_slowly, write_file
from tests.unit.store_rows import updates

PAYLOAD = b'{"description":"link to core7"}' * 1000
"""Compresses to next to nothing."""


def long_rows(first: int, count: int, payload: bytes = PAYLOAD) -> pa.Table:
    """Updates with such a payload each."""
    table = pa.Table.from_batches([updates(count, first)])
    place = table.schema.get_field_index("payload")
    return table.set_column(
        place, table.schema.field(place), pa.array([payload] * count, pa.binary())
    )


def stored(folder: Path, tables: Iterable[pa.Table], level: int = 0) -> list[StoredFile]:
    return [
        write_file(folder, "updates", table, 100 * number, 100 * number + 100, level)
        for number, table in enumerate(tables)
    ]


def listed(held: Iterable[int | None], level: int = 0, octets: int = 1) -> Manifest:
    files = tuple(
        StoredFile("updates", f"u{n}", n, n + 1, 1, octets, level, 0, 0, held_octets=each)
        for n, each in enumerate(held)
    )
    return Manifest().changed(added=files)


def chosen(manifest: Manifest) -> list[str]:
    return [file.name for file in compaction.choose_merge(manifest)]


def test_a_file_says_what_its_rows_hold(tmp_path: Path) -> None:
    small, large = stored(tmp_path, [long_rows(0, 10, b"12"), long_rows(10, 10)])
    assert small.held_octets is not None
    assert large.held_octets == small.held_octets + 10 * (len(PAYLOAD) - 2)
    assert large.octets < small.octets + 2000, "it shows on the disk by next to nothing"
    merged = merging.merge(tmp_path, [small, large])
    assert merged.held_octets == pytest.approx(small.held_octets + large.held_octets, rel=0.01)


def test_small_files_that_hold_much_are_not_merged() -> None:
    whole = compaction.PAYLOADS.max_held
    assert whole is not None
    quarter = whole // 4
    assert chosen(listed([quarter] * 4)) == []
    assert chosen(listed([quarter] * 5)) == ["u0", "u1", "u2", "u3"]
    assert chosen(listed([quarter + 1] * 20)) == []
    assert chosen(listed([64 << 20] * 100)) == [], "segments as a busy collector seals them"
    assert chosen(listed([64 << 20, *[quarter] * 5])) == ["u1", "u2", "u3", "u4"]
    assert chosen(listed([1] * 12)) == [f"u{n}" for n in range(12)]


def test_what_has_no_payload_is_read_piece_by_piece_so_it_may_hold_much() -> None:
    files = tuple(
        StoredFile("verdicts", f"v{n}", n, n + 1, 1, 1, 0, 0, 0, held_octets=1 << 30)
        for n in range(12)
    )
    assert compaction.choose_merge(Manifest().changed(added=files)) == files


def test_files_of_an_older_version_count_by_what_they_have_on_disk() -> None:
    assert chosen(listed([None] * 12)) == [f"u{n}" for n in range(12)]
    assert chosen(listed([None] * 12, octets=compaction.PAYLOADS.max_octets)) == []


def test_few_rows_are_read_at_a_time_where_they_are_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, short = stored(tmp_path, [long_rows(0, 40), long_rows(0, 40, b"12")], level=1)
    monkeypatch.setattr(parquet, "READ_OCTETS", 4 * len(PAYLOAD))

    def counts(file: StoredFile) -> Iterator[int]:
        return (some.num_rows for some in read_slowly(tmp_path, file))

    assert max(counts(long)) <= 4
    assert sum(counts(long)) == 40
    assert list(counts(short)) == [40]
    monkeypatch.setattr(parquet, "READ_OCTETS", 1)
    assert set(counts(long)) == {1}


def test_a_file_without_rows_can_be_read_slowly(tmp_path: Path) -> None:
    pq.write_table(long_rows(0, 1).slice(0, 0), tmp_path / "none.parquet")
    none = StoredFile("updates", "none.parquet", 0, 1, 0, 1, 1, 0, 0)
    assert sum(some.num_rows for some in read_slowly(tmp_path, none)) == 0


def test_a_row_group_does_not_wait_for_rows_that_do_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "GROUP_OCTETS", 10 * len(PAYLOAD))
    files = stored(tmp_path, [long_rows(100 * n, 20) for n in range(3)])
    merged = merging.merge(tmp_path, files)
    with pq.ParquetFile(tmp_path / merged.name) as file:
        groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert len(groups) > 1
    rows = read_file(tmp_path, merged)
    assert sum(groups) == rows.num_rows == 60
    assert pc.count_distinct(rows.column("journal_offset")).as_py() == 60
