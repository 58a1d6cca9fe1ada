"""Files that a power failure leaves whole: what journal, store and caches have alike.

Does not: know a format, or turn an ``OSError`` into a sentence.
"""

from __future__ import annotations

import os
from pathlib import Path


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
    """Return when names made or removed in this folder are on the disk. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
