"""What ``query`` and ``verdicts`` share: the store, the open rows, and the answer as rows.

Does: open the store of a data folder together with the rows that are not in it yet: from the
running collector, or computed from the end of the journal when none runs. Does not: print.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from collector import control
from collector.errors import UsageError
from collector.views.progress import progress

TABLES = ("updates", "verdicts", "subscriptions", "events")


@contextmanager
def asked(folder: Path) -> Iterator[Callable[[str], Any]]:
    """A function that runs SQL over the store in ``folder`` and gives an Arrow table."""
    from collector.store.query import open_query

    with progress("reading what is not in the store yet", None):
        rows = open_rows(folder)
    with open_query(folder, rows) as session:
        yield session.run


def open_rows(folder: Path) -> Mapping[str, Any]:
    """Rows that are not in the store yet, by table."""
    if not control.is_running(folder):
        from collector.pipeline import open_rows as computed

        return computed(folder)
    return {table: _open_table(folder, table) for table in TABLES}


def _open_table(folder: Path, table: str) -> Any:
    import pyarrow as pa

    octets = control.ask_bytes(folder, "open_rows", table=table)
    try:
        with pa.ipc.open_stream(octets) as reader:
            return reader.read_all()
    except pa.ArrowException as error:
        raise UsageError(f"the collector's rows cannot be read: {error}") from None
