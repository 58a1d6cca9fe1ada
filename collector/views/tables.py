"""Tables: framed and coloured in a terminal, tab-separated lines in a pipe.

Does: verdicts, devices, the answer of a query. Does not: fetch or sort rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from collector.model import Outcome, Verdict
from collector.views.text import clean, clock, day_and_clock, heard, series, verdict_note

OUTCOME_STYLES = {
    Outcome.COMPLETE: "green",
    Outcome.DEGRADED: "yellow",
    Outcome.INCOMPLETE: "bold red",
    Outcome.UNKNOWN: "blue",
    Outcome.NOT_JUDGED: "dim",
}
_DAY = 86_400 * 10**9
_BROKEN = 8
"""Cells in which a column can still be read that is broken into lines (ours)."""
_SENTENCE = 30
"""Cells beside the others in which a sentence can still be read (ours)."""
_CELL = 2000
"""Characters of one cell of a query's answer (ours)."""


def print_table(
    console: Console,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
    below: bool = False,
    all_columns: bool = True,
) -> int:
    """Print rows; returns how many.

    A terminal too narrow for a table gets a line for each value: a number cut off is a wrong
    number.

    Args:
        console: where to.
        columns: their names.
        rows: one value for each column.
        right: columns that are aligned right.
        whole: columns that are never broken.
        below: in a narrow terminal the last column may stand below the others.
        all_columns: draw those in which no row has anything, too.
    """
    if not console.is_terminal:
        return _print_lines(console, columns, rows)
    drawn = [[_cell(value) for value in row] for row in rows]
    if not all_columns:
        columns, drawn = _without_empty(columns, drawn)
    if below and _needed(columns[:-1], drawn) + _SENTENCE > console.width:
        return _print_with_sentences(console, columns, drawn, right)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            Text(clean(column)),
            justify="right" if column in right else "left",
            overflow="fold",
            no_wrap=column in whole,
        )
    for row in drawn:
        table.add_row(*row)
    if _narrowest(columns, drawn, whole) > console.width:
        return _print_records(console, columns, drawn)
    console.print(table)
    return len(drawn)


def _without_empty(
    columns: Sequence[str], rows: list[list[Text]]
) -> tuple[list[str], list[list[Text]]]:
    kept = [n for n in range(len(columns)) if any(row[n].plain not in ("", "-") for row in rows)]
    return [columns[n] for n in kept], [[row[n] for n in kept] for row in rows]


def _needed(columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> int:
    """Cells of a drawn table of which nothing is broken."""
    return sum(
        2 + max(cell_len(column), *(row[number].cell_len for row in rows), 0) + 1
        for number, column in enumerate(columns)
    )


def _print_with_sentences(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[Text]], right: Sequence[str]
) -> int:
    """The last value of a row in lines of its own, where there is no room beside the others."""
    widths = [
        max(cell_len(column), *(row[number].cell_len for row in rows), 0)
        for number, column in enumerate(columns[:-1])
    ]
    for row in ([Text(column, style="bold") for column in (*columns[:-1], "")], *rows):
        line = Text()
        for column, value, width in zip(columns, row, widths, strict=False):
            blanks = " " * (width - value.cell_len)
            line.append(blanks if column in right else "").append_text(value)
            line.append("" if column in right else blanks).append("  ")
        line.rstrip()
        console.print(line, soft_wrap=True)
        if row[-1].plain:
            console.print(Padding(row[-1], (0, 0, 0, 4)))
    return len(rows)


def _narrowest(columns: Sequence[str], rows: Sequence[Sequence[Text]], whole: Sequence[str]) -> int:
    """Cells that a drawn table needs for its ``whole`` columns, the others broken into lines."""
    width = 0
    for number, column in enumerate(columns):
        longest = max(cell_len(column), *(row[number].cell_len for row in rows), 0)
        width += 2 + (longest if column in whole else min(longest, _BROKEN))
    return width


