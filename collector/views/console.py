"""The terminal, or what stands in its place.

Rules: colour only in a terminal and not where ``NO_COLOR`` is set; markup of the terminal library
is off, so that a ``[`` in a name is a ``[``.
"""

from __future__ import annotations

import sys
from typing import TextIO

from rich.console import Console


class _Console(Console):
    """Leaves a broken pipe to the command, as any other error; the library would end the process
    with status 1, which means "the answer is no" here."""

    def on_broken_pipe(self) -> None:
        """Called while the BrokenPipeError is handled."""
        self.quiet = True  # what is still in the buffer has nowhere to go
        raise BrokenPipeError


def make_console(file: TextIO | None = None, *, width: int | None = None) -> Console:
    """A console on ``file`` (standard output)."""
    return _Console(
        file=file or sys.stdout, width=width, markup=False, emoji=False, highlight=False
    )


def error_console() -> Console:
    """A console on standard error: progress and warnings, so that output can be piped."""
    return make_console(sys.stderr)


def has_unicode(console: Console) -> bool:
    """Whether the terminal can show more than ASCII."""
    return console.encoding.lower().replace("-", "").startswith("utf")
