"""The envelopes of many messages at once, as columns: one way in for what a batch holds.

Does: read content notifications into columns, without an object for each message where the encoding
can; keep everything else, state changes and what is refused, beside them by row. Does not: say
anything of a message that ``notification.decode`` would not say of it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from collector import fast
from collector.errors import WireError
from collector.model import DeviceTime, MediaType, Notification, NotificationKind
from collector.wire.encodings.yang_json import NO_HEADING, read_headings
from collector.wire.notification import decode
from collector.wire.timestamp_columns import parse_many

CONTENT_KINDS: Final = frozenset(
    (NotificationKind.PUSH_UPDATE, NotificationKind.PUSH_CHANGE_UPDATE, NotificationKind.OTHER)
)
_JSON: Final = int(MediaType.YANG_DATA_JSON)
_KINDS: Final = (
    NotificationKind.PUSH_UPDATE,
    NotificationKind.PUSH_CHANGE_UPDATE,
    NotificationKind.OTHER,
)
_COLUMNS: Final = (
    "subscription_id", "generator", "kind", "event_time", "observation_time", "incomplete_update",
)  # fmt: skip


class Envelopes:
    """Columns of equal length, an entry for each message; without sense at the rows of ``others``.

    The names are those of ``model.Notification``.
    """

    __slots__ = (*_COLUMNS, "others")

    def __init__(self) -> None:
        self.subscription_id: list[int | None] = []
        self.generator: list[str | None] = []
        self.kind: list[NotificationKind] = []
        self.event_time: list[DeviceTime | None] = []
        self.observation_time: list[DeviceTime | None] = []
        self.incomplete_update: list[bool] = []
        self.others: dict[int, Notification | WireError] = {}
        """Row -> a message that is no content notification, or why it was refused."""


def decode_batch(payloads: Sequence[bytes], media_types: Sequence[int]) -> Envelopes:
    """The envelopes of all messages; never raises.

    Args:
        payloads: of whole messages.
        media_types: as for ``notification.decode``, one for each payload.
    """
    found = Envelopes()
    if not payloads:
        return found
    columns: Iterable[Any]
    in_json = media_types.count(_JSON)
    texts = payloads
    if 0 < in_json < len(media_types):  # an empty text is unusual, too, so its row is decoded alone
        pairs = zip(payloads, media_types, strict=True)
        texts = [payload if media_type == _JSON else b"" for payload, media_type in pairs]
    if not in_json:
        columns, unusual = _none_read(len(payloads)), list(range(len(payloads)))
    elif fast.native is not None:
        columns, unusual = fast.native.decode_json(texts, _KINDS)
    else:
        columns, unusual = _read_json(texts)
    for name, column in zip(_COLUMNS, columns, strict=True):
        setattr(found, name, column)
    for row in unusual:
        _decode_alone(found, row, payloads[row], media_types[row])
    return found


def _none_read(rows: int) -> Iterable[Any]:
    return (list(column) for column in zip(*[NO_HEADING] * rows, strict=True))


def _read_json(payloads: Sequence[bytes]) -> tuple[Iterable[Any], list[int]]:
    """``fast.Native.decode_json`` in Python."""
    headings, unusual = read_headings(payloads)
    columns: list[Any] = [list(column) for column in zip(*headings, strict=True)]
    columns[3], odd_event = parse_many(columns[3])
    columns[4], odd_observation = parse_many(columns[4])
    return columns, sorted({*unusual, *odd_event, *odd_observation})


def _decode_alone(found: Envelopes, row: int, payload: bytes, media_type: int) -> None:
    """A message that is not in one of the usual forms, or refused."""
    try:
        said = decode(payload, media_type)
    except WireError as error:
        found.others[row] = error
        return
    if said.kind not in CONTENT_KINDS:
        found.others[row] = said
        return
    for name in _COLUMNS:
        getattr(found, name)[row] = getattr(said, name)
