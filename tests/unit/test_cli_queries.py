"""Commands that read: verdicts, query, status, devices, with and without a running collector."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from collector.cli import asking, status_of
from collector.control import ControlServer
from collector.model import Event, SubscriptionRow, Verdict
from collector.sinks.rows import fact_to_row
from collector.store.open_rows import OpenRows, encode_open_rows
from collector.store.said import Said, tables_of
from collector.store.writer import StoreWriter
from tests.unit.verdict_maker import event, subscription, verdict

SILENT = {"3": "silent"}


def said(offset: int, *facts: Verdict | Event | SubscriptionRow) -> Said:
    return Said(
        first_offset=offset,
        next_offset=offset + 10,
        verdicts=[fact for fact in facts if isinstance(fact, Verdict)],
        events=[fact for fact in facts if isinstance(fact, Event)],
        subscriptions=[fact for fact in facts if isinstance(fact, SubscriptionRow)],
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with some rows, and no journal beside it."""
    writer = StoreWriter(tmp_path)
    writer.add(
        said(
            0,
            verdict(1),
            verdict(2, missing=SILENT),
            verdict(2, missing={"3": "lost"}, amendment=1, final=True),
            verdict(3, degraded={"1": "loss"}, device="core8"),
            event(2),
            subscription(0),
        )
    )
    writer.seal(0, 10)
    assert writer.flush(30)
    writer.close()
    monkeypatch.setattr("collector.pipeline.open_rows", lambda _folder: [])
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert status_of(list(arguments)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def verdicts(
    capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str
) -> list[dict[str, Any]]:
    out = run(capsys, "verdicts", "--json", "--store", str(folder), *arguments)
    return [json.loads(line) for line in out.splitlines()]


def times(rows: list[dict[str, Any]]) -> list[str]:
    return [row["nominal_time"][17:19] for row in rows]


# --------------------------------------------------------------------------- verdicts
def test_verdicts_as_now_known(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = verdicts(capsys, folder)
    assert times(rows) == ["01", "02", "03"]
    assert rows[1]["missing"] == [{"generator": "3", "cause": "lost"}]
    assert rows[1]["amendment"] == 1
    assert [row["row"] for row in rows] == ["verdict"] * 3  # as --follow and replay write them


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--all"], ["01", "02", "02", "03"]),
        (["--device", "core8"], ["03"]),
        (["--device", "core8", "--device", "core7"], ["01", "02", "03"]),
        (["--device", "x' OR '1'='1"], []),
        (["--subscription", "counters"], ["01", "02", "03"]),
        (["--outcome", "incomplete"], ["02"]),
        (["--outcome", "INCOMPLETE", "--outcome", "degraded"], ["02", "03"]),
        (["--since", "2026-01-01T12:00:02Z"], ["02", "03"]),
        (["--until", "2026-01-01T12:00:02Z"], ["01"]),
        (["--since", "-1h"], None),
        (["--limit", "1"], ["03"]),
    ],
)
def test_which_verdicts(
    arguments: list[str],
    found: list[str] | None,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = verdicts(capsys, folder, *arguments)
    if found is not None:
        assert times(rows) == found


def test_verdicts_as_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "verdicts", "--store", str(folder), "--all").splitlines()
    assert lines[0].split("\t")[:4] == ["period", "device", "subscription", "outcome"]
    assert lines[2].endswith("INCOMPLETE\t3/4\tmissing: card 3 silent")
    assert lines[3].endswith("INCOMPLETE *\t3/4\tmissing: card 3 lost")


