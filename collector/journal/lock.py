"""One process at a time owns a data folder: a lock file that the kernel frees when we die.

Does not protect readers; they need no lock. The file ``lock`` in the data folder stays after a
stop; only the ``flock`` on it counts, the process id inside is for people.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from collector.errors import ConfigError

LOCK_NAME = "lock"


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
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
