"""Columns of the model as Arrow arrays that share their memory. Looks at no value."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from collector.model import Coded, Octets


def numbers_column(values: Any, kind: pa.DataType | None = None) -> pa.Array:
    """Numbers of which none is unknown.

    Args:
        values: memory of that very type.
        kind: int64 unless told.
    """
    memory = pa.py_buffer(values)
    return pa.Array.from_buffers(kind or pa.int64(), len(values), [None, memory])


def coded_text(values: Coded[Any]) -> pa.Array:
    """Text, null for None; only its codes are copied."""
    if len(values.words) == 1:
        return pa.repeat(pa.scalar(values.words[0], pa.string()), len(values))
    return pa.array(values.words, pa.string()).take(numbers_column(values.codes, pa.uint32()))


def octets_column(values: Octets) -> pa.Array:
    """Octet strings."""
    buffers = [None, pa.py_buffer(values.offsets), pa.py_buffer(values.data)]
    return pa.Array.from_buffers(pa.binary(), len(values), buffers)
