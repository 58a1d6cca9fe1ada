"""DTLS 1.2 as far as it is in the clear, and how UDP-notif messages lie in it.

Does: find the records of a datagram, know a ClientHello, cut a flight into datagrams; take the
framing off application data, and put it on. Does not: encrypt, decrypt, or keep state
(``receivers.tls.dtls_session``).

Rules: a datagram holds whole records and nothing else, or it is refused as one: what follows a
broken record has no known beginning. Application data is one UDP-notif message or segment since
draft-ietf-netconf-udp-notif-26 §6.1.2 (``single``); up to -25 it was one or more, each behind its
length in decimal digits and a space (``counted``). ``auto`` looks at the first octet: a digit from
1 to 9 begins a counted one; it is also how a message of a private media type (S=1) begins, so
where there are any the framing has to be told.

Spec: RFC 6347 §4.1, §4.2; draft-ietf-netconf-udp-notif-26 §6.1; -25 §6.
"""

from __future__ import annotations

import struct
from typing import Final, Literal

from collector.errors import WireError

Framing = Literal["auto", "single", "counted"]

ALERT: Final = 21
HANDSHAKE: Final = 22
APPLICATION_DATA: Final = 23
RECORD_HEADER: Final = 13
"""Octets: type, version, epoch, sequence number, length (RFC 6347 §4.1)."""
MAX_DATA: Final = 1 << 14
"""Octets of application data in a record."""

_RECORD: Final = struct.Struct(">BBBHHIH")
"""Type, version (two octets), epoch, sequence number (48 bits in two), length."""
_MAJOR: Final = 0xFE
"""Of the version of DTLS 1.0 and 1.2."""
_TYPES: Final = range(20, 24)
_DATA_RECORD: Final = bytes((APPLICATION_DATA, _MAJOR))
_HANDSHAKE_HEADER: Final = 12
"""Octets: type, length (3), message number (2), fragment offset (3) and length (3)."""
_CLIENT_HELLO: Final = 1
_DIGITS: Final = frozenset(b"0123456789")
_LONGEST_LENGTH: Final = 5
"""Digits of the longest message that a record can hold."""


# --------------------------------------------------------------------------- records
def record_types(datagram: bytes | memoryview) -> bytes:
    """The type of each record in a datagram.

    Raises:
        WireError: reason ``bad-record``: it is not made of whole records of DTLS 1.2.
    """
    position, size, types = 0, len(datagram), bytearray()
    while position < size:
        if position + RECORD_HEADER > size:
            raise _bad(f"{size - position} octets hold no record header", position, "type")
        kind, major, _, _, _, _, length = _RECORD.unpack_from(datagram, position)
        if kind not in _TYPES or major != _MAJOR:
            message = f"type {kind} and version {major} begin no record"
            raise _bad(message, position, "type")
        if position + RECORD_HEADER + length > size:
            message = f"a record of {length} octets in a datagram of {size}"
            raise _bad(message, position + 11, "length")
        types.append(kind)
        position += RECORD_HEADER + length
    if not types:
        raise _bad("a datagram without a record", 0, "type")
    return bytes(types)


def is_one_of_data(datagram: bytes) -> bool:
    """Is a datagram one record of application data and nothing else? Most are."""
    return (
        datagram[:2] == _DATA_RECORD
        and len(datagram) >= RECORD_HEADER
        and len(datagram) - RECORD_HEADER == datagram[11] << 8 | datagram[12]
    )


def is_client_hello(datagram: bytes | memoryview) -> bool:
    """Does a datagram, known to be made of records, begin a handshake (RFC 6347 §4.2.1)?

    One in several fragments does not: without state nobody can put it together.
    """
    kind, _, _, epoch, _, _, length = _RECORD.unpack_from(datagram)
    if kind != HANDSHAKE or epoch or length < _HANDSHAKE_HEADER:
        return False
    header = datagram[RECORD_HEADER : RECORD_HEADER + _HANDSHAKE_HEADER]
    return header[0] == _CLIENT_HELLO and not any(header[6:9]) and header[1:4] == header[9:12]


def datagrams_of(flight: bytes, mtu: int) -> list[bytes]:
    """The records of a flight in as few datagrams as take ``mtu`` octets each, in order.

    A record that is longer stands alone.
    """
    datagrams: list[bytes] = []
    start = position = 0
    while position < len(flight):
        length = int.from_bytes(flight[position + 11 : position + 13])
        end = position + RECORD_HEADER + length
        if end - start > mtu and position > start:
            datagrams.append(flight[start:position])
            start = position
        position = end
    if start < len(flight):
        datagrams.append(flight[start:])
    return datagrams


def _bad(message: str, offset: int, field: str) -> WireError:
    return WireError("bad-record", message, offset=offset, field=field, clause="RFC 6347 §4.1")


# --------------------------------------------------------------------------- application data
def unframe(data: bytes, framing: Framing) -> list[bytes]:
    """The UDP-notif messages, or segments, in the application data of one record.

    Raises:
        WireError: reason ``bad-framing``.
    """
    if framing == "single" or (framing == "auto" and not 0x31 <= _first(data) <= 0x39):
        return [data]
    messages: list[bytes] = []
    position = 0
    while position < len(data) or not messages:
        end = data.find(b" ", position, position + _LONGEST_LENGTH + 1)
        digits = data[position : max(end, position)]
        if not digits or not _DIGITS.issuperset(digits) or digits[0] == 0x30:
            raise _bad_framing("no length in decimal digits and a space", position)
        length = int(digits)
        if end + 1 + length > len(data):
            raise _bad_framing(f"{length} octets are announced and not there", position)
        messages.append(data[end + 1 : end + 1 + length])
        position = end + 1 + length
    return messages


def _first(data: bytes) -> int:
    return data[0] if data else 0


def _bad_framing(message: str, offset: int) -> WireError:
    clause = "draft-ietf-netconf-udp-notif-25 §6"
    return WireError("bad-framing", message, offset=offset, field="MSG-LEN", clause=clause)


def frame(messages: list[bytes], framing: Literal["single", "counted"]) -> list[bytes]:
    """Application data of the records that carry ``messages``, in order.

    ``counted`` puts as many into one as fit.

    Raises:
        ValueError: a message that no record can hold.
    """
    records: list[bytes] = []
    for message in messages:
        data = message if framing == "single" else b"%d %b" % (len(message), message)
        if len(data) > MAX_DATA:
            raise ValueError(f"{len(data)} octets do not go into one record")
        if framing == "counted" and records and len(records[-1]) + len(data) <= MAX_DATA:
            records[-1] += data
        else:
            records.append(data)
    return records
