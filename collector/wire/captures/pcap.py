"""Capture files <-> UDP datagrams with times: pcap and pcapng.

Does: read both formats, either byte order, microseconds or nanoseconds, packet by packet in
constant memory; write nanosecond pcap (link type RAW). Does not: open files, or look into packets
(``packets`` does).

Rules: everything before a damaged place is given out first, then WireError says where it is, so
a capture cut off by a full disk can still be used. No length in the file is believed above
``MAX_BLOCK``.

Spec: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
Reasons of WireError: not-a-capture, truncated, bad-block, unknown-link-type.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import ip_address
from typing import BinaryIO, Final, NamedTuple

from collector.errors import WireError
from collector.model import SECOND
from collector.wire.captures.packets import LINK_TYPES, RAW, PacketReader, UdpPacket

__all__ = ["CaptureReader", "UdpPacket", "read_pcap", "write_pcap"]

MAX_BLOCK: Final = 16 * 1024 * 1024
"""Octets of the longest packet or block; ours."""
MAX_INTERFACES: Final = 4096
"""Interface blocks in one section of a pcapng file; ours."""

_PCAP: Final = "draft-ietf-opsawg-pcap"
_PCAPNG: Final = "draft-ietf-opsawg-pcapng"
_MAGIC: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"""First octets of a pcap file -> byte order, ns in a unit of its fractions."""
_SECTION: Final = 0x0A0D0D0A
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET = 1, 2, 3, 6
_TIME_RESOLUTION, _TIME_OFFSET = 9, 14


class _Frame(NamedTuple):
    link_type: int
    octets: bytes
    time_ns: int


class _Interface(NamedTuple):
    """What a pcapng interface block says about the packets that name it."""

    link_type: int
    ticks: int
    """Units of a time stamp in one second."""
    offset: int
    """Seconds to add."""


class CaptureReader:
    """The UDP datagrams of one capture file, in file order; iterate once."""

    def __init__(self, file: BinaryIO) -> None:
        """``file`` is open for reading in binary mode and stays the caller's to close."""
        self._file = file
        self._offset = 0
        self._packets = PacketReader()

    @property
    def skipped(self) -> dict[str, int]:
        """Why frames were skipped so far -> how many (words: see ``PacketReader``)."""
        return self._packets.skipped

    def __iter__(self) -> Iterator[UdpPacket]:
        """Raises WireError at the damaged place, after all that was readable."""
        for frame in self._frames():
            packet = self._packets.read(*frame)
            if packet is not None:
                yield packet

    def _frames(self) -> Iterator[_Frame]:
        magic = self._read(4, "the first four octets", may_end=True)
        if not magic:
            raise WireError("truncated", "the file is empty", clause=_PCAP)
        if magic in _MAGIC:
            yield from self._pcap(*_MAGIC[magic])
        elif int.from_bytes(magic) == _SECTION:
            yield from self._pcapng()
        else:
            raise WireError("not-a-capture", "neither a pcap nor a pcapng file", clause=_PCAP)

    def _read(self, size: int, what: str, *, may_end: bool = False) -> bytes:
        """Exactly ``size`` octets; empty at a proper end of the file if that is allowed."""
        octets = self._file.read(size)
        if len(octets) < size and (octets or not may_end):
            message = f"the file ends inside {what}"
            raise WireError("truncated", message, offset=self._offset + len(octets))
        self._offset += len(octets)
        return octets

    def _bad(self, message: str, clause: str) -> WireError:
        return WireError("bad-block", message, offset=self._offset, clause=clause)

    # ----------------------------------------------------------------- pcap
    def _pcap(self, order: str, unit: int) -> Iterator[_Frame]:
        header = self._read(20, "the file header")
        link_type = struct.unpack_from(order + "I", header, 16)[0] & 0xFFFF
        if link_type not in LINK_TYPES:
            message = f"link type {link_type} is not understood"
            raise WireError("unknown-link-type", message, offset=20, clause=_PCAP)
        record = struct.Struct(order + "IIII")
        while head := self._read(16, "a packet header", may_end=True):
            seconds, fraction, size, _ = record.unpack(head)
            if size > MAX_BLOCK:
                raise self._bad(f"a packet of {size} octets", _PCAP)
            octets = self._read(size, "a packet")
            yield _Frame(link_type, octets, seconds * SECOND + fraction * unit)

    # ----------------------------------------------------------------- pcapng
    def _pcapng(self) -> Iterator[_Frame]:
        order = self._section_start()
        interfaces: list[_Interface] = []
        while head := self._read(8, "a block header", may_end=True):
            if int.from_bytes(head[:4]) == _SECTION:
                # its length is in the byte order of the new section, still unknown here
                order, interfaces = self._section_start(head[4:]), []
                continue
            kind, length = struct.unpack(order + "II", head)
            body = self._body(length)
            try:
                if kind == _INTERFACE:
                    if len(interfaces) >= MAX_INTERFACES:
                        raise self._bad("too many interfaces", _PCAPNG)
                    interfaces.append(_interface(order, body))
                elif kind in (_OLD_PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET):
                    yield _packet(order, kind, body, interfaces)
            except (struct.error, IndexError, ArithmeticError):
                raise self._bad(f"a malformed block of type {kind}", _PCAPNG) from None

    def _section_start(self, length_field: bytes = b"") -> str:
        """Read a section header block from its length on; returns the byte order."""
        length_field = length_field or self._read(4, "a section header")
        magic = self._read(4, "a section header")
        orders = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
        if magic not in orders:
            raise self._bad("a section header without its byte-order magic", _PCAPNG)
        order = orders[magic]
        self._body(struct.unpack(order + "I", length_field)[0], already=12)
        return order

    def _body(self, length: int, *, already: int = 8) -> bytes:
        """The rest of a block of ``length`` octets, its second length field checked."""
        left = length - already - 4
        if left < 0 or length > MAX_BLOCK or length % 4:
            raise self._bad(f"a block of {length} octets", _PCAPNG)
        body = self._read(left, "a block")
        self._read(4, "a block")
        return body


