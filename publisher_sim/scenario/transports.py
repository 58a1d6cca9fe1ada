"""What each transport can carry: encodings, headers, whether a loss can be seen at all.

Does not: open sockets (``publishers`` does), make messages (``units``). Rules: one row a transport;
a *unit* is what it puts on the wire at a time: a datagram over UDP, elsewhere the whole message.
Where a transport has no number of its own, that of the message takes its place: ``sequence-number``
of the envelope, ``message-id`` of notification-messages. With neither, ``continuity`` is ``none``
and nobody can tell a lost message from one never sent.

Spec: RFC 8640 (XML on the session), udp-notif-26 §3, https-notif-15, digest of the dial-outs.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from collector.model import MediaType

TransportName = Literal[
    "udp-notif", "dtls", "https-notif", "grpc-cisco", "grpc-huawei", "netconf"
]  # fmt: skip
"""``dtls``: UDP-notif over DTLS; ``netconf``: on the session that subscribed (RFC 8640 §6)."""
EncodingName = Literal["encode-json", "encode-xml", "encode-cbor", "encode-gpb"]
"""Identities without their module; ``encode-gpb`` is what the dial-out of a vendor calls GPB."""
HeaderName = Literal["envelope", "rfc5277", "notification-messages"]
"""``envelope``: notif-envelope; ``rfc5277``: eventTime alone; ``notification-messages``: the dead
draft that the base document cites, with the generator id in its header."""
Continuity = Literal["message-id", "sequence-number", "none"]
"""Which numbers show a loss: those of the transport's header, those of the message, or none."""

_NOTIFICATIONS = {
    "encode-json": int(MediaType.YANG_DATA_JSON),
    "encode-xml": int(MediaType.YANG_DATA_XML),
    "encode-cbor": int(MediaType.YANG_DATA_CBOR),
}


class Traits(Struct, frozen=True):
    """One transport."""

    media_types: dict[str, int]
    """encoding -> number of the media type."""
    headers: tuple[str, ...]
    """Values of ``[push] header`` that make sense."""
    segments: bool = False
    """True: a message may be cut, and units may come to harm one by one."""
    notifications: bool = True
    """False: a format of its own that has no state changes."""
    numbers: Continuity = "none"
    """Continuity of the transport itself, whatever the message says."""


_HEADERS = ("envelope", "rfc5277", "notification-messages")
_OVER_UDP = Traits(_NOTIFICATIONS, _HEADERS, segments=True, numbers="message-id")

TRANSPORTS: dict[str, Traits] = {
    "udp-notif": _OVER_UDP,
    "dtls": _OVER_UDP,
    "https-notif": Traits(_NOTIFICATIONS, _HEADERS),
    "grpc-cisco": Traits(
        {"encode-gpb": int(MediaType.CISCO_GPB), "encode-json": int(MediaType.CISCO_JSON)},
        ("envelope",),
        notifications=False,
    ),
    "grpc-huawei": Traits(
        {"encode-gpb": int(MediaType.HUAWEI_GPB), "encode-json": int(MediaType.HUAWEI_JSON)},
        ("envelope",),
        notifications=False,
        numbers="sequence-number",
    ),
    "netconf": Traits({"encode-xml": _NOTIFICATIONS["encode-xml"]}, _HEADERS),
}
"""transport -> what it is able to do."""


def continuity(transport: str, header: str) -> Continuity:
    """Which numbers show a loss over a transport with that header around each message."""
    numbers = TRANSPORTS[transport].numbers
    if numbers != "none" or not transport.startswith(("https", "netconf")):
        return numbers
    return "none" if header == "rfc5277" else "sequence-number"
