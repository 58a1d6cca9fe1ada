"""Columns that the pipeline makes of a journal batch: for the decoder, and for the engine.

Does: what is read of a row's header, put together with what its envelope says. Does not: decode, or
say what becomes of a row (``flow``). Pure functions.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from collector.core.placing.update_columns import UpdateColumns
from collector.model import (
    FLAG_IDS,
    FLAG_PRIVATE,
    NOTHING,
    PRIVATE_SPACE,
    Coded,
    ReceivedBatch,
)
from collector.wire.notifications.envelopes import Envelopes


def rows_with(codes: array[int], wanted: Sequence[int]) -> list[int]:
    """The rows that have one of some codes."""
    found: list[int] = np.flatnonzero(np.isin(np.frombuffer(codes, np.uint32), wanted)).tolist()
    return found


def media_types(batch: ReceivedBatch, start: int, end: int) -> array[int]:
    """Media types; those of the private space are others than the registered ones."""
    found, flags = batch.media_type[start:end], bytes(batch.flags[start:end])
    if flags.count(FLAG_IDS) == len(flags):
        return found
    return array(
        "H",
        [
            media_type | PRIVATE_SPACE if flag & FLAG_PRIVATE else media_type
            for media_type, flag in zip(found, flags, strict=True)
        ],
    )


def media_type_of(batch: ReceivedBatch, row: int) -> int:
    """As ``media_types``, of one record."""
    return batch.media_type[row] | (PRIVATE_SPACE if batch.flags[row] & FLAG_PRIVATE else 0)


def updates_of(
    batch: ReceivedBatch,
    start: int,
    end: int,
    first_offset: int,
    envelopes: Envelopes,
    device: Coded[str],
) -> UpdateColumns:
    """The messages of rows ``start`` to ``end`` as if all of them were updates.

    Args:
        first_offset: journal offset of the batch's first record.
        envelopes: what those messages say.
        device: who sent each; empty where nobody knows the source.
    """
    made = UpdateColumns()
    made.arrival = batch.received_at[start:end]
    made.source, made.port = batch.peer[start:end], batch.port[start:end]
    made.device = device
    known = (np.frombuffer(batch.flags, np.uint8)[start:end] & FLAG_IDS) != 0
    # where the transport counts no messages, the publisher may (``sequence-number``)
    instead = np.frombuffer(envelopes.sequence_number, np.int64)
    made.publisher_id = _ids(batch.publisher_id, start, end, known, NOTHING)
    made.message_id = _ids(batch.message_id, start, end, known, instead)
    made.subscription_id, made.generator = envelopes.subscription_id, envelopes.generator
    made.kind, made.incomplete_update = envelopes.kind, envelopes.incomplete_update
    made.event_time, made.observation_time = envelopes.event_time, envelopes.observation_time
    offsets = np.arange(first_offset + start, first_offset + end, dtype=np.int64)
    made.offset = array("q", offsets.tobytes())
    return made


def _ids(column: array[int], start: int, end: int, known: Any, instead: Any) -> array[int]:
    """Ids of the transport's header where they are ``known``, else what there is ``instead``."""
    found = np.frombuffer(column, np.uint32)[start:end].astype(np.int64)
    return array("q", np.where(known, found, instead).tobytes())
