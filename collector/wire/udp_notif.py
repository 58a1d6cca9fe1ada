"""UDP-notif datagrams <-> values: header, options, segmentation option; one value or columns.

Does: check and read the version-1 header of draft-ietf-netconf-udp-notif-26 (§3.2) with its option
TLVs (§4), for one datagram or for a whole slab of them; write a message as one datagram or as
segments (§4.1). Does not: put segments together (``core.reassembly``), look into payloads, or judge
media types: an unknown one is a number like any other.

Rules: 12 <= Header Length <= Message Length = octets of the UDP payload, so exactly one message or
segment a datagram. An option shorter than 2 octets or running past the header is malformed (ours:
the draft is silent). The segmentation option comes first or the datagram is refused (§4 allows
that). Other options are kept as received; ``strict`` refuses them, as §4 demands of a receiver
that does not support them. All numbers are big endian.

Reasons of ``WireError``: too-short, version-0, unknown-version, bad-header-length,
bad-message-length, bad-option, bad-segmentation, unknown-option.
"""

from __future__ import annotations

import struct
from typing import Any, Final, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from collector.errors import WireError

VERSION: Final = 1
"""``Ver``; 0 was written up to -06 and by udp-pub-channel, with other layouts (§8.1.3)."""
HEADER_LENGTH: Final = 12
"""Octets of the fixed header."""
SEGMENT_HEADER_LENGTH: Final = 16
"""Octets of a header with nothing but the segmentation option."""
MAX_HEADER_LENGTH: Final = 255
MAX_PAYLOAD_IPV4: Final = 65_507
"""Octets that a UDP datagram over IPv4 can carry (§4.1); over IPv6 20 more."""
MAX_SEGMENTS: Final = 1 << 15
SEGMENTATION: Final = 1
"""Option type (§8.1.2)."""

_DRAFT: Final = "draft-ietf-netconf-udp-notif-26"
_FIXED: Final = struct.Struct(">BBHII")
_SEGMENTATION_OPTION: Final = struct.Struct(">BBH")
_SEGMENTATION: Final = SEGMENTATION << 8 | _SEGMENTATION_OPTION.size
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


class Option(Struct, frozen=True, gc=False):
    """One option TLV (§4)."""

    type: int
    """0 to 255; 0 is reserved, 1 is segmentation, 2 was "private encoding" in -03 to -18."""
    data: bytes
    """Without type and length, 0 to 241 octets."""


class Segment(Struct, frozen=True, gc=False):
    """Segmentation option (§4.1)."""

    number: int
    """Segment Number, 15 bits, the first one is 0."""
    last: bool
    """``L``: the message has ``number`` + 1 segments."""


class Header(Struct, frozen=True, gc=False):
    """The header of one datagram, options included."""

    version: int
    private_space: bool
    """``S``: the media type is of the private space."""
    media_type: int
    """``MT``, 0 to 15; ``model.MediaType`` where it is known and ``private_space`` is not set."""
    header_length: int
    """Octets up to the payload, options included: 12 to 255."""
    message_length: int
    """Octets of this datagram, header included."""
    publisher_id: int
    """Message Publisher ID, uint32."""
    message_id: int
    """Message ID, uint32."""
    options: bytes = b""
    """Options as received, the segmentation option left out."""
    segment: Segment | None = None
    """None: the message is whole."""


class HeaderColumns(NamedTuple):
    """Headers of a slab of datagrams, one entry a datagram."""

    whole: NDArray[np.bool_]
    """Version 1, no options, lengths right."""
    segment: NDArray[np.bool_]
    """Version 1, no option but segmentation, lengths right. Where neither this nor ``whole`` is
    set the other columns mean nothing: ask ``decode_header``, which knows or says what is wrong."""
    number: NDArray[np.uint16]
    """Segment Number, where ``segment`` is set."""
    last: NDArray[np.bool_]
    """``L``, where ``segment`` is set."""
    private_space: NDArray[np.bool_]
    media_type: NDArray[np.uint8]
    publisher_id: NDArray[np.uint32]
    message_id: NDArray[np.uint32]


# --------------------------------------------------------------------------- decode
def decode_header(datagram: bytes | bytearray | memoryview, *, strict: bool = False) -> Header:
    """Return the checked header; the payload is what follows ``header_length`` octets.

    Args:
        datagram: payload of one UDP datagram.
        strict: refuse options other than segmentation (§4).

    Raises:
        WireError: one of the reasons listed at the top of this module.
    """
    size = len(datagram)
    if size < HEADER_LENGTH:
        raise _bad("too-short", f"{size} octets hold no header", size, "Header Len")
    first, header_length, message_length, publisher_id, message_id = _FIXED.unpack_from(datagram)
    version = first >> 5
    if version != VERSION:
        reason = "version-0" if version == 0 else "unknown-version"
        raise _bad(reason, f"header version {version}, not 1", 0, "Ver")
    if message_length != size:
        message = f"message length {message_length} in a datagram of {size} octets"
        raise _bad("bad-message-length", message, 2, "Message Length")
    if not HEADER_LENGTH <= header_length <= size:
        message = f"header length {header_length} in a datagram of {size} octets"
        raise _bad("bad-header-length", message, 1, "Header Len")
    options, segment = b"", None
    if header_length > HEADER_LENGTH:
        options, segment = _decode_options(bytes(datagram[HEADER_LENGTH:header_length]))
        if strict and options:
            message = f"option of type {options[0]} is not supported"
            where = header_length - len(options)
            raise _bad("unknown-option", message, where, "Options", "4")
    return Header(
        version,
        bool(first & 0x10),
        first & 0x0F,
        header_length,
        message_length,
        publisher_id,
        message_id,
        options,
        segment,
    )


