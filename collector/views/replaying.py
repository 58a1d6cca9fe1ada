"""What ``collector replay`` prints: the rows as they are said, and at the end how many."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TextIO

from rich.text import Text

from collector.interfaces import Said
from collector.model import Fact, Outcome
from collector.sinks.rows import encode_row, fact_to_row
from collector.views.console import error_console, make_console
from collector.views.tables import OUTCOME_STYLES
from collector.views.text import event_line, subscription_line, verdict_line


class ReplayShow:
    """Prints rows as JSON objects or as lines, and counts them.

    With ``quiet`` (the rows go into another folder) only the summary is printed.
    """

    def __init__(self, as_json: bool, *, quiet: bool = False, out: TextIO | None = None) -> None:
        self._as_json = as_json
        self._quiet = quiet
        self._out = out or sys.stdout
        self._outcomes: Counter[Outcome] = Counter()
        self._amendments = 0

    def receive(self, said: Said) -> None:
        """Print and count the rows of one batch."""
        for verdict in said.verdicts:
            if verdict.amendment:
                self._amendments += 1
            else:
                self._outcomes[verdict.outcome] += verdict.period_to - verdict.period_index + 1
        if self._quiet:
            return
        if self._as_json:
            facts: list[Fact] = [*said.subscriptions, *said.events, *said.verdicts]
            lines = [encode_row(fact_to_row(fact)).decode() for fact in facts]
        else:
            lines = [
                *(subscription_line(row) + "\n" for row in said.subscriptions),
                *(event_line(event) + "\n" for event in said.events),
                *(verdict_line(verdict) + "\n" for verdict in said.verdicts),
            ]
        self._out.write("".join(lines))

    def finish(self, records: int, target: Path | None) -> None:
        """The summary, on standard error where rows go to standard output."""
        self._out.flush()
        console = error_console() if not self._quiet else make_console(self._out)
        line = Text(f"{records} records read; periods: ")
        shown = [outcome for outcome in Outcome if self._outcomes[outcome]]
        for number, outcome in enumerate(shown):
            line.append(", " if number else "")
            line.append(f"{self._outcomes[outcome]} {outcome.value}", OUTCOME_STYLES[outcome])
        line.append("" if shown else "none")
        line.append(f"; amendments: {self._amendments}")
        console.print(line, soft_wrap=True)
        if target is not None:
            console.print(f"The rows are in {target}: collector query --store {target} ...")
