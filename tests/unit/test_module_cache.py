"""The cache of modules: names of folders, and notes of what is in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.errors import SinkError
from collector.service import module_cache
from collector.service.module_cache import (
    NOTE,
    Note,
    fingerprint,
    folder_in_cache,
    read_note,
    write_note,
)
from collector.wire.netconf.schemas import Inventory, ModuleId

A, B = ModuleId("a", "2026-01-01"), ModuleId("b")


def test_the_same_list_has_the_same_folder_whatever_its_order(tmp_path: Path) -> None:
    names = {
        fingerprint(found)
        for found in (
            Inventory((A, B), "c1"), Inventory((B, A), "c1"), Inventory((A,), "c1"),
            Inventory((A, B), "c2"),
        )
    }  # fmt: skip
    assert len(names) == 3
    folder = folder_in_cache(tmp_path / "data" / "modules", Inventory((A, B), "c1"))
    assert folder == tmp_path / "data" / "modules" / fingerprint(Inventory((B, A), "c1"))
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_a_note_says_whose_modules_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = Note("c1", "yang-library", 7, ("x@2026-01-01",))
    for device in ("one:830", "two:830", "one:830"):
        write_note(tmp_path, note, device)
    assert read_note(tmp_path) == Note(
        "c1", "yang-library", 7, ("x@2026-01-01",), ("two:830", "one:830")
    )
    assert json.loads((tmp_path / NOTE).read_text())["content_id"] == "c1"
    assert [path.name for path in tmp_path.iterdir()] == [NOTE], "nothing half"
    monkeypatch.setattr(module_cache, "_MOST_DEVICES", 1)
    write_note(tmp_path, note, "three:830")
    assert read_note(tmp_path).devices == ("three:830",)


def test_a_damaged_note_is_made_anew_and_a_full_disk_is_said(tmp_path: Path) -> None:
    assert read_note(tmp_path / "nowhere") == Note()
    (tmp_path / NOTE).write_text('{"devices": 3')
    assert read_note(tmp_path) == Note()
    write_note(tmp_path, Note(), "one:830")
    assert read_note(tmp_path).devices == ("one:830",)
    with pytest.raises(SinkError, match=r"fetched\.json cannot be used: No such file"):
        write_note(tmp_path / "nowhere", Note(), "one:830")
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="data cannot be used: Not a directory"):
        folder_in_cache(tmp_path / "file" / "data" / "modules", Inventory())
