"""One process at a time owns a data folder: a lock file that the kernel frees when we die.

Does not protect readers; they need no lock. The file ``lock`` in the data folder stays after a
stop; only the ``flock`` on it counts, the process id inside is for people.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from collector.errors import ConfigError

LOCK_NAME = "lock"
_TRIES = 10
_PAUSE_SECONDS = 0.02
"""Between two tries (ours): who looks (``is_held``) has it for a moment."""


class FolderLock:
    """Holds the data folder until ``release`` or the end of the process."""

    def __init__(self, fd: int) -> None:
        self._fd: int | None = fd

    @classmethod
    def acquire(cls, data_folder: Path) -> FolderLock:
        """Take the folder, creating it (mode 0700) when it is not there.

        Raises:
            ConfigError: another process has it (the sentence names it), or it cannot be made.
        """
        path = data_folder / LOCK_NAME
        try:
            data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(
                f"the data folder {data_folder} cannot be used: {error.strerror}"
            ) from error
        try:
            _lock(fd)
        except OSError as error:
            owner = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise ConfigError(
                f"the data folder {data_folder} is in use by process {owner}"
            ) from error
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        return cls(fd)

    def release(self) -> None:
        """Give the folder back. May be called twice."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def is_held(data_folder: Path) -> bool:
    """Whether a process owns the folder, as far as we may look."""
    try:
        fd = os.open(data_folder / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def _lock(fd: int) -> None:
    """Raises OSError: somebody has it."""
    for _ in range(_TRIES - 1):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(_PAUSE_SECONDS)
        else:
            return
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
