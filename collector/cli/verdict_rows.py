"""Which verdicts are wanted, from the store or as they are said.

Does: turn a selection into SQL with values bound, or into a filter on the stream. Does not: parse
options.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from msgspec import Struct

from collector import control
from collector.cli.asking import asked
from collector.model import Verdict
from collector.sinks.rows import encode_row, row_to_fact
from collector.views.answers import print_answer, verdicts_of
from collector.views.console import make_console
from collector.views.live import LiveView
from collector.views.tables import print_verdicts
from collector.wire.timestamps import format_date_and_time


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

    def sql(self) -> str:
        """The question to the store, newest rows last."""
        conditions = [
            *_any_of("device", self.devices),
            *_any_of("subscription_name", self.names),
            *_any_of("outcome", tuple(o.upper() for o in self.outcomes)),
        ]
        if self.since is not None:
            conditions.append(f"nominal_time >= {_moment(self.since)}")
        if self.until is not None:
            conditions.append(f"nominal_time < {_moment(self.until)}")
        newest = (
            ""
            if self.amended
            else " QUALIFY amendment = max(amendment) OVER (PARTITION BY device,"
            " subscription_id, revision, period_index)"
        )
        # the filter on the outcome is for the row as now known, so it comes after the choice of it
        inner = f"SELECT * FROM verdicts{newest}"  # noqa: S608 - numbers and quoted texts only
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = "nominal_time, device, subscription_name, amendment"
        return (
            f"SELECT * FROM (SELECT * FROM ({inner}){where}"  # noqa: S608
            f" ORDER BY nominal_time DESC, amendment DESC LIMIT {self.limit}) ORDER BY {order}"
        )


def _moment(ns: int) -> str:
    return f"TIMESTAMPTZ '{format_date_and_time(ns, 6)}'"


def _any_of(column: str, values: tuple[str, ...]) -> list[str]:
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return [f"{column} IN ({quoted})"] if values else []


def show(folder: Path, selection: Selection, as_json: bool) -> None:
    """Print what the store has."""
    with asked(folder) as run:
        answer = run(selection.sql())
        if as_json:
            print_answer(answer, "json")
            return
        console = make_console()
        number = print_verdicts(console, verdicts_of(answer))
        if number == 0 and console.is_terminal:
            console.print("no such verdicts")


def follow(folder: Path, selection: Selection, as_json: bool) -> None:
    """Print new verdicts until the collector stops."""
    rows = (row for row in control.follow(folder) if _wanted(row, selection))
    if as_json:
        for row in rows:
            sys.stdout.write(encode_row(row).decode())
            sys.stdout.flush()
        return
    with LiveView(make_console(), verdicts_only=True) as view:
        for row in rows:
            if row["row"] == "lost":
                view.say(f"too slow: {row['facts']} rows were left out")
            else:
                view.receive([row_to_fact(row)])


def _wanted(row: dict[str, Any], selection: Selection) -> bool:
    if row.get("row") != "verdict":
        return row.get("row") == "lost"
    fact = row_to_fact(row)
    assert isinstance(fact, Verdict)
    return selection.wants(fact)
