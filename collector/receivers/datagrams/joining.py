"""Rows of one batch of records appended to another. Looks at no row."""

from __future__ import annotations

from collector.model import ReceivedBatch


def joined(first: ReceivedBatch, second: ReceivedBatch) -> ReceivedBatch:
    """The records of both, in order; may be one of the two."""
    if not len(first):
        return second
    extend(first, second, 0, len(second))
    return first


def extend(batch: ReceivedBatch, rows: ReceivedBatch, start: int, end: int) -> None:
    """Append rows ``start`` to ``end`` of one batch to another."""
    if start < end:
        for name in ReceivedBatch.__slots__:
            getattr(batch, name).extend(getattr(rows, name)[start:end])
