"""``wire.captures.pcap`` and ``wire.captures.packets``: files and frames typed field by field."""

from __future__ import annotations

import io
import struct

import pytest

from collector.errors import WireError
from collector.model import SECOND
from collector.wire.captures import packets as layers
from collector.wire.captures.packets import PacketReader, UdpPacket
from collector.wire.captures.pcap import CaptureReader, read_pcap, write_pcap

TIME = 1_700_000_000 * SECOND + 123_456_789

IPV4_UDP = bytes.fromhex(
    "45 00 0020"  # version 4, 5 words of header, total length 32
    "1234 0000"  # identification, no flags, offset 0
    "40 11 0000"  # ttl 64, UDP, checksum not filled in
    "c0000201 c0000202"  # 192.0.2.1 -> 192.0.2.2
    "2713 2714"  # port 10003 -> 10004
    "000c 0000"  # UDP length 12, no checksum
    "61626364"  # abcd
)
IPV6_UDP = bytes.fromhex(
    "60000000 000c 11 40"  # payload length 12, next header UDP, hop limit 64
    "20010db8000000000000000000000001"
    "20010db8000000000000000000000002"
    "2713 2714 000c 0000 61626364"
)
ETHERNET = bytes(12) + bytes.fromhex("0800")
V4 = UdpPacket(TIME, "192.0.2.1", 10003, "192.0.2.2", 10004, b"abcd")
V6 = UdpPacket(TIME, "2001:db8::1", 10003, "2001:db8::2", 10004, b"abcd")

LINKS = {
    "ethernet": (layers.ETHERNET, ETHERNET + IPV4_UDP, V4),
    "ethernet, padded": (layers.ETHERNET, ETHERNET + IPV4_UDP + bytes(14), V4),
    "ethernet, ipv6": (layers.ETHERNET, bytes(12) + b"\x86\xdd" + IPV6_UDP, V6),
    "vlan": (layers.ETHERNET, bytes(12) + bytes.fromhex("8100 0064 0800") + IPV4_UDP, V4),
    "vlan in vlan": (
        layers.ETHERNET,
        bytes(12) + bytes.fromhex("88a8 0064 8100 00c8 86dd") + IPV6_UDP,
        V6,
    ),
    "linux cooked": (layers.LINUX_SLL, bytes(14) + b"\x08\x00" + IPV4_UDP, V4),
    "linux cooked, vlan": (
        layers.LINUX_SLL,
        bytes(14) + bytes.fromhex("8100 0064 0800") + IPV4_UDP,
        V4,
    ),
    "linux cooked 2": (layers.LINUX_SLL2, b"\x86\xdd" + bytes(18) + IPV6_UDP, V6),
    "linux cooked 2, vlan": (
        layers.LINUX_SLL2,
        b"\x81\x00" + bytes(18) + bytes.fromhex("0064 0800") + IPV4_UDP,
        V4,
    ),
    "raw": (layers.RAW, IPV4_UDP, V4),
    "raw, ipv6": (layers.RAW, IPV6_UDP, V6),
    "raw of a BSD": (12, IPV4_UDP, V4),
    "ipv4 only": (layers.IPV4_ONLY, IPV4_UDP, V4),
    "null": (layers.NULL, b"\x02\0\0\0" + IPV4_UDP, V4),
    "loop": (layers.LOOP, b"\0\0\0\x18" + IPV6_UDP, V6),
}


@pytest.mark.parametrize("name", LINKS)
def test_link_layers(name: str) -> None:
    link_type, frame, expected = LINKS[name]
    reader = PacketReader()
    assert reader.read(link_type, frame, TIME) == expected
    assert reader.skipped == {}


def v4(change: dict[int, str]) -> bytes:
    """IPV4_UDP with other octets at some places."""
    octets = bytearray(IPV4_UDP)
    for place, text in change.items():
        new = bytes.fromhex(text)
        octets[place : place + len(new)] = new
    return bytes(octets)