def _decode_options(octets: bytes) -> tuple[bytes, Segment | None]:
    """The options other than segmentation as received, and the segmentation option."""
    position, segment = 0, None
    while position < len(octets):
        kind, length = _option_at(octets, position)
        if kind == SEGMENTATION:
            where = HEADER_LENGTH + position
            if position:
                message = "the segmentation option is not the first option"
                raise _bad("bad-segmentation", message, where, "Options", "4")
            if length != _SEGMENTATION_OPTION.size:
                message = f"a segmentation option of {length} octets"
                raise _bad("bad-segmentation", message, where + 1, "Length", "4.1")
            number = _SEGMENTATION_OPTION.unpack_from(octets)[2]
            segment = Segment(number >> 1, bool(number & 1))
        position += length
    return (octets if segment is None else octets[_SEGMENTATION_OPTION.size :]), segment


def _option_at(octets: bytes, position: int) -> tuple[int, int]:
    """Type and length of the option TLV at ``position``, checked against the end."""
    left = len(octets) - position
    length = octets[position + 1] if left > 1 else 0
    if not 2 <= length <= left:
        message = f"option length {length} where {left} octets are left"
        raise _bad("bad-option", message, HEADER_LENGTH + position + 1, "Length", "4")
    return octets[position], length


def decode_options(octets: bytes) -> tuple[Option, ...]:
    """Split options as received (``Header.options``) into values.

    Raises:
        WireError: reason ``bad-option``.
    """
    options = []
    position = 0
    while position < len(octets):
        kind, length = _option_at(octets, position)
        options.append(Option(kind, octets[position + 2 : position + length]))
        position += length
    return tuple(options)


def decode_columns(rows: NDArray[np.uint8], lengths: NDArray[Any]) -> HeaderColumns:
    """Read the headers of many datagrams at once.

    Args:
        rows: one datagram a row, at least 16 columns, C-contiguous. What lies in a row behind the
            datagram's end is not looked at.
        lengths: octets of each datagram, as many as there are rows.
    """
    count, stride = rows.shape
    headers: NDArray[Any] = np.ndarray((count,), _COLUMNS, rows, 0, (stride,))
    first: NDArray[np.uint8] = headers["first"]
    header_length = headers["header_length"]
    segment: NDArray[np.uint16] = headers["segment"]
    sound = (
        (first >> 5 == VERSION)
        & (headers["message_length"] == lengths)
        & (lengths >= header_length)
    )
    return HeaderColumns(
        sound & (header_length == HEADER_LENGTH),
        sound & (header_length == SEGMENT_HEADER_LENGTH) & (headers["option"] == _SEGMENTATION),
        segment >> np.uint16(1),
        segment & 1 != 0,
        first & 0x10 != 0,
        first & np.uint8(0x0F),
        headers["publisher_id"].astype(np.uint32),
        headers["message_id"].astype(np.uint32),
    )


def _bad(reason: str, message: str, offset: int, field: str, section: str = "3.2") -> WireError:
    return WireError(reason, message, offset=offset, field=field, clause=f"{_DRAFT} §{section}")


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
    longest = HEADER_LENGTH + len(options) + segmented * _SEGMENTATION_OPTION.size
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
        octets = _SEGMENTATION_OPTION.pack(SEGMENTATION, 4, number << 1 | last)
        datagrams.append(datagram(octets if number else octets + options, part))
    return datagrams


def _split(payload: bytes, first: int, others: int) -> list[bytes]:
    """``payload`` in parts of ``first`` octets, then of ``others`` octets each."""
    starts = range(first, len(payload), others)
    return [payload[:first], *(payload[start : start + others] for start in starts)]


def encode_options(options: tuple[Option, ...]) -> bytes:
    """Return the TLVs of ``options``.

    Raises:
        ValueError: a type outside 0 to 255, segmentation, or data longer than 241 octets.
    """
    octets = bytearray()
    for option in options:
        length = len(option.data) + 2
        if option.type == SEGMENTATION or length > MAX_HEADER_LENGTH - HEADER_LENGTH:
            raise ValueError(f"option {option.type} of {length} octets cannot be written here")
        octets += bytes((option.type, length)) + option.data
    return bytes(octets)
