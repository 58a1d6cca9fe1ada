"""Sink: verdicts, events and subscriptions as JSON lines, to a file or to standard output.

Does: append one line a fact, whole lines only, and write them at once, so that ``tail -f`` works.
Does not: rotate (a file that was moved away is opened anew at the next ``flush``), and not retry:
what the journal keeps can be read again.
Rules: the rows are those of ``rows``; files are made for their owner only.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from msgspec import Struct

from collector.config.types import Text
from collector.errors import SinkError
from collector.interfaces import Said
from collector.model import Fact
from collector.sinks.rows import encode_row, fact_to_row


class JsonLinesSettings(Struct, frozen=True, kw_only=True):
    """The section ``[sink.jsonl]``."""

    file: Text = "-"
    """File that the lines are appended to; "-" is standard output."""


class JsonLinesSink:
    """Writes what the pipeline says to ``file``; ``-`` is standard output."""

    name = "jsonl"
    settings = JsonLinesSettings

    def __init__(self, file: str | Path = "-") -> None:
        self._path = str(file)
        self._file: int | None = None
        self.rows_written = 0
        """Rows written since the start."""

    def start(self) -> None:
        """Open the file. Raises SinkError when that is not possible. May be called twice."""
        if self._file is not None:
            return
        if self._path == "-":
            sys.stdout.flush()
            self._file = sys.stdout.fileno()
            return
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._file = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise SinkError(
                f"{self._path} cannot be written: {error.strerror}", retryable=False
            ) from None

    def write(self, said: Said) -> None:
        """Append the rows of one batch, in one write. Raises SinkError."""
        self.write_facts([*said.subscriptions, *said.events, *said.verdicts])

    def write_facts(self, facts: list[Fact]) -> None:
        """Append one line a fact. Raises SinkError."""
        if self._file is None:
            raise SinkError(f"{self._path} is not open", retryable=False)
        left = memoryview(b"".join(encode_row(fact_to_row(fact)) for fact in facts))
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            raise SinkError(
                f"{self._path} cannot be written: {error.strerror}", retryable=True
            ) from None
        self.rows_written += len(facts)

    def flush(self) -> None:
        """Follow the name, should the file have been moved away. Nothing waits in memory."""
        if self._file is None or self._path == "-":
            return
        try:
            here, there = os.fstat(self._file), os.stat(self._path)
            moved = (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino)
        except OSError:
            moved = True
        if moved:
            self.stop()
            self.start()

    def stop(self) -> None:
        """Close the file. May be called twice, or without ``start``."""
        if self._file is not None and self._path != "-":
            os.close(self._file)
        self._file = None
