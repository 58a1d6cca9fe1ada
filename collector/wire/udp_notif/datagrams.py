"""UDP-notif datagrams <-> values: header, options, segmentation option; one value or columns.

Does: check and read the version-1 header of draft-ietf-netconf-udp-notif-26 (§3.2) with its option
TLVs (§4), for one datagram or for a whole slab of them; write a message as one datagram or as
segments (§4.1). Does not: put segments together (``core.assembly``), look into payloads, or
judge media types: an unknown one is a number like any other. Options and the values of headers are
in ``options``, headers of version 0 in ``version_0``.

Rules: 12 <= Header Length <= Message Length = octets of the UDP payload, so exactly one message or
segment a datagram. Unknown options are kept as received; ``strict`` refuses them, as §4 demands of
a receiver that does not support them. All numbers are big endian. What known publishers do
otherwise is read only where the caller says so (``top_bit_last``, ``legacy``).

Reasons of ``WireError``: too-short, version-0, unknown-version, bad-header-length,
bad-message-length, bad-option, bad-segmentation, unknown-option.
"""

from __future__ import annotations

import struct
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collector.wire.udp_notif.options import (
    HEADER_LENGTH,
    MAX_HEADER_LENGTH,
    SEGMENTATION,
    SEGMENTATION_OPTION,
    TOP_BIT,
    Header,
    Option,
    Segment,
    decode_header_options,
    decode_options,
    encode_options,
    refusal,
)
from collector.wire.udp_notif.version_0 import decode_version_0, decode_version_0_columns

__all__ = [
    "HEADER_LENGTH",
    "MAX_HEADER_LENGTH",
    "MAX_PAYLOAD_IPV4",
    "MAX_SEGMENTS",
    "SEGMENTATION",
    "SEGMENT_HEADER_LENGTH",
    "VERSION",
    "Header",
    "HeaderColumns",
    "Option",
    "Segment",
    "decode_columns",
    "decode_header",
    "decode_options",
    "encode_message",
    "encode_options",
    "messages_in",
]

VERSION: Final = 1
"""``Ver``; 0 was written up to -06 and by udp-pub-channel, with other layouts (§8.1.3)."""
SEGMENT_HEADER_LENGTH: Final = HEADER_LENGTH + SEGMENTATION_OPTION.size
"""Octets of a header with nothing but the segmentation option."""
MAX_PAYLOAD_IPV4: Final = 65_507
"""Octets that a UDP datagram over IPv4 can carry (§4.1); over IPv6 20 more."""
MAX_SEGMENTS: Final = 1 << 15

_FIXED: Final = struct.Struct(">BBHII")
_SEGMENTATION: Final = SEGMENTATION << 8 | SEGMENTATION_OPTION.size
_UINT32_MAX: Final = 0xFFFF_FFFF
_COLUMNS: Final = np.dtype(
    [
        ("first", "u1"),  # Ver (3 bits), S (1 bit), MT (4 bits)
        ("header_length", "u1"),
        ("message_length", ">u2"),
        ("publisher_id", ">u4"),
        ("message_id", ">u4"),
        ("option", ">u2"),  # type and length of the first option
        ("segment", ">u2"),  # Segment Number (15 bits), L (1 bit)
    ]
)


class HeaderColumns(NamedTuple):
    """Headers of a slab of datagrams, one entry a datagram."""

    whole: NDArray[np.bool_]
    """A known version, no options, lengths right."""
    segment: NDArray[np.bool_]
    """A known version, no option but segmentation, lengths right. Where neither this nor ``whole``
    is set the other columns mean nothing: ask ``decode_header``, which knows or says what is
    wrong."""
    number: NDArray[np.uint16]
    """Segment Number, where ``segment`` is set."""
    last: NDArray[np.bool_]
    """``L``, where ``segment`` is set."""
    version: NDArray[np.uint8]
    private_space: NDArray[np.bool_]
    media_type: NDArray[np.uint8]
    publisher_id: NDArray[np.uint32]
    message_id: NDArray[np.uint32]


