"""The cache of modules in the data folder: one folder for each list that devices have.

Does: name the folder of a list, and note in it whose modules they are. Does not: fetch
(``modules``). Rules: a folder is named after content-id and list, so that devices with the same
modules share it; its note is rewritten by rename, and a damaged one is just made anew.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from collector.errors import SinkError
from collector.wire.netconf.schemas import Inventory

NOTE = "fetched.json"
_MOST_DEVICES = 1000
"""Addresses that a note keeps, the latest ones (ours)."""


class Note(Struct, frozen=True):
    """What stands in ``fetched.json``."""

    content_id: str = ""
    """As the devices say it; empty: they do not."""
    source: str = ""
    """Which list it was, as in ``yang-library``."""
    modules: int = 0
    """How many are in the folder."""
    refused: tuple[str, ...] = ()
    """``name@revision`` of those that the last device did not give."""
    devices: tuple[str, ...] = ()
    """``host:port`` of the devices that have this list, the latest last."""


def folder_in_cache(cache: Path, found: Inventory) -> Path:
    """Where the modules of a list go: below the data folder, which belongs to its user alone.

    Raises:
        SinkError: the data folder cannot be made.
    """
    try:
        cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot(cache.parent, error) from error
    return cache / fingerprint(found)


def fingerprint(found: Inventory) -> str:
    """Name of the folder of these modules.

    A content-id means something on one device only (RFC 8525 §3), so the list goes in as well.
    """
    text = "\n".join([found.content_id, *map(str, sorted(found.modules))])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_note(folder: Path) -> Note:
    """The note of a folder; an empty one where there is none that can be read."""
    try:
        return msgspec.json.decode((folder / NOTE).read_bytes(), type=Note)
    except (OSError, msgspec.DecodeError):
        return Note()


def write_note(folder: Path, note: Note, device: str) -> None:
    """Note what is in a folder, and that ``device`` has it. Raises SinkError."""
    known = [one for one in read_note(folder).devices if one != device]
    devices = (*known, device)[-_MOST_DEVICES:]
    path, half = folder / NOTE, folder / f".{NOTE}.{os.getpid()}"
    try:
        half.write_bytes(msgspec.json.encode(msgspec.structs.replace(note, devices=devices)))
        half.replace(path)
    except OSError as error:
        raise cannot(path, error) from error


def cannot(path: Path, error: OSError) -> SinkError:
    """A file or folder of the cache that cannot be used."""
    return SinkError(f"{path} cannot be used: {error.strerror}", retryable=False)
