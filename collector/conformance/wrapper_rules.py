"""Rules on the message as a whole: that it can be read, its wrapper, its header, its encoding."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from collector.conformance.rules import ENVELOPE, KEPT, UDP, Level, broken_if, rule
from collector.conformance.subjects import UPDATES, MessageSubject
from collector.model import MediaType, NotificationKind, Transport, transport_names
from collector.wire.values import names
from collector.wire.values.names import local_name

_ZONE: Final = re.compile(r"(?:[Zz]|[+-]\d\d:\d\d)\s*$")
_STANDARD: Final = frozenset(
    (names.ROOT_ENVELOPE, names.ROOT_NOTIFICATION, names.ROOT_RESTCONF, names.ROOT_MESSAGES)
)
_ROOTS: Final[Mapping[int, frozenset[str]]] = {
    Transport.NETCONF: frozenset((names.ROOT_ENVELOPE, names.ROOT_NOTIFICATION)),
    Transport.HTTPS_NOTIF: _STANDARD | {names.ROOT_HTTPS},
}
"""Transport -> wrappers that a document defines for it; ``_STANDARD`` for the others."""
_KIND: Final = {
    MediaType.YANG_DATA_JSON: "encode-json",
    MediaType.YANG_DATA_XML: "encode-xml",
    MediaType.YANG_DATA_CBOR: "encode-cbor",
}
_SHORTER_THAN: Final = 64
_LARGEST: Final = 96 * 1024


@rule(
    MessageSubject, Level.MUST, f"{UDP} §3.3; RFC 7951, RFC 7950, RFC 9254",
    "The message can be read in the encoding that its media type names.",
    needs="messages of a known media type",
)  # fmt: skip
def message_can_be_read(it: MessageSubject) -> str | None:
    """An unknown media type has a rule of its own."""
    error = it.message.refused
    if error is None:
        return KEPT
    return None if error.reason == "unknown-media-type" else str(error)


@rule(
    MessageSubject, Level.MUST, f"RFC 5277 §4, {ENVELOPE} §3.1.1, RFC 8040 §6.4",
    "The message is in a wrapper that a document defines for its transport.",
    needs="messages that can be read",
)  # fmt: skip
def root_form(it: MessageSubject) -> str | None:
    """RFC 8640 wants ``<notification>`` on a NETCONF session."""
    if it.said is None:
        return None
    allowed = _ROOTS.get(it.message.transport, _STANDARD)
    written = "no wrapper at all" if it.said.root == names.ROOT_BARE else it.said.root
    return broken_if(it.said.root not in allowed, written)


@rule(
    MessageSubject, Level.MUST, f"RFC 8639 §2.6, {ENVELOPE} §3.1.1",
    "The message has an event time.", needs="messages that can be read",
)  # fmt: skip
def event_time_present(it: MessageSubject) -> str | None:
    """Also broken where it says a year that no clock has."""
    if it.said is None:
        return None
    text = f"{it.said.kind.value} without one"
    if it.parts is not None and it.parts.event_time is not None:
        text = f"{it.parts.event_time} is of no use"
    return broken_if(it.said.event_time is None, text)


@rule(
    MessageSubject, Level.MUST, "RFC 5277 §4, RFC 6991 §3",
    "The event time has a time zone.", needs="messages with an event time",
)  # fmt: skip
def event_time_has_zone(it: MessageSubject) -> str | None:
    """``Z`` or an offset."""
    text = None if it.parts is None else it.parts.event_time
    return None if text is None else broken_if(_ZONE.search(text) is None, text)


@rule(
    MessageSubject, Level.MUST, f"RFC 5277 §4, {ENVELOPE} §3.1.1",
    "A wrapper holds one notification.", needs="messages that can be read",
)  # fmt: skip
def one_notification(it: MessageSubject) -> str | None:
    """The bundles of the notification-messages draft may hold more."""
    if it.parts is None or local_name(it.parts.root) == "message":
        return None
    return broken_if(it.parts.notifications > 1, f"{it.parts.notifications} in one wrapper")


@rule(
    MessageSubject, Level.MUST, f"{UDP} §3.1",
    "A state change is a message of its own.", needs="state changes over UDP-notif",
)  # fmt: skip
def state_change_alone(it: MessageSubject) -> str | None:
    """Not bundled with others."""
    if not it.is_udp or it.said is None or it.said.state_change is None or it.parts is None:
        return None
    text = f"{it.said.kind.value} with {it.parts.notifications - 1} others"
    return broken_if(it.parts.notifications > 1, text)


@rule(
    MessageSubject, Level.MUST, f"{ENVELOPE} §3.1.1",
    "The contents of an envelope are in the member contents.", needs="messages in the envelope",
)  # fmt: skip
def contents_member_name(it: MessageSubject) -> str | None:
    """The first drafts called it notification-contents."""
    if it.parts is None or local_name(it.parts.root) != "envelope":
        return None
    written = it.parts.contents_member or "none"
    return broken_if(written != "contents", written)


@rule(
    MessageSubject, Level.MUST, f"{UDP} §3.3",
    "All messages to one receiver are in one encoding.", needs="messages over UDP-notif",
)  # fmt: skip
def one_encoding_per_receiver(it: MessageSubject) -> str | None:
    """By source address and destination."""
    if not it.is_udp:
        return None
    other = it.other_media_type
    return KEPT if other is None else f"media types {other} and {it.message.media_type}"


@rule(
    MessageSubject, Level.MUST, "RFC 8639 §2.7.1, §4 (leaf encoding)",
    "Updates are in the encoding that the state change named.",
    needs="updates of a subscription whose terms were seen",
)  # fmt: skip
def encoding_as_declared(it: MessageSubject) -> str | None:
    """Absent means that of the request, which is not known here."""
    terms, sent = it.series.terms, _KIND.get(_media_type(it))
    if it.kind not in UPDATES or terms is None or terms.encoding is None or sent is None:
        return None
    return broken_if(terms.encoding != sent, f"{sent} where {terms.encoding} was named")


def _media_type(it: MessageSubject) -> MediaType:
    try:
        return MediaType(it.message.media_type)
    except ValueError:
        return MediaType.CISCO_GPB  # which has no such identity


@rule(
    MessageSubject, Level.SHOULD, f"{UDP} §5.2",
    "A message has fewer than 64 segments.", needs="messages in segments",
)  # fmt: skip
def fewer_than_64_segments(it: MessageSubject) -> str | None:
    """More of them are more likely to lose one."""
    found = it.message.segments
    return None if found < 2 else broken_if(found >= _SHORTER_THAN, f"{found} segments")


@rule(
    MessageSubject, Level.SHOULD, f"{UDP} §5.2", "A message is no longer than 96 KB.",
    needs="messages over UDP-notif",
)  # fmt: skip
def message_up_to_96_kb(it: MessageSubject) -> str | None:
    """Receivers need not take longer ones."""
    size = len(it.message.payload)
    return broken_if(size > _LARGEST, f"{size:,} octets") if it.is_udp else None


@rule(
    MessageSubject, Level.MUST, "RFC 8639 §2.3, §4 (leaf dscp)",
    "Messages are marked with the DSCP that the state change named.",
    needs="a subscription whose terms have a dscp, in a capture",
)  # fmt: skip
def dscp_as_declared(it: MessageSubject) -> str | None:
    """As the capture shows them: the network may have changed the mark."""
    found, terms = it.message.origin.dscp, it.series.terms
    if terms is None or terms.dscp is None or found is None:
        return None
    return broken_if(found != terms.dscp, f"DSCP {found} where {terms.dscp} was named")


@rule(
    MessageSubject, Level.MUST, "RFC 8639 §2.7.1, §4 (leaf transport)",
    "Updates come over the transport that the state change named.",
    needs="updates of a subscription whose terms were seen",
)  # fmt: skip
def transport_as_declared(it: MessageSubject) -> str | None:
    """Only what is defined: udp-notif and https."""
    terms = it.series.terms
    if it.kind not in UPDATES or terms is None or terms.transport is None:
        return None
    wanted = {"udp-notif": Transport.UDP_NOTIF, "https": Transport.HTTPS_NOTIF}
    if terms.transport not in wanted:
        return None
    came = transport_names({}).get(it.message.transport, "another transport")
    text = f"{came} where {terms.transport} was named"
    return broken_if(wanted[terms.transport] != it.message.transport, text)


@rule(
    MessageSubject, Level.OURS, "RFC 8639 §2.7",
    "Notifications are of ietf-yang-push or ietf-subscribed-notifications.",
    needs="messages that can be read",
)  # fmt: skip
def notification_is_known(it: MessageSubject) -> str | None:
    """Others are legal in a stream; a collector of YANG-Push stores them unread."""
    if it.said is None:
        return None
    return broken_if(it.kind is NotificationKind.OTHER, it.said.name)
