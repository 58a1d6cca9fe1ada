"""The manifest of a store with many files: pages, retention by the page, damage, older formats."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.errors import SinkError
from collector.store import compaction, manifest, writer
from collector.store.compaction import MergeLimits, StoreLimits
from collector.store.manifest import (
    Manifest,
    StoredFile,
    listed_files,
    load_manifest,
    load_page,
    save_manifest,
    store_folder,
    write_page,
)
from collector.store.merging import merge
from collector.store.query import open_query
from collector.store.tables import TABLES
from collector.store.writer import DELETE_DELAY, StoreWriter
from tests.unit.store_rows import fill, opening, said

NEVER = MergeLimits(max_level=0, max_octets=0)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., StoreWriter]]:
    """Stores that page early and merge nothing, unless a test says so."""
    monkeypatch.setattr(writer, "UPKEEP_SECONDS", 3600.0)  # the tests call it themselves
    monkeypatch.setattr(manifest, "PAGE_FILES", 2)
    monkeypatch.setattr(compaction, "LIMITS", dict.fromkeys(TABLES, NEVER))
    with opening(tmp_path) as open_store:
        yield open_store


def starts(folder: Path, table: str = "updates", **more: Any) -> list[int]:
    """First offsets of all files that are listed, in pages or not."""

    def damaged(page: manifest.Page, error: SinkError) -> None:
        raise error

    stored = store_folder(folder)
    found = listed_files(stored, load_manifest(stored), table, on_damage=damaged, **more)
    return [file.first_offset for file in found]


def offsets(folder: Path) -> list[int]:
    with open_query(folder) as session:
        rows = session.run("SELECT journal_offset FROM updates ORDER BY 1").to_pylist()
    return [row["journal_offset"] for row in rows]


# --------------------------------------------------------------------------- pages
def test_the_manifest_stays_short_and_every_file_is_listed(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    fill(opened(), 13)
    short = load_manifest(store_folder(tmp_path))
    assert [page.first_offset for page in short.pages_of("updates")] == [0, 10, 20, 30, 40]
    assert [file.first_offset for file in short.files_of("updates")] == [50, 55, 60]
    page = short.pages_of("updates")[1]
    files = load_page(store_folder(tmp_path), page)
    assert (page.files, page.rows, page.octets) == (2, 10, sum(file.octets for file in files))
    assert (page.first_offset, page.next_offset) == (10, 20)
    assert (page.min_time, page.max_time) == (files[0].min_time, files[1].max_time)
    assert sum(entry.rows for entry in short.entries_of("updates")) == 65
    assert starts(tmp_path) == list(range(0, 65, 5))
    assert offsets(tmp_path) == list(range(65))


def test_a_page_knows_its_periods_where_all_its_files_do(tmp_path: Path) -> None:
    def file(name: str, **more: Any) -> StoredFile:
        return StoredFile("verdicts", name, 0, 5, 1, 1, 0, 1, 2, **more)

    known = write_page(
        tmp_path, (file("a", min_period=3, max_period=4), file("b", min_period=1, max_period=9))
    )
    assert (known.min_period, known.max_period) == (1, 9)
    unknown = write_page(tmp_path, (file("a", min_period=3, max_period=4), file("b")))
    assert (unknown.min_period, unknown.max_period) == (None, None)


def test_pages_that_are_not_wanted_are_not_read(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    fill(opened(), 9)
    first = load_manifest(store_folder(tmp_path)).pages_of("updates")[0]
    (store_folder(tmp_path) / first.name).unlink()
    assert starts(tmp_path, wanted=lambda entry: entry.first_offset >= 10)[:2] == [10, 15]
    with pytest.raises(SinkError, match="cannot be read"):
        starts(tmp_path)


def test_files_in_pages_survive_a_restart_and_leftovers_go(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    fill(opened(), 9)
    stray = store_folder(tmp_path) / "files-updates-00-00-00000000.json"
    stray.write_text("[]")
    now = [0]
    again = opened(wall_clock=lambda: now[0])
    now[0] = DELETE_DELAY
    again.upkeep()
    assert offsets(tmp_path) == list(range(45))
    assert not stray.exists()
    fill(again, 2, first=9)
    assert offsets(tmp_path) == list(range(55))


def test_killed_between_page_and_manifest(
    opened: Callable[..., StoreWriter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(opened(), 4)

    def killed(*args: object) -> None:
        raise OSError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(writer, "save_manifest", killed)
        store = opened()
        store.add(said(20))
        store.seal(20, 25)
        store.close()
    assert list(store_folder(tmp_path).glob("files-*"))
    assert offsets(tmp_path) == list(range(20))
    fill(opened(), 5)
    assert offsets(tmp_path) == list(range(25))


# --------------------------------------------------------------------------- retention
def test_an_old_page_goes_with_its_files_a_minute_later(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    now = [0]
    store = opened(limits=StoreLimits(max_age={"updates": 100}), wall_clock=lambda: now[0])
    fill(store, 9)
    page, following = store.manifest.pages_of("updates")[:2]
    files = load_page(store_folder(tmp_path), page)
    now[0] = page.max_time + 100
    store.upkeep()
    assert page in store.manifest.pages
    now[0] += 1
    store.upkeep()
    assert store.manifest.pages_of("updates")[0] == following
    assert len(store.manifest.pages_of("verdicts")) == 3
    gone = [store_folder(tmp_path) / name for name in (page.name, *(file.name for file in files))]
    assert all(path.exists() for path in gone)
    assert offsets(tmp_path) == list(range(10, 45))
    now[0] += DELETE_DELAY
    store.upkeep()
    assert not any(path.exists() for path in gone)


def test_size_takes_the_oldest_pages_of_updates_first(tmp_path: Path) -> None:
    def page(table: str, first: int, octets: int) -> manifest.Page:
        return manifest.Page(table, f"{table}-{first}", 2, first, first + 1, 1, octets, 0, 0)

    pages = (page("updates", 0, 200), page("updates", 1, 200), page("verdicts", 0, 5))
    last = StoredFile("updates", "last", 2, 3, 1, 100, 0, 0, 0)
    listed = Manifest().changed(added=(last,), pages=pages)
    chosen = compaction.choose_expired(listed, StoreLimits(max_octets=305), 0)
    assert chosen == pages[:1]
    chosen = compaction.choose_expired(listed, StoreLimits(max_octets=4), 0)
    assert chosen == (*pages[:2], last, pages[2])


# --------------------------------------------------------------------------- damage
def test_nothing_is_deleted_where_nobody_knows_what_is_live(
    opened: Callable[..., StoreWriter], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened()
    fill(store, 9)
    page = store.manifest.pages_of("updates")[0]
    files = load_page(store_folder(tmp_path), page)
    path = store_folder(tmp_path) / page.name
    path.write_bytes(path.read_bytes().replace(b'"rows":5', b'"rows":6'))
    troubles: list[SinkError] = []
    now = [0]
    again = opened(on_error=troubles.append, wall_clock=lambda: now[0])
    assert "is damaged" in str(troubles[0])
    now[0] = DELETE_DELAY
    again.upkeep()
    assert all((store_folder(tmp_path) / file.name).exists() for file in files)
    with caplog.at_level(logging.WARNING):
        assert offsets(tmp_path) == list(range(10, 45))
    assert "10 rows are left out" in caplog.text
    now[0] = 1 << 62
    again._limits = StoreLimits(max_age={"updates": 1})
    again.upkeep()  # the page itself can go
    assert again.manifest.files_of("updates") == ()


def test_a_folder_taken_away_is_begun_anew_without_its_pages(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    troubles: list[SinkError] = []
    store = opened(on_error=troubles.append)
    fill(store, 9)
    store_folder(tmp_path).rename(tmp_path / "away")
    fill(store, 1, first=9)
    assert "taken away with 36 files" in str(troubles[0])
    assert starts(tmp_path) == [45]


# --------------------------------------------------------------------------- other versions
def test_a_manifest_of_the_first_version_is_read_and_kept(
    opened: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    fill(opened(), 2)
    path = store_folder(tmp_path) / "manifest.json"
    plain = json.loads(path.read_bytes())
    first = {
        "format": 1,
        "stored_offset": plain["stored_offset"],
        "files": [
            {
                name: file[name]
                for name in (
                    "table", "name", "first_offset", "next_offset", "rows", "octets", "level",
                    "min_time", "max_time",
                )
            }
            for file in plain["files"]
        ],
    }  # fmt: skip
    path.write_text(json.dumps(first))
    (old, *_) = load_manifest(store_folder(tmp_path)).files_of("verdicts")
    assert (old.min_period, old.max_period, old.is_sorted) == (None, None, False)
    assert offsets(tmp_path) == list(range(10))
    with open_query(tmp_path) as session:
        assert session.run("SELECT * FROM verdicts", since=0).num_rows == 2
    fill(opened(), 1, first=2)
    assert json.loads(path.read_bytes())["format"] == 2
    assert offsets(tmp_path) == list(range(15))


# --------------------------------------------------------------------------- merges beside writing
def test_a_long_merge_keeps_no_segment_waiting_and_counts_when_it_is_done(
    opened: Callable[..., StoreWriter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "FAN_IN", 2)
    monkeypatch.setattr(compaction, "LIMITS", {name: NEVER for name in TABLES if name != "events"})
    monkeypatch.setattr(manifest, "PAGE_FILES", 100)
    begun, go_on = threading.Event(), threading.Event()

    def slowly(*args: Any, **more: Any) -> StoredFile:
        begun.set()
        assert go_on.wait(30)
        return merge(*args, **more)

    monkeypatch.setattr(writer, "merge", slowly)
    store = opened()
    fill(store, 2)
    other = threading.Thread(target=store.upkeep)
    other.start()
    try:
        assert begun.wait(30)
        fill(store, 2, first=2)
        assert store.stored_offset == 20
    finally:
        go_on.set()
        other.join()
    levels = [file.level for file in store.manifest.files_of("events")]
    assert levels == [1, 0, 0]
    assert load_manifest(store_folder(tmp_path)) == store.manifest


def test_a_merge_of_files_that_went_meanwhile_does_not_count(
    opened: Callable[..., StoreWriter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "FAN_IN", 2)
    monkeypatch.setattr(compaction, "LIMITS", {name: NEVER for name in TABLES if name != "events"})
    store = opened(wall_clock=lambda: 0)
    fill(store, 2)

    def expired(folder: Path, files: Any, **more: Any) -> StoredFile:
        merged = merge(folder, files, **more)
        store._replace(removed=files[:1])
        return merged

    monkeypatch.setattr(writer, "merge", expired)
    store.upkeep()
    assert [file.first_offset for file in store.manifest.files_of("events")] == [5]
    names = {path.name for path in store_folder(tmp_path).glob("events-*")}
    assert names == {f"events-{0:020d}.parquet", f"events-{5:020d}.parquet"}


def test_closing_gives_up_a_merge(
    opened: Callable[..., StoreWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "FAN_IN", 2)
    monkeypatch.setattr(compaction, "LIMITS", {name: NEVER for name in TABLES if name != "events"})
    store = opened()
    fill(store, 2)
    store.close()
    store.upkeep()
    assert [file.level for file in store.manifest.files_of("events")] == [0, 0]


def test_the_rows_of_a_changed_manifest_are_the_same(tmp_path: Path) -> None:
    store_folder(tmp_path).mkdir()
    pages = (manifest.Page("updates", "p", 2, 0, 1, 1, 1, 0, 0),)
    kept = Manifest(stored_offset=7).changed(pages=pages)
    save_manifest(store_folder(tmp_path), kept)
    assert load_manifest(store_folder(tmp_path)) == kept
    assert kept.changed(removed=pages).pages == ()
