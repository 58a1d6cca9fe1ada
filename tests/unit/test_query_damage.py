"""Files of the store that are gone or damaged: said, left out, and the rest is still answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import SinkError
from collector.store.manifest import load_manifest, store_folder
from collector.store.query import open_query
from collector.store.writer import StoreWriter
from tests.unit.store_rows import said


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The files of ``updates`` of two segments of five rows."""
    writer = StoreWriter(tmp_path)
    try:
        for first in (0, 5):
            writer.add(said(first))
            writer.seal(first, first + 5)
        assert writer.flush(10)
    finally:
        writer.close()
    folder = store_folder(tmp_path)
    return [folder / file.name for file in load_manifest(folder).files_of("updates")]


def count(folder: Path) -> int:
    with open_query(folder) as session:
        (row,) = session.run("SELECT count(*) AS n FROM updates").to_pylist()
    number: int = row["n"]
    return number


@pytest.mark.parametrize("octets", [None, b"", b"PAR1 no longer"])
def test_a_file_that_is_gone_or_cut_is_left_out_and_said(
    tmp_path: Path, files: list[Path], octets: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    whole = count(tmp_path)
    assert not caplog.records
    files[0].unlink()
    if octets is not None:
        files[0].write_bytes(octets)
    assert count(tmp_path) == whole - 5
    assert f"{files[0].name} is gone or damaged: its 5 rows are left out." in caplog.text


def test_damage_that_keeps_the_size_is_one_clear_sentence(
    tmp_path: Path, files: list[Path]
) -> None:
    files[0].write_bytes(bytes(files[0].stat().st_size))
    with pytest.raises(SinkError, match="cannot be read"):
        count(tmp_path)
