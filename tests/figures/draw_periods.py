"""Draw the picture of periods as an SVG file, from the verdicts of a real run.

    collector demo --keep run && collector verdicts --all --json --store run/data > rows.jsonl
    python -m tests.figures.draw_periods rows.jsonl tests/figures/periods.svg

The same code draws in the terminal; only the colours of the background are chosen here.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from collector.sinks.rows import row_to_fact
from collector.views.periods import PeriodGrid

WIDTH = 118
THEME = TerminalTheme(
    (22, 27, 34), (201, 209, 217),
    [(22, 27, 34), (248, 81, 73), (63, 185, 80), (210, 153, 34),
     (88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)],
)  # fmt: skip
FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>
<g transform="translate(16, 16)" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""


def draw(rows: Path, picture: Path) -> None:
    """Verdicts as JSON lines -> one SVG file."""
    grid = PeriodGrid()
    decode = msgspec.json.Decoder(dict).decode
    grid.receive(row_to_fact(decode(line)) for line in rows.read_bytes().splitlines())
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(grid.render(console))
    picture.write_text(
        console.export_svg(theme=THEME, code_format=FORMAT, unique_id="periods"), encoding="utf-8"
    )


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
