"""A file that lines are appended to, for as long as we run: alerts, and rows for other programs.

Does: write whole lines at once, so that ``tail -f`` works, and follow the file's name: where it was
moved away, as programs that rotate logs do, the next line makes it anew. Does not: rotate, sync, or
turn an ``OSError`` into a sentence.
"""

from __future__ import annotations

import os
import sys

STANDARD_OUTPUT = "-"


class AppendedFile:
    """Octets at the end of ``path``; ``-`` is standard output, which stays open."""

    def __init__(self, path: str, mode: int = 0o600) -> None:
        self.path = path
        self.is_open = False
        """Between ``open`` and ``close``."""
        self._mode = mode
        self._file: int | None = None
        """None also where it was moved away and cannot be made anew yet."""

    def open(self) -> None:
        """Make it when it is not there. May be called twice. Raises OSError."""
        if self._file is None:
            self._file = self._opened()
        self.is_open = True

    def append(self, octets: bytes) -> None:
        """Write all of them. Raises OSError; then it is tried again with the next ones."""
        if self._was_moved():
            self._let_go()
        if self._file is None:
            self._file = self._opened()
        left = memoryview(octets)
        while left:
            left = left[os.write(self._file, left) :]

    def close(self) -> None:
        """May be called twice, or without ``open``."""
        self.is_open = False
        self._let_go()

    def _opened(self) -> int:
        if self.path == STANDARD_OUTPUT:
            sys.stdout.flush()
            return sys.stdout.fileno()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return os.open(self.path, flags, self._mode)

    def _was_moved(self) -> bool:
        if self._file is None or self.path == STANDARD_OUTPUT:
            return False
        try:
            there = os.stat(self.path)
        except OSError:
            return True
        return not os.path.samestat(os.fstat(self._file), there)

    def _let_go(self) -> None:
        if self._file is not None and self.path != STANDARD_OUTPUT:
            os.close(self._file)
        self._file = None
