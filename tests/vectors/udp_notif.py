"""UDP-notif datagrams typed octet by octet from draft-ietf-netconf-udp-notif-26.

``A3`` is Figure 6 with the payload of Figure 5; the others are the fields of Figures 2 to 4 with
values of ours. Nothing here was made by our own encoder.
"""

from __future__ import annotations

A3_PAYLOAD = (
    b'{"ietf-notification:notification":{"eventTime":"2024-02-10T08:0'
    b'0:11.22Z","ietf-yang-push:push-update":{"id":1011,"datastore-co'
    b'ntents":{"ietf-interfaces:interfaces":[{"interface":{"name":"et'
    b'h0","oper-status":"up"}}]}}}}'
)
"""Figure 6, line by line: 218 octets."""

A3 = (
    bytes.fromhex(
        "21"  # 001 0 0001: Ver=1, S=0, MT=1 (application/yang-data+json)
        "0c"  # Header Len = 12
        "00e6"  # Message Length = 230 = 12 + 218
        "00000002"  # Message Publisher ID = 2
        "0000061b"  # Message ID = 1563
    )
    + A3_PAYLOAD
)

EMPTY = bytes.fromhex(
    "23"  # 001 0 0011: MT=3 (application/yang-data+cbor)
    "0c"
    "000c"  # Message Length = 12: no payload
    "ffffffff"  # the largest Message Publisher ID
    "ffffffff"  # the largest Message ID
)

PRIVATE = bytes.fromhex(
    "3f"  # 001 1 1111: S=1, MT=15 of the private space
    "0c"
    "000e"  # 14
    "00000000"
    "00000001"
    "6869"  # "hi"
)

OPTIONS = bytes.fromhex(
    "22"  # 001 0 0010: MT=2 (application/yang-data+xml)
    "13"  # Header Len = 19 = 12 + 2 + 5
    "0016"  # Message Length = 22 = 19 + 3
    "0000000a"
    "0000000b"
    "f002"  # Type 240 (unknown), Length 2: no data
    "0205616263"  # Type 2 (unknown since -19), Length 5: "abc"
    "3c612f"  # "<a/"
)

SEGMENT_0 = bytes.fromhex(
    "21"
    "12"  # Header Len = 18 = 12 + 4 + 2
    "0014"  # Message Length = 20 = 18 + 2
    "00000005"
    "00000006"
    "01040000"  # Segmentation: Type 1, Length 4, Segment Number 0, L=0
    "f002"  # all other options are on the first segment (section 4.1)
    "6162"  # "ab"
)

SEGMENT_1_LAST = bytes.fromhex(
    "21"
    "10"  # Header Len = 16 = 12 + 4
    "0011"  # Message Length = 17 = 16 + 1
    "00000005"
    "00000006"
    "01040003"  # Segment Number 1 in the upper 15 bits, L=1 in the lowest: 0x0003
    "63"  # "c"
)

SEGMENT_1 = bytes.fromhex(
    "21"
    "10"
    "0014"  # Message Length = 20 = 16 + 4
    "00000005"
    "00000006"
    "01040002"  # Segment Number 1, L=0
    "63646566"  # "cdef"
)

SEGMENT_2_LAST = bytes.fromhex(
    "21"
    "10"
    "0011"  # Message Length = 17 = 16 + 1
    "00000005"
    "00000006"
    "01040005"  # Segment Number 2, L=1
    "67"  # "g"
)

SEGMENT_HIGHEST = bytes.fromhex(
    "21"
    "10"
    "0010"  # no payload
    "00000005"
    "00000006"
    "0104fffe"  # Segment Number 32767, L=0
)

LEGACY_JSON = bytes.fromhex(
    # draft-ietf-netconf-udp-pub-channel-05: Version (4 bits), Flags (8), Encoding (4), Length (16)
    "00"  # Version 0, the upper four flags
    "02"  # the lower four flags, Encoding 2: JSON
    "0011"  # Message Length = 17 = 12 + 5
    "00000005"  # message-generator-id
    "00000006"  # Message ID
    "7b22613a31"
)
"""Version 0, the header without options."""

LEGACY_FLAGS = bytes.fromhex(
    "05"  # Version 0, Flags 0x5.
    "13"  # Flags 0x.1, Encoding 3: XML; as Header Len it would be 19
    "000f"
    "00000005"
    "00000006"
    "3c612f"  # no option: 0x3c with a length of 0x61 runs past the header
)

VERSION_0 = bytes.fromhex(
    # draft-ietf-netconf-udp-notif-03: the layout of version 1 under Ver 0
    "00"  # Ver=0, S=0, ET=0: CBOR up to -03
    "0c"  # Header Len
    "000d"  # Message Length = 13
    "00000005"
    "00000006"
    "a0"
)

