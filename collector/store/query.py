"""SQL for people over the store: DuckDB in memory, read-only, locked to the store's folder.

Does not write and does not keep the folder locked; works while a collector runs. Views: the four
tables of ``tables.TABLES`` and ``verdicts_last`` (for each period only its newest row). In them a
time is TIMESTAMPTZ, rounded to microseconds, since DuckDB can hardly calculate with nanoseconds
(no difference, no ``date_trunc``, no interval); the schema ``exact`` has the four with all digits.

Rules: only one statement, and only one that reads (SELECT and its kin, EXPLAIN of such). DuckDB
itself may open files of the store's folder only, loads no extension, and its settings are locked;
since it would let COPY write into an allowed folder, the kind of statement is looked at before
anything runs. Values from outside are bound as parameters, never pasted into SQL. A file that is
gone or has another size than the manifest says is left out, and said: one damaged file must not
hide all the others.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import pyarrow as pa
from msgspec import Struct

from collector.errors import SinkError, UsageError
from collector.store.manifest import Manifest, load_manifest, store_folder
from collector.store.open_rows import OpenRows
from collector.store.tables import TABLES, TIME

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger(__name__)

MEMORY_LIMIT = "1GB"
_EXPLAIN = re.compile(r"\s*explain\b\s*(analyze\b|\([^)]*\))?", re.IGNORECASE)
_NEWEST = (
    "QUALIFY row_number() OVER (PARTITION BY device, subscription_id, revision, period_index "
    "ORDER BY amendment DESC) = 1"
)


class Part(Struct, frozen=True):
    """One data folder that a session reads."""

    folder: Path
    open_rows: Sequence[OpenRows] = ()
    """Got *before* the session is opened."""
    lane: int | None = None
    """What the column ``lane`` says of its rows, see ``open_parts``."""


class _Folder(Struct, frozen=True):
    """A part whose manifest was read."""

    path: Path
    manifest: Manifest
    news: Sequence[OpenRows]
    """Open rows that the manifest does not cover."""
    lane: int | None


class QuerySession:
    """One reading of the store. Use it in a ``with`` block, or call ``close``."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, manifests: Sequence[Manifest], newest: str
    ) -> None:
        self._connection = connection
        self._newest = newest
        self.manifests = tuple(manifests)
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

    def run(self, sql: str, parameters: Mapping[str, object] | Sequence[object] = ()) -> pa.Table:
        """The result of one reading statement.

        ``parameters`` are bound to ``$name`` or ``?``.

        Raises:
            UsageError: not one statement that reads, or DuckDB refuses it (its first sentence).
        """
        import duckdb

        try:
            _check_reads_only(self._connection, sql)
            relation = self._connection.sql(sql, params=parameters or None)
            if relation is None:
                raise UsageError("the statement gives no rows")
            return relation.to_arrow_table()
        except duckdb.Error as error:
            raise UsageError(_first_sentence(error)) from error

    def select_verdicts(
        self,
        *,
        device: str | None = None,
        subscription: str | None = None,
        since: int | None = None,
        until: int | None = None,
        outcome: str | None = None,
        last_only: bool = False,
        limit: int | None = None,
    ) -> pa.Table:
        """Rows of ``verdicts`` in the order in which they were judged, times to the nanosecond.

        ``since`` and ``until`` (ns since 1970, half-open) are compared with ``nominal_time``;
        ``subscription`` with the name; ``last_only`` leaves out rows amended since; ``limit``
        takes the newest rows.
        """
        wanted = {
            "device = $device": device,
            "subscription_name = $subscription": subscription,
            "epoch_ns(nominal_time) >= $since": since,
            "epoch_ns(nominal_time) < $until": until,
            "outcome = $outcome": outcome,
        }
        clauses = [clause for clause, value in wanted.items() if value is not None]
        parameters = {
            clause.rpartition("$")[2]: value
            for clause, value in wanted.items()
            if value is not None
        }
        last = f"(SELECT * FROM exact.verdicts {self._newest})"  # noqa: S608
        table = last if last_only else "exact.verdicts"
        where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
        newest = ""
        if limit is not None:
            newest = "ORDER BY judged_at DESC LIMIT $limit"
            parameters["limit"] = limit
        # Only fixed text of this function is put together here; all values are bound.
        sql = (
            f"SELECT * FROM (SELECT * FROM {table} {where} {newest}) "  # noqa: S608
            "ORDER BY judged_at, device, subscription_id, period_index, amendment"
        )
        return self.run(sql, parameters)

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
    lanes = any(one.lane is not None for one in folders)
    newest = _NEWEST.replace("BY device", "BY lane, device") if lanes else _NEWEST
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute("SET temp_directory = ''")
        allowed = ", ".join(_quoted(str(one.path)) for one in folders)
        connection.execute(f"SET allowed_directories = [{allowed}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("CREATE SCHEMA exact")
        for table in TABLES:
            _create_views(connection, folders, table, lanes)
        connection.execute(f"CREATE VIEW verdicts_last AS FROM verdicts {newest}")
        for setting in _OFF:
            connection.execute(f"SET {setting} = false")
        connection.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        connection.close()
        where = ", ".join(str(store_folder(part.folder)) for part in parts)
        sentence = f"the store in {where} cannot be read: {_first_sentence(error)}"
        raise SinkError(sentence, retryable=False) from error
    except BaseException:
        connection.close()
        raise
    return QuerySession(connection, [one.manifest for one in folders], newest)


def _folder(part: Part) -> _Folder:
    folder = store_folder(part.folder)
    if not folder.is_dir() and not part.open_rows:
        raise UsageError(f"there is no store in {part.folder}")
    manifest = _whole_files(folder, load_manifest(folder))
    news = [rows for rows in part.open_rows if rows.next_offset > manifest.stored_offset]
    return _Folder(folder.resolve(), manifest, news, part.lane)


def _whole_files(folder: Path, manifest: Manifest) -> Manifest:
    """The manifest without files that cannot be what it lists."""
    bad = tuple(file for file in manifest.files if _size(folder / file.name) != file.octets)
    for file in bad:
        log.warning("%s is gone or damaged: its %d rows are left out.", file.name, file.rows)
    return manifest.changed(removed=bad) if bad else manifest


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


_OFF = (
    "autoinstall_known_extensions",
    "autoload_known_extensions",
    "allow_community_extensions",
    "python_enable_replacements",
)


def _create_views(
    connection: duckdb.DuckDBPyConnection, folders: Sequence[_Folder], table: str, lanes: bool
) -> None:
    """The stored files and the open rows of all folders as one; the open parts give the columns
    even when there is no file."""
    schema = TABLES[table]
    names = ", ".join(f'"{name}"' for name in schema.names)
    selects = []
    for number, one in enumerate(folders):
        parts = [rows.tables[table] for rows in one.news if table in rows.tables]
        opened = f"_open_{table}_{number}"
        connection.register(opened, pa.concat_tables([schema.empty_table(), *parts]))
        lane = "NULL" if one.lane is None else str(one.lane)
        columns = f"{names}, {lane}::INTEGER AS lane" if lanes else names
        # Names are ours, paths are quoted: nothing from outside is pasted.
        selects.append(f"SELECT {columns} FROM {opened}")  # noqa: S608
        if files := one.manifest.files_of(table):
            paths = ", ".join(_quoted(str(one.path / file.name)) for file in files)
            selects.append(f"SELECT {columns} FROM read_parquet([{paths}])")  # noqa: S608
    connection.execute(f"CREATE VIEW exact.{table} AS {' UNION ALL '.join(selects)}")
    times = ", ".join(f"{f.name}::TIMESTAMPTZ AS {f.name}" for f in schema if f.type == TIME)
    connection.execute(
        f"CREATE VIEW {table} AS SELECT * REPLACE ({times}) FROM exact.{table}"  # noqa: S608
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


def _first_sentence(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
