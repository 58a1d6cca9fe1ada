"""Rows of the table ``leaves`` out of leaves and the updates that they are of.

Does not find leaves: whoever knows contents and schemas brings them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Protocol

import pyarrow as pa

from collector.store.tables import LEAVES


class LeafValue(Protocol):
    """What a row of ``leaves`` has of its own (``schema.flatten.Leaf``)."""

    @property
    def path(self) -> str: ...
    @property
    def node(self) -> str: ...
    @property
    def keys(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def type(self) -> str: ...
    @property
    def guessed(self) -> bool: ...
    @property
    def text(self) -> str: ...
    @property
    def number(self) -> Any: ...


def leaf_rows(updates: pa.Table, leaves: Sequence[tuple[int, LeafValue]]) -> pa.Table:
    """Rows of ``leaves``: row of ``updates`` and leaf each, in that order."""
    own = [leaf for _, leaf in leaves]
    rows = pa.array([row for row, _ in leaves], pa.int64())
    offsets = pa.array(accumulate((len(leaf.keys) for leaf in own), initial=0), pa.int32())
    keys = [key for leaf in own for key in leaf.keys]
    columns = {
        "path": pa.array([leaf.path for leaf in own], pa.string()),
        "node": pa.array([leaf.node for leaf in own], pa.string()),
        "keys": pa.ListArray.from_arrays(
            offsets,
            pa.StructArray.from_arrays(
                [pa.array([key[part] for key in keys], pa.string()) for part in (0, 1)],
                names=["name", "value"],
            ),
        ),
        "type": pa.array([leaf.type or None for leaf in own], pa.string()),
        "value": pa.array([leaf.text for leaf in own], pa.string()),
        "number": pa.array(
            [None if leaf.number is None else float(leaf.number) for leaf in own], pa.float64()
        ),
        "guessed": pa.array([leaf.guessed for leaf in own], pa.bool_()),
    }
    found = [
        columns[field.name] if field.name in columns else updates.column(field.name).take(rows)
        for field in LEAVES
    ]
    return pa.Table.from_arrays(found, schema=LEAVES)
