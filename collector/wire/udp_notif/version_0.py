"""Headers of version 0, of which there are two kinds: one value, or columns.

Does: tell the two apart and read them.

* ``legacy``: draft-ietf-netconf-udp-pub-channel-05. Version (4 bits, 0), Flags (8), Encoding (4),
  Message Length (16), id (32), Message ID (32); no options; encodings 0 GPB, 1 CBOR, 2 JSON, 3 XML.
* udp-notif -02 to -06: the layout of version 1. Media types up to -03: 0 CBOR, 1 JSON, 2 XML; from
  -04 on those of version 1, with 0 reserved. So 0 is CBOR here, and nothing else differs.

Does not: read version 1 (``datagrams``), or the option of six octets that -01 had for fragments.

Rules: both kinds say the octets of the datagram in octets 2 and 3, or it is refused. Octet 1 tells
them apart: as Header Len it is 12 or more, with options that end just there; in ``legacy`` it is
0 to 3 as long as the lower four flags are not set. With flags that look like a Header Len the first
reading wins (ours), unless the sender is known to be of the other kind.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collector.errors import WireError
from collector.wire.udp_notif.options import (
    HEADER_LENGTH,
    SEGMENTATION,
    SEGMENTATION_OPTION,
    Header,
    decode_header_options,
    refusal,
)

_CBOR: Final = 3
"""``MT`` of udp-notif-26 §8.1.1."""
_LEGACY_MEDIA_TYPES: Final = (0, 3, 1, 2)
"""Encoding of udp-pub-channel-05 (GPB, CBOR, JSON, XML) -> ``MT``; GPB has none, 0 is reserved."""
_MEDIA_TYPES: Final = np.array(_LEGACY_MEDIA_TYPES, np.uint8)
_SEGMENTATION: Final = SEGMENTATION << 8 | SEGMENTATION_OPTION.size


# --------------------------------------------------------------------------- one datagram
def decode_version_0(
    datagram: bytes | bytearray | memoryview, *, legacy: bool = False, top_bit_last: bool = False
) -> Header:
    """The checked header of a datagram of at least 12 octets whose first three bits are 0.

    Args:
        datagram: payload of one UDP datagram.
        legacy: its sender writes headers of udp-pub-channel-05 only.
        top_bit_last: as for ``decode_header_options``.

    Raises:
        WireError: ``version-0`` when it is neither kind, ``bad-message-length``, and for options
            those of ``decode_header_options``.
    """
    size, message_length = len(datagram), int.from_bytes(datagram[2:4])
    if message_length != size:
        message = f"message length {message_length} in a datagram of {size} octets"
        raise refusal("bad-message-length", message, 2, "Message Length")
    first, second = datagram[0], datagram[1]
    if second < HEADER_LENGTH or legacy:
        return _decode_legacy(datagram, first, second)
    if second > size:
        message = f"header length {second} in a datagram of {size} octets"
        raise refusal("bad-header-length", message, 1, "Header Len")
    options, segment = decode_header_options(
        bytes(datagram[HEADER_LENGTH:second]), top_bit_last=top_bit_last
    )
    private, media_type = bool(first & 0x10), first & 0x0F
    return Header(
        0,
        private,
        media_type if media_type or private else _CBOR,
        second,
        message_length,
        int.from_bytes(datagram[4:8]),
        int.from_bytes(datagram[8:12]),
        options,
        segment,
    )


def _decode_legacy(datagram: bytes | bytearray | memoryview, first: int, second: int) -> Header:
    encoding = second & 0x0F
    if first >> 4 or encoding >= len(_LEGACY_MEDIA_TYPES):
        message = f"octets {first:#04x} {second:#04x} begin no header of version 0"
        raise refusal("version-0", message, 0, "Ver")
    return Header(
        0,
        False,
        _LEGACY_MEDIA_TYPES[encoding],
        HEADER_LENGTH,
        len(datagram),
        int.from_bytes(datagram[4:8]),
        int.from_bytes(datagram[8:12]),
    )


def is_legacy(datagram: bytes | bytearray | memoryview) -> bool:
    """Could it be a message of udp-pub-channel-05, whatever its flags?"""
    if len(datagram) < HEADER_LENGTH or datagram[0] >> 4:
        return False
    try:
        decode_version_0(datagram, legacy=True)
    except WireError:
        return False
    return True


# --------------------------------------------------------------------------- columns
class OldColumns(NamedTuple):
    """Headers of version 0 among others; where neither is set ask ``decode_version_0``."""

    whole: NDArray[np.bool_]
    segment: NDArray[np.bool_]
    private_space: NDArray[np.bool_]
    media_type: NDArray[np.uint8]


def decode_version_0_columns(
    headers: NDArray[Any], lengths: NDArray[Any], legacy: NDArray[np.bool_] | None
) -> OldColumns:
    """Read headers of which some may be of version 0.

    Args:
        headers: with the fields of ``udp_notif.COLUMNS``.
        lengths: octets of each datagram.
        legacy: whose senders write udp-pub-channel-05 only; None: nobody's.
    """
    first, second = headers["first"], headers["header_length"]
    sound = (first >> 5 == 0) & (headers["message_length"] == lengths)
    sound &= lengths >= HEADER_LENGTH
    encoding = second & np.uint8(0x0F)
    old = sound & (first >> 4 == 0) & (encoding < len(_LEGACY_MEDIA_TYPES))
    if legacy is None:
        old &= second < HEADER_LENGTH
    else:
        old &= legacy | (second < HEADER_LENGTH)
        sound &= ~legacy
    private = (first & 0x10 != 0) & ~old
    media_type = np.where(old, _MEDIA_TYPES[encoding & np.uint8(3)], first & np.uint8(0x0F))
    media_type[(media_type == 0) & ~private & ~old] = _CBOR
    return OldColumns(
        old | (sound & (second == HEADER_LENGTH)),
        sound
        & (second == HEADER_LENGTH + SEGMENTATION_OPTION.size)
        & (lengths >= second)
        & (headers["option"] == _SEGMENTATION),
        private,
        media_type,
    )
