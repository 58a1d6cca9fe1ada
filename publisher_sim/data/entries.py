"""The list entries of the simulated datastore as they are at an instant.

Does not: keep state, or know when it changes (``datastore``). Every value is a function of seed,
entry, state and time, so that two processes and two runs agree without talking, and a counter never
goes back. Names and types are those of ietf-interfaces (RFC 8343) and ietf-hardware (RFC 8348) in
the JSON of RFC 7951: 64-bit numbers are text. Which members an entry has may depend on who asks,
which members its containers have may not but for that (``selection``).
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from collector.wire.values.timestamps import format_date_and_time

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


PERIODIC_ONLY: Final = {
    INTERFACES: ("statistics",),
    HARDWARE: ("sensor-data/value", "sensor-data/value-timestamp"),
}
"""module -> what of an entry is in no on-change update, for it changes all the time (RFC 8641
§3.10); paths of member names."""


class Node(Struct, frozen=True, order=True):
    """One list entry of the datastore that somebody serves."""

    module: str
    """``ietf-interfaces`` or ``ietf-hardware``."""
    key: str
    """Value of the list key ``name``."""


class State(Struct, frozen=True):
    """What of an entry changes at times of its own."""

    away: bool = False
    """It is not in the datastore."""
    down: bool = False
    """Interface: not operational. Component: failed."""
    shut: bool = False
    """Interface: by configuration."""
    since: int | None = None
    """Of ``down`` or ``shut``, ns since 1970; None: since the device was booted."""


UP: Final = State()


def entry(seed: int, module: str, key: str, at: int, state: State = UP) -> dict[str, Any]:
    """All members of a list entry at an instant (ns since 1970)."""
    if module == INTERFACES:
        return _interface(seed, key, state) | {"statistics": _statistics(seed, key, at)}
    found = _component(seed, key, state)
    found["sensor-data"] |= {
        "value": 400 + mixed(seed, key, at // SECOND) % 80,
        "value-timestamp": format_date_and_time(at),
    }
    return found


def notifiable(seed: int, module: str, key: str, state: State) -> dict[str, Any]:
    """The members of a list entry whose changes are said on-change."""
    return (_interface if module == INTERFACES else _component)(seed, key, state)


def sample(module: str, key: str) -> dict[str, Any]:
    """An entry of that key with every member that any entry ever has."""
    return entry(0, module, key, 0)


def _interface(seed: int, name: str, state: State) -> dict[str, Any]:
    constant, index = _constants(seed, name)
    return {
        "name": name,
        "type": "iana-if-type:ethernetCsmacd",
        "admin-status": "down" if state.shut else "up",
        "oper-status": "down" if state.down or state.shut else "up",
        "last-change": _since(state, constant),
        "if-index": index,
        "phys-address": constant["phys-address"],
        "speed": "10000000000",
    }


def _statistics(seed: int, name: str, at: int) -> dict[str, Any]:
    constant, index = _constants(seed, name)
    seconds = max(0, at - _UP_SINCE) // SECOND
    wobble = mixed(seed, name, seconds // 7)
    statistics: dict[str, Any] = {"discontinuity-time": constant["since"]}
    for position, (leaf, rate) in enumerate(_RATES.items()):
        gained = (rate + index) * seconds + (wobble >> position) % 97
        statistics[leaf] = str(gained & _MASK)
    for position, leaf in enumerate(_ERRORS):
        statistics[leaf] = seconds // (3600 * (position + 2)) + index % 5
    return statistics


def _component(seed: int, name: str, state: State) -> dict[str, Any]:
    constant, index = _constants(seed, name)
    return {
        "name": name,
        "class": "iana-hardware:sensor",  # the only class with sensor-data (RFC 8348)
        "parent": "chassis",
        "parent-rel-pos": index % 16,
        "serial-num": f"SIM{index:08d}",
        "sensor-data": {
            "value-type": "celsius",
            "value-scale": "units",
            "value-precision": 1,
            "oper-status": "nonoperational" if state.down else "ok",
            "value-update-rate": 1000,
        },
        "state": {
            "oper-state": "disabled" if state.down else "enabled",
            "state-last-changed": _since(state, constant),
        },
    }


def _since(state: State, constant: dict[str, str]) -> str:
    return constant["since"] if state.since is None else format_date_and_time(state.since)


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