def _interface(order: str, body: bytes) -> _Interface:
    link_type = struct.unpack_from(order + "H", body)[0]
    ticks, offset, position = 1_000_000, 0, 8
    while position + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, position)
        if code == _TIME_RESOLUTION:
            exponent = body[position + 4]
            ticks = 2 ** (exponent & 0x7F) if exponent & 0x80 else 10**exponent
        elif code == _TIME_OFFSET:
            offset = struct.unpack_from(order + "q", body, position + 4)[0]
        position += 4 + (size + 3 & ~3)
    return _Interface(link_type, ticks, offset)


def _packet(order: str, kind: int, body: bytes, interfaces: list[_Interface]) -> _Frame:
    if kind == _SIMPLE_PACKET:  # no time, always of the first interface
        size = min(struct.unpack_from(order + "I", body)[0], len(body) - 4)
        return _Frame(interfaces[0].link_type, body[4 : 4 + size], 0)
    form = "IIIII" if kind == _ENHANCED_PACKET else "HHIIII"
    number, *_, high, low, size, _ = struct.unpack_from(order + form, body)
    interface = interfaces[number]
    if size > len(body) - 20:
        raise IndexError(size)
    time_ns: int = (high << 32 | low) * SECOND // interface.ticks + interface.offset * SECOND
    return _Frame(interface.link_type, body[20 : 20 + size], time_ns)


def read_pcap(file: BinaryIO) -> Iterator[UdpPacket]:
    """Iterate over the UDP datagrams of a capture file (see ``CaptureReader``)."""
    return iter(CaptureReader(file))


# --------------------------------------------------------------------------- encode
def write_pcap(file: BinaryIO, packets: Iterable[UdpPacket]) -> None:
    """Write a pcap file: nanoseconds, little endian, raw IP.

    Raises:
        ValueError: addresses of two families in one packet, a payload too long for UDP, a time
            before 1970 or after 2105.
    """
    file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, RAW))
    for packet in packets:
        octets = _ip_octets(packet)
        seconds, fraction = divmod(packet.time_ns, SECOND)
        if not 0 <= seconds <= 0xFFFF_FFFF:
            raise ValueError(f"a pcap file cannot hold the time {packet.time_ns}")
        file.write(struct.pack("<IIII", seconds, fraction, len(octets), len(octets)))
        file.write(octets)


def _ip_octets(packet: UdpPacket) -> bytes:
    source, destination = _packed(packet.source), _packed(packet.destination)
    if len(source) != len(destination):
        raise ValueError(f"{packet.source} and {packet.destination} are of two families")
    length = 8 + len(packet.payload)
    if length > (0xFFFF - 20 if len(source) == 4 else 0xFFFF):
        raise ValueError(f"a payload of {len(packet.payload)} octets does not fit into UDP")
    ports = struct.pack(">HH", packet.source_port, packet.destination_port)
    # the pseudo header of RFC 768 and of RFC 8200 §8.1 sum up to the same
    pseudo = source + destination + struct.pack(">HH", 17, length)
    sum_ = _checksum(pseudo + ports + struct.pack(">H", length) + packet.payload) or 0xFFFF
    udp = ports + struct.pack(">HH", length, sum_) + packet.payload
    if len(source) == 16:
        return struct.pack(">IHBB", 6 << 28, length, 17, 64) + source + destination + udp
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, 17, 0) + source + destination
    return head[:10] + struct.pack(">H", _checksum(head)) + head[12:] + udp


def _checksum(octets: bytes) -> int:
    """RFC 1071."""
    total: int = sum(
        struct.unpack(f">{(len(octets) + 1) // 2}H", octets + b"\0" * (len(octets) % 2))
    )
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@lru_cache(maxsize=1024)
def _packed(address: str) -> bytes:
    return ip_address(address).packed
