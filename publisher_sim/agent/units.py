"""Units: one update in the form in which each transport puts it on the wire.

Does: say it as a notification in the header that the scenario wants, and cut it into datagrams over
UDP. Does not: send, number, break. Rules: a unit is whatever a fault can hit on its own; every
transport but UDP has one for each message.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from msgspec import Struct, structs

from collector.model import (
    SECOND,
    DeviceTime,
    MediaType,
    Notification,
    NotificationKind,
    StateChange,
)
from collector.wire.notifications.notification import encode
from collector.wire.udp_notif.datagrams import HEADER_LENGTH, encode_message
from collector.wire.values import names
from publisher_sim.data.cbor_values import for_cbor, sids_for
from publisher_sim.scenario import Behaviour
from publisher_sim.scenario.transports import TRANSPORTS
from publisher_sim.sources.events import EventRecord


class Message(Struct, frozen=True, gc=False, kw_only=True):
    """What all messages of a publisher share, before any transport has touched them."""

    transport: str
    encoding: str
    header: str
    mode: str
    """Control mode."""
    device: str
    """Name of the device."""
    generator: str
    publisher_id: int
    message_id: int
    sequence_number: int
    """Of this publisher: 1, 2, ..."""
    subscription_id: int
    clock: int
    """What the publisher's clock shows, ns since 1970."""
    max_segment_size: int
    cbor_keys: str = "name"
    """``name`` or ``sid``, in CBOR."""
    behaviour: Behaviour = Behaviour()
    """How the device differs from the drafts."""

    @property
    def media_type(self) -> int:
        """Number of its media type over its transport."""
        return TRANSPORTS[self.transport].media_types[self.encoding]


class Update(Message, frozen=True, gc=False, kw_only=True):
    """One push-update, or push-change-update."""

    nominal: int
    """Tick that it is for, ns since 1970; of an on-change record when it was assembled."""
    position: int
    """Which of the publisher's ``count`` messages for this tick, from 0."""
    count: int
    contents: dict[str, Any]
    """Value of ``datastore-contents``, or of ``datastore-changes``."""
    changes: bool = False
    """It is a push-change-update."""
    incomplete: bool = False
    """It says that it leaves something out."""


class Announcement(Message, frozen=True, gc=False, kw_only=True):
    """One state change of a configured subscription, or one record of its event stream."""

    kind: NotificationKind
    change: StateChange | None
    record: EventRecord | None = None
    """Instead of a state change, where ``kind`` is ``OTHER``."""


_CONTENTS, _CHANGES = NotificationKind.PUSH_UPDATE, NotificationKind.PUSH_CHANGE_UPDATE
_NAMES = {kind: f"ietf-yang-push:{kind.value}" for kind in (_CONTENTS, _CHANGES)}
_MILLISECOND = 1_000_000
_OPTION = struct.Struct("!H")
_OPTION_AT = HEADER_LENGTH + 2
"""Where the value of the segmentation option is, which stands first."""
_ROOTS = {
    "envelope": names.ROOT_ENVELOPE,
    "rfc5277": names.ROOT_NOTIFICATION,
    "notification-messages": names.ROOT_MESSAGES,
}


def notification(message: Update | Announcement) -> bytes:
    """The whole message as a notification.

    In ``mso`` mode over UDP the transport's header names the generator and no leaf does. On a
    NETCONF session, and wherever else a header has no such number, the update itself must:
    ``message-publisher-id``, or ``message-generator-id`` of the header of notification-messages.
    """
    media_type = MediaType(message.media_type)
    sids = sids_for(message.cbor_keys)
    numbered = message.header != "rfc5277"
    said = Notification(
        kind=NotificationKind.PUSH_UPDATE,
        name="ietf-yang-push:push-update",
        root=_root(message),
        subscription_id=message.subscription_id,
        event_time=DeviceTime(message.clock),
        hostname=message.device if message.header == "envelope" else None,
        sequence_number=message.sequence_number if numbered else None,
    )
    if isinstance(message, Announcement) and message.record is not None:
        record = message.record
        at = DeviceTime(record.at)
        said = structs.replace(said, kind=message.kind, name=record.name, event_time=at)
        return encode(said, record.values, media_type, mode=message.mode, sids=sids)
    if isinstance(message, Announcement):
        name = f"ietf-subscribed-notifications:{message.kind.value}"
        said = structs.replace(said, kind=message.kind, name=name, state_change=message.change)
        octets = encode(said, None, media_type, mode=message.mode, sids=sids)
        return _rewrapped(octets, said.root, message.behaviour.change_root)
    named_by_header = TRANSPORTS[message.transport].numbers == "message-id"
    said_inside = message.mode != names.MODE_MSO or not named_by_header
    kind = _CHANGES if message.changes else _CONTENTS
    said = structs.replace(
        said,
        kind=kind,
        name=_NAMES[kind],
        incomplete_update=message.incomplete,
        observation_time=DeviceTime(message.clock) if message.behaviour.times else None,
        generator=message.generator if said_inside else None,
    )
    contents = message.contents
    if message.encoding == "encode-cbor":
        contents = for_cbor(contents)
    return encode(said, contents, media_type, mode=message.mode, sids=sids)


