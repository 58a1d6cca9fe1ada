"""The list of live Parquet files: one small JSON file, replaced by rename.

Does not read or write Parquet. Rules: a file is live when the manifest lists it, whatever else lies
in the folder; the file appears under its name, synced, before the manifest lists it; a name that
was listed is never written again.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from collector.errors import SinkError

FOLDER = "store"
"""Name of the store's folder in the data folder."""
MANIFEST_NAME = "manifest.json"
FORMAT = 1


class StoredFile(Struct, frozen=True):
    """One live Parquet file."""

    table: str
    name: str
    first_offset: int
    """Journal offset of the first record of the segments it was made from."""
    next_offset: int
    """Offset behind their last record."""
    rows: int
    octets: int
    level: int
    """0: one segment; n: merged from files of level n - 1."""
    min_time: int
    """Smallest time of its rows (``tables.TIME_COLUMN``), ns since 1970."""
    max_time: int


class Manifest(Struct, frozen=True):
    """What the store holds."""

    format: int = FORMAT
    stored_offset: int = 0
    """Rows of all journal records before it are in the files (or were, before retention)."""
    files: tuple[StoredFile, ...] = ()
    """By table, then by offset."""

    def files_of(self, table: str) -> tuple[StoredFile, ...]:
        """The files of one table by offset."""
        return tuple(file for file in self.files if file.table == table)

    def changed(
        self,
        *,
        added: tuple[StoredFile, ...] = (),
        removed: tuple[StoredFile, ...] = (),
        stored_offset: int | None = None,
    ) -> Manifest:
        """A manifest with these files more and less."""
        gone = {file.name for file in removed}
        files = [file for file in self.files if file.name not in gone]
        files.extend(added)
        files.sort(key=lambda file: (file.table, file.first_offset))
        offset = self.stored_offset if stored_offset is None else stored_offset
        return Manifest(FORMAT, offset, tuple(files))


def store_folder(data_folder: Path) -> Path:
    """Where the Parquet files of a data folder lie."""
    return data_folder / FOLDER


def load_manifest(folder: Path) -> Manifest:
    """The manifest of a store folder; an empty one when there is none yet.

    Raises:
        SinkError: it cannot be read, or is of another format version.
    """
    path = folder / MANIFEST_NAME
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except (OSError, msgspec.DecodeError) as error:
        raise SinkError(f"the manifest {path} cannot be read: {error}", retryable=False) from error
    if manifest.format != FORMAT:
        raise SinkError(
            f"the manifest {path} has format version {manifest.format}, "
            f"this program reads {FORMAT}",
            retryable=False,
        )
    return manifest


def save_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest; on return it is durable. Raises OSError."""
    replace_file(folder / MANIFEST_NAME, msgspec.json.encode(manifest))


def replace_file(path: Path, octets: bytes) -> None:
    """Put a file in place whole or not at all; on return it is durable. Raises OSError."""
    under_way = path.with_name(path.name + ".tmp")
    with under_way.open("wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    under_way.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Return when names made or removed in this folder are on the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
