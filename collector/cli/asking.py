"""What ``query`` and ``verdicts`` share: the store together with the rows that are not in it yet.

Does: get the open rows, from the running collector or computed from the end of the journal when
none runs, and open the store. Does not: print.
Rules: open rows first, manifest second, so that a segment that is stored in between is in one of
them (see ``store.open_rows``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from collector import control
from collector.store.open_rows import OpenRows, decode_open_rows
from collector.store.query import QuerySession, open_query
from collector.views.progress import progress


@contextmanager
def asked(folder: Path) -> Iterator[QuerySession]:
    """A session over everything that is known in ``folder``. Raises UsageError, SinkError."""
    with progress("reading what is not in the store yet", None):
        rows = open_rows(folder)
    with open_query(folder, rows) as session:
        yield session


def open_rows(folder: Path) -> Sequence[OpenRows]:
    """Rows that are not in the store yet."""
    if control.is_running(folder):
        return decode_open_rows(control.ask_bytes(folder, "open_rows"))
    from collector.pipeline import open_rows as computed

    return computed(folder)