def _root(message: Message) -> str:
    if message.behaviour.root:
        return message.behaviour.root
    root = _ROOTS[message.header]
    over_https = message.transport == "https-notif" and message.encoding == "encode-json"
    return names.ROOT_HTTPS if over_https and root == names.ROOT_NOTIFICATION else root


def _rewrapped(octets: bytes, root: str, other: str) -> bytes:
    """The same in JSON under another wrapper, which our own encoder does not write."""
    return octets.replace(f'"{root}"'.encode(), f'"{other}"'.encode(), 1) if other else octets


def datagrams(message: Update | Announcement) -> list[bytes]:
    """UDP-notif: as many datagrams as ``max_segment_size`` asks for (udp-notif-26 §4)."""
    made = encode_message(
        notification(message),
        media_type=MediaType(message.media_type),
        publisher_id=message.publisher_id,
        message_id=message.message_id,
        max_segment_size=message.max_segment_size,
    )
    top = message.behaviour.last_flag_in_top_bit and len(made) > 1
    return [_with_flag_on_top(one) for one in made] if top else made


def _with_flag_on_top(datagram: bytes) -> bytes:
    """L into the highest bit, the Segment Number below it, as one vendor writes it."""
    (said,) = _OPTION.unpack_from(datagram, _OPTION_AT)
    turned = _OPTION.pack((said & 1) << 15 | said >> 1)
    return datagram[:_OPTION_AT] + turned + datagram[_OPTION_AT + _OPTION.size :]


def whole(message: Update | Announcement) -> list[bytes]:
    """One unit: the notification."""
    return [notification(message)]


def telemetry(message: Update | Announcement) -> list[bytes]:
    """gRPC dial-out: the messages of a tick are one collection. Its start is said in the first
    message alone and its end in the last one, as devices may.

    The device of Cisco's messages is the publisher itself: they know no generators.
    """
    assert isinstance(message, Update), "dial-out has no state changes"
    from collector.wire.dialout.telemetry import Collection
    from collector.wire.encodings import dialout_json, gpb

    makers: dict[int, Any] = {
        MediaType.CISCO_GPB: gpb.CiscoGpbEncoding,
        MediaType.CISCO_JSON: dialout_json.CiscoJsonEncoding,
        MediaType.HUAWEI_GPB: gpb.HuaweiGpbEncoding,
        MediaType.HUAWEI_JSON: dialout_json.HuaweiJsonEncoding,
    }
    last = message.position == message.count - 1
    collection = Collection(
        number=message.nominal // SECOND, ends_at=message.clock // _MILLISECOND if last else 0
    )
    said = Notification(
        kind=NotificationKind.PUSH_UPDATE,
        name="ietf-yang-push:push-update",
        root="",
        subscription_id=message.subscription_id,
        event_time=DeviceTime(message.clock),
        observation_time=None if message.position else DeviceTime(message.clock),
        generator=message.generator,
        hostname=message.device,
        sequence_number=message.sequence_number,
    )
    make = makers[message.media_type]()
    return [make.encode(said, message.contents, collection=collection)]


_MAKERS: dict[str, Callable[[Update], list[bytes]]] = {
    "udp-notif": datagrams,
    "dtls": datagrams,
    "https-notif": whole,
    "grpc-cisco": telemetry,
    "grpc-huawei": telemetry,
    "netconf": whole,
}
"""transport -> what makes the units of an update."""
_ANNOUNCERS: dict[str, Callable[[Announcement], list[bytes]]] = {
    "udp-notif": datagrams,
    "dtls": datagrams,
    "https-notif": whole,
}
"""transport -> what makes the units of a state change; others have none (``notifications``)."""


def units_of(update: Update) -> list[bytes]:
    """The units of one update over its transport. Raises UsageError: it cannot be written."""
    return _MAKERS[update.transport](update)


def units_of_announcement(message: Announcement) -> list[bytes]:
    """The units of one state change, over a transport that has them (``Traits.notifications``)."""
    return _ANNOUNCERS[message.transport](message)
