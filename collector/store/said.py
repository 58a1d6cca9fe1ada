"""What the pipeline said, and the quick ways from it to the tables' columns.

Does no file access and imports no journal: the columns of received records come in as an Arrow
record batch, whoever made it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

from collector.arrow_columns import coded_text, numbers_column
from collector.model import (
    FLAG_IDS,
    FLAG_PRIVATE,
    NOTHING,
    PRIVATE_SPACE,
    Coded,
    EditRow,
    Event,
    GeneratorCause,
    NotificationKind,
    OutOfSync,
    SubscriptionRow,
    Verdict,
    transport_names,
)
from collector.store.tables import (
    CAUSES,
    EDITS,
    EVENTS,
    LEAVES,
    SUBSCRIPTIONS,
    TIME,
    UPDATES,
    VERDICTS,
)

_TRANSPORTS = transport_names({})


class Said(Struct, frozen=True):
    """What the pipeline said about the records of one journal frame; meets ``interfaces.Said``."""

    first_offset: int
    next_offset: int
    updates: pa.RecordBatch | None = None
    """Schema ``UPDATES``; see ``update_rows``."""
    verdicts: Sequence[Verdict] = ()
    events: Sequence[Event] = ()
    subscriptions: Sequence[SubscriptionRow] = ()
    edits: Sequence[EditRow] = ()
    out_of_sync: Sequence[OutOfSync] = ()
    """On-change subscriptions to ask for as a whole once more; no rows."""


def update_rows(
    records: pa.RecordBatch,
    first_offset: int,
    *,
    rows: NDArray[np.int64] | None,
    device: Coded[str],
    generator: Coded[str],
    subscription_id: array[int],
    revision: array[int],
    period_index: array[int],
    kind: Coded[NotificationKind],
    event_time: array[int],
    observation_time: array[int],
    transports: Mapping[int, str] = _TRANSPORTS,
) -> pa.RecordBatch:
    """Rows of ``updates`` out of received records, payloads not copied where all are taken.

    ``records``: columns as the journal gives them (received_at, flags, media_type, publisher_id,
    message_id, transport, payload are used). ``first_offset``: journal offset of its first row.
    ``rows``: ascending positions in ``records`` that are content notifications, one of them several
    times where a record bundles several, None for all. ``transports``: number -> name, else those
    of ours. The other columns have one entry for each such row, ``NOTHING`` for null; a
    ``revision`` below 0 is unknown.
    """
    taken, offsets = _take(records, first_offset, rows)
    flags = taken.column("flags").to_numpy(zero_copy_only=False)
    with_ids = (flags & FLAG_IDS) != 0
    no_revision = np.frombuffer(revision, np.int64) < 0
    columns = [
        taken.column("received_at").view(TIME),
        coded_text(device),
        coded_text(generator),
        _where(with_ids, taken.column("publisher_id")),
        _where(with_ids, taken.column("message_id")),
        _numbers(subscription_id).cast(pa.uint32()),
        _known_numbers(revision, no_revision),
        _numbers(period_index),
        coded_text(kind),
        _numbers(event_time).view(TIME),
        _numbers(observation_time).view(TIME),
        _media_types(taken.column("media_type"), flags),
        pa.array(offsets),
        taken.column("payload"),
        _named(taken.column("transport"), transports),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=UPDATES)


def verdict_rows(verdicts: Sequence[Verdict]) -> pa.Table:
    """Rows of ``verdicts``."""
    return _rows(
        VERDICTS,
        verdicts,
        texts=("required", "received", "unexpected", "late_generators"),
        causes=("missing", "degraded"),
    )


def subscription_rows(rows: Sequence[SubscriptionRow]) -> pa.Table:
    """Rows of ``subscriptions``."""
    return _rows(SUBSCRIPTIONS, rows, texts=("generators",))


def event_rows(events: Sequence[Event]) -> pa.Table:
    """Rows of ``events``."""
    return _rows(EVENTS, events)


def edit_rows(rows: Sequence[EditRow]) -> pa.Table:
    """Rows of ``edits``."""
    return _rows(EDITS, rows)


def tables_of(said: Sequence[Said]) -> dict[str, pa.Table]:
    """All tables, in the order of what was said; empty ones included, and ``leaves`` is one, since
    it is made of ``updates`` by who knows their contents."""
    batches = [one.updates for one in said if one.updates is not None and one.updates.num_rows]
    return {
        "updates": pa.Table.from_batches(batches, UPDATES),
        "verdicts": verdict_rows([row for one in said for row in one.verdicts]),
        "subscriptions": subscription_rows([row for one in said for row in one.subscriptions]),
        "events": event_rows([row for one in said for row in one.events]),
        "edits": edit_rows([row for one in said for row in one.edits]),
        "leaves": LEAVES.empty_table(),
    }


def time_column(values: Sequence[int | None]) -> pa.Array:
    """ns since 1970 as ``TIME``."""
    return pa.array(values, pa.int64()).view(TIME)


def _take(
    records: pa.RecordBatch, first_offset: int, rows: NDArray[np.int64] | None
) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
    if rows is None:
        rows = np.arange(records.num_rows)
    offsets = rows + first_offset
    if not len(rows):
        return records.slice(0, 0), offsets
    if rows[-1] - rows[0] + 1 == len(rows) and not np.any(np.diff(rows) == 0):
        return records.slice(rows[0], len(rows)), offsets
    return records.take(pa.array(rows)), offsets


def _numbers(values: array[int]) -> pa.Array:
    """64-bit numbers, null for ``NOTHING``."""
    return _known_numbers(values, np.frombuffer(values, np.int64) == NOTHING)


def _known_numbers(values: array[int], unknown: NDArray[np.bool_]) -> pa.Array:
    if unknown.any():
        return pa.array(np.frombuffer(values, np.int64), mask=unknown)
    return numbers_column(values)


def _media_types(column: pa.Array, flags: NDArray[np.uint8]) -> pa.Array:
    """As encodings count them: those of the private space are others than the registered ones."""
    private = (flags & FLAG_PRIVATE) != 0
    if not private.any():
        return column
    found = column.to_numpy(zero_copy_only=False)
    return pa.array(np.where(private, found | PRIVATE_SPACE, found).astype(np.uint16))


def _named(column: pa.Array, names: Mapping[int, str]) -> pa.Array:
    """Numbers below 256 as text, null without a name."""
    numbers = column.to_numpy(zero_copy_only=False)
    if len(numbers) and (numbers == numbers[0]).all():  # nearly always
        return pa.repeat(pa.scalar(names.get(int(numbers[0])), pa.string()), len(numbers))
    return pa.array([names.get(number) for number in range(256)], pa.string()).take(column)


def _where(keep: Any, column: pa.Array) -> pa.Array:
    if keep.all():
        return column
    import pyarrow.compute as pc  # 30 ms that a query need not wait for

    return pc.if_else(pa.array(keep), column, pa.scalar(None, column.type))


def _rows(
    schema: pa.Schema,
    values: Sequence[Struct],
    *,
    texts: Iterable[str] = (),
    causes: Iterable[str] = (),
) -> pa.Table:
    columns = []
    for field in schema:
        column = [getattr(value, field.name) for value in values]
        if field.name in texts:
            columns.append(_lists(column, pa.string(), lambda items: pa.array(items, pa.string())))
        elif field.name in causes:
            columns.append(_lists(column, CAUSES.value_type, _cause_column))
        elif field.type == TIME:
            columns.append(time_column(column))
        else:
            columns.append(pa.array(column, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _lists(rows: Sequence[Sequence[Any]], kind: pa.DataType, build: Any) -> pa.Array:
    """Lists as one flat column and offsets: no Python object for each inner list."""
    offsets = pa.array(accumulate(map(len, rows), initial=0), pa.int32())
    flat = build([item for row in rows for item in row])
    return pa.ListArray.from_arrays(offsets, flat.cast(kind))


def _cause_column(items: Sequence[GeneratorCause]) -> pa.Array:
    generators = pa.array([item.generator for item in items], pa.string())
    causes = pa.array([item.cause for item in items], pa.string())
    return pa.StructArray.from_arrays([generators, causes], names=["generator", "cause"])
