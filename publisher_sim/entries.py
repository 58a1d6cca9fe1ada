"""The list entries of the simulated datastore as they are at an instant.

Does not: keep state. Every value is a function of (seed, entry, time), so that two processes and
two runs agree without talking, and a counter never goes back. Names and types are those of
ietf-interfaces (RFC 8343) and ietf-hardware (RFC 8348) in the JSON of RFC 7951: 64-bit numbers are
text. Which members an entry has may change with time, which members its containers have does not.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any, Final

from collector.wire.timestamps import format_date_and_time

INTERFACES: Final = "ietf-interfaces"
HARDWARE: Final = "ietf-hardware"
TREES: Final = {INTERFACES: ("interfaces", "interface"), HARDWARE: ("hardware", "component")}
"""module -> (top container, its list); the key of both lists is ``name``."""

SECOND: Final = 1_000_000_000
_RATES = {
    "in-octets": 1_250_000,
    "in-unicast-pkts": 1_800,
    "in-broadcast-pkts": 3,
    "in-multicast-pkts": 12,
    "out-octets": 980_000,
    "out-unicast-pkts": 1_500,
    "out-broadcast-pkts": 1,
    "out-multicast-pkts": 9,
}
"""64-bit counters and what they gain a second; ours."""
_ERRORS = ("in-discards", "in-errors", "in-unknown-protos", "out-discards", "out-errors")
"""32-bit counters that move seldom."""
_UP_SINCE = 1_700_000_000 * SECOND
"""When every simulated device was booted; ours."""
_MASK = 2**64 - 1


def entry(seed: int, module: str, key: str, at: int) -> dict[str, Any]:
    """All members of a list entry at an instant (ns since 1970)."""
    return (_interface if module == INTERFACES else _component)(seed, key, at)


def sample(module: str, key: str) -> dict[str, Any]:
    """An entry of that key with every member that any entry ever has."""
    return entry(0, module, key, 0)


def _interface(seed: int, name: str, at: int) -> dict[str, Any]:
    constant, index = _constants(seed, name)
    seconds = max(0, at - _UP_SINCE) // SECOND
    statistics: dict[str, Any] = {"discontinuity-time": constant["since"]}
    for position, (leaf, rate) in enumerate(_RATES.items()):
        wobble = mixed(seed + position, name, seconds // 7) % 97
        statistics[leaf] = str((rate + index) * seconds + wobble & _MASK)
    for position, leaf in enumerate(_ERRORS):
        statistics[leaf] = seconds // (3600 * (position + 2)) + index % 5
    return {
        "name": name,
        "type": "iana-if-type:ethernetCsmacd",
        "admin-status": "up",
        "oper-status": "up",
        "last-change": constant["since"],
        "if-index": index,
        "phys-address": constant["phys-address"],
        "speed": "10000000000",
        "statistics": statistics,
    }


def _component(seed: int, name: str, at: int) -> dict[str, Any]:
    constant, index = _constants(seed, name)
    return {
        "name": name,
        "class": "iana-hardware:module",
        "parent": "chassis",
        "parent-rel-pos": index % 16,
        "serial-num": f"SIM{index:08d}",
        "sensor-data": {
            "value": 400 + mixed(seed, name, at // SECOND) % 80,
            "value-type": "celsius",
            "value-scale": "units",
            "value-precision": 1,
            "oper-status": "ok",
            "value-timestamp": format_date_and_time(at),
            "value-update-rate": 1000,
        },
        "state": {"oper-state": "enabled", "state-last-changed": constant["since"]},
    }


@lru_cache(maxsize=4096)
def _constants(seed: int, name: str) -> tuple[dict[str, str], int]:
    """What never changes of an entry: texts, and a small number of its own."""
    number = mixed(seed, name, 0)
    mac = ":".join(f"{number >> shift & 0xFF:02x}" for shift in (24, 16, 8, 0))
    since = format_date_and_time(_UP_SINCE + number % 86_400 * SECOND)
    return {"phys-address": f"02:00:{mac}", "since": since}, 1 + number % 1_000_000


def mixed(seed: int, name: str, number: int) -> int:
    """A number that looks random and is always the same."""
    return zlib.crc32(f"{seed}/{name}/{number}".encode())
