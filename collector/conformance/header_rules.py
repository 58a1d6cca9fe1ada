"""Rules on single datagrams: the header of UDP-notif, its options, and how IP carried it."""

from __future__ import annotations

from typing import Final

from collector.conformance.rules import KEPT, UDP, Level, broken_if, rule
from collector.conformance.subjects import DatagramSubject, EventSubject
from collector.wire.udp_notif.datagrams import SEGMENTATION

_FIRST_SEGMENTS: Final = 1 << 14
"""A segment number with its top bit set: 16,384 segments would be a message of megabytes."""
_CS2: Final = 16


@rule(DatagramSubject, Level.MUST, f"{UDP} §3.2", "A datagram holds at least the fixed header.")
def header_is_whole(it: DatagramSubject) -> str | None:
    """12 octets."""
    return broken_if(len(it.octets) < 12, f"{len(it.octets)} octets")


@rule(DatagramSubject, Level.MUST, f"{UDP} §3.2", "The header version is 1.")
def header_version(it: DatagramSubject) -> str | None:
    """0 was written up to -06 and by udp-pub-channel."""
    if len(it.octets) < 12:
        return None
    return broken_if(it.octets[0] >> 5 != 1, f"version {it.octets[0] >> 5}")


@rule(DatagramSubject, Level.MUST, f"{UDP} §3.2", "The reserved media type 0 is not used.")
def media_type_not_reserved(it: DatagramSubject) -> str | None:
    """Only without the S flag."""
    if it.first is None or it.first & 0x10:
        return None
    return broken_if(not it.first & 0x0F, "MT 0 without the S flag")


@rule(
    DatagramSubject, Level.MUST, f"{UDP} §8.1.1",
    "The media type is registered, or the S flag says that it is private.",
)  # fmt: skip
def media_type_registered(it: DatagramSubject) -> str | None:
    """1 JSON, 2 XML, 3 CBOR."""
    if it.first is None or not it.first & 0x0F:
        return None
    return broken_if(not it.first & 0x10 and it.first & 0x0F > 3, f"MT {it.first & 0x0F}")


@rule(
    DatagramSubject, Level.MUST, f"{UDP} §3.2",
    "Header Length covers the fixed header and its options, and ends within the datagram.",
)  # fmt: skip
def header_length(it: DatagramSubject) -> str | None:
    """12 to Message Length."""
    if it.first is None:
        return None
    length = it.octets[1]
    text = f"Header Length {length} in a datagram of {len(it.octets)} octets"
    return broken_if(not 12 <= length <= len(it.octets), text)


@rule(
    DatagramSubject, Level.MUST, f"{UDP} §3, §3.2",
    "Message Length is that of the datagram, which holds one message or segment.",
)  # fmt: skip
def message_length(it: DatagramSubject) -> str | None:
    """Equal to the UDP payload."""
    if it.first is None:
        return None
    length = int.from_bytes(it.octets[2:4])
    text = f"Message Length {length} in a datagram of {len(it.octets)} octets"
    return broken_if(length != len(it.octets), text)


@rule(
    DatagramSubject, Level.MUST, f"{UDP} §4", "Options end where their lengths say.",
    needs="a header with options",
)  # fmt: skip
def options_well_formed(it: DatagramSubject) -> str | None:
    """TLVs that fill the header exactly."""
    if it.first is None or not 12 < it.octets[1] <= len(it.octets):
        return None
    return broken_if(it.options is None, f"options {it.octets[12 : it.octets[1]].hex(' ')}")


@rule(
    DatagramSubject, Level.MUST, f"{UDP} §4",
    "The segmentation option is the first option.", needs="a segment",
)  # fmt: skip
def segmentation_option_first(it: DatagramSubject) -> str | None:
    """Of all segments."""
    kinds = [kind for kind, _ in it.options or ()]
    if SEGMENTATION not in kinds:
        return None
    text = f"options of the types {', '.join(map(str, kinds))}"
    return broken_if(kinds.index(SEGMENTATION) or kinds.count(SEGMENTATION) > 1, text)


