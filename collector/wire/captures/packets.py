"""Captured frames -> UDP datagrams: link layers, IPv4, IPv6, IP fragments.

Does: find the UDP datagram in one captured frame, and join those that came in IP fragments. Does
not: read files (``pcap``), verify checksums (a capturing host often sees them before its
card has filled them in), or follow tunnels.

Rules: link types are those of the tcpdump.org registry. Up to ``MAX_FRAGMENTED`` datagrams are
half joined at a time, the oldest goes first; fragments that overlap drop their datagram (RFC 5722
§4). A frame that holds no whole UDP datagram is skipped and counted under a fixed word, since a
capture also holds other traffic.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple

from msgspec import Struct

from collector.model import SECOND

NULL, ETHERNET, RAW, LOOP, LINUX_SLL, LINUX_SLL2 = 0, 1, 101, 108, 113, 276
IPV4_ONLY, IPV6_ONLY = 228, 229
LINK_TYPES: Final = frozenset(
    {NULL, ETHERNET, 12, 14, RAW, LOOP, LINUX_SLL, IPV4_ONLY, IPV6_ONLY, LINUX_SLL2}
)
"""Link types understood; 12 and 14 are RAW as some BSDs number it."""

MAX_FRAGMENTED: Final = 256
"""Datagrams half joined; ours."""
FRAGMENT_SECONDS: Final = 60
"""How long a datagram waits for its fragments (RFC 8200 §4.5)."""

_ETHERNET_VLAN: Final = frozenset({0x8100, 0x88A8, 0x9100})
_ETHERNET_IP: Final = frozenset({0x0800, 0x86DD})
_UDP: Final = 17
_FRAGMENT_HEADER: Final = 44
_AUTHENTICATION_HEADER: Final = 51
_EXTENSION_HEADERS: Final = frozenset({0, 43, 60, 135, _FRAGMENT_HEADER, _AUTHENTICATION_HEADER})


class UdpPacket(Struct, frozen=True, gc=False):
    """One captured UDP datagram."""

    time_ns: int
    """ns since 1970 by the clock of the capturing host; 0 where the capture has no time."""
    source: str
    """Address as text, IPv4-mapped IPv6 as IPv4."""
    source_port: int
    destination: str
    destination_port: int
    payload: bytes
    fragments: int = 1
    """IP packets that it came in."""
    dscp: int = 0
    """DSCP of the IP header (RFC 2474 §3), of the last one where there are several."""


class _Fragment(NamedTuple):
    identification: int
    offset: int
    """Octets."""
    more: bool


class _Ip(NamedTuple):
    """An IP packet down to its upper layer."""

    source: bytes
    destination: bytes
    protocol: int
    payload: bytes
    fragment: _Fragment | None
    dscp: int


class _Skip(Exception):  # noqa: N818 - control flow inside this module, never seen outside
    """This frame holds no whole UDP datagram; the argument says why."""


class _Joining:
    """Fragments of one datagram."""

    __slots__ = ("end", "kept", "pieces", "since")

    def __init__(self, since: int) -> None:
        self.since = since
        self.kept = 0
        """Frames counted as ``fragment`` on its behalf, exact copies included."""
        self.pieces: dict[int, bytes] = {}
        """Offset -> octets."""
        self.end: int | None = None


class PacketReader:
    """Frames in, UDP datagrams out; keeps only IP fragments in between."""

    def __init__(self) -> None:
        self._joining: OrderedDict[tuple[bytes, bytes, int, int], _Joining] = OrderedDict()
        """(source, destination, protocol, identification) -> fragments, oldest first."""
        self.skipped: dict[str, int] = {}
        """Why frames were skipped -> how many; words: not-ip, not-udp, cut-off, malformed,
        fragment (of a datagram that is not whole), bad-fragment, unknown-link-type."""

    def read(self, link_type: int, frame: bytes, time_ns: int) -> UdpPacket | None:
        """Return the datagram that ``frame`` holds or completes, or None (then it is counted)."""
        try:
            ip = _ip_packet(_network_layer(link_type, frame))
            if ip.protocol != _UDP:
                raise _Skip("not-udp")
            if ip.fragment is None:
                return _udp_packet(ip, ip.payload, 1, time_ns)
            payload, fragments = self._join(ip, time_ns)
            return _udp_packet(ip, payload, fragments, time_ns)
        except _Skip as reason:
            word = str(reason)
        except (struct.error, IndexError):
            word = "cut-off"
        self.skipped[word] = self.skipped.get(word, 0) + 1
        return None

    def _join(self, ip: _Ip, now: int) -> tuple[bytes, int]:
        """The whole IP payload and its fragments, once the last missing one is here."""
        fragment = ip.fragment
        assert fragment is not None
        oldest = now - FRAGMENT_SECONDS * SECOND
        while self._joining and next(iter(self._joining.values())).since < oldest:
            self._joining.popitem(last=False)
        key = (ip.source, ip.destination, ip.protocol, fragment.identification)
        joining = self._joining.get(key)
        if joining is None:
            if len(self._joining) >= MAX_FRAGMENTED:
                self._joining.popitem(last=False)
            joining = self._joining[key] = _Joining(now)
        end = fragment.offset + len(ip.payload)
        if end > 0xFFFF or not ip.payload or (fragment.more and len(ip.payload) % 8):
            raise _Skip("bad-fragment")
        if joining.pieces.get(fragment.offset) != ip.payload:  # an exact copy changes nothing
            if any(
                start < end and fragment.offset < start + len(piece)
                for start, piece in joining.pieces.items()
            ):
                del self._joining[key]
                raise _Skip("bad-fragment")
            joining.pieces[fragment.offset] = ip.payload
            if not fragment.more:
                joining.end = end
        if joining.end != sum(map(len, joining.pieces.values())):
            joining.kept += 1
            raise _Skip("fragment")
        del self._joining[key]
        self._taken(joining.kept)
        octets = b"".join(piece for _, piece in sorted(joining.pieces.items()))
        return octets, len(joining.pieces)

    def _taken(self, frames: int) -> None:
        """Fragments that were counted while they waited are part of a whole datagram now."""
        left = self.skipped.pop("fragment", 0) - frames
        if left:
            self.skipped["fragment"] = left


# --------------------------------------------------------------------------- layers
def _network_layer(link_type: int, frame: bytes) -> bytes:
    """The IP packet in a frame."""
    if link_type == ETHERNET:
        position, kind = 14, _uint16(frame, 12)
        while kind in _ETHERNET_VLAN:
            position, kind = position + 4, _uint16(frame, position + 2)
    elif link_type == LINUX_SLL:
        position, kind = 16, _uint16(frame, 14)
        while kind in _ETHERNET_VLAN:
            position, kind = position + 4, _uint16(frame, position + 2)
    elif link_type == LINUX_SLL2:
        position, kind = 20, _uint16(frame, 0)
        while kind in _ETHERNET_VLAN:
            position, kind = position + 4, _uint16(frame, position + 2)
    elif link_type in LINK_TYPES:
        return frame[4:] if link_type in (NULL, LOOP) else frame
    else:
        raise _Skip("unknown-link-type")
    if kind not in _ETHERNET_IP:
        raise _Skip("not-ip")
    return frame[position:]


def _uint16(octets: bytes, position: int) -> int:
    return octets[position] << 8 | octets[position + 1]


def _ip_packet(octets: bytes) -> _Ip:
    version = octets[0] >> 4
    if version == 4:
        return _ipv4(octets)
    if version == 6:
        return _ipv6(octets)
    raise _Skip("not-ip")


def _ipv4(octets: bytes) -> _Ip:
    """RFC 791 §3.1."""
    header_length = (octets[0] & 0x0F) * 4
    total_length, identification, flags = struct.unpack_from(">HHH", octets, 2)
    # zero: the capturing host left segmentation to its card and had not filled it in yet
    total_length = total_length or len(octets)
    if not 20 <= header_length <= total_length:
        raise _Skip("malformed")
    if total_length > len(octets):
        raise _Skip("cut-off")
    fragment = None
    if flags & 0x3FFF:
        fragment = _Fragment(identification, (flags & 0x1FFF) * 8, bool(flags & 0x2000))
    payload = octets[header_length:total_length]
    return _Ip(octets[12:16], octets[16:20], octets[9], payload, fragment, octets[1] >> 2)


def _ipv6(octets: bytes) -> _Ip:
    """RFC 8200 §3 and §4."""
    payload_length, following = struct.unpack_from(">HB", octets, 4)
    end = 40 + payload_length if payload_length else len(octets)
    if end > len(octets):
        raise _Skip("cut-off")
    position, fragment = 40, None
    while following in _EXTENSION_HEADERS and fragment is None:
        header = position
        kind, following = following, octets[header]
        if kind == _FRAGMENT_HEADER:
            offset, identification = struct.unpack_from(">HI", octets, header + 2)
            position += 8
            if offset & 0xFFF9:  # else all of it is here (RFC 6946)
                fragment = _Fragment(identification, offset & 0xFFF8, bool(offset & 1))
        elif kind == _AUTHENTICATION_HEADER:
            position += (octets[header + 1] + 2) * 4
        else:
            position += (octets[header + 1] + 1) * 8
    if position > end:
        raise _Skip("malformed")
    dscp = _uint16(octets, 0) >> 6 & 0x3F
    return _Ip(octets[8:24], octets[24:40], following, octets[position:end], fragment, dscp)


def _udp_packet(ip: _Ip, octets: bytes, fragments: int, time_ns: int) -> UdpPacket:
    """RFC 768."""
    source_port, destination_port, length = struct.unpack_from(">HHH", octets)
    if length < 8:
        raise _Skip("malformed")
    if length > len(octets):
        raise _Skip("cut-off")
    return UdpPacket(
        time_ns,
        _address(ip.source),
        source_port,
        _address(ip.destination),
        destination_port,
        octets[8:length],
        fragments,
        ip.dscp,
    )


@lru_cache(maxsize=4096)
def _address(octets: bytes) -> str:
    address = ip_address(octets)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