# --------------------------------------------------------------------------- decode
def decode_header(
    datagram: bytes | bytearray | memoryview,
    *,
    strict: bool = False,
    top_bit_last: bool = False,
    legacy: bool = False,
) -> Header:
    """Return the checked header; the payload is what follows ``header_length`` octets.

    Args:
        datagram: payload of one UDP datagram.
        strict: refuse options other than segmentation (§4).
        top_bit_last: its sender puts L into the highest bit of the segmentation option.
        legacy: its sender writes version 0 as udp-pub-channel-05 has it, and nothing else.

    Raises:
        WireError: one of the reasons listed at the top of this module.
    """
    size = len(datagram)
    if size < HEADER_LENGTH:
        raise refusal("too-short", f"{size} octets hold no header", size, "Header Len")
    version = datagram[0] >> 5
    if version == VERSION:
        header = _decode_version_1(datagram, top_bit_last)
    elif version == 0:
        header = decode_version_0(datagram, legacy=legacy, top_bit_last=top_bit_last)
    else:
        raise refusal("unknown-version", f"header version {version}, not 1", 0, "Ver")
    if strict and header.options:
        message = f"option of type {header.options[0]} is not supported"
        where = header.header_length - len(header.options)
        raise refusal("unknown-option", message, where, "Options", "4")
    return header


def _decode_version_1(datagram: bytes | bytearray | memoryview, top_bit_last: bool) -> Header:
    first, header_length, message_length, publisher_id, message_id = _FIXED.unpack_from(datagram)
    size = len(datagram)
    if message_length != size:
        message = f"message length {message_length} in a datagram of {size} octets"
        raise refusal("bad-message-length", message, 2, "Message Length")
    if not HEADER_LENGTH <= header_length <= size:
        message = f"header length {header_length} in a datagram of {size} octets"
        raise refusal("bad-header-length", message, 1, "Header Len")
    options, segment = b"", None
    if header_length > HEADER_LENGTH:
        octets = bytes(datagram[HEADER_LENGTH:header_length])
        options, segment = decode_header_options(octets, top_bit_last=top_bit_last)
    return Header(
        VERSION,
        bool(first & 0x10),
        first & 0x0F,
        header_length,
        message_length,
        publisher_id,
        message_id,
        options,
        segment,
    )


def messages_in(datagram: bytes | bytearray | memoryview) -> list[int]:
    """Where each message begins in a datagram that holds several of version 1 and nothing else.

    -26 §3 allows one only; empty where the lengths do not say that there are at least two.
    """
    starts, position, size = [], 0, len(datagram)
    while position + HEADER_LENGTH <= size and datagram[position] >> 5 == VERSION:
        starts.append(position)
        length = int.from_bytes(datagram[position + 2 : position + 4])
        if not HEADER_LENGTH <= datagram[position + 1] <= length:
            return []
        position += length
    return starts if position == size and len(starts) > 1 else []


