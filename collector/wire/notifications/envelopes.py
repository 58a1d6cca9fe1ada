"""The envelopes of many messages at once, as columns: one way in for what a batch holds.

Does: read content notifications into columns, without an object for each message where the encoding
can; keep everything else, state changes and what is refused, beside them by row. Does not: say
anything of a message that ``notification.decode`` would not say of it alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from collector import fast
from collector.errors import WireError
from collector.model import (
    NO_SIDS,
    NOTHING,
    Coded,
    MediaType,
    Notification,
    NotificationKind,
    Octets,
    SidTable,
    numbers,
)
from collector.wire.encodings.json_updates import read_headings
from collector.wire.notifications.notification import decode
from collector.wire.values.timestamp_columns import parse_many

CONTENT_KINDS: Final = frozenset(
    (NotificationKind.PUSH_UPDATE, NotificationKind.PUSH_CHANGE_UPDATE, NotificationKind.OTHER)
)
_JSON: Final = int(MediaType.YANG_DATA_JSON)
_CBOR: Final = int(MediaType.YANG_DATA_CBOR)
_XML: Final = int(MediaType.YANG_DATA_XML)
_KINDS: Final = (
    NotificationKind.PUSH_UPDATE,
    NotificationKind.PUSH_CHANGE_UPDATE,
    NotificationKind.OTHER,
)
_OTHER: Final = _KINDS.index(NotificationKind.OTHER)


class Envelopes:
    """Columns of equal length, an entry for each message; without sense at the rows of ``others``.

    The names are those of ``model.Notification``.
    """

    __slots__ = (
        "event_time", "generator", "incomplete_update", "kind", "observation_time", "others",
        "sequence_number", "subscription_id",
    )  # fmt: skip

    def __init__(self, rows: int) -> None:
        """Nothing is known of so many messages."""
        unknown = array("q", [NOTHING]) * rows
        self.subscription_id: array[int] = unknown[:]
        self.generator: Coded[str | None] = Coded.repeated(None, rows)
        self.kind: Coded[NotificationKind] = Coded(list(_KINDS), array("I", [_OTHER]) * rows)
        self.event_time: array[int] = unknown[:]
        """ns since 1970, or ``NOTHING``, as in the next one."""
        self.observation_time: array[int] = unknown[:]
        self.sequence_number: array[int] = unknown
        """Of the rows of ``others`` as well."""
        self.incomplete_update: array[int] = array("B", bytes(rows))
        self.others: dict[int, Notification | WireError] = {}
        """Row -> a message that is no content notification or bundles several notifications, or why
        it was refused."""

    def put(self, row: int, said: Notification) -> None:
        """What a message says that was decoded alone."""
        for column, value in (
            (self.subscription_id, said.subscription_id),
            (self.event_time, said.event_time),
            (self.observation_time, said.observation_time),
            (self.sequence_number, said.sequence_number),
        ):
            column[row] = NOTHING if value is None else value
        self.generator.put(row, said.generator)
        self.kind.put(row, said.kind)
        self.incomplete_update[row] = said.incomplete_update


def decode_batch(
    payloads: Octets,
    media_types: Sequence[int],
    sids_of: Callable[[int], SidTable] = lambda row: NO_SIDS,
) -> Envelopes:
    """The envelopes of all messages; never raises.

    Args:
        payloads: of whole messages.
        media_types: as for ``notification.decode``, one for each payload.
        sids_of: row -> the SIDs of whoever sent it; asked for CBOR only.
    """
    found = Envelopes(len(payloads))
    encoding = np.asarray(media_types)
    if fast.native is not None:
        unusual = _read_compiled(found, payloads, encoding)
    elif (in_json := encoding == _JSON).any():
        unusual = _read_json(found, payloads, in_json)
    else:
        unusual = list(range(len(payloads)))
    for row in unusual:
        media_type = media_types[row]
        sids = sids_of(row) if media_type == _CBOR else NO_SIDS
        _decode_alone(found, row, payloads[row], media_type, sids)
    return found


def _read_json(found: Envelopes, payloads: Octets, in_json: Any) -> list[int]:
    """Read the columns out of JSON in the usual forms; returns the rows that are something else."""
    texts = list(payloads)
    for row in np.flatnonzero(~in_json).tolist():
        texts[row] = b""  # unusual, too
    headings, unusual = read_headings(texts)
    ids, generators, kinds, event_times, observation_times, incomplete, counted = zip(
        *headings, strict=True
    )
    found.subscription_id = numbers(ids)
    found.generator = Coded.of(generators)
    found.kind = Coded.of(kinds)
    found.sequence_number = numbers(counted)
    found.incomplete_update = array("B", incomplete)
    times, odd_event = parse_many(event_times)
    found.event_time = numbers(times)
    times, odd_observation = parse_many(observation_times)
    found.observation_time = numbers(times)
    return sorted({*unusual, *odd_event, *odd_observation})


def _read_compiled(found: Envelopes, payloads: Octets, encoding: Any) -> list[int]:
    """The same for JSON and XML; ``encoding``: media types."""
    assert fast.native is not None
    known = np.where(encoding <= _XML, encoding, 0).astype(np.uint8)
    return fast.native.read_envelopes(
        payloads.data, payloads.offsets, known, found.subscription_id, found.generator.codes,
        found.generator.words, found.kind.codes, found.event_time, found.observation_time,
        found.incomplete_update, found.sequence_number,
    )  # fmt: skip


def _decode_alone(
    found: Envelopes, row: int, payload: bytes, media_type: int, sids: SidTable
) -> None:
    """A message that is not in one of the usual forms, or refused."""
    try:
        said = decode(payload, media_type, sids)
    except WireError as error:
        found.others[row] = error
        found.sequence_number[row] = NOTHING
        return
    if said.kind in CONTENT_KINDS and not said.bundled:
        found.put(row, said)
    else:
        found.others[row] = said
        number = said.sequence_number
        found.sequence_number[row] = NOTHING if number is None else number
