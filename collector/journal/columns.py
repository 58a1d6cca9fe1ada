"""``ReceivedBatch`` <-> Arrow record batch: the columns of the journal, both directions.

Does no file access, and copies nothing but codes of text: an Arrow column is the memory of the
batch's column, and the other way round as far as Python allows it.

Rules: the names and types below are the journal's format, version ``format.VERSION``; a change of
one of them is a new version. Columns have no nulls: "not there" is what ``model.ReceivedBatch``
says (0, empty text, a flag bit).
"""

from __future__ import annotations

from array import array
from typing import Any

import pyarrow as pa

from collector.arrow_columns import coded_text, numbers_column, octets_column
from collector.model import Coded, Octets, ReceivedBatch

SCHEMA = pa.schema(
    [
        pa.field("received_at", pa.int64(), nullable=False),
        pa.field("kind", pa.uint8(), nullable=False),
        pa.field("transport", pa.uint8(), nullable=False),
        pa.field("session", pa.string(), nullable=False),
        pa.field("peer", pa.string(), nullable=False),
        pa.field("port", pa.uint16(), nullable=False),
        pa.field("version", pa.uint8(), nullable=False),
        pa.field("flags", pa.uint8(), nullable=False),
        pa.field("media_type", pa.uint16(), nullable=False),
        pa.field("publisher_id", pa.uint32(), nullable=False),
        pa.field("message_id", pa.uint32(), nullable=False),
        pa.field("segments", pa.uint16(), nullable=False),
        pa.field("options", pa.binary(), nullable=False),
        pa.field("payload", pa.binary(), nullable=False),
    ]
)
"""Columns of the journal, in the order of ``ReceivedBatch.__slots__``."""
_CODES = {
    pa.int64(): "q",
    pa.uint8(): "B",
    pa.uint16(): "H",
    pa.uint32(): "I",
}
"""Type of a column -> type code of the array that holds it in a batch."""


def to_arrow(batch: ReceivedBatch) -> pa.RecordBatch:
    """The batch as Arrow columns, which share its memory.

    Raises:
        ValueError: columns of unequal length or of another type than the batch's own.
    """
    rows = len(batch)
    columns = []
    for field in SCHEMA:
        values = getattr(batch, field.name)
        if len(values) != rows:
            raise ValueError(f"column {field.name} has {len(values)} entries, expected {rows}")
        if type(values) is array and values.typecode == _CODES.get(field.type):
            columns.append(numbers_column(values, field.type))
        elif type(values) is Coded and field.type == pa.string():
            columns.append(coded_text(values))
        elif type(values) is Octets and field.type == pa.binary():
            columns.append(octets_column(values))
        else:
            raise ValueError(f"column {field.name} cannot be stored: it is {type(values).__name__}")
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def from_arrow(records: pa.RecordBatch) -> ReceivedBatch:
    """The records as a batch again. A column that an older version lacked keeps its default."""
    batch = ReceivedBatch()
    rows = records.num_rows
    names = set(records.schema.names)
    for field in SCHEMA:
        column = records.column(field.name) if field.name in names else None
        if field.type == pa.string():
            made: Any = Coded.repeated("", rows) if column is None else _coded(column)
        elif field.type == pa.binary():
            made = Octets.empty(rows) if column is None else _octets(column)
        else:
            code = _CODES[field.type]
            octets = bytes(rows * array(code).itemsize) if column is None else _memory(column)
            made = array(code, octets)
        setattr(batch, field.name, made)
    return batch


def _memory(column: pa.Array) -> bytes:
    if not len(column):
        return b""
    width = column.type.bit_width // 8
    octets = memoryview(column.buffers()[1])
    start = column.offset * width
    return octets[start : start + len(column) * width].tobytes()


def _coded(column: pa.Array) -> Coded[str]:
    coded = column.dictionary_encode()
    return Coded(coded.dictionary.to_pylist(), array("I", _memory(coded.indices)))


def _octets(column: pa.Array) -> Octets:
    _, offsets, data = column.buffers()
    if not len(column):
        return Octets()
    start = column.offset * 4
    found = array("i", memoryview(offsets)[start : start + 4 * (len(column) + 1)].tobytes())
    return Octets(b"" if data is None else memoryview(data), found)
