"""The views of a query session: which files of the store DuckDB gets to see, and when.

Does not run anything for people; see ``query``.

Rules: a table gets its files when a statement names it, so a store with a hundred thousand files of
``updates`` costs a question about verdicts nothing. With ``since`` or ``until`` a table has the
rows of these times only, and files that the manifest says have none are not opened. What one device
has is found by the statistics of the row groups, since the files are sorted by device. Without
``since`` a large file is a scan of its own: DuckDB then knows its range of times while it plans,
and does not read it where a WHERE contradicts that; files that share a scan are all opened, but
all cores do it.
Only fixed text, names of ours, numbers and quoted paths are put together.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from msgspec import Struct

from collector.errors import SinkError
from collector.store.manifest import Manifest, Page, StoredFile, listed_files
from collector.store.open_rows import OpenRows
from collector.store.tables import GROWN, PERIOD_COLUMN, TABLES, TIME, TIME_COLUMN

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger(__name__)

LARGE = 4 << 20
"""Octets of a file that is worth a scan of its own."""
MOST_SCANS = 16
"""Of one table; those of the newest large files."""
LAST_OF_FEW = "_verdicts_last_of_few"
"""As ``verdicts_last``, for questions about some devices."""
_PERIOD = ("device", "subscription_id", "revision", "period_index")
"""What the rows of one period have in common."""
_Range = tuple[int | None, int | None]


class StoreFolder(Struct, frozen=True):
    """One store of a session."""

    path: Path
    """Resolved."""
    manifest: Manifest
    news: Sequence[OpenRows] = ()
    """Open rows that the manifest does not cover."""
    lane: int | None = None
    """What the column ``lane`` says of its rows."""


class StoreViews:
    """The tables of one session in its connection; several folders are one table."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, folders: Sequence[StoreFolder]
    ) -> None:
        """Views over the open rows alone; see ``provide``."""
        self.folders = tuple(folders)
        self._connection = connection
        self._lanes = any(one.lane is not None for one in folders)
        self._replaced: set[str] = set()
        """Tables that were given as a whole."""
        self._given: dict[str, _Range] = {}
        """table -> range of times whose files it has; absent while it has none."""
        connection.execute("CREATE SCHEMA exact")
        for table, schema in TABLES.items():
            for number, one in enumerate(folders):
                parts = [rows.tables[table] for rows in one.news if table in rows.tables]
                # gives the columns even when there is no file
                opened = pa.concat_tables([schema.empty_table(), *parts])
                connection.register(f"_open_{table}_{number}", opened)
            self._create(table)
            times = ", ".join(
                f"{field.name}::TIMESTAMPTZ AS {field.name}"
                for field in schema
                if field.type == TIME
            )
            connection.execute(
                f"CREATE VIEW {table} AS SELECT * REPLACE ({times}) "  # noqa: S608
                f"FROM exact.{table}"
            )
        connection.execute(f"CREATE VIEW verdicts_last AS {self._newest()}")
        connection.execute(f"CREATE VIEW {LAST_OF_FEW} AS {self._newest(few=True)}")

    def provide(self, sql: str, since: int | None = None, until: int | None = None) -> None:
        """Give every table that the statement may name its files.

        They have rows from ``since`` to before ``until`` only (ns since 1970): of ``verdicts``
        those about such periods, of the others those of such a time (``tables.TIME_COLUMN``).

        Raises:
            SinkError: a file of the right size cannot be read.
        """
        import duckdb

        text = sql.lower()
        for table in TABLES:
            if table in self._replaced:
                continue
            # DuckDB's query() and query_table() take names that the text need not have
            if table not in text and "query" not in text:
                continue
            times = (since, until)
            if self._given.get(table) == times:
                continue
            try:
                self._create(table, [_files(one, table, *times) for one in self.folders], *times)
            except duckdb.Error as error:
                raise self._unreadable(error) from error
            self._given[table] = times

    def replace(self, table: str, rows: pa.Table) -> None:
        """Let a table have these rows and no others."""
        self._connection.register(f"_all_{table}", rows)
        lane = ", NULL::INTEGER AS lane" if self._lanes else ""
        sql = f"SELECT *{lane} FROM _all_{table}"  # noqa: S608
        self._connection.execute(f"CREATE OR REPLACE VIEW exact.{table} AS {sql}")
        self._replaced.add(table)

    def blame_file(self, error: Exception) -> None:
        """Raise SinkError when the trouble is a file of the store."""
        if any(str(one.path) in str(error) for one in self.folders):
            raise self._unreadable(error) from error

    def _newest(self, *, few: bool = False) -> str:
        """SQL: of the verdicts about each period the one as now known.

        Amendments are rare, so they are what is remembered: a hundred million rows need little
        memory, and a WHERE on the device reaches both sides. ``few``: reads every row once, but
        remembers all that a WHERE on the device leaves; for all rows that would be gigabytes.
        """
        keys = ("lane", *_PERIOD) if self._lanes else _PERIOD
        period = ", ".join(keys)
        if few:
            window = f"row_number() OVER (PARTITION BY {period} ORDER BY amendment DESC)"
            return f"SELECT * FROM verdicts QUALIFY {window} = 1"  # noqa: S608
        # plain equality, or a WHERE on the device does not reach the other side
        same = " AND ".join(f"v.{name} = a.{name}" for name in _PERIOD)
        if self._lanes:
            same += " AND coalesce(v.lane, -1) = coalesce(a.lane, -1)"
        amended = (
            f"SELECT {period}, max(amendment) AS newest FROM verdicts "  # noqa: S608
            f"WHERE amendment > 0 GROUP BY {period}"
        )
        return (
            f"SELECT v.* FROM verdicts AS v LEFT JOIN ({amended}) AS a ON {same} "  # noqa: S608
            "WHERE v.amendment = coalesce(a.newest, 0)"
        )

    def _unreadable(self, error: Exception) -> SinkError:
        where = ", ".join(str(one.path) for one in self.folders)
        sentence = f"the store in {where} cannot be read: {first_sentence(error)}"
        return SinkError(sentence, retryable=False)

    def _create(
        self,
        table: str,
        files: Sequence[Sequence[StoredFile]] = (),
        since: int | None = None,
        until: int | None = None,
    ) -> None:
        """``files``: of each folder."""
        names = ", ".join(f'"{name}"' for name in TABLES[table].names)
        selects = []
        for number, one in enumerate(self.folders):
            lane = "NULL" if one.lane is None else str(one.lane)
            columns = f"{names}, {lane}::INTEGER AS lane" if self._lanes else names
            selects.append(f"SELECT {columns} FROM _open_{table}_{number}")  # noqa: S608
            for scan in _scans(files[number] if files else (), alone=since is None):
                paths = ", ".join(quoted(str(one.path / file.name)) for file in scan)
                source = f"read_parquet([{paths}])"
                if table in GROWN:
                    source = _with_all_columns(f"_open_{table}_{number}", paths)
                selects.append(f"SELECT {columns} FROM {source}")  # noqa: S608
        sql = " UNION ALL ".join(selects)
        time = f"epoch_ns({_time_column(table)})"
        limits = [] if since is None else [f"{time} >= {since}"]
        limits += [] if until is None else [f"{time} < {until}"]
        if limits:
            sql = f"SELECT * FROM ({sql}) WHERE {' AND '.join(limits)}"  # noqa: S608
        self._connection.execute(f"CREATE OR REPLACE VIEW exact.{table} AS {sql}")


