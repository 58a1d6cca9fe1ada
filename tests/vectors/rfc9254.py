"""The examples of RFC 9254, typed from the RFC: octets, what its diagnostic notation says, SIDs.

``MESSAGES``: clause -> (octets with SIDs or None, octets with names or None, plain values with
names; values of leaves as CBOR has them, since no schema takes part). ``VALUES``: clause -> (octets
of a value alone, the value). ``SIDS`` and ``IDENTITIES``: what the examples say of SIDs.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from collector.model import SidTable


def _octets(text: str) -> bytes:
    """Hexadecimal digits; what follows a ``#`` is a remark."""
    return bytes.fromhex("".join(line.partition("#")[0] for line in text.splitlines()))


SIDS: Final = SidTable(
    {
        1024: "/ietf-coreconf:error",
        1025: "/ietf-coreconf:error/error-app-tag",
        1026: "/ietf-coreconf:error/error-data-node",
        1027: "/ietf-coreconf:error/error-message",
        1028: "/ietf-coreconf:error/error-tag",
        1720: "/ietf-system:system-state",
        1721: "/ietf-system:system-state/clock",
        1722: "/ietf-system:system-state/clock/boot-datetime",
        1723: "/ietf-system:system-state/clock/current-datetime",
        1730: "/ietf-system:system/authentication/user",
        1734: "/ietf-system:system/authentication/user/authorized-key/key-data",
        1740: "/ietf-system:system/clock/timezone-utc-offset",
        1741: "/ietf-system:system/contact",
        1746: "/ietf-system:search",
        1752: "/ietf-system:hostname",
        1756: "/ietf-system:server",
        1757: "/ietf-system:server/association-type",
        1758: "/ietf-system:server/iburst",
        1759: "/ietf-system:server/name",
        1760: "/ietf-system:server/prefer",
        1761: "/ietf-system:server/udp",
        1762: "/ietf-system:server/udp/address",
        1763: "/ietf-system:server/udp/port",
        60000: "/bar-module:bar",
        60123: "/event-log:last-event",
        60200: "/example-port:example-port-fault",
        60201: "/example-port:example-port-fault/port-name",
        60202: "/example-port:example-port-fault/port-fault",
    },
    {1011: "ietf-coreconf:invalid-value", 1018: "ietf-coreconf:not-in-range",
     1880: "iana-if-type:ethernetCsmacd"},
)  # fmt: skip

