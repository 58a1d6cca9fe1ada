"""Units: one update in the form in which each transport puts it on the wire.

Does: say it as a notification in the header that the scenario wants, and cut it into datagrams over
UDP. Does not: send, number, break. Rules: a unit is whatever a fault can hit on its own; every
transport but UDP has one for each message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from collector.model import DeviceTime, MediaType, Notification, NotificationKind
from collector.wire import names
from collector.wire.notification import encode
from collector.wire.udp_notif import encode_message
from publisher_sim.transports import TRANSPORTS


class Update(Struct, frozen=True, gc=False):
    """One push-update of one publisher, before any transport has touched it."""

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
    nominal: int
    """Tick that it is for, ns since 1970."""
    position: int
    """Which of the publisher's ``count`` messages for this tick, from 0."""
    count: int
    clock: int
    """What the publisher's clock shows, ns since 1970."""
    contents: dict[str, Any]
    """Value of ``datastore-contents``."""
    max_segment_size: int

    @property
    def media_type(self) -> int:
        """Number of its media type over its transport."""
        return TRANSPORTS[self.transport].media_types[self.encoding]


_ROOTS = {
    "envelope": names.ROOT_ENVELOPE,
    "rfc5277": names.ROOT_NOTIFICATION,
    "notification-messages": names.ROOT_MESSAGES,
}


def notification(update: Update) -> bytes:
    """The whole message as a notification.

    In ``mso`` mode over UDP the transport's header names the generator and no leaf does. On a
    NETCONF session, and wherever else a header has no such number, the update itself must:
    ``message-publisher-id``, or ``message-generator-id`` of the header of notification-messages.
    """
    named_by_header = TRANSPORTS[update.transport].numbers == "message-id"
    said_inside = update.mode != names.MODE_MSO or not named_by_header
    root = _ROOTS[update.header]
    if update.transport == "https-notif" and root == names.ROOT_NOTIFICATION:
        root = names.ROOT_HTTPS if update.encoding == "encode-json" else root
    envelope = update.header == "envelope"
    said = Notification(
        kind=NotificationKind.PUSH_UPDATE,
        name="ietf-yang-push:push-update",
        root=root,
        subscription_id=update.subscription_id,
        event_time=DeviceTime(update.clock),
        observation_time=DeviceTime(update.clock),
        hostname=update.device if envelope else None,
        sequence_number=update.sequence_number if envelope else None,
        generator=update.generator if said_inside else None,
    )
    return encode(said, update.contents, MediaType(update.media_type), mode=update.mode)


def datagrams(update: Update) -> list[bytes]:
    """UDP-notif: as many datagrams as ``max_segment_size`` asks for (udp-notif-26 §4)."""
    return encode_message(
        notification(update),
        media_type=MediaType(update.media_type),
        publisher_id=update.publisher_id,
        message_id=update.message_id,
        max_segment_size=update.max_segment_size,
    )


def whole(update: Update) -> list[bytes]:
    """One unit: the notification."""
    return [notification(update)]


_MAKERS: dict[str, Callable[[Update], list[bytes]]] = {
    "udp-notif": datagrams,
    "dtls": datagrams,
    "https-notif": whole,
    "netconf": whole,
}
"""transport -> what makes its units."""


def units_of(update: Update) -> list[bytes]:
    """The units of one update over its transport. Raises UsageError: it cannot be written."""
    return _MAKERS[update.transport](update)