def _files(
    folder: StoreFolder, table: str, since: int | None, until: int | None
) -> list[StoredFile]:
    """What is there of the files that can matter."""

    def wanted(entry: StoredFile | Page) -> bool:
        low, high = _times(entry)
        return (since is None or high is None or high >= since) and (
            until is None or low is None or low < until
        )

    found = []
    for file in listed_files(
        folder.path, folder.manifest, table, wanted=wanted, on_damage=_page_left_out
    ):
        if _size(folder.path / file.name) == file.octets:
            found.append(file)
        else:
            sentence = "%s is gone or damaged: its %d rows are left out."
            log.warning(sentence, file.name, file.rows)
    return found


def _scans(files: Sequence[StoredFile], *, alone: bool) -> Iterator[Sequence[StoredFile]]:
    """Files that DuckDB reads as one; with ``alone`` large ones have a scan of their own."""
    large = [file for file in files if alone and file.octets >= LARGE and file.is_sorted]
    large.sort(key=lambda file: file.max_time)
    newest = large[-MOST_SCANS:]
    yield from ([file] for file in newest)
    names = {file.name for file in newest}
    together = [file for file in files if file.name not in names]
    together.sort(key=lambda file: file.octets, reverse=True)
    if together:
        # the first one is opened for the plan, before there are threads: it should be small
        yield [together[-1], *together[:-1]]


def _with_all_columns(opened: str, paths: str) -> str:
    """SQL: the files as a table that has every column, null where none of them knows it."""
    files = f"SELECT * FROM read_parquet([{paths}], union_by_name = true)"  # noqa: S608
    return f"(SELECT * FROM {opened} WHERE false UNION ALL BY NAME {files})"  # noqa: S608


def _time_column(table: str) -> str:
    return PERIOD_COLUMN.get(table, TIME_COLUMN[table])


def _times(entry: StoredFile | Page) -> _Range:
    """The range of its rows in ``_time_column``, ends included; None where it is not known."""
    if entry.table in PERIOD_COLUMN:
        return entry.min_period, entry.max_period
    return entry.min_time, entry.max_time


def _page_left_out(page: Page, error: SinkError) -> None:
    log.warning("%s: %d rows are left out.", error, page.rows)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def first_sentence(error: Exception) -> str:
    """What DuckDB says first."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def quoted(text: str) -> str:
    """As a string of SQL."""
    return "'" + text.replace("'", "''") + "'"
