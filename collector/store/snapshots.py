"""Engine snapshots on disk: opaque parts, device by device, each with its own journal offset.

Does not know what is in a part. A part says: this is the state of the device after all records
before my offset. Parts are taken apart from each other so that the loop never stalls; a re-run
reads on from the smallest offset and leaves out, for each device, what its part already knows.

Rules: a snapshot may be used only when none of its parts is past the store's ``stored_offset``
(rows said between are in no file, see ``writer``); the last ``KEPT`` files stay, and the newest
usable one even when it is older. A file is written whole, synced, renamed. A damaged file is left
out and the one before it used.

Format: "YPSNAPSH", u16 version, u32 CRC-32 (zlib) of the rest, then MessagePack of
[[device, offset, octets], ...]; numbers little-endian.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from collector.errors import SinkError
from collector.store.manifest import replace_file

FOLDER = "snapshots"
KEPT = 3
VERSION = 1
_MAGIC = b"YPSNAPSH"
_HEAD = struct.Struct("<8sHI")
_PREFIX = "snapshot-"


class SnapshotPart(Struct, frozen=True, array_like=True):
    """The state of one device."""

    device: str
    """Name of the device; the empty name is free for what belongs to no device."""
    offset: int
    """Journal offset of the first record that it does not know."""
    state: bytes


class SnapshotStore:
    """The snapshots of one data folder; the caller holds the folder's lock."""

    def __init__(
        self, data_folder: Path, *, on_damage: Callable[[str], None] = lambda sentence: None
    ) -> None:
        self._folder = data_folder / FOLDER
        self._on_damage = on_damage

    def save(
        self, parts: Iterable[tuple[str, int, bytes]], *, stored_offset: int = 0
    ) -> Path | None:
        """Write a snapshot named after its largest offset; None when there is no part.

        ``stored_offset``: the newest snapshot usable with it is kept beside the last three.

        Raises:
            SinkError: it could not be written.
        """
        packed = [SnapshotPart(*part) for part in parts]
        if not packed:
            return None
        body = msgspec.msgpack.encode(packed)
        path = self._folder / f"{_PREFIX}{max(part.offset for part in packed):020d}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, _HEAD.pack(_MAGIC, VERSION, zlib.crc32(body)) + body)
            self._prune(stored_offset)
        except OSError as error:
            raise SinkError(
                f"the snapshot {path} cannot be written: {error.strerror}", retryable=True
            ) from error
        return path

    def load(self, max_offset: int) -> list[SnapshotPart] | None:
        """Parts of the newest good snapshot none of which is past ``max_offset``; else None."""
        for offset, path in self._files():
            if offset <= max_offset and (parts := self._read(path)) is not None:
                return parts
        return None

    def discard_beyond(self, offset: int) -> None:
        """Delete snapshots past the end of the journal: a power failure took records that they
        know, and the same offsets will be given to others. Call it once at the start."""
        for largest, path in self._files():
            if largest > offset:
                path.unlink(missing_ok=True)

    def needed_offset(self, stored_offset: int) -> int:
        """The journal must be kept from here on: the smallest offset of the usable snapshot; 0
        while there is none."""
        parts = self.load(stored_offset)
        return min((part.offset for part in parts), default=0) if parts else 0

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

    def _read(self, path: Path) -> list[SnapshotPart] | None:
        try:
            octets = path.read_bytes()
            magic, version, crc = _HEAD.unpack_from(octets)
            body = octets[_HEAD.size :]
            if magic != _MAGIC or version != VERSION or zlib.crc32(body) != crc:
                raise ValueError("wrong head or CRC")
            return msgspec.msgpack.decode(body, type=list[SnapshotPart])
        except (OSError, ValueError, struct.error, msgspec.DecodeError) as error:
            self._on_damage(f"the snapshot {path} is left out: {error}")
            return None
