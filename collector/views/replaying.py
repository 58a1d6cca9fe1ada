"""What ``collector replay`` prints: rows as they are said for programs, a summary for people."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from collector.interfaces import Said
from collector.pipeline import Replayed
from collector.sinks.rows import encode_row, fact_to_row
from collector.views.console import error_console, make_console
from collector.views.replay_summary import ReplaySummary, advices


class ReplayShow:
    """Prints verdicts as JSON objects in the order in which they were said, or the summary.

    With JSON, what a person should know goes to standard error.
    """

    def __init__(self, as_json: bool, *, out: TextIO | None = None) -> None:
        self.rows = as_json
        """Whether rows are printed as they are said, and no summary."""
        self._out = out or sys.stdout
        self.summary = ReplaySummary()

    def receive(self, said: Said) -> None:
        """Take in the rows of one batch."""
        self.summary.receive(said)
        if self.rows and said.verdicts:
            rows = b"".join(encode_row(fact_to_row(verdict)) for verdict in said.verdicts)
            self._out.write(rows.decode())

    def finish(self, replayed: Replayed, kept_in: Path | None) -> None:
        """Print what is left to say."""
        self._out.flush()
        if self.rows:
            console = error_console()
            for advice in advices(replayed):
                console.print(advice, soft_wrap=True)
            return
        if replayed.damage and not replayed.records:
            return  # nothing was read, and why is said by who reads the damage
        console = make_console(self._out)
        self.summary.print(console, replayed)
        if kept_in is not None:
            console.print(
                f"Journal and rows are in {kept_in}: collector verdicts --store {kept_in},"
                f" collector query --store {kept_in} SQL",
                soft_wrap=True,
            )
