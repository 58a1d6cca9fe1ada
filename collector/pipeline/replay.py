"""``collector replay``: the journal judged again, into another folder or onto the screen.

The folder that is read is never changed. Same journal and configuration: same rows; that is what
the tests of recovery lean on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from collector.config import Config
from collector.errors import SinkError, UsageError
from collector.journal import JournalReader
from collector.pipeline.flow import Pipeline
from collector.pipeline.recovery import reread
from collector.pipeline.settings import engine_settings
from collector.store.tables import Said
from collector.store.writer import StoreWriter

Show = Callable[[Said], None]


def replay(
    folder: Path,
    out_folder: Path | None = None,
    *,
    config: Config | None = None,
    show: Show = lambda said: None,
    advance: Callable[[float], None] = lambda segments: None,
) -> int:
    """Judge a journal again; returns the number of records read.

    Args:
        folder: data folder with the journal.
        out_folder: where the rows go as a store of their own; None: nowhere but ``show``.
        config: judge with this instead of what the journal remembers.
        show: called with what each frame says.
        advance: called with 1 for each segment that is begun, for a progress bar.

    Raises:
        UsageError: there is no journal, or ``out_folder`` already holds something.
        SinkError: the rows cannot be written.
    """
    if not JournalReader(folder).segments():
        raise UsageError(f"there is no journal in {folder}")
    settings = None if config is None else engine_settings(config)
    pipeline = Pipeline(adjust=lambda journalled: settings or journalled)
    target = None if out_folder is None else _Target(out_folder)
    records, segment = 0, -1
    try:
        for one in reread(pipeline, folder):
            records += one.said.next_offset - one.said.first_offset
            if one.segment != segment:
                segment = one.segment
                advance(1)
            show(one.said)
            if target is not None:
                target.add(one.segment, one.said)
    finally:
        if target is not None:
            target.close()
    return records


class _Target:
    """A store that is written segment by segment, waiting for the disk where it has to."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty; a replay starts a new store")
        self._problem: SinkError | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._writer = StoreWriter(folder, on_error=self._failed)
        self._segment: int | None = None
        self._end = 0

    def _failed(self, error: SinkError) -> None:
        self._problem = error

    def add(self, segment: int, said: Said) -> None:
        """Take rows; a new segment stores the one before. Raises SinkError."""
        if self._segment is not None and segment != self._segment:
            self._seal()
        self._segment, self._end = segment, said.next_offset
        self._writer.add(said)

    def _seal(self) -> None:
        assert self._segment is not None
        self._writer.seal(self._segment, self._end)
        while not self._writer.flush(0.5):
            if self._problem is not None:
                raise self._problem

    def close(self) -> None:
        """Store the rest."""
        if self._segment is not None:
            self._seal()
        self._writer.close()
