"""Engine snapshots on disk: opaque parts, device by device, each with its own journal offset.

Does not know what is in a part. A part says: this is the state of the device after all records
before my offset. Parts are taken apart from each other so that the loop never stalls; a re-run
reads on from the smallest offset and leaves out, for each device, what its part already knows.

Rules: a snapshot may be used only when none of its parts is past the store's ``stored_offset``
(rows said between are in no file, see ``writer``); the last ``KEPT`` files stay, and the newest
usable one even when it is older. Parts are written as they are taken, since all together they are
as large as the state; the file is synced and renamed when the last one is there. A damaged file is
left out and the one before it used.

Format: "YPSNAPSH", u16 version; for each part u32 octets and u32 CRC-32 (zlib) of what follows,
MessagePack of [device, offset, state in zlib's form]; in the end u32 0 and u32 number of parts.
Numbers are little-endian.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Final, TypeVar

import msgspec
from msgspec import Struct

from collector.durable import sync_folder
from collector.errors import SinkError

FOLDER = "snapshots"
KEPT = 3
VERSION = 2
_MAGIC = b"YPSNAPSH"
_HEAD = struct.Struct("<8sH")
_FRAME = struct.Struct("<II")
_PREFIX = "snapshot-"
_UNDER_WAY: Final = "under-way"
_T = TypeVar("_T")
_LEVEL: Final = 1
"""Of zlib, the quickest: a state is a fifth of its size with it."""


class SnapshotPart(Struct, frozen=True, array_like=True):
    """The state of one device."""

    device: str
    """Name of the device; the empty name is free for what belongs to no device."""
    offset: int
    """Journal offset of the first record that it does not know."""
    packed: bytes

    @property
    def state(self) -> bytes:
        """What was given to be saved."""
        return zlib.decompress(self.packed)


class SnapshotUnderWay:
    """A snapshot that is being written. Each method may be called in any thread."""

    def __init__(self, folder: Path, prune: Callable[[int], None]) -> None:
        self._folder = folder
        self._prune = prune
        self._file: IO[bytes] | None = None
        self._over = False
        self._count = self._largest = 0
        self._lock = threading.Lock()

    def add(self, parts: Iterable[tuple[str, int, bytes]]) -> None:
        """Write parts: device, offset, state. Nothing once it was given up.

        Raises:
            SinkError: it cannot be written, and was given up.
        """
        with self._lock, self._or_give_up():
            for device, offset, state in parts:
                if self._over:
                    return
                if self._file is None:
                    self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    self._file = self._path(_UNDER_WAY).open("wb")
                    self._file.write(_HEAD.pack(_MAGIC, VERSION))
                part = SnapshotPart(device, offset, zlib.compress(state, _LEVEL))
                body = msgspec.msgpack.encode(part)
                self._file.write(_FRAME.pack(len(body), zlib.crc32(body)) + body)
                self._count += 1
                self._largest = max(self._largest, offset)

    def finish(self, *, stored_offset: int = 0) -> Path | None:
        """Put it in its place, named after its largest offset; None when there is no part.

        ``stored_offset``: the newest snapshot usable with it is kept beside the last three.

        Raises:
            SinkError: it cannot be written, and was given up.
        """
        with self._lock, self._or_give_up():
            if self._file is None:
                return None
            self._file.write(_FRAME.pack(0, self._count))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file, self._over = None, True
            path = self._path(f"{self._largest:020d}")
            self._path(_UNDER_WAY).rename(path)
            sync_folder(self._folder)
            self._prune(stored_offset)
            return path

    def give_up(self) -> None:
        """Leave nothing of it, unless it is finished. May be called twice."""
        with self._lock:
            self._leave()

    def _leave(self) -> None:
        self._over = True
        if self._file is not None:
            with contextlib.suppress(OSError):  # what it still held may not fit
                self._file.close()
            self._file = None
            self._path(_UNDER_WAY).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _or_give_up(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._leave()
            raise SinkError(
                f"the snapshot in {self._folder} cannot be written: {error.strerror}",
                retryable=True,
            ) from error

    def _path(self, name: str) -> Path:
        return self._folder / f"{_PREFIX}{name}"


class SnapshotStore:
    """The snapshots of one data folder; the caller holds the folder's lock."""

    def __init__(
        self, data_folder: Path, *, on_damage: Callable[[str], None] = lambda sentence: None
    ) -> None:
        self._folder = data_folder / FOLDER
        self._on_damage = on_damage

    def begin(self) -> SnapshotUnderWay:
        """A new snapshot, one at a time: of one that was never finished nothing stays."""
        return SnapshotUnderWay(self._folder, self._prune)

    def save(
        self, parts: Iterable[tuple[str, int, bytes]], *, stored_offset: int = 0
    ) -> Path | None:
        """Write all parts at once: see ``SnapshotUnderWay``. Raises SinkError."""
        under_way = self.begin()
        try:
            under_way.add(parts)
            return under_way.finish(stored_offset=stored_offset)
        finally:
            under_way.give_up()

    def load(self, max_offset: int) -> list[SnapshotPart] | None:
        """Parts of the newest good snapshot none of which is past ``max_offset``; else None."""
        return self._newest(max_offset, lambda part: part)

    def discard_beyond(self, offset: int) -> None:
        """Delete snapshots past the end of the journal: a power failure took records that they
        know, and the same offsets will be given to others. Call it once at the start."""
        for largest, path in self._files():
            if largest > offset:
                path.unlink(missing_ok=True)

    def needed_offset(self, stored_offset: int) -> int:
        """The journal must be kept from here on: the smallest offset of the usable snapshot; 0
        while there is none."""
        offsets = self._newest(stored_offset, lambda part: part.offset)
        return min(offsets, default=0) if offsets else 0

    def _newest(self, max_offset: int, of: Callable[[SnapshotPart], _T]) -> list[_T] | None:
        """What ``of`` says of each part of the newest good snapshot, one in memory at a time."""
        for offset, path in self._files():
            if offset <= max_offset:
                try:
                    return [of(part) for part in _read(path)]
                except (OSError, ValueError, struct.error, msgspec.DecodeError) as error:
                    self._on_damage(f"the snapshot {path} is left out: {error}")
        return None

    def _files(self) -> list[tuple[int, Path]]:
        found = (
            (path.name.removeprefix(_PREFIX), path) for path in self._folder.glob(f"{_PREFIX}*")
        )
        return sorted(((int(text), path) for text, path in found if text.isdecimal()), reverse=True)

    def _prune(self, stored_offset: int) -> None:
        files = self._files()
        usable = [path for offset, path in files if offset <= stored_offset][:1]
        for _, path in files[KEPT:]:
            if path not in usable:
                path.unlink(missing_ok=True)


def _read(path: Path) -> Iterator[SnapshotPart]:
    """Its parts. Raises OSError, ValueError, struct.error, msgspec.DecodeError: it is damaged."""
    with path.open("rb") as file:
        magic, version = _HEAD.unpack(file.read(_HEAD.size))
        if magic != _MAGIC or version != VERSION:
            raise ValueError("another format")
        count, size = 0, os.fstat(file.fileno()).st_size
        while True:
            length, crc = _FRAME.unpack(file.read(_FRAME.size))
            if length == 0:
                break
            if length > size:
                raise ValueError("wrong length")
            body = file.read(length)
            if len(body) != length or zlib.crc32(body) != crc:
                raise ValueError("wrong CRC")
            yield msgspec.msgpack.decode(body, type=SnapshotPart)
            count += 1
        if crc != count or file.read(1):
            raise ValueError("wrong end")
