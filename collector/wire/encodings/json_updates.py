"""Updates in JSON, in the forms that devices send most, straight into typed structs.

Does: the envelope of a push-update or push-change-update, of one message or as columns of many.
Does not: any other message or form, contents; those have the way through plain values
(``members``), and both ways say the same.

Rule: nothing may be left out unseen: what was read, written again, has as many octets as came. Else
(blanks, unknown members, duplicates) the other way decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, cast

import msgspec
from msgspec import Raw, Struct, field

from collector.model import NOTHING, DeviceTime, Notification, NotificationKind
from collector.wire.encodings.json_text import is_sound
from collector.wire.values import names, plain
from collector.wire.values.timestamps import parse_date_and_time

_UINT32_MAX: Final = plain.UINT32_MAX
_ABSENT: Final = Raw()
"""Default of what is left raw, recognised by identity."""


class _Update(Struct, gc=False, omit_defaults=True):
    id: int | None = None
    datastore_contents: Raw = field(default=_ABSENT, name="datastore-contents")
    datastore_changes: Raw = field(default=_ABSENT, name="datastore-changes")
    publisher_id: int | list[int] | None = field(
        default=None, name="ietf-distributed-notif:message-publisher-id"
    )
    publisher_ids: int | list[int] | None = field(
        default=None, name="ietf-distributed-notif:message-publisher-ids"
    )
    timestamp: str | None = field(default=None, name="ietf-yp-observation:timestamp")
    point_in_time: str | None = field(default=None, name="ietf-yp-observation:point-in-time")
    incomplete_update: list[None] | None = field(default=None, name="incomplete-update")


class _Contents(Struct, gc=False, omit_defaults=True):
    push_update: _Update | None = field(default=None, name="ietf-yang-push:push-update")
    push_change_update: _Update | None = field(
        default=None, name="ietf-yang-push:push-change-update"
    )


class _Envelope(Struct, gc=False, omit_defaults=True):
    event_time: str | None = field(default=None, name="event-time")
    hostname: str | None = None
    sequence_number: int | None = field(default=None, name="sequence-number")
    contents: _Contents | None = None
    old_contents: _Contents | None = field(default=None, name="notification-contents")


class _Header5277(Struct, gc=False, omit_defaults=True):
    event_time: str | None = field(default=None, name="eventTime")
    hostname: str | None = field(default=None, name="ietf-notification-sequencing:sysName")
    sequence_number: int | None = field(
        default=None, name="ietf-notification-sequencing:sequenceNumber"
    )
    # as IOS XR qualifies them: with the wrapper's own module
    own_hostname: str | None = field(default=None, name="ietf-notification:sysName")
    own_sequence_number: int | None = field(default=None, name="ietf-notification:sequenceNumber")
    push_update: _Update | None = field(default=None, name="ietf-yang-push:push-update")
    push_change_update: _Update | None = field(
        default=None, name="ietf-yang-push:push-change-update"
    )


class _Message(Struct, gc=False, omit_defaults=True):
    envelope: _Envelope | None = field(default=None, name=names.ROOT_ENVELOPE)
    notification: _Header5277 | None = field(default=None, name=names.ROOT_NOTIFICATION)


_DECODER: Final = msgspec.json.Decoder(_Message)
_ENCODER: Final = msgspec.json.Encoder()
_INT64_MAX: Final = plain.INT64_MAX
_device_time: Final = cast("Callable[[str], DeviceTime]", parse_date_and_time)
"""Said once, since a call of ``DeviceTime`` for every message costs."""
_PUSH_UPDATE: Final = NotificationKind.PUSH_UPDATE
_PUSH_CHANGE_UPDATE: Final = NotificationKind.PUSH_CHANGE_UPDATE
_NAMES: Final = {
    _PUSH_UPDATE: "ietf-yang-push:push-update",
    _PUSH_CHANGE_UPDATE: "ietf-yang-push:push-change-update",
}
Heading = tuple[
    int | None, str | None, NotificationKind, str | None, str | None, bool, int | None
]  # fmt: skip
"""Subscription id, generator, kind, event time and observation time as text, incomplete-update,
sequence number."""
NO_HEADING: Final[Heading] = (None, None, NotificationKind.OTHER, None, None, False, None)
_Found = tuple[NotificationKind, _Update, str, str | None, str | None, int | None]
"""Kind, payload, root, event time as text, host and sequence number."""


def read_headings(payloads: Iterable[bytes]) -> tuple[list[Heading], list[int]]:
    """What columns need of each message, times as texts as received.

    Returns:
        The headings, and the rows that ``JsonEncoding.decode`` has to look at; there it is
        ``NO_HEADING``.
    """
    scratch = bytearray()
    headings: list[Heading] = []
    unusual: list[int] = []
    for payload in payloads:
        found = _read_usual(payload, scratch) if is_sound(payload) else None
        if found is None:
            unusual.append(len(headings))
            headings.append(NO_HEADING)
            continue
        kind, update, _, event_time, _, number = found
        generator = update.publisher_id
        name = None if generator is None else str(generator)
        incomplete = update.incomplete_update is not None
        headings.append((update.id, name, kind, event_time, update.timestamp, incomplete, number))
    return headings, unusual


def read_typed(payload: bytes) -> Notification | None:
    """The notification, or None when the message is not in one of the usual forms.

    Raises:
        WireError: ``bad-timestamp``.
    """
    found = _read_usual(payload, bytearray())
    return None if found is None else _typed_notification(*found)


def _read_usual(payload: bytes, scratch: bytearray) -> _Found | None:
    """The parts of a message in one of the usual forms, else None.

    ``scratch``: whatever; shared by many calls, since making one costs.
    """
    try:
        message = _DECODER.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return None
    _ENCODER.encode_into(message, scratch)
    if len(scratch) != len(payload):
        return None
    envelope, header = message.envelope, message.notification
    payloads: _Contents | _Header5277 | None
    if envelope is not None and header is None:
        payloads = envelope.contents
        if payloads is None:
            payloads = envelope.old_contents
        elif envelope.old_contents is not None:
            return None
        if payloads is None:
            return None
        root, time = names.ROOT_ENVELOPE, envelope.event_time
        host, number = envelope.hostname, envelope.sequence_number
    elif header is not None and envelope is None:
        payloads, root, time = header, names.ROOT_NOTIFICATION, header.event_time
        host, number = header.hostname, header.sequence_number
        if host is None and number is None:
            host, number = header.own_hostname, header.own_sequence_number
        elif header.own_hostname is not None or header.own_sequence_number is not None:
            return None
    else:
        return None
    update, kind = payloads.push_update, _PUSH_UPDATE
    if update is None:
        update, kind = payloads.push_change_update, _PUSH_CHANGE_UPDATE
    elif payloads.push_change_update is not None:
        return None
    if update is None or not _is_plain(update, number):
        return None
    return kind, update, root, time, host, number


def _is_plain(update: _Update, number: int | None) -> bool:
    """Are all numbers in their range and is there at most one originator?"""
    ident, generator = update.id, update.publisher_id
    return (
        (ident is None or 0 <= ident <= _UINT32_MAX)
        and (number is None or 0 <= number <= _UINT32_MAX)
        and (generator is None or (type(generator) is int and generator >= 0))
        and update.publisher_ids is None
    )


def _typed_notification(
    kind: NotificationKind,
    update: _Update,
    root: str,
    text: str | None,
    host: str | None,
    number: int | None,
) -> Notification:
    generator = update.publisher_id
    event_time = None if text is None else _device_time(text)
    observed = update.timestamp
    if observed is None:
        observation_time = None
    elif observed == text:
        observation_time = event_time
    else:
        observation_time = _device_time(observed)
    if event_time is not None and not NOTHING < event_time <= _INT64_MAX:
        event_time = None  # as plain.read_record_time
    if observation_time is not None and not NOTHING < observation_time <= _INT64_MAX:
        observation_time = None
    point = update.point_in_time
    return Notification(
        kind,
        _NAMES[kind],
        root,
        update.id,
        event_time,
        observation_time,
        None if point is None else point.strip(),
        None if generator is None else str(generator),
        None if host is None else host.strip(),
        number,
        update.incomplete_update is not None,
    )
