"""Engine snapshots: which one is used, which stay, and what damage does."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from collector.errors import SinkError
from collector.store.snapshots import SnapshotStore


def files(folder: Path) -> list[int]:
    return sorted(
        int(path.name.removeprefix("snapshot-")) for path in (folder / "snapshots").iterdir()
    )


def loaded(store: SnapshotStore, max_offset: int) -> list[tuple[str, int, bytes]] | None:
    parts = store.load(max_offset)
    return parts and [(part.device, part.offset, part.state) for part in parts]


def test_saved_parts_come_back(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    path = store.save([("a", 10, b"\x00state"), ("b", 12, b"")])
    assert path is not None
    assert path.name == "snapshot-00000000000000000012"
    assert loaded(store, 12) == [("a", 10, b"\x00state"), ("b", 12, b"")]
    assert store.needed_offset(12) == 10


def test_nothing_to_save_and_nothing_to_load(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    assert store.save([]) is None
    assert store.load(100) is None
    assert store.needed_offset(100) == 0


def test_newest_whose_parts_are_all_stored_is_used(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save([("a", 5, b"old"), ("b", 10, b"old")])
    store.save([("a", 15, b"new"), ("b", 21, b"new")])
    assert loaded(store, 20) == [("a", 5, b"old"), ("b", 10, b"old")]
    assert store.load(9) is None
    assert store.needed_offset(20) == 5
    assert store.needed_offset(9) == 0


def test_last_three_stay_and_the_usable_one(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    for offset in (10, 20, 30, 40, 50, 60):
        store.save([("a", offset, b"")], stored_offset=25)
    assert files(tmp_path) == [20, 40, 50, 60]
    store.save([("a", 70, b"")], stored_offset=70)
    assert files(tmp_path) == [50, 60, 70]


def test_snapshots_past_the_end_of_the_journal_are_discarded(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    for offset in (10, 20, 30):
        store.save([("a", offset, b"")])
    store.discard_beyond(20)
    assert files(tmp_path) == [10, 20]


@pytest.mark.parametrize("octets", [b"", b"YPSNAPSH", bytes(40)])
def test_damaged_snapshot_is_said_and_the_one_before_used(tmp_path: Path, octets: bytes) -> None:
    said: list[str] = []
    store = SnapshotStore(tmp_path, on_damage=said.append)
    store.save([("a", 10, b"good")])
    path = store.save([("a", 20, b"bad")])
    assert path is not None
    path.write_bytes(octets)
    assert loaded(store, 100) == [("a", 10, b"good")]
    assert "is left out" in said[0]


def test_changed_octet_is_noticed(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    path = store.save([("a", 20, b"state")])
    assert path is not None
    octets = bytearray(path.read_bytes())
    for position in range(len(octets)):
        broken = bytearray(octets)
        broken[position] ^= 1
        path.write_bytes(broken)
        assert store.load(100) is None


def test_full_disk_is_a_sink_error_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collector.store import snapshots

    store = SnapshotStore(tmp_path)
    store.save([("a", 10, b"good")])

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshots.os, "fsync", full)
    with pytest.raises(SinkError, match="No space left"):
        store.save([("a", 20, b"new")])
    assert loaded(store, 100) == [("a", 10, b"good")]


def test_cut_off_or_with_something_behind_it_is_noticed(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    path = store.save([("a", 20, b"state"), ("b", 19, b"state")])
    assert path is not None
    octets = path.read_bytes()
    for broken in [*(octets[:size] for size in range(len(octets))), octets + b"\x00"]:
        path.write_bytes(broken)
        assert store.load(100) is None


# --------------------------------------------------------------------------- part by part
def test_a_snapshot_is_there_once_it_is_finished(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    under_way = store.begin()
    under_way.add([("a", 10, b"1"), ("b", 12, b"2" * 1000)])
    assert store.load(100) is None
    under_way.add([("c", 11, b"3")])
    assert under_way.finish() is not None
    assert loaded(store, 100) == [("a", 10, b"1"), ("b", 12, b"2" * 1000), ("c", 11, b"3")]
    under_way.give_up()
    assert files(tmp_path) == [12]


def test_of_one_that_is_given_up_nothing_stays(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    under_way = store.begin()
    under_way.add([("a", 10, b"1")])
    under_way.give_up()
    under_way.give_up()
    under_way.add([("b", 10, b"1")])  # by a thread that did not hear of it
    assert under_way.finish() is None
    assert files(tmp_path) == []


def test_what_a_killed_process_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "snapshot-under-way").write_bytes(b"YPSNAPSH" + bytes(100_000))
    store = SnapshotStore(tmp_path)
    assert store.load(100) is None
    store.save([("b", 20, b"2")])
    assert loaded(store, 100) == [("b", 20, b"2")]


def test_a_full_disk_in_the_middle_gives_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SnapshotStore(tmp_path)
    under_way = store.begin()
    under_way.add([("a", 10, b"1")])
    file = under_way._file
    assert file is not None

    def full(octets: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(under_way, "_file", SimpleNamespace(write=full, close=file.close))
    with pytest.raises(SinkError, match="No space left"):
        under_way.add([("b", 10, b"1")])
    assert under_way.finish() is None
    assert files(tmp_path) == []


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save([("a", 10, b"")])
    (tmp_path / "snapshots" / "snapshot-x").write_text("mine")
    store.discard_beyond(0)
    assert (tmp_path / "snapshots" / "snapshot-x").exists()
