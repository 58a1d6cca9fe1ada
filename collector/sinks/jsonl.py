"""Sink: verdicts, events and subscriptions as JSON lines, to a file or to standard output.

Does: append one line a fact, to the file of that name, should another have been moved away. Does
not: retry; what the journal keeps can be read again.
Rules: the rows are those of ``rows``; files are made for their owner only.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from collector.appended import STANDARD_OUTPUT, AppendedFile
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

    def __init__(self, file: str | Path = STANDARD_OUTPUT) -> None:
        self._file = AppendedFile(str(file))
        self.rows_written = 0
        """Rows written since the start."""

    def start(self) -> None:
        """Open the file. Raises SinkError when that is not possible. May be called twice."""
        try:
            self._file.open()
        except OSError as error:
            raise self._said(error, retryable=False) from None

    def write(self, said: Said) -> None:
        """Append the rows of one batch, in one write. Raises SinkError."""
        self.write_facts([*said.subscriptions, *said.events, *said.verdicts])

    def write_facts(self, facts: list[Fact]) -> None:
        """Append one line a fact. Raises SinkError."""
        if not self._file.is_open:
            raise SinkError(f"{self._file.path} is not open", retryable=False)
        if not facts:
            return
        try:
            self._file.append(b"".join(encode_row(fact_to_row(fact)) for fact in facts))
        except OSError as error:
            raise self._said(error, retryable=True) from None
        self.rows_written += len(facts)

    def flush(self) -> None:
        """Nothing waits in memory."""

    def stop(self) -> None:
        """Close the file. May be called twice, or without ``start``."""
        self._file.close()

    def _said(self, error: OSError, *, retryable: bool) -> SinkError:
        sentence = f"{self._file.path} cannot be written: {error.strerror}"
        return SinkError(sentence, retryable=retryable)
