"""Values of UDP-notif headers, and their options <-> octets.

Does: split the option TLVs of a header (draft-ietf-netconf-udp-notif-26 §4), the segmentation
option apart from the others, and write them. Does not: read fixed headers (``datagrams``).

Rules: an option shorter than 2 octets or running past the header is malformed (ours: the draft is
silent). The segmentation option comes first or the datagram is refused (§4 allows that). Other
options are kept as received.
"""

from __future__ import annotations

import struct
from typing import Final

from msgspec import Struct

from collector.errors import WireError

HEADER_LENGTH: Final = 12
"""Octets of the fixed header."""
MAX_HEADER_LENGTH: Final = 255
SEGMENTATION: Final = 1
"""Option type (§8.1.2)."""
SEGMENTATION_OPTION: Final = struct.Struct(">BBH")
"""Type, Length, Segment Number with L (§4.1)."""
TOP_BIT: Final = 0x8000
"""Where some publishers put L, with the Segment Number in the 15 bits below it."""

_DRAFT: Final = "draft-ietf-netconf-udp-notif-26"


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


def refusal(reason: str, message: str, offset: int, field: str, section: str = "3.2") -> WireError:
    """What to raise for a datagram, with the clause that it breaks."""
    return WireError(reason, message, offset=offset, field=field, clause=f"{_DRAFT} §{section}")


# --------------------------------------------------------------------------- decode
def decode_header_options(
    octets: bytes, *, top_bit_last: bool = False
) -> tuple[bytes, Segment | None]:
    """The options other than segmentation as received, and the segmentation option.

    Args:
        octets: what stands between the fixed header and the payload.
        top_bit_last: L is the highest bit, not the lowest.

    Raises:
        WireError: reason ``bad-option`` or ``bad-segmentation``.
    """
    position, segment = 0, None
    while position < len(octets):
        kind, length = _option_at(octets, position)
        if kind == SEGMENTATION:
            where = HEADER_LENGTH + position
            if position:
                message = "the segmentation option is not the first option"
                raise refusal("bad-segmentation", message, where, "Options", "4")
            if length != SEGMENTATION_OPTION.size:
                message = f"a segmentation option of {length} octets"
                raise refusal("bad-segmentation", message, where + 1, "Length", "4.1")
            number = SEGMENTATION_OPTION.unpack_from(octets)[2]
            segment = (
                Segment(number & ~TOP_BIT, bool(number & TOP_BIT))
                if top_bit_last
                else Segment(number >> 1, bool(number & 1))
            )
        position += length
    return (octets if segment is None else octets[SEGMENTATION_OPTION.size :]), segment


def _option_at(octets: bytes, position: int) -> tuple[int, int]:
    """Type and length of the option TLV at ``position``, checked against the end."""
    left = len(octets) - position
    length = octets[position + 1] if left > 1 else 0
    if not 2 <= length <= left:
        message = f"option length {length} where {left} octets are left"
        raise refusal("bad-option", message, HEADER_LENGTH + position + 1, "Length", "4")
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


# --------------------------------------------------------------------------- encode
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
