"""The simulated data as RFC 9254 wants it: numbers where JSON has texts, and SIDs for names.

Does: the 64-bit numbers and the enumerations of what ``datastore`` makes. Does not: encode (the
collector's codec does), know other modules. Rules: the values of enumerations are those of
ietf-interfaces (RFC 8343), ietf-hardware (RFC 8348) and ietf-yang-patch (RFC 8072).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from collector.model import NO_SIDS, SidTable
from collector.schema.sid import experimental_sids_folder, load_sids

_WIDE = frozenset(
    (
        "speed", "in-octets", "in-unicast-pkts", "in-broadcast-pkts", "in-multicast-pkts",
        "out-octets", "out-unicast-pkts", "out-broadcast-pkts", "out-multicast-pkts",
    )
)  # fmt: skip
"""Leaves of 64 bits (RFC 9254 §6.1)."""
_ENUMERATIONS = {
    "admin-status": {"up": 1, "down": 2},
    "oper-status": {"up": 1, "ok": 1, "down": 2, "nonoperational": 3},
    "value-type": {"celsius": 8},
    "value-scale": {"units": 9},
    "oper-state": {"disabled": 2, "enabled": 3},
    "operation": {
        "create": 0, "delete": 1, "insert": 2, "merge": 3, "move": 4, "replace": 5, "remove": 6,
    },
    "where": {"before": 0, "after": 1, "first": 2, "last": 3},
}  # fmt: skip
"""Leaf -> its words by number (RFC 9254 §6.6)."""


def for_cbor(value: Any, name: str = "") -> Any:
    """Contents in the JSON of RFC 7951 as CBOR has them."""
    if isinstance(value, dict):
        return {key: for_cbor(member, key.rpartition(":")[2]) for key, member in value.items()}
    if isinstance(value, list):
        return [for_cbor(entry, name) for entry in value]
    if not isinstance(value, str):
        return value
    if name in _WIDE:
        return int(value)
    return _ENUMERATIONS.get(name, {}).get(value, value)


@cache
def _experimental() -> SidTable:
    table, _ = load_sids([experimental_sids_folder()])
    return table


def sids_for(keys: str) -> SidTable:
    """What is written as SIDs where ``[push] cbor_keys`` says so."""
    return _experimental() if keys == "sid" else NO_SIDS