SKIPPED = {
    "arp": (layers.ETHERNET, bytes(12) + b"\x08\x06" + bytes(28), "not-ip"),
    "802.3": (layers.ETHERNET, bytes(12) + b"\x00\x26" + bytes(38), "not-ip"),
    "version 5": (layers.RAW, b"\x55" + bytes(40), "not-ip"),
    "tcp": (layers.RAW, v4({9: "06"}), "not-udp"),
    "unknown link": (147, IPV4_UDP, "unknown-link-type"),
    "nothing": (layers.RAW, b"", "cut-off"),
    "ethernet cut off": (layers.ETHERNET, bytes(13), "cut-off"),
    "vlan cut off": (layers.ETHERNET, bytes(12) + b"\x81\x00\x00", "cut-off"),
    "ip cut off": (layers.RAW, IPV4_UDP[:19], "cut-off"),
    "ip longer than captured": (layers.RAW, IPV4_UDP[:-1], "cut-off"),
    "ip header too short": (layers.RAW, v4({0: "44"}), "malformed"),
    "ip total below header": (layers.RAW, v4({2: "0010"}), "malformed"),
    "udp length below 8": (layers.RAW, v4({24: "0007"}), "malformed"),
    "udp longer than ip": (layers.RAW, v4({24: "000d"}), "cut-off"),
    "udp cut off": (layers.RAW, v4({2: "0018"})[:24], "cut-off"),
    "ipv6 cut off": (layers.RAW, IPV6_UDP[:-1], "cut-off"),
}


@pytest.mark.parametrize("name", SKIPPED)
def test_other_traffic_is_skipped_and_counted(name: str) -> None:
    link_type, frame, word = SKIPPED[name]
    reader = PacketReader()
    assert reader.read(link_type, frame, TIME) is None
    assert reader.skipped == {word: 1}


def test_a_total_length_that_the_card_fills_in_later() -> None:
    assert PacketReader().read(layers.RAW, v4({2: "0000"}), TIME) == V4


def test_ipv4_in_ipv6_addresses_are_written_as_ipv4() -> None:
    mapped = bytearray(IPV6_UDP)
    mapped[8:24] = bytes(10) + b"\xff\xff" + bytes((192, 0, 2, 9))
    packet = PacketReader().read(layers.RAW, bytes(mapped), TIME)
    assert packet is not None
    assert packet.source == "192.0.2.9"


# --------------------------------------------------------------------------- IPv6 headers
UDP_AND_DATA = IPV6_UDP[40:]


def v6(first: int, extensions: str, rest: bytes = UDP_AND_DATA) -> bytes:
    body = bytes.fromhex(extensions) + rest
    return b"\x60\0\0\0" + struct.pack(">HBB", len(body), first, 64) + IPV6_UDP[8:40] + body


EXTENSIONS = {
    "hop by hop": v6(0, "1100 000000000000"),
    "hop by hop, then destination options of 16": v6(0, "3c00 000000000000 1101" + "00" * 14),
    "routing": v6(43, "1100 000000000000"),
    "authentication of 12": v6(51, "1101 0000 00000000 00000000"),
    "mobility": v6(135, "1100 000000000000"),
    "an atomic fragment": v6(44, "1100 0000 00000001"),
    "jumbo: no payload length": v6(17, "")[:4] + b"\0\0" + v6(17, "")[6:],
}


@pytest.mark.parametrize("name", EXTENSIONS)
def test_ipv6_extension_headers(name: str) -> None:
    assert PacketReader().read(layers.RAW, EXTENSIONS[name], TIME) == V6


def test_extension_headers_over_the_end() -> None:
    reader = PacketReader()
    assert reader.read(layers.RAW, v6(0, "11ff 000000000000", b""), TIME) is None
    assert reader.read(layers.RAW, v6(0, "", b""), TIME) is None
    assert reader.skipped == {"malformed": 1, "cut-off": 1}


def test_no_next_header() -> None:
    reader = PacketReader()
    assert reader.read(layers.RAW, v6(59, ""), TIME) is None
    assert reader.skipped == {"not-udp": 1}


# --------------------------------------------------------------------------- fragments
def fragments_of(payload: bytes, size: int, identification: int = 7) -> list[bytes]:
    """An IPv4 UDP datagram in fragments of ``size`` octets."""
    udp = struct.pack(">HHHH", 10003, 10004, 8 + len(payload), 0) + payload
    frames = []
    for start in range(0, len(udp), size):
        piece = udp[start : start + size]
        flags = (0x2000 if start + size < len(udp) else 0) | start // 8
        header = struct.pack(
            ">BBHHHBBH", 0x45, 0, 20 + len(piece), identification, flags, 64, 17, 0
        )
        frames.append(header + IPV4_UDP[12:20] + piece)
    return frames


