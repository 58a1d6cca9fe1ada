"""Rows that are not in a Parquet file yet, so that a query sees everything up to now.

Does no file access. A running collector hands them out (over its Unix socket, as Arrow IPC); a
query takes only those that the manifest it has read does not cover, so no row is seen twice however
long the way was. The order matters: first ask for the open rows, then read the manifest; the other
way round a segment stored in between would be in neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import Struct

from collector.errors import SinkError
from collector.store.tables import with_all_columns


class OpenRows(Struct, frozen=True):
    """The rows of one segment, sealed or not, that waits to be stored."""

    next_offset: int
    """Offset behind its last record so far; at most ``stored_offset`` once it is stored."""
    tables: Mapping[str, pa.Table]


class _Packed(Struct, frozen=True):
    next_offset: int
    tables: dict[str, bytes]


def encode_open_rows(rows: Sequence[OpenRows]) -> bytes:
    """One octet string for a socket."""
    return msgspec.msgpack.encode(
        [
            _Packed(one.next_offset, {name: _to_ipc(table) for name, table in one.tables.items()})
            for one in rows
        ]
    )


def decode_open_rows(octets: bytes) -> list[OpenRows]:
    """The other direction. Raises SinkError when it is something else."""
    try:
        packed = msgspec.msgpack.decode(octets, type=list[_Packed])
        return [
            OpenRows(
                one.next_offset,
                {name: _from_ipc(name, table) for name, table in one.tables.items()},
            )
            for one in packed
        ]
    except (msgspec.DecodeError, pa.ArrowInvalid, KeyError, OSError) as error:
        raise SinkError(f"the open rows cannot be read: {error}", retryable=True) from error


def _to_ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    octets: bytes = sink.getvalue().to_pybytes()
    return octets


def _from_ipc(name: str, octets: bytes) -> Any:
    with pa.ipc.open_stream(pa.py_buffer(octets)) as stream:
        table = stream.read_all()
    return with_all_columns(name, table)
