"""Sink of ``collector subscribe``: updates and verdicts as lines of text."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from collector.interfaces import Said
from collector.views.text import clean, clock, event_line, subscription_line, verdict_line

PAYLOAD_SHOWN = 160
"""Characters of a payload that are shown (ours)."""


class PrintingSink:
    """Meets ``interfaces.Sink``."""

    name = "printing"

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def start(self) -> None:
        """Nothing to open."""

    def write(self, said: Said) -> None:
        """One line for each row."""
        lines = [subscription_line(row) for row in said.subscriptions]
        lines += [event_line(event) for event in said.events]
        updates: Any = getattr(said, "updates", None)
        if updates is not None:
            lines += [_update_line(row) for row in updates.to_pylist()]
        lines += [verdict_line(verdict) for verdict in said.verdicts]
        if lines:
            self._out.write("\n".join(lines) + "\n")
            self._out.flush()

    def flush(self) -> None:
        """Nothing waits."""

    def stop(self) -> None:
        """Standard output stays open."""


def _update_line(row: dict[str, Any]) -> str:
    arrival = row["received_at"]
    when = clock(arrival if isinstance(arrival, int) else arrival.value, digits=3)
    payload = clean(bytes(row["payload"]).decode(errors="replace"), PAYLOAD_SHOWN)
    return f"{when} {row['kind']} from {row['generator']}: {payload}"