PAYLOAD = bytes(range(250))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (0, 1, 1, 2, 0, 3)])
def test_fragments_in_any_order_and_doubled(order: tuple[int, ...]) -> None:
    frames = fragments_of(PAYLOAD, 72)
    reader = PacketReader()
    for place in order[:-1]:
        assert reader.read(layers.RAW, frames[place], TIME) is None
    packet = reader.read(layers.RAW, frames[order[-1]], TIME + 5)
    assert packet == UdpPacket(TIME + 5, "192.0.2.1", 10003, "192.0.2.2", 10004, PAYLOAD, 4)
    assert reader.skipped == {}  # all of it is in the datagram, nothing was left out


def test_ipv6_fragments() -> None:
    udp = struct.pack(">HHHH", 10003, 10004, 28, 0) + bytes(20)
    first = v6(44, "1100 0001 0000abcd", udp[:16])
    last = v6(44, "1100 0010 0000abcd", udp[16:])
    reader = PacketReader()
    assert reader.read(layers.RAW, last, TIME) is None
    packet = reader.read(layers.RAW, first, TIME)
    assert packet is not None
    assert packet.payload == bytes(20)
    assert packet.fragments == 2


def test_the_mark_of_the_ip_header() -> None:
    """DSCP is the upper 6 bits of an octet in IPv4, bits 4 to 9 of the first two in IPv6."""
    marked = PacketReader().read(layers.RAW, v4({1: "43"}), TIME)
    assert marked is not None
    assert (marked.dscp, marked.fragments) == (16, 1)
    six = bytearray(IPV6_UDP)
    six[0:2] = b"\x64\x30"
    marked = PacketReader().read(layers.RAW, bytes(six), TIME)
    assert marked is not None
    assert marked.dscp == 16


def test_overlapping_fragments_drop_the_datagram() -> None:
    one, two, _, four = fragments_of(PAYLOAD, 72)
    twisted = two[:-1] + b"!"
    reader = PacketReader()
    for frame in (one, two, twisted):
        assert reader.read(layers.RAW, frame, TIME) is None
    assert reader.skipped == {"fragment": 2, "bad-fragment": 1}
    assert reader.read(layers.RAW, four, TIME) is None


@pytest.mark.parametrize(
    "frame",
    [
        v4({6: "3fff"}),  # offset 65528
        v4({2: "001f", 6: "2000"})[:31],  # 11 octets and more to come
        v4({2: "0014", 6: "2000"})[:20],  # nothing in it
    ],
)
def test_impossible_fragments(frame: bytes) -> None:
    reader = PacketReader()
    assert reader.read(layers.RAW, frame, TIME) is None
    assert reader.skipped == {"bad-fragment": 1}


def test_fragments_are_kept_within_bounds() -> None:
    reader = PacketReader()
    waiting = [fragments_of(PAYLOAD, 136, number) for number in range(layers.MAX_FRAGMENTED + 1)]
    for first, _ in waiting:
        reader.read(layers.RAW, first, TIME)
    assert reader.read(layers.RAW, waiting[0][1], TIME) is None, "the oldest was forgotten"
    assert reader.read(layers.RAW, waiting[-1][1], TIME) is not None


def test_fragments_wait_for_a_minute() -> None:
    first, last = fragments_of(PAYLOAD, 136)
    for wait, found in ((60 * SECOND, True), (60 * SECOND + 1, False)):
        reader = PacketReader()
        reader.read(layers.RAW, first, TIME)
        assert (reader.read(layers.RAW, last, TIME + wait) is not None) == found


# --------------------------------------------------------------------------- pcap files
def pcap(order: str, magic: int, fraction: int, *frames: bytes, link: int = layers.RAW) -> bytes:
    octets = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for frame in frames:
        octets += struct.pack(order + "IIII", 1_700_000_000, fraction, len(frame), len(frame))
        octets += frame
    return octets


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcap_in_both_byte_orders_and_resolutions(order: str) -> None:
    nanoseconds = pcap(order, 0xA1B23C4D, 123_456_789, IPV4_UDP, IPV6_UDP)
    assert list(read_pcap(io.BytesIO(nanoseconds))) == [V4, V6]
    (packet,) = read_pcap(io.BytesIO(pcap(order, 0xA1B2C3D4, 123_456, IPV4_UDP)))
    assert packet.time_ns == 1_700_000_000_123_456_000


