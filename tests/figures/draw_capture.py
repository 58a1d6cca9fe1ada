"""Draw what ``collector replay`` shows of a capture as an SVG file.

    python -m tests.figures.draw_capture CAPTURE tests/figures/capture.svg 1=60

The words behind the picture are ``--period`` options. The same code draws in the terminal.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

from collector.cli.replaying import given_terms
from collector.pipeline import CaptureFiles, JournalledConfig, judge_captures
from collector.views.replay_summary import ReplaySummary
from tests.figures.draw_periods import FORMAT, THEME

WIDTH = 106


def draw(capture: str, periods: tuple[str, ...], picture: Path) -> None:
    """One capture -> one SVG file."""
    summary = ReplaySummary()
    config = JournalledConfig(each_source=True, known_subscriptions=given_terms(periods, ()))
    with CaptureFiles([capture]) as files:
        replayed = judge_captures(files, config, show=summary.receive)
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, markup=False,
        highlight=False,
    )  # fmt: skip
    summary.print(console, replayed)
    picture.write_text(
        console.export_svg(theme=THEME, code_format=FORMAT, unique_id="capture"), encoding="utf-8"
    )


if __name__ == "__main__":
    draw(sys.argv[1], tuple(sys.argv[3:]), Path(sys.argv[2]))
