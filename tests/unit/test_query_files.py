"""Which files a query opens: only those of the tables and the times that it is about.

Files that must not be opened are damaged, their sizes kept: opening one is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.cli import status_of
from collector.cli.verdict_rows import Selection
from collector.errors import SinkError
from collector.model import CollectorTime, Outcome
from collector.store import views
from collector.store.manifest import load_manifest, store_folder
from collector.store.query import Part, QuerySession, open_parts, open_query
from collector.store.said import Said
from collector.store.writer import StoreWriter
from tests.unit.store_rows import START, event, said, subscription, updates, verdict

SECOND = 10**9
DAMAGE = "cannot be read"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three segments, ten seconds of periods and events each; period 12 amended in the third."""
    writer = StoreWriter(tmp_path)
    for part in range(3):
        index, offset = 10 * part, 5 * part
        verdicts = [verdict(index), verdict(index + 2), verdict(index + 9)]
        if part == 2:
            verdicts.append(verdict(12, 1, outcome=Outcome.COMPLETE, missing=()))
        at = CollectorTime(START + index * SECOND)
        news = event(index * SECOND)
        assert news.time == at
        rows = updates(5, offset)
        writer.add(Said(offset, offset + 5, rows, verdicts, (news,), (subscription(offset),)))
        writer.seal(offset, offset + 5)
        assert writer.flush(30)
    writer.close()
    return tmp_path


@pytest.fixture
def damage(folder: Path) -> Callable[..., None]:
    def spoil(table: str, *numbers: int) -> None:
        files = load_manifest(store_folder(folder)).files_of(table)
        for number in numbers or range(len(files)):
            path = store_folder(folder) / files[number].name
            path.write_bytes(bytes(path.stat().st_size))

    return spoil


@pytest.fixture
def session(folder: Path) -> Iterator[QuerySession]:
    with open_query(folder) as opened:
        yield opened


def periods(table: Any) -> list[tuple[int, int]]:
    return [(row["period_index"], row["amendment"]) for row in table.to_pylist()]


ALL = "SELECT period_index, amendment FROM verdicts ORDER BY 1, 2"


# --------------------------------------------------------------------------- tables
def test_only_the_files_of_the_tables_in_the_statement_are_opened(
    session: QuerySession, damage: Callable[..., None]
) -> None:
    damage("updates")
    damage("events")
    assert session.run("SELECT * FROM Verdicts_Last").num_rows == 9
    assert session.run('SELECT * FROM exact."VERDICTS"').num_rows == 10
    with pytest.raises(SinkError, match=DAMAGE):
        session.run("SELECT * FROM verdicts, events")


@pytest.mark.parametrize("sql", ["query_table('upd' || 'ates')", "query('FROM upd' || 'ates')"])
def test_a_name_that_is_put_together_finds_its_files(session: QuerySession, sql: str) -> None:
    (row,) = session.run(f"SELECT count(*) AS n FROM {sql}").to_pylist()
    assert row["n"] == 15


# --------------------------------------------------------------------------- times
@pytest.mark.parametrize(
    ("since", "until", "spoilt", "found"),
    [
        (START + 20 * SECOND, None, (0, 1), [(20, 0), (22, 0), (29, 0)]),
        (None, START + 10 * SECOND, (1, 2), [(0, 0), (2, 0), (9, 0)]),
        (START + 2 * SECOND + 2, START + 9 * SECOND + 1, (1, 2), []),
        (START + 2 * SECOND + 1, START + 9 * SECOND + 2, (1, 2), [(2, 0), (9, 0)]),
    ],
)
def test_only_files_with_such_periods_are_opened(
    session: QuerySession,
    damage: Callable[..., None],
    since: int | None,
    until: int | None,
    spoilt: tuple[int, ...],
    found: list[tuple[int, int]],
) -> None:
    damage("verdicts", *spoilt)
    assert periods(session.run(ALL, since=since, until=until)) == found
    (last,) = session.run(
        "SELECT count(*) AS n FROM verdicts_last", since=since, until=until
    ).to_pylist()
    assert last["n"] == len(found)
    with pytest.raises(SinkError, match=DAMAGE):
        session.run(ALL)