def test_the_upper_bits_of_the_link_type_are_not_the_link_type() -> None:
    octets = pcap("<", 0xA1B23C4D, 123_456_789, ETHERNET + IPV4_UDP, link=0xF0000001)
    assert list(read_pcap(io.BytesIO(octets))) == [V4]


def until_damage(octets: bytes) -> tuple[int, WireError]:
    """How many packets came, and the error behind them."""
    count = 0
    with pytest.raises(WireError) as caught:
        for _ in read_pcap(io.BytesIO(octets)):
            count += 1
    return count, caught.value


def test_a_truncated_pcap_gives_what_is_there_first() -> None:
    octets = pcap("<", 0xA1B23C4D, 0, IPV4_UDP, IPV4_UDP, IPV4_UDP)
    whole = 16 + len(IPV4_UDP)
    for length in range(len(octets)):
        if length >= 24 and (length - 24) % whole == 0:
            assert len(list(read_pcap(io.BytesIO(octets[:length])))) == (length - 24) // whole
            continue
        count, error = until_damage(octets[:length])
        assert count == max(0, (length - 24) // whole)
        assert (error.reason, error.offset) == ("truncated", length)


def test_damaged_pcap_files() -> None:
    assert until_damage(b"\x7fELF" + bytes(100))[1].reason == "not-a-capture"
    assert until_damage(pcap("<", 0xA1B23C4D, 0, link=147))[1].reason == "unknown-link-type"
    huge = pcap("<", 0xA1B23C4D, 0, IPV4_UDP) + struct.pack("<IIII", 0, 0, 2**24 + 1, 0)
    count, error = until_damage(huge)
    assert (count, error.reason) == (1, "bad-block")


def test_skipped_frames_are_counted() -> None:
    reader = CaptureReader(io.BytesIO(pcap("<", 0xA1B23C4D, 0, IPV4_UDP, v4({9: "06"}))))
    assert len(list(reader)) == 1
    assert reader.skipped == {"not-udp": 1}


# --------------------------------------------------------------------------- pcapng files
def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str) -> bytes:
    body = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
    return block(order, 0x0A0D0D0A, body)


def interface(order: str, link: int = layers.RAW, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link, 0, 0) + options)


def enhanced(order: str, ticks: int, frame: bytes, number: int = 0) -> bytes:
    head = struct.pack(
        order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame)
    )
    return block(order, 6, head + frame)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng(order: str) -> None:
    nanoseconds = option(order, 2, b"eth0") + option(order, 9, b"\x09") + option(order, 0, b"")
    binary = option(order, 9, b"\x8a") + option(order, 14, struct.pack(order + "q", 1000))
    octets = (
        section(order)
        + interface(order, layers.ETHERNET)  # microseconds when nothing is said
        + interface(order, layers.RAW, nanoseconds)
        + interface(order, layers.RAW, binary)
        + block(order, 5, bytes(12))  # interface statistics: passed over
        + enhanced(order, 1_700_000_000_123_456, ETHERNET + IPV4_UDP, 0)
        + enhanced(order, TIME, IPV6_UDP, 1)
        + enhanced(order, (1_699_999_000 << 10) + 512, IPV4_UDP, 2)  # units of 2^-10 s
        + block(
            order,
            2,
            struct.pack(order + "HHIIII", 1, 0, TIME >> 32, TIME & 0xFFFFFFFF, 32, 32) + IPV4_UDP,
        )
        + block(order, 3, struct.pack(order + "I", 14 + 32) + ETHERNET + IPV4_UDP)
    )
    packets = list(read_pcap(io.BytesIO(octets)))
    assert [packet.time_ns for packet in packets] == [
        1_700_000_000_123_456_000,
        TIME,
        1_700_000_000_500_000_000,
        TIME,
        0,
    ]
    assert [packet.source for packet in packets] == [
        "192.0.2.1", "2001:db8::1", "192.0.2.1", "192.0.2.1", "192.0.2.1",
    ]  # fmt: skip


def test_a_new_section_has_its_own_byte_order_and_interfaces() -> None:
    octets = b"".join(
        section(order) + interface(order) + enhanced(order, 5, IPV4_UDP) for order in "<><"
    )
    assert [packet.time_ns for packet in read_pcap(io.BytesIO(octets))] == [5000] * 3
    count, error = until_damage(octets + section(">") + enhanced(">", 5, IPV4_UDP))
    assert (count, error.reason) == (3, "bad-block")


