"""Files that others read: each appears whole, by rename, or not at all.

Does: write them, and say beforehand whether that will go. Does not: know what is in them, turn an
error into a sentence. Rules: an OSError from here always names the file that somebody asked for,
never the one that was written beside it.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path


def write_together(files: Mapping[Path, Iterable[bytes | memoryview]]) -> None:
    """Write all files beside their places, then rename them, in this order: all of them or none.

    Raises:
        OSError: one cannot be written; nothing is left of any.
    """
    if not files:
        return
    beside = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in files}
    path, made = next(iter(files)), []
    try:
        for path in files:
            _require_replaceable(path)
        for path, parts in files.items():
            made.append(beside[path])
            with beside[path].open("wb") as file:
                file.writelines(parts)
        for path, written in beside.items():
            written.replace(path)
            made.append(path)
    except OSError as error:
        for one in made:
            one.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def check_writable(path: Path) -> None:
    """Before a run of hours of which nobody gets the file. Raises OSError."""
    try:
        _require_replaceable(path)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _require_replaceable(path: Path) -> None:
    """A device or pipe would be gone, and with it for everybody. Raises OSError."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
