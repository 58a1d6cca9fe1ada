"""A progress bar on standard error for work that takes a while; silent where nobody watches."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from collector.views.console import error_console

Advance = Callable[[float], None]
"""Called with how much is done, out of the total."""


@contextmanager
def progress(
    what: str, total: float | None, console: Console | None = None, *, rows: bool = False
) -> Iterator[Advance]:
    """A bar for ``total`` units of work (None: not known); gives a function to move it.

    A work loop may call it as often as it likes; the bar is drawn a few times a second. With
    ``rows`` something is printed meanwhile: then only where that goes into a file, since a terminal
    or a pager would show both in one line.
    """
    shown = console or error_console()
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=shown,
        transient=True,
        disable=not shown.is_terminal or (rows and not _into_file()),
        refresh_per_second=5,
        redirect_stdout=False,
    )
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _into_file() -> bool:
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):  # closed, or none of the system's
        return False