GOOD = section("<") + interface("<") + enhanced("<", 5, IPV4_UDP)
DAMAGED = {
    "no magic": GOOD + struct.pack("<III", 0x0A0D0D0A, 28, 0),
    "a block of 8": GOOD + struct.pack("<II", 6, 8),
    "a block of 13": GOOD + struct.pack("<II", 6, 13) + bytes(20),
    "a huge block": GOOD + struct.pack("<II", 6, 2**24 + 4),
    "a section of 8": GOOD + struct.pack("<III", 0x0A0D0D0A, 8, 0x1A2B3C4D),
    "an empty packet block": GOOD + block("<", 6, b""),
    "a packet longer than its block": GOOD
    + block("<", 6, struct.pack("<IIIII", 0, 0, 0, 33, 33) + IPV4_UDP),
    "an unknown interface": GOOD + enhanced("<", 5, IPV4_UDP, 1),
    "a short time resolution": GOOD + interface("<", 1, struct.pack("<HH", 9, 1)),
    "too many interfaces": GOOD + interface("<") * 4096,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_pcapng_files(name: str) -> None:
    count, error = until_damage(DAMAGED[name])
    assert (count, error.reason) == (1, "bad-block")


def test_a_truncated_pcapng_gives_what_is_there_first() -> None:
    octets = GOOD + enhanced("<", 5, IPV4_UDP)
    for length in range(len(GOOD) + 1, len(octets)):
        count, error = until_damage(octets[:length])
        assert (count, error.reason) == (1, "truncated")


# --------------------------------------------------------------------------- writing
def test_written_octets() -> None:
    file = io.BytesIO()
    write_pcap(file, [V4, V6])
    octets = file.getvalue()
    assert octets[:24] == bytes.fromhex("4d3cb2a1 0200 0400 00000000 00000000 00000400 65000000")
    assert octets[24:40] == struct.pack("<IIII", 1_700_000_000, 123_456_789, 32, 32)
    v4_octets = octets[40:72]
    assert v4_octets[:10] == bytes.fromhex("4500 0020 0000 0000 4011")
    assert v4_octets[12:24] == IPV4_UDP[12:24]
    assert ones_complement(v4_octets[:20]) == 0xFFFF
    # RFC 768: pseudo header of addresses, zero, protocol, UDP length
    assert ones_complement(v4_octets[12:20] + b"\0\x11\0\x0c" + v4_octets[20:]) == 0xFFFF
    v6_octets = octets[88:]
    assert v6_octets[:46] == IPV6_UDP[:46]
    assert ones_complement(v6_octets[8:40] + b"\0\0\0\x0c\0\0\0\x11" + v6_octets[40:]) == 0xFFFF


def ones_complement(octets: bytes) -> int:
    """RFC 1071: the sum over everything, checksum included, is all ones."""
    total = sum(octets[at] << 8 | octets[at + 1] for at in range(0, len(octets), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_what_is_written_can_be_read() -> None:
    packets = [
        V4,
        V6,
        UdpPacket(0, "192.0.2.1", 0, "192.0.2.2", 65535, b""),
        UdpPacket(TIME, "192.0.2.1", 1, "192.0.2.2", 2, b"x" * 65507),
        UdpPacket(TIME, "::1", 1, "::1", 2, b"x" * 65527),
        UdpPacket(TIME, "192.0.2.1", 1, "192.0.2.2", 2, b"odd"),
    ]
    file = io.BytesIO()
    write_pcap(file, packets)
    assert list(read_pcap(io.BytesIO(file.getvalue()))) == packets


@pytest.mark.parametrize(
    "packet",
    [
        UdpPacket(0, "192.0.2.1", 1, "::1", 2, b""),
        UdpPacket(0, "192.0.2.1", 1, "192.0.2.2", 2, b"x" * 65508),
        UdpPacket(0, "::1", 1, "::2", 2, b"x" * 65528),
        UdpPacket(-1, "192.0.2.1", 1, "192.0.2.2", 2, b""),
        UdpPacket(2**32 * SECOND, "192.0.2.1", 1, "192.0.2.2", 2, b""),
        UdpPacket(0, "host.example", 1, "192.0.2.2", 2, b""),
    ],
)
def test_what_cannot_be_written(packet: UdpPacket) -> None:
    with pytest.raises(ValueError):
        write_pcap(io.BytesIO(), [packet])
