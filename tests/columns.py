"""Columns of machine integers for tests: made of lists, read as lists."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from collector.model import NOTHING, Coded, Octets, ReceivedBatch, numbers

_CODED = ("device", "generator", "kind")


def update_row_columns(**values: Sequence[Any]) -> dict[str, Any]:
    """The columns that ``store.tables.update_rows`` takes, None where something is unknown."""
    return {
        name: Coded.of(column) if name in _CODED else numbers(column)
        for name, column in values.items()
    }


def plain(column: Iterable[int]) -> list[int | None]:
    """The numbers, None for ``NOTHING``."""
    return [None if number == NOTHING else number for number in column]


def between(payloads: Sequence[bytes]) -> Octets:
    """The payloads with others before and behind, as in a part of a batch."""
    return Octets.of([b'{"', *payloads, b'"}'])[1:-1]


def part_of(batch: ReceivedBatch, start: int, end: int) -> ReceivedBatch:
    """Rows ``start`` to ``end``."""
    part = ReceivedBatch()
    for name in ReceivedBatch.__slots__:
        setattr(part, name, getattr(batch, name)[start:end])
    return part


def joined(*batches: ReceivedBatch) -> ReceivedBatch:
    """The records of all, in this order."""
    made = ReceivedBatch()
    for batch in batches:
        for name in ReceivedBatch.__slots__:
            getattr(made, name).extend(getattr(batch, name))
    return made


def unlike(column: array[int]) -> list[array[int]]:
    """The same numbers in every other machine type that can hold them."""
    found = []
    for code in "BHIiq":
        with suppress(OverflowError):
            found.append(array(code, column))
    return [one for one in found if one.typecode != column.typecode]
