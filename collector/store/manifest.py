"""The list of live Parquet files: a small JSON file, replaced by rename, and pages of older ones.

Does not read or write Parquet. Rules: a file is live when the manifest lists it, whatever else lies
in the folder; the file appears under its name, synced, before the manifest lists it; a name that
was listed is never written again.

A busy collector seals a segment each second, and keeps a hundred thousand files: writing all of
them down each time would cost more than the files. So where a table has more than twice
``PAGE_FILES`` of them, the oldest ``PAGE_FILES`` move into a page: a JSON file of its own, never
changed, that the manifest lists with the sums and the range of times of its files. The manifest
stays short, and who asks for some hours reads the pages of those hours. A page goes as a whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from collector.durable import replace_file
from collector.errors import SinkError

FOLDER = "store"
"""Name of the store's folder in the data folder."""
MANIFEST_NAME = "manifest.json"
PAGE_PREFIX = "files-"
FORMAT = 2
FORMATS = (1, FORMAT)
"""Versions that can be read; 1 had no pages."""
PAGE_FILES = 128
"""Files of one page: at 6 MiB each, retention by size lets go 768 MiB at a time."""


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
    min_period: int | None = None
    """Smallest ``tables.PERIOD_COLUMN`` of its rows, ns since 1970; None where the table has no
    such column, or an older version wrote the file."""
    max_period: int | None = None
    is_sorted: bool = False
    """Its rows lie in ``tables.ORDER``; those of a merged file do in any case."""
    held_octets: int | None = None
    """Octets of its rows in memory; None: an older version wrote the file."""


class Page(Struct, frozen=True):
    """Neighbouring files of one table, listed in a file of their own."""

    table: str
    name: str
    """Of the JSON file; its last part is the CRC-32 of what is in it."""
    files: int
    first_offset: int
    next_offset: int
    rows: int
    octets: int
    """Of its Parquet files."""
    min_time: int
    max_time: int
    min_period: int | None = None
    max_period: int | None = None


class Manifest(Struct, frozen=True):
    """What the store holds."""

    format: int = FORMAT
    stored_offset: int = 0
    """Rows of all journal records before it are in the files (or were, before retention)."""
    files: tuple[StoredFile, ...] = ()
    """Those in no page, by table, then by offset."""
    pages: tuple[Page, ...] = ()
    """By table, then by offset; those of a table lie before its ``files``."""

    def files_of(self, table: str) -> tuple[StoredFile, ...]:
        """The files of one table by offset, those in pages left out."""
        return tuple(file for file in self.files if file.table == table)

    def pages_of(self, table: str) -> tuple[Page, ...]:
        """The pages of one table by offset."""
        return tuple(page for page in self.pages if page.table == table)

    def entries_of(self, table: str) -> tuple[Page | StoredFile, ...]:
        """All that is listed of one table by offset, enough for sums and ranges."""
        return (*self.pages_of(table), *self.files_of(table))

    def changed(
        self,
        *,
        added: tuple[StoredFile, ...] = (),
        removed: tuple[StoredFile | Page, ...] = (),
        pages: tuple[Page, ...] = (),
        stored_offset: int | None = None,
    ) -> Manifest:
        """A manifest with these files and pages more and less."""
        gone = {entry.name for entry in removed}
        files = [file for file in self.files if file.name not in gone]
        files.extend(added)
        files.sort(key=lambda file: (file.table, file.first_offset))
        kept = [page for page in self.pages if page.name not in gone]
        kept.extend(pages)
        kept.sort(key=lambda page: (page.table, page.first_offset))
        offset = self.stored_offset if stored_offset is None else stored_offset
        return Manifest(FORMAT, offset, tuple(files), tuple(kept))


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
    if manifest.format not in FORMATS:
        raise SinkError(
            f"the manifest {path} has format version {manifest.format}, "
            f"this program reads {FORMATS[0]} to {FORMATS[-1]}",
            retryable=False,
        )
    return manifest


def save_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest; on return it is durable. Raises OSError."""
    replace_file(folder / MANIFEST_NAME, msgspec.json.encode(manifest))


def write_page(folder: Path, files: tuple[StoredFile, ...]) -> Page:
    """Write a page of these neighbours; on return it is durable. Raises OSError."""
    table, first, behind = files[0].table, files[0].first_offset, files[-1].next_offset
    octets = msgspec.json.encode(files)
    name = f"{PAGE_PREFIX}{table}-{first:020d}-{behind:020d}-{zlib.crc32(octets):08x}.json"
    replace_file(folder / name, octets)
    starts = [file.min_period for file in files]
    ends = [file.max_period for file in files]
    return Page(
        table=table,
        name=name,
        files=len(files),
        first_offset=first,
        next_offset=behind,
        rows=sum(file.rows for file in files),
        octets=sum(file.octets for file in files),
        min_time=min(file.min_time for file in files),
        max_time=max(file.max_time for file in files),
        min_period=None if None in starts else min(starts),  # type: ignore[type-var]  # no None
        max_period=None if None in ends else max(ends),  # type: ignore[type-var]  # likewise
    )


def load_page(folder: Path, page: Page) -> tuple[StoredFile, ...]:
    """The files of a page by offset.

    Raises:
        SinkError: it is gone or damaged.
    """
    path = folder / page.name
    try:
        octets = path.read_bytes()
        if not page.name.endswith(f"-{zlib.crc32(octets):08x}.json"):
            raise SinkError(f"the page {path} of the manifest is damaged", retryable=False)
        return msgspec.json.decode(octets, type=tuple[StoredFile, ...])
    except (OSError, msgspec.DecodeError) as error:
        sentence = f"the page {path} of the manifest cannot be read: {error}"
        raise SinkError(sentence, retryable=False) from error


def full_page(manifest: Manifest) -> tuple[StoredFile, ...]:
    """Files that should move into a page: the oldest ``PAGE_FILES`` of a table that has more than
    twice as many; empty when there are none."""
    for table in {file.table for file in manifest.files}:
        files = manifest.files_of(table)
        if len(files) > 2 * PAGE_FILES:
            return files[:PAGE_FILES]
    return ()


def listed_files(
    folder: Path,
    manifest: Manifest,
    table: str,
    *,
    wanted: Callable[[StoredFile | Page], bool] = lambda entry: True,
    on_damage: Callable[[Page, SinkError], None],
) -> Iterator[StoredFile]:
    """All files of a table by offset, those in pages too.

    Entries that are not ``wanted`` are left out, pages unread; a page that cannot be read is told.
    """
    for page in filter(wanted, manifest.pages_of(table)):
        try:
            yield from filter(wanted, load_page(folder, page))
        except SinkError as error:
            on_damage(page, error)
    yield from filter(wanted, manifest.files_of(table))
