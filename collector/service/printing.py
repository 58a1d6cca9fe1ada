"""Sink of ``collector subscribe``: updates and verdicts as lines of text."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from collector.interfaces import Said
from collector.views.text import card, clean, clock, event_line, subscription_line, verdict_line

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
        lines += _update_lines(getattr(said, "updates", None))
        lines += [verdict_line(verdict) for verdict in said.verdicts]
        if lines:
            self._out.write("\n".join(lines) + "\n")
            self._out.flush()

    def flush(self) -> None:
        """Nothing waits."""

    def stop(self) -> None:
        """Standard output stays open."""


def _update_lines(updates: Any) -> list[str]:
    """``updates``: an Arrow batch of the table's rows, or None."""
    if updates is None:
        return []
    # datetime has microseconds only, so the times are read as numbers
    arrivals = updates.column("received_at").cast("int64").to_pylist()
    columns = [updates.column(name).to_pylist() for name in ("kind", "generator", "payload")]
    return [
        f"{clock(arrival, digits=3)}  {kind} from {card(generator)}: {_start(payload)}"
        for arrival, kind, generator, payload in zip(arrivals, *columns, strict=True)
    ]


def _start(payload: bytes) -> str:
    return clean(payload[: 2 * PAYLOAD_SHOWN].decode(errors="replace"), PAYLOAD_SHOWN)