# --------------------------------------------------------------------------- query
def test_query_in_three_forms(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT device, count(*) AS n FROM verdicts GROUP BY device ORDER BY device"
    assert run(capsys, "query", sql, "--store", str(folder)) == "device\tn\ncore7\t3\ncore8\t1\n"
    out = run(capsys, "query", "--json", sql, "--store", str(folder))
    assert json.loads(out.splitlines()[0]) == {"device": "core7", "n": 3}
    rows = list(csv.reader(io.StringIO(run(capsys, "query", "--csv", sql, "--store", str(folder)))))
    assert rows == [["device", "n"], ["core7", "3"], ["core8", "1"]]


def test_query_from_standard_input(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT kind FROM events"))
    assert run(capsys, "query", "-", "--store", str(folder)) == "kind\nclock_step\n"


def test_a_query_that_is_stopped_with_ctrl_c(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr("collector.store.query.QuerySession.run", interrupted)
    assert status_of(["query", "SELECT 1", "--store", str(folder)]) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "sql",
    ["nonsense", "SELECT 1; SELECT 2", "DROP TABLE verdicts", "SELECT * FROM '/etc/passwd'", ""],
)
def test_query_says_what_is_wrong(
    sql: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(["query", sql, "--store", str(folder)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("collector: ")
    assert "unexpected" not in err
    assert err.count("\n") == 1


def test_a_folder_without_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["query", "SELECT 1", "--store", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("collector: there is no ")


# --------------------------------------------------------------------------- a running collector
async def facts(_arguments: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
    yield fact_to_row(event(1))
    yield fact_to_row(verdict(11))
    yield {"row": "lost", "facts": 3}
    yield {"row": "note", "text": "lane 1 does not answer"}
    yield fact_to_row(verdict(12, missing=SILENT))
    yield fact_to_row(verdict(13, device="core8"))


def serve(folder: Path, *arguments: str) -> int:
    """Run a command while something answers on the control socket."""
    news = OpenRows(next_offset=20, tables=tables_of([said(10, verdict(4))]))

    async def run() -> int:
        server = ControlServer(
            folder,
            {
                "open_rows": lambda _arguments: encode_open_rows([news]),
                "follow": facts,
                "status": lambda _arguments: {"healthy": True, "periods": {"COMPLETE": 5}},
                "devices": lambda _arguments: {
                    "devices": [{"device": "core7", "session": "up"}],
                    "unknown_senders": [],
                },
                "reload": lambda _arguments: {"reloaded": True},
            },
        )
        await server.start()
        try:
            return await asyncio.to_thread(status_of, [*arguments, "--store", str(folder)])
        finally:
            await server.stop()

    return asyncio.run(run())


@pytest.mark.integration
def test_rows_that_are_not_stored_yet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(folder, "verdicts", "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert times(rows) == ["01", "02", "03", "04"]


@pytest.mark.integration
def test_following(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(folder, "verdicts", "--follow", "--device", "core7", "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["row"] for row in rows] == ["verdict", "lost", "note", "verdict"]
    assert serve(folder, "verdicts", "--follow", "--outcome", "incomplete") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "too slow: 3 rows were left out"
    assert lines[1] == "lane 1 does not answer"
    assert "missing: card 3 silent" in lines[2]
    assert lines[3:] == ["the collector has stopped"]


@pytest.mark.integration
def test_following_in_a_terminal_begins_with_what_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, height=40, markup=False)
    monkeypatch.setattr("collector.cli.verdict_rows.make_console", lambda: console)
    assert serve(folder, "verdicts", "--follow", "--device", "core7") == 0
    last = out.getvalue().rpartition("every 1 s")[2]
    # 01 and 02 from the store, 04 from the open rows, 11 and 12 from the stream
    row = next(line for line in last.splitlines() if "card 3" in line)
    assert row.count("●") == 3
    assert row.count("✖") == 2
    assert "the collector has stopped" in last


@pytest.mark.integration
def test_status_devices_and_reload(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(folder, "status") == 0
    assert capsys.readouterr().out == "healthy: yes\nperiods: COMPLETE 5\n"
    assert serve(folder, "status", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"healthy": True, "periods": {"COMPLETE": 5}}
    assert serve(folder, "devices") == 0
    assert capsys.readouterr().out.splitlines() == [
        "unknown senders: none", "", "devices", "device\tsession", "core7\tup",
    ]  # fmt: skip
    assert serve(folder, "reload") == 0


def test_without_a_collector_the_journal_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr("collector.pipeline.open_rows", lambda folder: asked.append(folder) or [])
    assert asking.open_rows(tmp_path) == []
    assert asked == [tmp_path]