MESSAGES: Final[dict[str, tuple[bytes | None, bytes | None, Any]]] = {
    "4.1": (
        _octets("""
            A1                                         # map(1)
               19 06D8                                 # unsigned(1752)
               72                                      # text(18)
                  6D79686F73742E6578616D706C652E636F6D
        """),
        _octets("""
            A1
               74                                      # text(20)
                  696574662D73797374656D3A686F73746E616D65
               72
                  6D79686F73742E6578616D706C652E636F6D
        """),
        {"ietf-system:hostname": "myhost.example.com"},
    ),
    "4.2, Figure 2": (
        _octets("""
            A1
               19 06B8                              # unsigned(1720)
               A1
                  01
                  A2
                     02
                     78 1A                          # text(26)
                        323031352D31302D30325431343A34373A32345A2D30353A3030
                     01
                     78 1A
                        323031352D30392D31355430393A31323A35385A2D30353A3030
        """),
        _octets("""
            A1
               78 18                                # text(24)
                  696574662D73797374656D3A73797374656D2D7374617465
               A1
                  65
                     636C6F636B                     # "clock"
                  A2
                     70
                        63757272656E742D6461746574696D65
                     78 1A
                        323031352D31302D30325431343A34373A32345A2D30353A3030
                     6D
                        626F6F742D6461746574696D65
                     78 1A
                        323031352D30392D31355430393A31323A35385A2D30353A3030
        """),
        {
            "ietf-system:system-state": {
                "clock": {
                    "current-datetime": "2015-10-02T14:47:24Z-05:00",
                    "boot-datetime": "2015-09-15T09:12:58Z-05:00",
                }
            }
        },
    ),
    "4.3": (
        _octets("""
            A1
               19 06D2                # unsigned(1746)
               82
                  68
                     696574662E6F7267
                  68
                     696565652E6F7267
        """),
        _octets("""
            A1
               72
                  696574662D73797374656D3A736561726368
               82
                  68
                     696574662E6F7267
                  68
                     696565652E6F7267
        """),
        {"ietf-system:search": ["ietf.org", "ieee.org"]},
    ),
    "4.4": (
        _octets("""
            A1
               19 06DC                              # unsigned(1756)
               82
                  A5
                     03
                     6E
                        4E52432054494320736572766572
                     05
                     A2
                        01
                        6A
                           7469632E6E72632E6361
                        02
                        18 7B                       # unsigned(123)
                     01
                     00
                     02
                     F4
                     04
                     F5
                  A2
                     03
                     6E
                        4E52432054414320736572766572
                     05
                     A1
                        01
                        6A
                           7461632E6E72632E6361
        """),
        _octets("""
            A1
               72
                  696574662D73797374656D3A736572766572
               82
                  A5
                     64
                        6E616D65                    # "name"
                     6E
                        4E52432054494320736572766572
                     63
                        756470                      # "udp"
                     A2
                        67
                           61646472657373           # "address"
                        6A
                           7469632E6E72632E6361
                        64
                           706F7274                 # "port"
                        18 7B
                     70
                        6173736F63696174696F6E2D74797065
                     00
                     66
                        696275727374                # "iburst"
                     F4
                     66
                        707265666572                # "prefer"
                     F5
                  A2
                     64
                        6E616D65
                     6E
                        4E52432054414320736572766572
                     63
                        756470
                     A1
                        67
                           61646472657373
                        6A
                           7461632E6E72632E6361
        """),
        {
            "ietf-system:server": [
                {
                    "name": "NRC TIC server",
                    "udp": {"address": "tic.nrc.ca", "port": 123},
                    "association-type": 0,
                    "iburst": False,
                    "prefer": True,
                },
                {"name": "NRC TAC server", "udp": {"address": "tac.nrc.ca"}},
            ]
        },
    ),
    "4.5": (
        _octets("""
            A1
               19 EADB                       # unsigned(60123)
               A1
                  18 4D                      # unsigned(77)
                  A2
                     01
                     66
                        302F342F3231
                     02
                     6A
                        4F70656E2070696E2032
        """),
        _octets("""
            A1
               74
                  6576656E742D6C6F673A6C6173742D6576656E74
               A1
                  78 1F
                     6578616D706C652D706F72743A
                     6578616D706C652D706F72742D6661756C74
                  A2
                     69
                        706F72742D6E616D65
                     66
                        302F342F3231
                     6A
                        706F72742D6661756C74
                     6A
                        4F70656E2070696E2032
        """),
        {
            "event-log:last-event": {
                "example-port:example-port-fault": {
                    "port-name": "0/4/21",
                    "port-fault": "Open pin 2",
                }
            }
        },
    ),
    "4.6": (
        _octets("A1 19 EA60 83 F5 F6 F5"),
        _octets("A1 6E 6261722D6D6F64756C653A626172 83 F5 F6 F5"),
        {"bar-module:bar": [True, None, True]},
    ),
    "5, SIDs": (
        _octets("""
            A1
               19 0400                              # unsigned(1024)
               A4
                  04
                  19 03F3                           # unsigned(1011)
                  01
                  19 03FA                           # unsigned(1018)
                  02
                  19 06CC                           # unsigned(1740)
                  03
                  70
                     4D6178696D756D206578636565646564
        """),
        None,
        {
            "ietf-coreconf:error": {
                "error-tag": 1011,
                "error-app-tag": 1018,
                "error-data-node": 1740,
                "error-message": "Maximum exceeded",
            }
        },
    ),
    "5, names": (
        None,
        _octets("""
            A1
               73
                  696574662D636F7265636F6E663A6572726F72
               A4
                  69
                     6572726F722D746167
                  6D
                     696E76616C69642D76616C7565
                  6D
                     6572726F722D6170702D746167
                  6C
                     6E6F742D696E2D72616E6765
                  6F
                     6572726F722D646174612D6E6F6465
                  73
                     74696D657A6F6E652D7574632D6F6666736574
                  6D
                     6572726F722D6D657373616765
                  70
                     4D6178696D756D206578636565646564
        """),
        {
            "ietf-coreconf:error": {
                "error-tag": "invalid-value",
                "error-app-tag": "not-in-range",
                "error-data-node": "timezone-utc-offset",
                "error-message": "Maximum exceeded",
            }
        },
    ),
}  # fmt: skip

