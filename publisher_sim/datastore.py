"""The simulated operational datastore: interface and hardware counters that move from tick to tick.

Does not: keep state. Every value is a function of (seed, node, tick), so that two processes and
two runs agree without talking, and a counter never goes back. Names and types are those of
ietf-interfaces (RFC 8343) and ietf-hardware (RFC 8348) in the JSON of RFC 7951: 64-bit numbers
are text.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from collector.wire.timestamps import format_date_and_time
from publisher_sim.resource_location import INTERFACES, Node
from publisher_sim.selection import TREES, Selection

SECOND = 1_000_000_000
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


def contents(
    seed: int, nodes: Iterable[Node], selection: Selection, nominal: int
) -> dict[str, Any]:
    """The ``datastore-contents`` of one push-update at a tick; empty when there is no node.

    Args:
        seed: of the scenario.
        nodes: which list entries; each has one owner, so two updates never overlap.
        selection: which of their children.
        nominal: the tick, ns since 1970.
    """
    found: dict[str, Any] = {}
    for node in nodes:
        container, entry, _ = TREES[node.module]
        values = (_interface if node.module == INTERFACES else _component)(seed, node.key, nominal)
        children = selection.children(node.module, node.key)
        if children is not None:
            values = {name: values[name] for name in ("name", *children) if name in values}
        holder = found.setdefault(f"{node.module}:{container}", {entry: []})
        holder[entry].append(values)
    return found


def _interface(seed: int, name: str, nominal: int) -> dict[str, Any]:
    constant, index = _constants(seed, name)
    seconds = max(0, nominal - _UP_SINCE) // SECOND
    statistics: dict[str, Any] = {"discontinuity-time": constant["since"]}
    for position, (leaf, rate) in enumerate(_RATES.items()):
        wobble = _mixed(seed + position, name, seconds // 7) % 97
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


def _component(seed: int, name: str, nominal: int) -> dict[str, Any]:
    constant, index = _constants(seed, name)
    tick = nominal // SECOND
    return {
        "name": name,
        "class": "iana-hardware:module",
        "parent": "chassis",
        "parent-rel-pos": index % 16,
        "serial-num": f"SIM{index:08d}",
        "sensor-data": {
            "value": 400 + _mixed(seed, name, tick) % 80,
            "value-type": "celsius",
            "value-scale": "units",
            "value-precision": 1,
            "oper-status": "ok",
            "value-timestamp": format_date_and_time(nominal),
            "value-update-rate": 1000,
        },
        "state": {"oper-state": "enabled", "state-last-changed": constant["since"]},
    }


@lru_cache(maxsize=4096)
def _constants(seed: int, name: str) -> tuple[dict[str, str], int]:
    """What never changes of a node: texts, and a small number of its own."""
    number = _mixed(seed, name, 0)
    mac = ":".join(f"{number >> shift & 0xFF:02x}" for shift in (24, 16, 8, 0))
    since = format_date_and_time(_UP_SINCE + number % 86_400 * SECOND)
    return {"phys-address": f"02:00:{mac}", "since": since}, 1 + number % 1_000_000


def _mixed(seed: int, name: str, number: int) -> int:
    """A number that looks random and is always the same."""
    return zlib.crc32(f"{seed}/{name}/{number}".encode())