def decode_columns(
    rows: NDArray[np.uint8],
    lengths: NDArray[Any],
    *,
    top_bit_last: NDArray[np.bool_] | None = None,
    legacy: NDArray[np.bool_] | None = None,
) -> HeaderColumns:
    """Read the headers of many datagrams at once.

    Args:
        rows: one datagram a row, at least 16 columns, C-contiguous. What lies in a row behind the
            datagram's end is not looked at.
        lengths: octets of each datagram, as many as there are rows.
        top_bit_last: which of them ``decode_header`` would be asked so for; None: none.
        legacy: likewise.
    """
    count, stride = rows.shape
    headers: NDArray[Any] = np.ndarray((count,), _COLUMNS, rows, 0, (stride,))
    first: NDArray[np.uint8] = headers["first"]
    header_length = headers["header_length"]
    number: NDArray[np.uint16] = headers["segment"]
    version = first >> np.uint8(5)
    sound = (
        (version == VERSION) & (headers["message_length"] == lengths) & (lengths >= header_length)
    )
    whole = sound & (header_length == HEADER_LENGTH)
    segment = sound & (header_length == SEGMENT_HEADER_LENGTH)
    segment &= headers["option"] == _SEGMENTATION
    private_space, media_type = first & 0x10 != 0, first & np.uint8(0x0F)
    if np.count_nonzero(version) < count:
        old = decode_version_0_columns(headers, lengths, legacy)
        whole |= old.whole
        segment |= old.segment
        here = version == 0
        private_space = np.where(here, old.private_space, private_space)
        media_type = np.where(here, old.media_type, media_type)
    last = number & 1 != 0
    number = number >> np.uint16(1)
    if top_bit_last is not None:
        raw = headers["segment"]
        last = np.where(top_bit_last, raw & TOP_BIT != 0, last)
        number = np.where(top_bit_last, raw & np.uint16(TOP_BIT - 1), number)
    return HeaderColumns(
        whole,
        segment,
        number,
        last,
        version,
        private_space,
        media_type,
        headers["publisher_id"].astype(np.uint32),
        headers["message_id"].astype(np.uint32),
    )


# --------------------------------------------------------------------------- encode
def encode_message(
    payload: bytes,
    *,
    media_type: int,
    publisher_id: int,
    message_id: int,
    private_space: bool = False,
    options: bytes = b"",
    max_segment_size: int = MAX_PAYLOAD_IPV4,
) -> list[bytes]:
    """Return the datagrams of one notification message, in order.

    One datagram when it fits into ``max_segment_size``, else segments, with ``options`` in the
    first one only (§4.1 demands them there, and allows them in the others).

    Args:
        payload: the encoded notification message.
        media_type: 0 to 15.
        publisher_id: uint32.
        message_id: uint32.
        private_space: the S flag.
        options: TLVs as ``encode_options`` makes them, segmentation not among them.
        max_segment_size: octets of a datagram, header and options included (§7).

    Raises:
        ValueError: a number outside its range, or a message that needs more than 32,768 segments.
    """
    if not 0 <= media_type <= 15:
        raise ValueError(f"media type is 0 to 15, not {media_type}")
    if not (0 <= publisher_id <= _UINT32_MAX and 0 <= message_id <= _UINT32_MAX):
        raise ValueError(f"publisher id {publisher_id} or message id {message_id} is not uint32")
    first = VERSION << 5 | private_space << 4 | media_type

    def datagram(octets: bytes, part: bytes) -> bytes:
        length = HEADER_LENGTH + len(octets)
        fixed = _FIXED.pack(first, length, length + len(part), publisher_id, message_id)
        return fixed + octets + part

    segmented = HEADER_LENGTH + len(options) + len(payload) > max_segment_size
    longest = HEADER_LENGTH + len(options) + segmented * SEGMENTATION_OPTION.size
    if longest > MAX_HEADER_LENGTH:
        raise ValueError(f"header length is at most {MAX_HEADER_LENGTH}, not {longest}")
    if not longest + segmented <= max_segment_size <= 0xFFFF:
        raise ValueError(f"max-segment-size {max_segment_size} leaves no room for this message")
    if not segmented:
        return [datagram(options, payload)]
    parts = _split(payload, max_segment_size - longest, max_segment_size - longest + len(options))
    if len(parts) > MAX_SEGMENTS:
        raise ValueError(f"the message needs more than {MAX_SEGMENTS} segments")
    datagrams = []
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        octets = SEGMENTATION_OPTION.pack(SEGMENTATION, 4, number << 1 | last)
        datagrams.append(datagram(octets if number else octets + options, part))
    return datagrams


def _split(payload: bytes, first: int, others: int) -> list[bytes]:
    """``payload`` in parts of ``first`` octets, then of ``others`` octets each."""
    starts = range(first, len(payload), others)
    return [payload[:first], *(payload[start : start + others] for start in starts)]