def _print_lines(console: Console, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    console.file.write("\t".join(clean(column) for column in columns) + "\n")
    number = 0
    for row in rows:
        console.file.write("\t".join(_cell(value).plain for value in row) + "\n")
        number += 1
    return number


def _print_records(console: Console, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> int:
    """The values of a row below each other, where they do not fit beside each other."""
    names = [clean(column) for column in columns]
    wide = max(map(cell_len, names), default=0) + 2
    for number, row in enumerate(rows):
        if number:
            console.print()
        if console.width < wide + _BROKEN:
            for name, value in zip(names, row, strict=True):
                console.print(Text(f"{name}: ", style="bold").append_text(value), soft_wrap=True)
            continue
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in zip(names, row, strict=True):
            grid.add_row(Text(name, style="bold"), value)
        console.print(grid)
    return len(rows)


def _cell(value: Any) -> Text:
    if isinstance(value, Text):
        return value
    if value is None:
        return Text("")
    if isinstance(value, bytes):
        return Text(_octets(value))
    if isinstance(value, list | tuple):
        return Text(", ".join(_cell(item).plain for item in value))
    if isinstance(value, Mapping):
        return Text(" ".join(_cell(item).plain for item in value.values()))
    return Text(clean(str(value), _CELL))


def _octets(value: bytes) -> str:
    try:
        return clean(value.decode(), _CELL)
    except UnicodeDecodeError:
        return clean(value.hex(" "), _CELL)


# --------------------------------------------------------------------------- verdicts
VERDICT_COLUMNS = ("period", "device", "subscription", "outcome", "heard", "what")


def print_verdicts(console: Console, verdicts: Iterable[Verdict]) -> int:
    """A table of verdicts, and what the star means; returns how many there were."""
    kept = list(verdicts)
    days = {verdict.nominal_time // _DAY for verdict in kept}
    one_day = console.is_terminal and len(days) == 1
    number = print_table(
        console,
        VERDICT_COLUMNS,
        (_verdict_cells(verdict, one_day) for verdict in kept),
        right=("heard",),
        whole=VERDICT_COLUMNS[:-1],
        below=True,
    )
    if console.is_terminal and kept:
        day = f"{day_and_clock(kept[0].nominal_time)[:10]}, " if one_day else ""
        star = "; * amended since" if any(verdict.amendment for verdict in kept) else ""
        console.print(Text(f"{day}times are UTC{star}", style="dim"))
    return number


def _verdict_cells(verdict: Verdict, one_day: bool) -> tuple[Text | str, ...]:
    outcome = verdict.outcome.value + ("" if verdict.amendment == 0 else " *")
    digits = 0 if verdict.nominal_time % 10**9 == 0 else 2
    moment = clock if one_day else day_and_clock
    return (
        moment(verdict.nominal_time, digits=digits),
        clean(verdict.device),
        series(verdict),
        Text(outcome, style=OUTCOME_STYLES[verdict.outcome]),
        heard(verdict),
        verdict_note(verdict),
    )


# --------------------------------------------------------------------------- devices and status
def is_table(value: Any) -> bool:
    """Whether a value of an answer is objects for ``print_objects``."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def print_objects(console: Console, objects: Sequence[Mapping[str, Any]]) -> int:
    """Objects with the same keys as a table: devices, sessions, unknown senders."""
    columns = list(dict.fromkeys(key for item in objects for key in item))
    headers = [column.replace("_", " ") for column in columns]
    numbers = [
        header
        for header, column in zip(headers, columns, strict=True)
        if all(isinstance(item.get(column), int | float | None) for item in objects)
    ]
    rows = ([item.get(column) for column in columns] for item in objects)
    return print_table(console, headers, rows, right=numbers, whole=headers[:-1])


def print_facts(console: Console, facts: Mapping[str, Any]) -> None:
    """One object as ``name: value`` lines."""
    width = max((len(name) for name in facts), default=0) + 2
    for name, value in facts.items():
        line = Text(f"{name.replace('_', ' ') + ':':<{width}}", style="bold")
        line.append_text(_cell(_said(value)))
        console.print(line, soft_wrap=True)


def _said(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        value = [f"{name} {number}" for name, number in value.items()]
    return "none" if value in (None, [], "") else value