ABSOLUTE: Final = _octets("""
    A1
       19 EADB                       # unsigned(60123)
       A1
          D8 2F                      # tag 47, the second notation of section 4.5.1
             19 EB28                 # unsigned(60200)
          A2
             01
             66
                302F342F3231
             02
             6A
                4F70656E2070696E2032
""")
"""Says the same as the two of section 4.5; its octets are not printed in the RFC."""

VALUES: Final[dict[str, tuple[bytes, Any]]] = {
    "3.1 unsigned": (_octets("18 7B"), 123),
    "3.1 negative": (_octets("38 7A"), -123),
    "3.1 octets": (_octets("42 F15C"), b"\xf1\x5c"),
    "3.1 text": (_octets("63 747874"), "txt"),
    "3.1 array": (_octets("82 01 02"), [1, 2]),
    "3.1 false": (_octets("F4"), False),
    "3.1 true": (_octets("F5"), True),
    "3.1 null": (_octets("F6"), None),
    "6.1": (_octets("19 0500"), 1280),
    "6.2": (_octets("39 012B"), -300),
    "6.3": (_octets("C4 82 21 19 0101"), Decimal("2.57")),
    "6.4": (_octets("64 65746830"), "eth0"),
    "6.5": (_octets("F5"), True),
    "6.6": (_octets("03"), 3),
    "6.6 union": (_octets("D8 2C 69 756E626F756E646564"), "unbounded"),
    "6.7": (_octets("83 42 0401 0E 41 01"), [b"\x04\x01", 14, b"\x01"]),
    "6.7 one": (_octets("41 06"), b"\x06"),
    "6.7 union": (
        _octets("D8 2B 75 756E6465722D72657061697220637269746963616C"),
        "under-repair critical",
    ),
    "6.8": (
        _octets("50 1F1CE6A3F42660D888D92A4D8030476E"),
        bytes.fromhex("1f1ce6a3f42660d888d92a4d8030476e"),
    ),
    "6.9": (_octets("64 65746831"), "eth1"),
    "6.10.1": (_octets("19 0758"), 1880),
    "6.10.2": (
        _octets("78 1B 69616E612D69662D747970653A65746865726E657443736D616364"),
        "iana-if-type:ethernetCsmacd",
    ),
    "6.11": (_octets("F6"), None),
    "6.12": (_octets("74 323030313A6462383A6130623A313266303A3A31"), "2001:db8:a0b:12f0::1"),
    "6.13.1 first": (_octets("19 06CD"), 1741),
    "6.13.1 second": (
        _octets("84 19 06C6 63 626F62 65 61646D696E 66 6672616E6365"),
        [1734, "bob", "admin", "france"],
    ),
    "6.13.1 third": (_octets("82 19 06C2 64 6A61636B"), [1730, "jack"]),
    "6.13.2 first": (
        _octets("78 1B 2F696574662D73797374656D3A73797374656D2F636F6E74616374"),
        "/ietf-system:system/contact",
    ),
    "6.13.2 second": (
        _octets("""
            78 6B
               2F696574662D73797374656D3A73797374656D2F61757468656E74696361
               74696F6E2F757365725B6E616D653D27626F62275D2F617574686F72697A
               65642D6B65795B6E616D653D2761646D696E275D5B636F756E7472793D27
               6672616E6365275D2F6B65792D64617461
        """),
        "/ietf-system:system/authentication/user[name='bob']/"
        "authorized-key[name='admin'][country='france']/key-data",
    ),
    "6.13.2 third": (
        _octets("""
            78 34
               2F696574662D73797374656D3A73797374656D2F61757468656E74696361
               74696F6E2F757365725B6E616D653D276A61636B275D
        """),
        "/ietf-system:system/authentication/user[name='jack']",
    ),
}
