"""Arrow tables as plain Python rows, for ``--json``, terminals and tests. No file access."""

from __future__ import annotations

import base64
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows that JSON can carry: times as RFC 3339 text with ns, octets as text.

    A payload that is no UTF-8 text (CBOR) becomes base64.
    """
    columns = {name: _plain(table.column(name)) for name in table.schema.names}
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(column: pa.ChunkedArray) -> list[Any]:
    kind = column.type
    if pa.types.is_timestamp(kind):
        # Seconds are printed with as many digits as the unit has.
        texts: list[Any] = pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ").to_pylist()
        return texts
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return [None if value is None else _text(value) for value in column.to_pylist()]
    if pa.types.is_nested(kind):
        return [_json(value) for value in column.to_pylist()]
    values: list[Any] = column.to_pylist()
    return [value if _is_json(value) else str(value) for value in values]


def _is_json(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _json(value: Any) -> Any:
    """Lists and structs as they are, whatever JSON lacks inside of them as text."""
    if isinstance(value, dict):
        return {str(name): _json(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(inner) for inner in value]
    return value if _is_json(value) else str(value)


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii")