VERSION_0_PRIVATE = bytes.fromhex("100c000c0000000500000006")
"""Ver=0, S=1, MT=0 of the private space."""

VERSION_0_SEGMENT = bytes.fromhex(
    "01"  # Ver=0, ET=1: JSON
    "10"  # Header Len = 16
    "0011"  # 17
    "00000005"
    "00000006"
    "01040001"  # Segment Number 0, L=1
    "61"
)

VERSION_0_OPTIONS = bytes.fromhex(
    "02"  # MT=2: XML
    "0f"  # Header Len = 15
    "0010"  # 16
    "00000005"
    "00000006"
    "020361"  # Private Encoding Option of -03: "a"
    "62"
)

ARRCUS_0 = bytes.fromhex("2110001100000000000000070104000061")
"""Segment Number 0, L=0, as everybody writes it."""
ARRCUS_1 = bytes.fromhex("2110001100000000000000070104000162")
"""Segment Number 1 in the lower 15 bits, L=0 in the highest one."""
ARRCUS_2_LAST = bytes.fromhex("2110001100000000000000070104800263")
"""Segment Number 2, L=1."""

HEADER = "0000000500000006"
"""Publisher id 5, message id 6."""

MALFORMED: dict[str, tuple[bytes, str, int, str]] = {
    # name: (datagram, reason, octet, section)
    "nothing": (b"", "too-short", 0, "3.2"),
    "eleven octets": (bytes.fromhex("210c000b" + HEADER[:14]), "too-short", 11, "3.2"),
    "version 0 of no kind": (bytes.fromhex("0104000c" + HEADER), "version-0", 0, "3.2"),
    "version 0, private and legacy": (bytes.fromhex("1001000c" + HEADER), "version-0", 0, "3.2"),
    "version 0, legacy encoding 4": (bytes.fromhex("0004000c" + HEADER), "version-0", 0, "3.2"),
    "version 0 of another length": (
        bytes.fromhex("0002000d" + HEADER),
        "bad-message-length",
        2,
        "3.2",
    ),
    "version 0, header longer than message": (
        bytes.fromhex("0110000c" + HEADER),
        "bad-header-length",
        1,
        "3.2",
    ),
    "version 0, option over the end": (
        bytes.fromhex("010e000e" + HEADER + "0303"),
        "bad-option",
        13,
        "4",
    ),
    "version 2": (bytes.fromhex("410c000c" + HEADER), "unknown-version", 0, "3.2"),
    "version 7": (bytes.fromhex("e10c000c" + HEADER), "unknown-version", 0, "3.2"),
    "header length 11": (bytes.fromhex("210b000c" + HEADER), "bad-header-length", 1, "3.2"),
    "header length 0": (bytes.fromhex("2100000c" + HEADER), "bad-header-length", 1, "3.2"),
    "header longer than message": (
        bytes.fromhex("2110000e" + HEADER + "0104"),
        "bad-header-length",
        1,
        "3.2",
    ),
    "message length too small": (
        bytes.fromhex("210c000c" + HEADER + "61"),
        "bad-message-length",
        2,
        "3.2",
    ),
    "message length too large": (
        bytes.fromhex("210c000e" + HEADER + "61"),
        "bad-message-length",
        2,
        "3.2",
    ),
    "option without length": (bytes.fromhex("210d000d" + HEADER + "f0"), "bad-option", 13, "4"),
    "option length 0": (bytes.fromhex("210e000e" + HEADER + "f000"), "bad-option", 13, "4"),
    "option length 1": (bytes.fromhex("210e000e" + HEADER + "f001"), "bad-option", 13, "4"),
    "option over the end": (bytes.fromhex("210e000e" + HEADER + "f003"), "bad-option", 13, "4"),
    "second option over the end": (
        bytes.fromhex("21100010" + HEADER + "f002f003"),
        "bad-option",
        15,
        "4",
    ),
    "segmentation of 3": (
        bytes.fromhex("210f000f" + HEADER + "010300"),
        "bad-segmentation",
        13,
        "4.1",
    ),
    "segmentation of 5": (
        bytes.fromhex("21110011" + HEADER + "0105000100"),
        "bad-segmentation",
        13,
        "4.1",
    ),
    "segmentation second": (
        bytes.fromhex("21120012" + HEADER + "f00201040001"),
        "bad-segmentation",
        14,
        "4",
    ),
    "segmentation twice": (
        bytes.fromhex("21140014" + HEADER + "0104000101040001"),
        "bad-segmentation",
        16,
        "4",
    ),
}
