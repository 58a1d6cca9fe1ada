"""The answer of a query: table, tab-separated, CSV, or one JSON object a line.

Rules: rows are printed as they are read, so that a large answer needs no large memory; times are
RFC 3339 in UTC; octets are text where they are UTF-8, else hexadecimal.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TextIO

import msgspec
from rich.console import Console

from collector.model import Verdict
from collector.views.console import make_console
from collector.views.tables import print_table
from collector.wire.values.timestamps import format_date_and_time, parse_date_and_time

_NS_OF = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_INT64_MAX = 2**63 - 1
"""In DuckDB's own unit it is the word infinity."""


def print_answer(
    answer: Any, form: str, *, file: TextIO | None = None, console: Console | None = None
) -> int:
    """Print an Arrow table or record batch reader; returns the number of rows.

    Args:
        answer: what the query session gave.
        form: ``table``, ``csv`` or ``json``.
    """
    out = file or sys.stdout
    if form == "json":
        return _print_json(out, answer)
    columns = list(answer.schema.names)
    rows = _rows(answer)
    if form == "csv":
        return _print_csv(out, columns, rows)
    shown = console or make_console(file)
    number = print_table(shown, columns, rows, right=_numbers(answer.schema))
    if shown.is_terminal:
        shown.print(f"{number} row{'' if number == 1 else 's'}", style="dim")
    return number


def _rows(answer: Any) -> Iterator[list[Any]]:
    batches = answer.to_batches() if hasattr(answer, "to_batches") else _batches(answer)
    for batch in batches:
        columns = [_values(column) for column in batch.columns]
        yield from map(list, zip(*columns, strict=True))


def _batches(answer: Any) -> Iterable[Any]:
    """A record batch is its own only one; a reader gives one after the other."""
    return (answer,) if hasattr(answer, "columns") else answer


def _values(column: Any) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        # datetime has microseconds only, so the nanoseconds are read as numbers
        scale = _NS_OF[column.type.unit]
        return [_time(value, scale) for value in column.cast(pa.int64()).to_pylist()]
    values: list[Any] = column.to_pylist()
    return values


def _time(value: int | None, scale: int) -> str | None:
    """A time that SQL made may lie where no date-and-time can: it is said as a number is."""
    if value is None:
        return None
    if abs(value) == _INT64_MAX and scale != 1:
        return "infinity" if value > 0 else "-infinity"
    try:
        return format_date_and_time(value * scale)
    except (ValueError, OverflowError):
        return str(value * scale)


def _numbers(schema: Any) -> list[str]:
    import pyarrow as pa

    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return [entry.name for entry in schema if any(kind(entry.type) for kind in kinds)]


def verdicts_of(answer: Any) -> list[Verdict]:
    """The rows of a question to the ``verdicts`` table (all its columns) as verdicts."""
    times = ("nominal_time", "deadline", "judged_at")
    verdicts = []
    for row in _rows(answer):
        plain = dict(zip(answer.schema.names, row, strict=True))
        for column in times:
            if isinstance(plain[column], str):
                plain[column] = parse_date_and_time(plain[column])
        verdicts.append(msgspec.convert(plain, Verdict))
    return verdicts


def json_lines(answer: Any, head: Mapping[str, str] | None = None) -> Iterator[str]:
    """The rows of an Arrow table, record batch or reader, each as one line with its end.

    Args:
        answer: the rows.
        head: members that stand in front of each row's own.
    """
    columns = list(answer.schema.names)
    for row in _rows(answer):
        plain = {name: _plain(value) for name, value in zip(columns, row, strict=True)}
        yield msgspec.json.encode({**(head or {}), **plain}, enc_hook=str).decode() + "\n"


def _print_json(out: TextIO, answer: Any) -> int:
    number = 0
    for line in json_lines(answer):
        out.write(line)
        number += 1
    return number


def _print_csv(out: TextIO, columns: list[str], rows: Iterator[list[Any]]) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    number = 0
    for row in rows:
        writer.writerow([_flat(_plain(value)) for value in row])
        number += 1
    return number


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _flat(value: Any) -> Any:
    if isinstance(value, list | dict):
        return msgspec.json.encode(value, enc_hook=str).decode()
    return value
