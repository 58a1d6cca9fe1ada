"""Which verdicts are wanted, from the store or as they are said.

Does: turn a selection into SQL with bound values, or into a filter on the stream. Does not: parse
options.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from collector import control
from collector.cli.asking import asked
from collector.model import Verdict
from collector.sinks.rows import encode_row, row_to_fact
from collector.store.query import QuerySession
from collector.store.views import LAST_OF_FEW
from collector.views.answers import json_lines, verdicts_of
from collector.views.console import make_console
from collector.views.live import LiveView
from collector.views.tables import print_verdicts


class Selection(Struct, frozen=True):
    """Which verdicts; empty means all."""

    devices: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    since: int | None = None
    """ns since 1970, as ``until``."""
    until: int | None = None
    outcomes: tuple[str, ...] = ()
    amended: bool = False
    """Rows that were amended later are wanted too."""
    limit: int = 1000

    def wants(self, verdict: Verdict) -> bool:
        """Whether a verdict of the stream is one of these."""
        return (
            (not self.devices or verdict.device in self.devices)
            and (not self.names or verdict.subscription_name in self.names)
            and (not self.outcomes or verdict.outcome.value.lower() in self.outcomes)
            and (self.since is None or verdict.nominal_time >= self.since)
        )

    def question(self) -> tuple[str, dict[str, Any]]:
        """SQL for rows of these times, newest ones last, and the values to bind."""
        values: dict[str, Any] = {"limit": self.limit}
        clauses = []
        outcomes = [outcome.upper() for outcome in self.outcomes]
        for column, wanted in (
            ("device", self.devices),
            ("subscription_name", self.names),
            ("outcome", outcomes),
        ):
            # one by one and not as a list: these are compared with the statistics of a file
            named = {f"{column}{number}": value for number, value in enumerate(wanted)}
            if named:
                clauses.append(f"{column} IN ({', '.join(f'${name}' for name in named)})")
            values |= named
        where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
        last = LAST_OF_FEW if self.devices else "verdicts_last"
        table = "verdicts" if self.amended else last
        # only fixed text is put together here, all values are bound
        sql = (
            f"SELECT * FROM (SELECT * FROM {table} {where}"  # noqa: S608
            " ORDER BY nominal_time DESC, amendment DESC LIMIT $limit)"
            " ORDER BY nominal_time, device, subscription_name, revision, amendment"
        )
        return sql, values

    def ask(self, session: QuerySession) -> Any:
        """The rows, as an Arrow table."""
        return session.run(*self.question(), since=self.since, until=self.until)


def show(folder: Path, selection: Selection, as_json: bool) -> None:
    """Print what the store has."""
    with asked(folder) as session:
        answer = selection.ask(session)
        if as_json:
            sys.stdout.writelines(json_lines(answer, {"row": "verdict"}))
            return
        console = make_console()
        number = print_verdicts(console, verdicts_of(answer))
        if number == 0 and console.is_terminal:
            console.print("no such verdicts")


def follow(folder: Path, selection: Selection, as_json: bool) -> None:
    """Print new verdicts until the collector stops; in a terminal beside those before."""
    with contextlib.closing(control.follow(folder)) as stream:
        rows = (row for row in stream if _wanted(row, selection))
        if as_json:
            for row in rows:
                sys.stdout.write(encode_row(row).decode())
                sys.stdout.flush()
            return
        console = make_console()
        before = _before(folder, selection) if console.is_terminal else []
        with LiveView(console, verdicts_only=True) as view:
            view.receive(before)
            _show_rows(rows, view)


def _before(folder: Path, selection: Selection) -> list[Verdict]:
    """What the picture begins with."""
    with asked(folder) as session:
        return verdicts_of(selection.ask(session))


def _show_rows(rows: Iterator[dict[str, Any]], view: LiveView) -> None:
    for row in rows:
        if row["row"] == "lost":
            view.say(f"too slow: {row['facts']} rows were left out")
        elif row["row"] == "note":
            view.say(str(row["text"]))
        else:
            view.receive([row_to_fact(row)])
    view.say("the collector has stopped")


def _wanted(row: dict[str, Any], selection: Selection) -> bool:
    if row.get("row") != "verdict":
        return row.get("row") in ("lost", "note")
    fact = row_to_fact(row)
    assert isinstance(fact, Verdict)
    return selection.wants(fact)
