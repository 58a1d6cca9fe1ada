"""Many sorted files into one: order, every row once, little memory, and given up when asked."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collector.store import merging, parquet
from collector.store.manifest import StoredFile
from collector.store.parquet import FileWriter, read_file, row_group_of, write_file
from collector.store.said import verdict_rows
from collector.store.tables import TIME
from tests.unit.store_rows import START, verdict

KEYS = ("device", "judged_at", "subscription_id", "period_index", "amendment")


def rows(*entries: tuple[str, int, int]) -> pa.Table:
    """Verdicts of (device, ns of judgement, period)."""
    return verdict_rows(
        [verdict(period, device=device, judged_at=at) for device, at, period in entries]
    )


def keys(table: pa.Table) -> list[tuple[Any, ...]]:
    times = table.column("judged_at").cast(pa.int64())
    table = table.set_column(table.schema.get_field_index("judged_at"), "judged_at", times)
    return list(zip(*(table.column(name).to_pylist() for name in KEYS), strict=True))


def stored(folder: Path, *tables: pa.Table, level: int = 0) -> list[StoredFile]:
    return [
        write_file(folder, "verdicts", table, 10 * number, 10 * number + 10, level)
        for number, table in enumerate(tables)
    ]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows are read at a time, so that small examples have many borders."""
    monkeypatch.setattr(parquet, "READ_ROWS", 3)


@pytest.mark.parametrize("seed", range(8))
def test_random_files_become_one_sorted_file_with_every_row_once(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    tables = []
    for _ in range(chance.randint(1, 6)):
        devices = [f"core{chance.randint(0, chance.choice([0, 3, 30]))}" for _ in range(40)]
        count = chance.randint(1, 40)
        tables.append(
            rows(*((name, chance.randint(0, 9), chance.randint(0, 99)) for name in devices[:count]))
        )
    files = stored(tmp_path, *tables)
    merged = merging.merge(tmp_path, files)
    found = keys(read_file(tmp_path, merged))
    assert found == sorted(key for table in tables for key in keys(table))
    assert (merged.rows, merged.level) == (len(found), 1)
    assert (merged.first_offset, merged.next_offset) == (0, 10 * len(tables))
    assert (merged.min_time, merged.max_time) == (
        min(file.min_time for file in files),
        max(file.max_time for file in files),
    )
    assert merged.min_period == min(file.min_period or 0 for file in files)
    assert merged.max_period == max(file.max_period or 0 for file in files)


def test_more_rows_of_one_moment_than_are_read_at_once(tmp_path: Path) -> None:
    one = rows(*(("core1", 5, period) for period in range(20)))
    two = rows(*(("core1", 5, period) for period in range(20, 40)), ("core2", 1, 0))
    merged = merging.merge(tmp_path, stored(tmp_path, one, two))
    found = [key[3] for key in keys(read_file(tmp_path, merged))]
    assert found == [*range(40), 0]


def test_little_is_held_whatever_the_files_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "READ_ROWS", 10)
    tables = [
        rows(*((f"core{n:03d}", 1000 * file + n, n) for n in range(300))) for file in range(4)
    ]
    parts = list(merging.sorted_together(tmp_path, stored(tmp_path, *tables)))
    assert sum(part.num_rows for part in parts) == 1200
    assert max(part.num_rows for part in parts) <= 4 * 10


def test_unsorted_file_of_an_older_version_is_sorted_first(tmp_path: Path) -> None:
    table = rows(("core2", 1, 1), ("core1", 9, 2), ("core1", 3, 3))
    pq.write_table(table, tmp_path / "old.parquet")
    old = StoredFile("verdicts", "old.parquet", 0, 10, 3, 1, 0, 1, 9)
    new = write_file(tmp_path, "verdicts", rows(("core1", 4, 4)), 10, 20, 0)
    merged = merging.merge(tmp_path, [old, new])
    assert [key[3] for key in keys(read_file(tmp_path, merged))] == [3, 4, 2, 1]


def test_a_merge_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    files = stored(tmp_path, rows(("core1", 1, 1)), rows(("core1", 2, 2)))
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(merging.MergeStopped):
        merging.merge(tmp_path, files, stopped=lambda: True)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_files_are_sorted_by_device_from_the_start(tmp_path: Path) -> None:
    (file,) = stored(tmp_path, rows(("core9", 1, 7), ("core1", 2, 8), ("core1", 1, 9)))
    assert [key[:2] for key in keys(read_file(tmp_path, file))] == [
        ("core1", 1),
        ("core1", 2),
        ("core9", 1),
    ]
    assert file.is_sorted
    at = START + 1
    assert (file.min_period, file.max_period) == (at + 7 * 10**9, at + 9 * 10**9)


def test_a_row_group_has_few_devices_and_says_which(tmp_path: Path) -> None:
    table = rows(*((f"core{n % 20:02d}", n, n) for n in range(12_000)))
    merged = merging.merge(tmp_path, stored(tmp_path, table, table))
    with pq.ParquetFile(tmp_path / merged.name) as file:
        ranges = [
            file.metadata.row_group(group).column(0).statistics
            for group in range(file.num_row_groups)
        ]
        assert file.schema_arrow.field("judged_at").type == TIME
    assert [(one.min, one.max) for one in ranges] == [
        ("core00", "core04"),
        ("core04", "core08"),
        ("core08", "core12"),
        ("core12", "core16"),
        ("core16", "core19"),
    ]


def test_row_groups_grow_with_the_root_of_the_file() -> None:
    assert row_group_of("verdicts", 1) == 5_000
    assert row_group_of("verdicts", 1_000_000) == 10_000
    assert row_group_of("verdicts", 10**9) == 60_000
    assert row_group_of("updates", 10**9) == parquet.ROW_GROUP


def test_a_file_that_could_not_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileWriter, "append", full)
    with pytest.raises(OSError, match="No space"):
        stored(tmp_path, rows(("core1", 1, 1)))
    assert list(tmp_path.iterdir()) == []