def test_an_amendment_counts_however_much_later_it_came(session: QuerySession) -> None:
    times = {"since": START + 12 * SECOND, "until": START + 13 * SECOND}
    assert periods(session.run(ALL, **times)) == [(12, 0), (12, 1)]
    assert periods(session.run(ALL.replace("verdicts", "verdicts_last"), **times)) == [(12, 1)]
    assert session.run("SELECT * FROM verdicts").num_rows == 10


def test_the_other_tables_go_by_their_own_time(
    session: QuerySession, damage: Callable[..., None]
) -> None:
    damage("events", 0, 2)
    rows = session.run(
        "SELECT epoch_ns(time) AS ns FROM events",
        since=START + 10 * SECOND,
        until=START + 20 * SECOND,
    )
    assert rows.column(0).to_pylist() == [START + 10 * SECOND]


def test_open_rows_have_these_times_only_too(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path)
    for offset in (0, 5):
        writer.add(said(offset))
    try:
        with open_query(tmp_path, writer.open_rows()) as session:
            assert periods(session.run(ALL, since=START + 5 * SECOND)) == [(5, 0)]
    finally:
        writer.close()


def test_a_selection_opens_only_its_files(
    session: QuerySession, damage: Callable[..., None]
) -> None:
    damage("verdicts", 0, 1)
    selection = Selection(devices=("core7",), since=START + 20 * SECOND)
    assert selection.ask(session).num_rows == 3


def test_the_command_line_takes_times(
    folder: Path, damage: Callable[..., None], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("collector.pipeline.open_rows", lambda _folder: [])
    damage("verdicts", 0)
    times = ["--since", "2023-11-14T22:13:30Z", "--until", "2023-11-14T22:13:40Z"]
    assert status_of(["query", "--json", *times, ALL, "--store", str(folder)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["period_index"] for row in rows] == [10, 12, 12, 19]


# --------------------------------------------------------------------------- scans
def test_a_large_file_is_a_scan_of_its_own_and_not_read_where_its_times_do_not_fit(
    folder: Path, session: QuerySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = f"EXPLAIN {ALL.replace('ORDER', 'WHERE nominal_time >= to_timestamp({}) ORDER')}"
    late = plan.format(START // SECOND + 21)
    assert str(session.run(late).to_pylist()).count("READ_PARQUET") == 1
    monkeypatch.setattr(views, "LARGE", 1)
    with open_query(folder) as other:
        assert str(other.run(late).to_pylist()).count("READ_PARQUET") == 1
        assert periods(other.run(ALL)) == periods(session.run(ALL))
        early = plan.format(START // SECOND - 15)
        assert str(other.run(early).to_pylist()).count("READ_PARQUET") == 3


def test_of_too_many_large_files_the_newest_have_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_SCANS", 2)
    files = [
        views.StoredFile("verdicts", name, 0, 1, 1, octets, 1, 0, time, is_sorted=True)
        for name, octets, time in (
            ("a", 1 << 30, 4),
            ("b", 1, 9),
            ("c", 1 << 30, 7),
            ("d", 1 << 30, 5),
        )
    ]

    def names(alone: bool) -> list[list[str]]:
        return [[file.name for file in scan] for scan in views._scans(files, alone=alone)]

    assert names(alone=True) == [["d"], ["c"], ["b", "a"]]
    assert names(alone=False) == [["b", "a", "c", "d"]]


# --------------------------------------------------------------------------- lanes
def test_a_period_of_one_lane_is_not_amended_by_another(tmp_path: Path) -> None:
    parts = []
    for lane in (None, 0, 1):
        part = tmp_path / str(lane)
        writer = StoreWriter(part)
        rows = [verdict(1)] if lane is None else [verdict(1), verdict(1, 1)][: lane + 1]
        writer.add(Said(0, 5, None, rows))
        writer.seal(0, 5)
        assert writer.flush(30)
        writer.close()
        parts.append(Part(part, lane=lane))
    with open_parts(parts) as session:
        rows = session.run("SELECT lane, amendment FROM verdicts_last ORDER BY 1 NULLS FIRST")
        assert rows.to_pylist() == [
            {"lane": None, "amendment": 0},
            {"lane": 0, "amendment": 0},
            {"lane": 1, "amendment": 1},
        ]
        assert Selection().ask(session).num_rows == 3
        assert session.run("SELECT * FROM verdicts").num_rows == 4