@rule(
    DatagramSubject, Level.MUST, f"{UDP} §4.1",
    "The segmentation option is 4 octets long.", needs="a segment",
)  # fmt: skip
def segmentation_option_length(it: DatagramSubject) -> str | None:
    """Type, length and 16 bits."""
    sizes = [len(data) + 2 for kind, data in it.options or () if kind == SEGMENTATION]
    if not sizes:
        return None
    return broken_if(sizes[0] != 4, f"{sizes[0]} octets")


@rule(
    DatagramSubject, Level.MUST, f"{UDP} §4.1",
    "The flag of the last segment is the lowest bit of the option.", needs="a segment",
)  # fmt: skip
def last_segment_flag(it: DatagramSubject) -> str | None:
    """Seen on a router: the top bit, which makes segment 1 number 16,384."""
    data = next((data for kind, data in it.options or () if kind == SEGMENTATION), b"")
    if len(data) != 2:
        return None
    number = int.from_bytes(data) >> 1
    text = f"option octets {data.hex(' ')} are segment {number:,}: the flag is in the top bit"
    return broken_if(number >= _FIRST_SEGMENTS, text)


@rule(
    DatagramSubject, Level.MUST, f"{UDP} §8.1.2",
    "The types of options are registered ones.", needs="a header with options",
)  # fmt: skip
def option_types_registered(it: DatagramSubject) -> str | None:
    """Only segmentation is."""
    kinds = [kind for kind, _ in it.options or ()]
    if not kinds:
        return None
    other = next((kind for kind in kinds if kind != SEGMENTATION), None)
    return KEPT if other is None else f"an option of type {other}"


@rule(
    DatagramSubject, Level.MUST, f"{UDP} §4.1",
    "Datagrams do not need IP fragmentation.",
)  # fmt: skip
def no_ip_fragmentation(it: DatagramSubject) -> str | None:
    """As the capture shows them: a router on the way may have fragmented them in IPv4."""
    found = it.datagram.fragments
    return broken_if(found > 1, f"{len(it.octets)} octets in {found} IP fragments")


@rule(
    DatagramSubject, Level.MUST, f"{UDP} §4.1, §7",
    "No datagram is longer than max-segment-size.", needs="--max-segment-size",
)  # fmt: skip
def max_segment_size(it: DatagramSubject) -> str | None:
    """Header and options included."""
    if it.max_segment_size is None:
        return None
    text = f"{len(it.octets)} octets where max-segment-size is {it.max_segment_size}"
    return broken_if(len(it.octets) > it.max_segment_size, text)


@rule(
    DatagramSubject, Level.SHOULD, f"{UDP} §3.1, §11",
    "The source port is an ephemeral one.",
)  # fmt: skip
def ephemeral_source_port(it: DatagramSubject) -> str | None:
    """Not a system port, and not the receiver's own number."""
    origin = it.datagram.origin
    same = origin.source_port == origin.destination_port
    return broken_if(same or origin.source_port < 1024, f"source port {origin.source_port}")


@rule(
    DatagramSubject, Level.SHOULD, f"{UDP} §5.1",
    "Datagrams are marked CS2, which keeps them apart from other traffic.",
)  # fmt: skip
def marked_cs2(it: DatagramSubject) -> str | None:
    """As the capture shows them: the network may have changed the mark."""
    dscp = it.datagram.origin.dscp
    return None if dscp is None else broken_if(dscp != _CS2, f"DSCP {dscp}")


@rule(
    EventSubject, Level.MUST, f"{UDP} §3.2, §4",
    "No datagram has to be refused.",
    needs="a journal of UDP-notif; in a capture each datagram is looked at by itself",
)  # fmt: skip
def datagrams_can_be_used(it: EventSubject) -> str | None:
    """A journal keeps the reason, not the datagram."""
    return it.text if it.kind == "refused" else None
