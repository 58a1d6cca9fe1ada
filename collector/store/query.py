"""SQL for people over the store: DuckDB in memory, read-only, locked to the store's folder.

Does not write and does not keep the folder locked; works while a collector runs. Views: the
tables of ``tables.TABLES`` and ``verdicts_last`` (for each period only its newest row). In them a
time is TIMESTAMPTZ, rounded to microseconds, since DuckDB can hardly calculate with nanoseconds
(no difference, no ``date_trunc``, no interval); the schema ``exact`` has them with all digits.

Rules: only one statement, and only one that reads (SELECT and its kin, EXPLAIN of such). DuckDB
itself may open files of the store's folder only, loads no extension, and its settings are locked;
since it would let COPY write into an allowed folder, the kind of statement is looked at before
anything runs. Values from outside are bound as parameters, never pasted into SQL. A file that is
gone or has another size than the manifest says is left out, and said: one damaged file must not
hide all the others. Files that cannot matter are not opened, see ``views``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import pyarrow as pa
from msgspec import Struct

from collector.errors import UsageError
from collector.store.manifest import Manifest, load_manifest, store_folder
from collector.store.open_rows import OpenRows
from collector.store.views import StoreFolder, StoreViews, first_sentence, quoted

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "1GB"
_EXPLAIN = re.compile(r"\s*explain\b\s*(analyze\b|\([^)]*\))?", re.IGNORECASE)


class Part(Struct, frozen=True):
    """One data folder that a session reads."""

    folder: Path
    open_rows: Sequence[OpenRows] = ()
    """Got *before* the session is opened."""
    lane: int | None = None
    """What the column ``lane`` says of its rows, see ``open_parts``."""


class QuerySession:
    """One reading of the store. Use it in a ``with`` block, or call ``close``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, views: StoreViews) -> None:
        self._connection = connection
        self._views = views
        self.manifests = tuple(one.manifest for one in views.folders)
        """The files that are read; they stay for 60 s after a newer manifest left them out."""

    @property
    def manifest(self) -> Manifest:
        """That of the only folder, or of the first one."""
        return self.manifests[0]

    def __enter__(self) -> QuerySession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def run(
        self,
        sql: str,
        parameters: Mapping[str, object] | Sequence[object] = (),
        *,
        since: int | None = None,
        until: int | None = None,
    ) -> pa.Table:
        """The result of one reading statement.

        ``parameters`` are bound to ``$name`` or ``?``. With ``since`` and ``until`` (ns since 1970,
        half-open) the tables have rows of these times only, ``verdicts`` those about such periods;
        files without any are not opened.

        Raises:
            UsageError: not one statement that reads, or DuckDB refuses it (its first sentence).
            SinkError: a file of the right size cannot be read.
        """
        import duckdb

        try:
            _check_reads_only(self._connection, sql)
            self._views.provide(sql, since, until)
            relation = self._connection.sql(sql, params=parameters or None)
            if relation is None:
                raise UsageError("the statement gives no rows")
            return relation.to_arrow_table()
        except (duckdb.InvalidInputException, duckdb.IOException) as error:
            self._views.blame_file(error)
            raise UsageError(first_sentence(error)) from error
        except duckdb.Error as error:
            raise UsageError(first_sentence(error)) from error

    def replace(self, table: str, rows: pa.Table) -> None:
        """Let one of ``tables.TABLES`` have these rows, and no others, from now on."""
        self._views.replace(table, rows)

    def close(self) -> None:
        """Free the memory. May be called twice."""
        self._connection.close()


def open_query(data_folder: Path, open_rows: Sequence[OpenRows] = ()) -> QuerySession:
    """A session over everything stored, and over open rows got *before* this call.

    Raises:
        SinkError: the manifest or a file of the right size cannot be read.
        UsageError: there is no store in this folder.
    """
    return open_parts([Part(data_folder, open_rows)])


def open_parts(parts: Sequence[Part]) -> QuerySession:
    """A session over several folders as one. Where a part is a lane, all tables have a column
    ``lane``: journal offsets and revisions count within one lane.

    Raises:
        SinkError: a manifest or a file of the right size cannot be read.
        UsageError: there is no store in one of the folders.
    """
    import duckdb

    folders = [_folder(part) for part in parts]
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute("SET temp_directory = ''")
        with suppress(duckdb.CatalogException):  # not in every DuckDB that we take
            # the plan and the scan read the same descriptions of row groups
            connection.execute("SET parquet_metadata_cache = true")
        allowed = ", ".join(quoted(str(one.path)) for one in folders)
        connection.execute(f"SET allowed_directories = [{allowed}]")
        connection.execute("SET enable_external_access = false")
        views = StoreViews(connection, folders)
        for setting in _OFF:
            connection.execute(f"SET {setting} = false")
        connection.execute("SET lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return QuerySession(connection, views)


def _folder(part: Part) -> StoreFolder:
    folder = store_folder(part.folder)
    if not folder.is_dir() and not part.open_rows:
        raise UsageError(f"there is no store in {part.folder}")
    manifest = load_manifest(folder)
    news = [rows for rows in part.open_rows if rows.next_offset > manifest.stored_offset]
    return StoreFolder(folder.resolve(), manifest, news, part.lane)


_OFF = (
    "autoinstall_known_extensions",
    "autoload_known_extensions",
    "allow_community_extensions",
    "python_enable_replacements",
)


def _check_reads_only(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    import duckdb

    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise UsageError(f"one statement is taken at a time, not {len(statements)}")
    kind = statements[0].type
    if kind == duckdb.StatementType.EXPLAIN:
        # EXPLAIN ANALYZE runs what it explains, a COPY too.
        explained = _EXPLAIN.sub("", statements[0].query, count=1)
        if explained == statements[0].query:
            raise UsageError("EXPLAIN must be the first word of the statement")
        _check_reads_only(connection, explained)
    elif kind != duckdb.StatementType.SELECT:
        raise UsageError(f"only reading is allowed here, not {kind.name}")
