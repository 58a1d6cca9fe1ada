"""Segments into files, the manifest, restarts, troubles, compaction, retention."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collector.config import Config, StoreSettings
from collector.errors import SinkError
from collector.service.limits import store_limits
from collector.store import compaction, writer
from collector.store.compaction import StoreLimits
from collector.store.manifest import Manifest, load_manifest, store_folder
from collector.store.open_rows import OpenRows, decode_open_rows, encode_open_rows
from collector.store.parquet import read_file
from collector.store.said import Said
from collector.store.writer import DELETE_DELAY, StoreWriter
from tests.unit.store_rows import fill, opening, said


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., StoreWriter]]:
    monkeypatch.setattr(writer, "UPKEEP_SECONDS", 3600.0)  # the tests call it themselves
    with opening(tmp_path) as open_store:
        yield open_store


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in store_folder(folder).iterdir())


def rows_of(folder: Path, table: str, column: str) -> list[Any]:
    manifest = load_manifest(store_folder(folder))
    files = [read_file(store_folder(folder), file) for file in manifest.files_of(table)]
    return [value for rows in files for value in rows.column(column).to_pylist()]


# --------------------------------------------------------------------------- storing
def test_sealed_segment_is_one_file_a_table(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    store = opened()
    store.add(said(0))
    store.add(said(5))
    assert store.stored_offset == 0
    store.seal(0, 10)
    assert store.flush(30)
    assert names(tmp_path) == [
        "events-00000000000000000000.parquet",
        "manifest.json",
        "subscriptions-00000000000000000000.parquet",
        "updates-00000000000000000000.parquet",
        "verdicts-00000000000000000000.parquet",
    ]
    manifest = load_manifest(store_folder(tmp_path))
    assert manifest == store.manifest
    assert manifest.stored_offset == store.stored_offset == 10
    (file,) = manifest.files_of("updates")
    assert (file.first_offset, file.next_offset, file.rows, file.level) == (0, 10, 10, 0)
    assert file.max_time - file.min_time == 9
    assert file.octets == (store_folder(tmp_path) / file.name).stat().st_size
    assert rows_of(tmp_path, "updates", "journal_offset") == list(range(10))
    assert rows_of(tmp_path, "verdicts", "period_index") == [0, 5]


def test_a_stored_segment_is_let_go_at_once(opened: Callable[..., StoreWriter]) -> None:
    store, one, gone = opened(), said(0), threading.Event()
    there = weakref.ref(one.updates, lambda _: gone.set())
    store.add(one)
    del one
    store.seal(0, 5)
    assert gone.wait(30)
    assert there() is None


def test_payload_is_zstd_and_the_file_readable_by_others(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    fill(opened(), 1)
    file = pq.ParquetFile(store_folder(tmp_path) / "updates-00000000000000000000.parquet")
    chunk = file.metadata.row_group(0).column(file.schema.names.index("payload"))
    assert chunk.compression == "ZSTD"
    assert file.schema_arrow.field("received_at").type == pa.timestamp("ns", "UTC")
    file.close()


def test_segment_that_said_nothing_needs_no_file_but_moves_on(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    store = opened()
    store.add(Said(0, 3))
    store.seal(0, 3)
    assert store.flush(30)
    assert names(tmp_path) == ["manifest.json"]
    assert load_manifest(store_folder(tmp_path)).stored_offset == 3


def test_rows_of_the_next_segment_stay_open(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    store = opened()
    store.add(said(0))
    store.add(said(5))
    store.seal(0, 5)
    assert store.flush(30)
    assert rows_of(tmp_path, "updates", "journal_offset") == list(range(5))
    (rest,) = store.open_rows()
    assert rest.next_offset == 10
    assert rest.tables["updates"].column("journal_offset").to_pylist() == list(range(5, 10))
    (part,) = store.open_rows(("verdicts",))
    assert list(part.tables) == ["verdicts"]


# --------------------------------------------------------------------------- starting again
def test_rows_said_again_after_a_restart_are_dropped(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    fill(opened(), 2)
    before = names(tmp_path)
    again = opened()
    assert again.stored_offset == 10
    again.add(said(0))
    again.seal(0, 5)
    again.add(said(5))
    again.seal(5, 10)
    assert again.open_rows() == []
    again.add(said(10))
    again.seal(10, 15)
    assert again.flush(30)
    assert rows_of(tmp_path, "updates", "journal_offset") == list(range(15))
    assert len(names(tmp_path)) == len(before) + 4


def test_killed_before_the_manifest_the_segment_is_written_again(
    opened: Callable[..., StoreWriter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: object) -> None:
        raise OSError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(writer, "save_manifest", killed)
        store = opened()
        store.add(said(0))
        store.seal(0, 5)
        store.close()
    assert "updates-00000000000000000000.parquet" in names(tmp_path)
    assert load_manifest(store_folder(tmp_path)) == Manifest()
    again = opened()
    fill(again, 1)
    assert rows_of(tmp_path, "updates", "journal_offset") == list(range(5))
    again.upkeep()
    assert rows_of(tmp_path, "updates", "journal_offset") == list(range(5))


def test_leftovers_of_a_crash_go_and_listed_files_stay(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    fill(opened(), 1)
    folder = store_folder(tmp_path)
    (folder / "updates-00000000000000000777.parquet").write_bytes(b"")
    (folder / "updates-00000000000000000778.parquet.tmp").write_bytes(b"")
    now = [1000]
    again = opened(wall_clock=lambda: now[0])
    assert "updates-00000000000000000778.parquet.tmp" not in names(tmp_path)
    again.upkeep()
    assert "updates-00000000000000000777.parquet" in names(tmp_path)
    now[0] += DELETE_DELAY
    again.upkeep()
    assert len(names(tmp_path)) == 5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "cannot be read"),
        (b'{"format": "x"}', "cannot be read"),
        (b'{"format": 3}', "format version 3, this program reads 1 to 2"),
    ],
)
def test_manifest_that_cannot_be_used_stops_the_start(
    tmp_path: Path, content: bytes, words: str
) -> None:
    store_folder(tmp_path).mkdir()
    (store_folder(tmp_path) / "manifest.json").write_bytes(content)
    with pytest.raises(SinkError, match=words):
        StoreWriter(tmp_path)


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(SinkError, match="cannot be made"):
        StoreWriter(tmp_path)


# --------------------------------------------------------------------------- trouble
def test_full_disk_is_said_once_tried_again_and_bounded(
    opened: Callable[..., StoreWriter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles: list[SinkError] = []
    full = threading.Event()
    full.set()
    tried = threading.Semaphore(0)
    real = writer.write_file

    def write(*args: Any, **more: Any) -> Any:
        if full.is_set():
            tried.release()
            raise OSError(28, "No space left on device")
        return real(*args, **more)

    monkeypatch.setattr(writer, "write_file", write)
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.01)
    store = opened(max_waiting=2, on_error=troubles.append)
    for number in range(2):
        assert store.has_room
        store.add(said(5 * number))
        store.seal(5 * number, 5 * number + 5)
    assert not store.has_room
    store.add(said(10))  # journalled while there was room: its batch sealed the segment before
    store.seal(10, 15)
    with pytest.raises(SinkError, match="3 segments behind"):
        store.add(said(15))
    for _ in range(3):
        assert tried.acquire(timeout=30)
    assert [rows.next_offset for rows in store.open_rows()] == [5, 10, 15]
    full.clear()
    assert store.flush(30)
    assert store.has_room
    assert len(troubles) == 1
    assert "No space left" in str(troubles[0])
    assert troubles[0].retryable
    assert rows_of(tmp_path, "updates", "journal_offset") == list(range(15))


def test_closing_in_trouble_ends_and_leaves_the_rest_for_the_next_start(
    opened: Callable[..., StoreWriter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*args: Any, **more: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(writer, "write_file", write)
        store = opened()
        store.add(said(0))
        store.seal(0, 5)
        store.close()
        store.close()
        assert not store.flush(0)
    assert load_manifest(store_folder(tmp_path)).stored_offset == 0


# --------------------------------------------------------------------------- upkeep
def test_small_files_stay_where_the_configuration_says_so(
    opened: Callable[..., StoreWriter],
) -> None:
    config = Config(store=StoreSettings(compact=False, retention_seconds=0))
    store = opened(limits=store_limits(config))
    fill(store, compaction.FAN_IN + 1)
    store.upkeep()
    assert {file.level for file in store.manifest.files} == {0}
    assert compaction.choose_merge(store.manifest), "else they would have become one"


def test_small_files_become_one_sorted_file_and_go_a_minute_later(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    now = [10**18]
    store = opened(wall_clock=lambda: now[0])
    fill(store, compaction.FAN_IN + 1)
    for _ in range(4):
        store.upkeep()
    for table in ("updates", "verdicts", "events", "subscriptions"):
        merged, single = store.manifest.files_of(table)
        end = 5 * compaction.FAN_IN
        assert (merged.level, merged.first_offset, merged.next_offset) == (1, 0, end)
        assert (single.level, single.first_offset) == (0, end)
    file = store.manifest.files_of("updates")[0]
    assert file.name == "updates-00000000000000000000-00000000000000000060.parquet"
    rows = read_file(store_folder(tmp_path), file)
    order = list(
        zip(
            rows.column("device").to_pylist(),
            rows.column("journal_offset").to_pylist(),
            strict=True,
        )
    )
    assert order == sorted(order)
    assert sorted(offset for _, offset in order) == list(range(60))
    assert "updates-00000000000000000000.parquet" in names(tmp_path)
    now[0] += DELETE_DELAY
    store.upkeep()
    assert "updates-00000000000000000000.parquet" not in names(tmp_path)
    assert len(names(tmp_path)) == 1 + 4 * 2
    assert load_manifest(store_folder(tmp_path)) == store.manifest


def test_levels_grow_and_every_row_stays_once(
    opened: Callable[..., StoreWriter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "FAN_IN", 2)
    store = opened()
    fill(store, 9)
    for _ in range(40):
        store.upkeep()
    levels = [file.level for file in store.manifest.files_of("updates")]
    assert levels == [3, 0]
    assert sorted(rows_of(tmp_path, "updates", "journal_offset")) == list(range(45))
    assert sorted(rows_of(tmp_path, "verdicts", "period_index")) == list(range(0, 45, 5))


def test_large_files_are_left_alone(
    opened: Callable[..., StoreWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "SMALL_ROWS", compaction.MergeLimits(4, 1))
    monkeypatch.setattr(compaction, "LIMITS", {})
    store = opened()
    fill(store, compaction.FAN_IN + 1)
    assert compaction.choose_merge(store.manifest) == ()


def test_file_that_cannot_be_decoded_does_not_block_the_others(
    opened: Callable[..., StoreWriter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "FAN_IN", 2)
    store = opened()
    fill(store, 4)
    (store_folder(tmp_path) / store.manifest.files_of("updates")[1].name).write_bytes(b"PAR1?")
    with pytest.raises((OSError, pa.ArrowInvalid)):
        store.upkeep()
    store.upkeep()
    assert [file.level for file in store.manifest.files_of("updates")] == [0, 0, 1]


def test_merge_that_a_full_disk_stopped_is_tried_again(
    opened: Callable[..., StoreWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compaction, "FAN_IN", 2)
    store = opened()
    fill(store, 2)
    with monkeypatch.context() as patch:
        patch.setattr(writer, "merge", full)
        with pytest.raises(OSError, match="No space"):
            store.upkeep()
    store.upkeep()
    assert [file.level for file in store.manifest.files_of("updates")] == [1]


def test_groups_get_smaller_where_files_get_larger() -> None:
    def listed(sizes: list[int], level: int = 0) -> Manifest:
        files = (
            writer.StoredFile("updates", f"u{n}", n, n + 1, 1, octets, level, 0, 0)
            for n, octets in enumerate(sizes)
        )
        return Manifest().changed(added=tuple(files))

    def chosen(manifest: Manifest, *avoid: str) -> list[str]:
        group = compaction.choose_merge(manifest, avoid=frozenset(avoid))
        return [file.name for file in group]

    whole = compaction.PAYLOADS.max_octets
    quarter = whole // 4
    assert chosen(listed([quarter] * 4)) == []
    assert chosen(listed([quarter] * 5)) == ["u0", "u1", "u2", "u3"]
    assert chosen(listed([quarter + 1] * 20)) == []
    assert chosen(listed([whole, *[quarter] * 5])) == ["u1", "u2", "u3", "u4"]
    assert chosen(listed([quarter] * 6), "u1") == []
    assert chosen(listed([1] * 12, level=2)) == [f"u{n}" for n in range(12)]
    assert chosen(listed([1] * 12, level=3)) == []
    assert chosen(listed([1] * 11)) == []


@pytest.mark.parametrize(
    ("table", "counts"), [("updates", [12, 12, 12, 0]), ("verdicts", [12, 4, 4, 4, 4, 4, 0])]
)
def test_how_many_files_of_a_level_become_one(table: str, counts: list[int]) -> None:
    for level, count in enumerate(counts):
        files = tuple(
            writer.StoredFile(table, f"f{n}", n, n + 1, 1, 1, level, 0, 0) for n in range(30)
        )
        chosen = compaction.choose_merge(Manifest().changed(added=files))
        assert chosen == files[:count]
        assert compaction.choose_merge(Manifest().changed(added=files[: max(count - 1, 0)])) == ()


def test_half_a_day_of_segments_is_never_more_than_a_few_files_of_verdicts() -> None:
    manifest = Manifest()
    rewritten = most = 0
    for number in range(8640):
        file = writer.StoredFile("verdicts", f"v{number}", number, number + 1, 1, 20_000, 0, 0, 0)
        manifest = manifest.changed(added=(file,))
        while group := compaction.choose_merge(manifest):
            merged = writer.StoredFile(
                "verdicts",
                f"m{number}-{group[0].level}",
                group[0].first_offset,
                group[-1].next_offset,
                sum(one.rows for one in group),
                sum(one.octets for one in group),
                group[0].level + 1,
                0,
                0,
            )
            rewritten += merged.rows
            manifest = manifest.changed(added=(merged,), removed=group)
        most = max(most, len(manifest.files))
    assert sum(one.rows for one in manifest.files) == 8640
    assert most <= 11 + 3 * 5
    assert rewritten <= 5 * 8640


def test_old_rows_go_by_the_age_of_their_table(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    now = [0]
    store = opened(limits=StoreLimits(max_age={"updates": 100}), wall_clock=lambda: now[0])
    fill(store, 2)
    first, second = store.manifest.files_of("updates")
    now[0] = first.max_time + 101
    store.upkeep()
    assert store.manifest.files_of("updates") == (second,)
    assert len(store.manifest.files_of("verdicts")) == 2
    assert (store_folder(tmp_path) / first.name).exists()
    now[0] += DELETE_DELAY
    store.upkeep()
    assert not (store_folder(tmp_path) / first.name).exists()
    assert store.stored_offset == 10


def test_size_takes_the_oldest_updates_first_then_the_rest() -> None:
    def file(table: str, first: int, octets: int) -> Any:
        return writer.StoredFile(table, f"{table}-{first}", first, first + 1, 1, octets, 0, 0, 0)

    verdicts = [file("verdicts", n, 1) for n in range(3)]
    bulk = [file("updates", n, 100) for n in range(3)]
    manifest = Manifest().changed(added=(*verdicts, *bulk))
    chosen = compaction.choose_expired(manifest, StoreLimits(max_octets=203), 0)
    assert chosen == (bulk[0],)
    chosen = compaction.choose_expired(manifest, StoreLimits(max_octets=2), 0)
    assert chosen == (*bulk, verdicts[0])
    assert compaction.choose_expired(manifest, StoreLimits(), 1 << 62) == ()


def test_leaves_go_with_their_updates_before_any_verdict() -> None:
    def file(table: str, first: int, octets: int) -> Any:
        return writer.StoredFile(table, f"{table}-{first}", first, first + 1, 1, octets, 0, 0, 0)

    verdicts = [file("verdicts", n, 1) for n in range(2)]
    bulk = [file(table, n, 100) for n in range(2) for table in ("updates", "leaves")]
    manifest = Manifest().changed(added=(*verdicts, *bulk))
    chosen = compaction.choose_expired(manifest, StoreLimits(max_octets=202), 0)
    assert {entry.name for entry in chosen} == {"updates-0", "leaves-0"}


def test_background_thread_does_the_upkeep_by_itself(
    opened: Callable[..., StoreWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "UPKEEP_SECONDS", 0.0)
    done = threading.Event()
    monkeypatch.setattr(StoreWriter, "upkeep", lambda self: done.set())
    opened()
    assert done.wait(30)


# --------------------------------------------------------------------------- over a socket
def test_open_rows_travel_as_octets(opened: Callable[..., StoreWriter]) -> None:
    store = opened()
    store.add(said(0))
    (sent,) = store.open_rows()
    (got,) = decode_open_rows(encode_open_rows([sent]))
    assert got.next_offset == 5
    assert all(got.tables[name].equals(table) for name, table in sent.tables.items())
    assert decode_open_rows(encode_open_rows([])) == []


@pytest.mark.parametrize(
    "octets", [b"", b"\xc1", b"\x91\x01", encode_open_rows([OpenRows(1, {"events": pa.table({})})])]
)
def test_octets_that_are_no_open_rows(octets: bytes) -> None:
    with pytest.raises(SinkError, match="cannot be read"):
        decode_open_rows(octets)
