"""A table whose rows are printed while they come: aligned in a terminal, tabs in a pipe.

Rules: the first ``LOOK`` rows say how wide the columns are; a later cell that is wider pushes its
line to the right, since a number cut off is a wrong number.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

LOOK: Final = 64


class StreamedTable:
    """Print ``add``-ed rows, and lines between them; ``flush`` at the end."""

    def __init__(self, console: Console, columns: Sequence[str], right: Collection[str]) -> None:
        self._console = console
        self._columns = columns
        self._right = [column in right for column in columns]
        self._plain = not console.is_terminal
        self._waiting: list[list[Text] | Text] = []
        self._widths: list[int] | None = None
        self._begun = False

    def add(self, cells: list[Text]) -> None:
        """One row."""
        if not self._plain:
            self._print(cells)
            return
        if not self._begun:
            self._begun = True
            self._console.file.write("\t".join(self._columns) + "\n")
        self._console.file.write("\t".join(cell.plain for cell in cells) + "\n")

    def line(self, text: Text) -> None:
        """A line of its own between two rows."""
        if self._plain:
            self._console.file.write(text.plain + "\n")
            return
        self._print(text)

    def flush(self) -> None:
        """Print what still waits for others like it."""
        rows = [row for row in self._waiting if isinstance(row, list)]
        if self._widths is None and rows:
            heads = [Text(column, "bold") for column in self._columns]
            lengths = [[cell.cell_len for cell in row] for row in rows]
            widest = [max(column) for column in zip(*lengths, strict=True)]
            # a column that is empty so far has no head; what comes later is printed all the same
            self._widths = [
                width and max(width, head.cell_len)
                for width, head in zip(widest, heads, strict=True)
            ]
            heads = [head if width else Text() for head, width in zip(heads, widest, strict=True)]
            self._waiting.insert(0, heads)
        for one in self._waiting:
            self._draw(one)
        self._waiting.clear()

    def _print(self, one: list[Text] | Text) -> None:
        self._waiting.append(one)
        if self._widths is not None or len(self._waiting) >= LOOK:
            self.flush()

    def _draw(self, one: list[Text] | Text) -> None:
        if isinstance(one, Text):
            self._console.print(one, soft_wrap=True)
            return
        assert self._widths is not None
        line = Text()
        for number, (cell, width, right) in enumerate(
            zip(one, self._widths, self._right, strict=True)
        ):
            if not width and not cell.plain:
                continue
            blanks = " " * max(0, width - cell.cell_len)
            line.append("  " if number else "").append(blanks if right else "")
            line.append_text(cell).append("" if right else blanks)
        line.rstrip()
        self._console.print(line, soft_wrap=True)
