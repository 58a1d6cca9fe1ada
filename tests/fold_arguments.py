"""Arguments of ``native.place``: right ones, and those that it has to refuse."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from collector.core.placing import straight_compiled
from collector.core.placing.update_columns import UpdateColumns
from collector.model import NotificationKind, Placements
from tests.columns import unlike
from tests.helpers import update

ROWS = 3
KIND = NotificationKind.PUSH_UPDATE


class Wrong(NamedTuple):
    """One call that is refused."""

    name: str
    arguments: tuple[Any, ...]
    errors: tuple[type[Exception], ...]


def arguments(
    layout: Any, *, heap: Any = None, row: Any = 0, columns: Any = None, placed: Any = None
) -> tuple[Any, ...]:
    """Of a call about ``ROWS`` messages of a device that nobody knows."""
    updates = UpdateColumns.of([update(1, "1", 5 + number) for number in range(ROWS)])
    return (
        layout, {}, [] if heap is None else heap, False,
        right_columns(updates) if columns is None else columns,
        right_placed() if placed is None else placed,
        row, lambda *_: None, KIND,
    )  # fmt: skip


def right_columns(updates: UpdateColumns) -> tuple[Any, ...]:
    """As the engine makes them."""
    return straight_compiled._columns(updates)


def right_placed() -> tuple[Any, ...]:
    """As the engine makes them."""
    placed = Placements.of(ROWS)
    names = placed.generators
    return names.place, names.codes, placed.revisions, placed.period_indexes


def wrong(layout: Any) -> Iterator[Wrong]:
    """Everything that is to be refused before anything is read."""
    updates = UpdateColumns.of([update(1, "1", 5 + number) for number in range(ROWS)])
    for part, right in (("columns", right_columns(updates)), ("placed", right_placed())):
        for place, column in enumerate(right):
            for name, error, bad in _bad(column, writes=part == "placed"):
                changed = (*right[:place], bad, *right[place + 1 :])
                more = {part: changed}
                said = f"{part}[{place}]: {name}"
                yield Wrong(said, arguments(layout, **more), (error,))
        for size, many in (("one less", right[:-1]), ("one more", (*right, right[-1]))):
            yield Wrong(f"{part}: {size}", arguments(layout, **{part: many}), (TypeError,))
        yield Wrong(f"{part}: a list", arguments(layout, **{part: list(right)}), (TypeError,))
    for row in (-1, ROWS + 1, 2**62):
        yield Wrong(f"row {row}", arguments(layout, row=row), (ValueError,))
    for heap in ([1], [()], [("1",)], [(1.5,)]):
        yield Wrong(f"heap {heap}", arguments(layout, heap=heap), (TypeError,))
    yield Wrong("no heap", arguments(layout, heap=(1,)), (TypeError,))
    yield Wrong("layout", arguments(object()), (TypeError, ValueError))


def _bad(column: Any, *, writes: bool) -> Iterator[tuple[str, type[Exception], Any]]:
    if callable(column):
        return  # called only when a message is placed
    if isinstance(column, list):
        yield "no list", TypeError, tuple(column)
        return
    yield "none", TypeError, None
    yield "a list", TypeError, list(column)
    for other in unlike(column):
        if {other.typecode, column.typecode} != {"B", "b"}:
            yield f"type {other.typecode}", TypeError, other
    yield "shorter", ValueError, column[:-1]
    yield "longer", ValueError, column + column[:1]
    yield "empty", ValueError, array(column.typecode)
    yield "two dimensions", TypeError, np.array(column)[:, None]
    if column.itemsize > 1:
        octets = np.zeros(column.itemsize * len(column) + 1, np.uint8)[1:]
        yield "misaligned", TypeError, octets.view(np.array(column).dtype)
    if writes:
        yield "read-only", BufferError, memoryview(column[:]).toreadonly()
