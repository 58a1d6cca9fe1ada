"""SQL over the store: what is seen, and that nothing but reading is possible."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.cli.verdict_rows import Selection
from collector.errors import SinkError, UsageError
from collector.model import Outcome
from collector.store.manifest import store_folder
from collector.store.query import QuerySession, open_query
from collector.store.rows import plain_rows
from collector.store.said import Said
from collector.store.tables import TABLES
from collector.store.writer import StoreWriter
from tests.unit.store_rows import START, said, verdict


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreWriter]:
    writer = StoreWriter(tmp_path)
    yield writer
    writer.close()


@pytest.fixture
def session(store: StoreWriter, tmp_path: Path) -> Iterator[QuerySession]:
    """Two segments stored, a third open."""
    for number in range(2):
        store.add(said(5 * number))
        store.seal(5 * number, 5 * number + 5)
    assert store.flush(30)
    store.add(said(10))
    with open_query(tmp_path, store.open_rows()) as opened:
        yield opened


def column(session: QuerySession, sql: str) -> list[object]:
    values: list[object] = session.run(sql).column(0).to_pylist()
    return values


# --------------------------------------------------------------------------- what is seen
def test_stored_and_open_rows_are_one_table(session: QuerySession) -> None:
    offsets = column(session, "SELECT journal_offset FROM updates ORDER BY 1")
    assert offsets == list(range(15))
    for table in ("verdicts", "events", "subscriptions"):
        assert column(session, f"SELECT count(*) FROM {table}") == [3]


def test_views_have_the_columns_of_the_tables_in_order(session: QuerySession) -> None:
    for table, schema in TABLES.items():
        assert column(session, f"DESCRIBE {table}") == schema.names
        assert column(session, f"DESCRIBE exact.{table}") == schema.names
    names = column(session, "SHOW TABLES")
    assert [name for name in names if not str(name).startswith("_")] == [
        "edits",
        "events",
        "leaves",
        "subscriptions",
        "updates",
        "verdicts",
        "verdicts_last",
    ]


def test_exact_times_keep_their_nanoseconds(session: QuerySession) -> None:
    sql = "SELECT nominal_time, epoch_ns(nominal_time) AS ns FROM exact.verdicts ORDER BY 1 LIMIT 1"
    (row,) = plain_rows(session.run(sql))
    assert row == {"nominal_time": "2023-11-14T22:13:20.000000001Z", "ns": START + 1}
    (row,) = plain_rows(session.run("FROM exact.verdicts ORDER BY judged_at DESC LIMIT 1"))
    assert row["judged_at"] == "2023-11-14T22:13:30.000000600Z"


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("judged_at - nominal_time", "00:00:00.000001"),
        ("date_trunc('minute', nominal_time)", "2023-11-14 22:13:00+00"),
        ("nominal_time + INTERVAL 1 HOUR", "2023-11-14 23:13:20+00"),
        ("nominal_time < TIMESTAMPTZ '2023-11-14 22:13:21Z'", "true"),
        ("nominal_time < now() - INTERVAL 1 DAY", "true"),
        ("epoch_ms(nominal_time)", "1700000000000"),
    ],
)
def test_people_can_calculate_with_times(
    session: QuerySession, expression: str, result: str
) -> None:
    sql = f"SELECT CAST({expression} AS VARCHAR) FROM verdicts ORDER BY nominal_time LIMIT 1"
    assert column(session, sql) == [result]


def test_missing_generators_can_be_unnested(session: QuerySession) -> None:
    rows = session.run(
        "SELECT m.generator, m.cause, count(*) AS n "
        "FROM verdicts, UNNEST(missing) AS t(m) GROUP BY ALL"
    )
    assert plain_rows(rows) == [{"generator": "3", "cause": "silent", "n": 3}]


def test_rows_stored_on_the_way_are_not_seen_twice(store: StoreWriter, tmp_path: Path) -> None:
    store.add(said(0))
    store.add(said(5))
    before = store.open_rows()
    store.seal(0, 10)
    assert store.flush(30)
    with open_query(tmp_path, before) as opened:
        assert column(opened, "SELECT count(*) FROM updates") == [10]


def test_open_rows_of_some_tables_only(store: StoreWriter, tmp_path: Path) -> None:
    store.add(said(0))
    with open_query(tmp_path, store.open_rows(("events",))) as opened:
        assert column(opened, "SELECT count(*) FROM events") == [1]
        assert column(opened, "SELECT count(*) FROM updates") == [0]


def test_files_of_a_replaced_manifest_stay_readable(
    store: StoreWriter, session: QuerySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collector.store import compaction

    monkeypatch.setattr(compaction, "FAN_IN", 2)
    before = session.manifest
    store.upkeep()
    assert store.manifest != before
    assert column(session, "SELECT count(*) FROM updates") == [15]


def test_empty_store_has_empty_tables_with_all_columns(store: StoreWriter, tmp_path: Path) -> None:
    with open_query(tmp_path) as opened:
        for table in (*TABLES, "verdicts_last"):
            assert column(opened, f"SELECT count(*) FROM {table}") == [0]
        assert Selection(amended=True).ask(opened).schema.names == TABLES["verdicts"].names


def test_no_store_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no store in"):
        open_query(tmp_path)


def test_manifest_that_cannot_be_read_is_a_sink_error(store: StoreWriter, tmp_path: Path) -> None:
    (store_folder(tmp_path) / "manifest.json").write_bytes(b"x")
    with pytest.raises(SinkError):
        open_query(tmp_path)


def test_folder_with_quotes_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's [a] 'folder'"
    folder.mkdir()
    writer = StoreWriter(folder)
    writer.add(said(0))
    writer.seal(0, 5)
    writer.flush(30)
    writer.close()
    with open_query(folder) as opened:
        assert column(opened, "SELECT count(*) FROM updates") == [5]


# --------------------------------------------------------------------------- verdicts
@pytest.fixture
def amended(store: StoreWriter, tmp_path: Path) -> Iterator[QuerySession]:
    """Periods 0 to 3; period 1 amended twice, period 2 of another device."""
    store.add(
        Said(
            0,
            1,
            None,
            (
                verdict(0, outcome=Outcome.COMPLETE),
                verdict(1),
                verdict(2, device="edge1"),
                verdict(1, 1),
                verdict(1, 2, outcome=Outcome.DEGRADED),
                verdict(3, subscription_name="other"),
            ),
        )
    )
    with open_query(tmp_path, store.open_rows()) as opened:
        yield opened


def keys(table: object) -> list[tuple[int, int]]:
    return [(row["period_index"], row["amendment"]) for row in plain_rows(table)]


ALL = Selection(amended=True)


def test_verdicts_in_order_of_periods(amended: QuerySession) -> None:
    assert keys(ALL.ask(amended)) == [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0), (3, 0)]


def test_last_rows_only(amended: QuerySession) -> None:
    assert keys(Selection().ask(amended)) == [(0, 0), (1, 2), (2, 0), (3, 0)]
    assert column(amended, "SELECT outcome FROM verdicts_last WHERE period_index = 1") == [
        "DEGRADED"
    ]


def test_every_condition_of_a_selection(amended: QuerySession) -> None:
    at = START + 1
    assert keys(Selection(devices=("edge1",)).ask(amended)) == [(2, 0)]
    assert keys(Selection(names=("other",)).ask(amended)) == [(3, 0)]
    assert keys(Selection(outcomes=("degraded",)).ask(amended)) == [(1, 2)]
    assert keys(Selection(since=at + 2 * 10**9).ask(amended)) == [(2, 0), (3, 0)]
    assert keys(Selection(since=at, until=at + 1).ask(amended)) == [(0, 0)]
    assert keys(Selection(limit=2).ask(amended)) == [(2, 0), (3, 0)]
    assert keys(Selection(devices=("core7",), outcomes=("incomplete",), limit=1).ask(amended)) == [
        (3, 0)
    ]


def test_values_are_bound_not_pasted(amended: QuerySession) -> None:
    assert keys(Selection(devices=("x' OR 'a'='a",)).ask(amended)) == []
    assert column(amended, "SELECT count(*) FROM verdicts") == [6]


def test_parameters_by_name_and_by_place(amended: QuerySession) -> None:
    named = amended.run("SELECT count(*) FROM verdicts WHERE device = $d", {"d": "edge1"})
    placed = amended.run("SELECT count(*) FROM verdicts WHERE device = ?", ["edge1"])
    assert named.column(0).to_pylist() == placed.column(0).to_pylist() == [1]


# --------------------------------------------------------------------------- reading only
@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("COPY updates TO '{store}/x.parquet'", "only reading"),
        ("COPY (SELECT 1) TO '/tmp/x.csv'", "only reading"),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO '{store}/x.csv'", "only reading"),
        ("explain (format json) copy (select 1) to '{store}/x.csv'", "only reading"),
        ("/* a */ EXPLAIN ANALYZE COPY (SELECT 1) TO '{store}/x.csv'", "only reading|first word"),
        ("-- a\nEXPLAIN ANALYZE COPY (SELECT 1) TO '{store}/x.csv'", "only reading|first word"),
        ("EXPLAIN EXPLAIN ANALYZE COPY (SELECT 1) TO '{store}/x.csv'", "."),
        ("WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", "."),
        ("PREPARE p AS COPY (SELECT 1) TO '{store}/x.csv'", "only reading"),
        ("EXPORT DATABASE '{store}/x'", "only reading"),
        ("ATTACH '{store}/x.db'", "only reading"),
        ("INSTALL httpfs", "only reading"),
        ("LOAD httpfs", "only reading"),
        ("SET enable_external_access = true", "only reading"),
        ("RESET lock_configuration", "only reading"),
        ("PRAGMA database_list", "only reading"),
        ("CALL pragma_version()", "only reading"),
        ("CREATE TABLE x (a INTEGER)", "only reading"),
        ("DROP VIEW verdicts", "only reading"),
        ("CREATE SECRET s (TYPE s3)", "."),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT 1; COPY (SELECT 1) TO '{store}/x.csv'", "one statement"),
        ("", "one statement"),
        ("SELECT * FROM read_text('/etc/passwd')", "Cannot access file"),
        ("SELECT * FROM read_csv('/etc/passwd')", "Cannot access file"),
        ("SELECT * FROM '/etc/passwd'", "."),
        ("SELECT * FROM read_blob('{store}/../lock')", "Cannot access file"),
        ("SELECT * FROM glob('/etc/*')", "."),
        ("SELECT * FROM read_parquet('https://127.0.0.1:1/x.parquet')", "."),
        ("SELECT * FROM query('COPY (SELECT 1) TO ''{store}/x.csv''')", "."),
        ("SELECT getenv('HOME')", "."),
        ("SELECT * FROM session", "."),
        ("SELEC 1", "syntax error"),
        ("SELECT nothing FROM verdicts", "nothing"),
    ],
)
def test_everything_but_reading_the_store_is_refused_in_one_sentence(
    session: QuerySession, tmp_path: Path, sql: str, words: str
) -> None:
    folder = store_folder(tmp_path)
    (tmp_path / "lock").write_text("1")
    before = sorted(os.listdir(folder))
    with pytest.raises(UsageError, match=words) as caught:
        session.run(sql.format(store=folder))
    assert "\n" not in str(caught.value)
    assert sorted(os.listdir(folder)) == before
    assert column(session, "SELECT count(*) FROM updates") == [15]


def test_symbolic_link_in_the_store_leads_nowhere(session: QuerySession, tmp_path: Path) -> None:
    (store_folder(tmp_path) / "link").symlink_to("/etc")
    with pytest.raises(UsageError):
        session.run(
            f"SELECT * FROM read_text('{store_folder(tmp_path)}/link/../../../etc/hostname')"
        )


@pytest.mark.parametrize(
    "sql",
    [
        "SHOW TABLES",
        "DESCRIBE verdicts",
        "SUMMARIZE events",
        "FROM events LIMIT 1",
        "EXPLAIN SELECT * FROM updates",
        "EXPLAIN ANALYZE SELECT count(*) FROM updates",
        "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
        "VALUES (1)",
        "SELECT device, count(*) FROM updates GROUP BY ALL -- a word at the end",
    ],
)
def test_what_reads_is_allowed(session: QuerySession, sql: str) -> None:
    assert session.run(sql).num_rows > 0


def test_payload_is_queried_as_json_text(session: QuerySession) -> None:
    (text,) = column(session, "SELECT decode(payload) FROM updates ORDER BY journal_offset LIMIT 1")
    assert text == "0:" + "x" * 40


def test_plain_rows_can_be_written_as_json(session: QuerySession) -> None:
    for table in TABLES:
        assert json.dumps(plain_rows(session.run(f"SELECT * FROM {table}")))
