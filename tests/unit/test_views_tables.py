"""Tables, answers, comparison, progress."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from collector.comparison import Comparison, Difference
from collector.views.answers import print_answer, verdicts_of
from collector.views.comparison import print_comparison
from collector.views.console import make_console
from collector.views.progress import progress
from collector.views.tables import print_facts, print_objects, print_table, print_verdicts
from tests.unit.verdict_maker import NOON, verdict

ESCAPE = "a\x1b[2Jb\tc"


def terminal(width: int = 120) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, no_color=True, width=width, markup=False, highlight=False
    )
    return console, out


def test_in_a_pipe_a_table_is_lines_with_tabs() -> None:
    out = io.StringIO()
    assert print_table(make_console(out), ("a", "b"), [(1, None), (ESCAPE, [1, "x"])]) == 2
    assert out.getvalue() == "a\tb\n1\t\na\ufffd[2Jb\ufffdc\t1, x\n"


def test_in_a_terminal_a_table_is_drawn() -> None:
    console, out = terminal()
    print_table(console, ("name", "number"), [("[b]x[/b]", 5)], right=("number",))
    text = out.getvalue()
    assert "[b]x[/b]" in text
    assert "─" in text


@pytest.mark.parametrize("width", [1, 12, 24, 25, 60])
def test_in_a_narrow_terminal_nothing_is_cut_off(width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, no_color=True, width=width)
    row = ("card 101", "12 lost, 3 silent", "0.801 s")
    print_table(console, ("generator", "missing", "lag"), [row], whole=("generator", "lag"))
    said = out.getvalue()
    assert "card 101" in said
    assert "0.801 s" in said
    assert ("─" in said) == (width > 30)
    assert re.sub(r"\W", "", row[1]) in re.sub(
        r"\W", "", said.replace("card 101", "").replace("0.801 s", "")
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(b"abc", "abc"), (b"\xff\x00", "ff 00"), ({"generator": "3", "cause": "lost"}, "3 lost"),
     ([{"generator": "3", "cause": "lost"}, {"generator": "4", "cause": "silent"}],
      "3 lost, 4 silent"), (True, "True"), (1.5, "1.5")],
)  # fmt: skip
def test_values_in_cells(value: Any, shown: str) -> None:
    out = io.StringIO()
    print_table(make_console(out), ("a",), [(value,)])
    assert out.getvalue() == f"a\n{shown}\n"


def test_verdicts_as_a_table() -> None:
    console, out = terminal()
    rows = [verdict(5, missing={"3": "silent"}), verdict(5, amendment=1)]
    assert print_verdicts(console, rows) == 2
    text = out.getvalue()
    assert "INCOMPLETE" in text
    assert "missing: card 3 silent" in text
    assert " 12:00:05 " in text
    assert "2026-01-01, times are UTC; * amended since" in text
    plain = io.StringIO()
    print_verdicts(make_console(plain), rows[:1])
    assert plain.getvalue().splitlines()[1] == (
        "2026-01-01 12:00:05\tcore7\tcounters\tINCOMPLETE\t3/4\tmissing: card 3 silent"
    )


def test_objects_and_facts() -> None:
    out = io.StringIO()
    console = make_console(out)
    assert (
        print_objects(console, [{"device": "a", "up": 1}, {"device": "b", "last_seen": "x"}]) == 2
    )
    assert out.getvalue().splitlines() == ["device\tup\tlast seen", "a\t1\t", "b\t\tx"]
    print_facts(console, {"data_dir": "/x", "periods": {"COMPLETE": 3, "UNKNOWN": 1}})
    assert out.getvalue().splitlines()[3:] == [
        "data dir: /x",
        "periods:  COMPLETE 3, UNKNOWN 1",
    ]


# --------------------------------------------------------------------------- answers of queries
TABLE = pa.table(
    {
        "time": pa.array([NOON + 1, None], pa.timestamp("ns", tz="UTC")),
        "number": pa.array([1, 2], pa.uint32()),
        "payload": pa.array([b'{"a":1}', b"\xff"], pa.binary()),
        "names": pa.array([["x", "y"], []], pa.list_(pa.string())),
        "ratio": pa.array([0.5, float("nan")], pa.float64()),
    }
)


def test_an_answer_as_json() -> None:
    out = io.StringIO()
    assert print_answer(TABLE, "json", file=out) == 2
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"time": "2026-01-01T12:00:00.000000001Z", "number": 1, "payload": '{"a":1}',
         "names": ["x", "y"], "ratio": 0.5},
        {"time": None, "number": 2, "payload": "ff", "names": [], "ratio": None},
    ]  # fmt: skip


def test_an_answer_as_csv() -> None:
    out = io.StringIO()
    print_answer(TABLE, "csv", file=out)
    rows = list(csv.reader(io.StringIO(out.getvalue())))
    assert rows[0] == ["time", "number", "payload", "names", "ratio"]
    assert rows[1] == ["2026-01-01T12:00:00.000000001Z", "1", '{"a":1}', '["x","y"]', "0.5"]
    assert rows[2] == ["", "2", "ff", "[]", ""]


def test_an_answer_as_a_table() -> None:
    console, out = terminal(160)
    assert print_answer(TABLE, "table", console=console) == 2
    assert "2 rows" in out.getvalue().splitlines()[-1]
    plain = io.StringIO()
    print_answer(TABLE.schema.empty_table(), "table", file=plain)
    assert plain.getvalue() == "time\tnumber\tpayload\tnames\tratio\n"


def test_odd_types_are_said_somehow() -> None:
    table = pa.table(
        {
            "d": pa.array([Decimal("1.50")]),
            "t": pa.array([timedelta(seconds=5)]),
            "s": pa.array([{"a": b"\x00\xff"}]),
            "w": pa.array([1], pa.time64("us")),
        }
    )
    out = io.StringIO()
    print_answer(table, "json", file=out)
    assert json.loads(out.getvalue())["s"] == {"a": "00ff"}
    print_answer(table, "csv", file=out)


def test_times_that_no_date_can_say_hide_no_row() -> None:
    microseconds = pa.timestamp("us", tz="UTC")
    times = [2**63 - 1, -(2**63 - 1), 2**62, 9_223_372_036_854_775, 0, None]
    table = pa.table({"stop_time": pa.array(times, pa.int64()).cast(microseconds)})
    file = io.StringIO()
    assert print_answer(table, "csv", file=file) == 6
    assert file.getvalue().split() == [
        "stop_time",
        "infinity",  # what DuckDB calls the last moment of its own unit
        "-infinity",
        str(2**62 * 1000),
        "2262-04-11T23:47:16.854775Z",
        "1970-01-01T00:00:00Z",
        '""',
    ]


def test_verdicts_come_back_out_of_an_answer() -> None:
    from collector.store.said import verdict_rows

    rows = [verdict(5, missing={"3": "silent"}), verdict(6, amendment=1)]
    assert verdicts_of(verdict_rows(rows)) == rows


# --------------------------------------------------------------------------- comparison
def said(comparison: Comparison) -> str:
    out = io.StringIO()
    print_comparison(make_console(out), comparison)
    return out.getvalue()


def test_agreement_and_what_was_not_compared() -> None:
    text = said(Comparison(30, 1, 5, {"COMPLETE": 20, "INCOMPLETE": 10}, ()))
    assert text.splitlines() == [
        "Periods by outcome: 20 COMPLETE, 10 INCOMPLETE",
        "Not compared: the first 5 periods",
        "Not compared: 1 period in which the simulator itself was late",
        "Compared with what was really sent: 30 periods, no difference.",
    ]


def test_differences_are_listed() -> None:
    difference = Difference("core7", 7, NOON, "last", "outcome", "COMPLETE", "DEGRADED")
    text = said(Comparison(30, 0, 0, {}, (difference,) * 60))
    assert "Periods by outcome: none" in text
    assert "30 periods, 60 differences." in text
    assert "2026-01-01 12:00:00.00\tcore7\t7\tlast\toutcome\tDEGRADED\tCOMPLETE" in text
    assert text.endswith("... and 10 more\n")


def test_nothing_and_too_little_compared() -> None:
    assert "Nothing could be compared" in said(Comparison(0, 0, 5, {}, ()))
    assert "too many that could not be compared" in said(Comparison(1, 9, 5, {}, ()))


# --------------------------------------------------------------------------- progress
def test_progress_is_drawn_in_a_terminal_only() -> None:
    console, out = terminal()
    with progress("reading [x]", 10, console) as advance:
        advance(5)
    assert "reading [x]" in out.getvalue()
    silent = io.StringIO()
    with progress("reading", None, make_console(silent)) as advance:
        advance(1)
    assert silent.getvalue() == ""


def test_progress_leaves_a_terminal_or_a_pager_to_the_rows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "rows").open("w") as file:
        for stdout, drawn in ((file, True), (io.StringIO(), False)):
            console, out = terminal()
            monkeypatch.setattr("sys.stdout", stdout)
            with progress("reading", 10, console, rows=True) as advance:
                advance(5)
            assert ("reading" in out.getvalue()) is drawn


def test_in_a_narrow_terminal_the_sentence_of_a_verdict_stands_below_it() -> None:
    rows = [
        verdict(5, device="frankfurt-core-router-07", missing={"3": "silent", "4": "lost"}),
        verdict(6, device="frankfurt-core-router-07"),
    ]
    console, out = terminal(80)
    print_verdicts(console, rows)
    said = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert [line.rstrip() for line in said.splitlines()[:4]] == [
        "period    device                    subscription  outcome     heard",
        "12:00:05  frankfurt-core-router-07  counters      INCOMPLETE    2/4",
        "    missing: card 3 silent, card 4 lost",
        "12:00:06  frankfurt-core-router-07  counters      COMPLETE      4/4",
    ]
    console, out = terminal(120)
    print_verdicts(console, rows)
    assert "─" in out.getvalue()


def test_columns_in_which_there_is_nothing_can_be_left_out() -> None:
    console, out = terminal(60)
    print_table(console, ("a", "b", "c"), [(1, "-", ""), (2, "", None)], all_columns=False)
    said = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert "a" in said
    assert not {"b", "c"} & set(said)


def test_where_nothing_fits_beside_each_other_it_stands_below() -> None:
    console, out = terminal(40)
    rows = [("core7", "x" * 30, None), ("core8", "y" * 30, "z")]
    names = ("device", "name", "note")
    assert print_table(console, names, rows, whole=names) == 2
    said = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert [line.rstrip() for line in said.splitlines()] == [
        "device  core7",
        f"name    {'x' * 30}",
        "note",
        "",
        "device  core8",
        f"name    {'y' * 30}",
        "note    z",
    ]
