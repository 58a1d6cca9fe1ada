"""One push-update of exactly so many octets, in each encoding, and where to write in it.

Does: encode a message once and find the octets that change from message to message (times,
sequence number, counters), so that making traffic is a matter of patching. Does not: patch.

A message holds as many interfaces of ietf-interfaces as fit, and a description fills the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from collector.model import SECOND, DeviceTime, MediaType, Notification, NotificationKind
from collector.wire.notifications.notification import encode
from collector.wire.values import names
from collector.wire.values.timestamps import format_date_and_time

SUBSCRIPTION: Final = 4711
FIRST_SEQUENCE: Final = 1_000_000_000
"""All sequence numbers have as many digits."""
TIME_DIGITS: Final = 6
OBSERVED_BEFORE: Final = 2_000_000
"""ns between the observation and the event time of a message."""
_EVENT: Final = 1_800_000_000 * SECOND + 123_456_000
_COUNTER: Final = 1_234_567_890_123_456
_COUNTERS: Final = ("in-octets", "out-octets", "in-unicast-pkts", "out-unicast-pkts")
_INTERFACES: Final = 16
"""Interfaces at most; what is longer is description."""
Places = NDArray[np.intp]
"""Octets of a payload, by their position."""


class Encoding(Struct, frozen=True):
    """How numbers look in an encoding."""

    name: str
    """As the terms of a subscription say it."""
    media_type: MediaType
    counter: int | str
    """The value of a counter, in the contents."""
    octets_of: Callable[[int, int], bytes]
    """(a number, its octets in binary) -> as it stands in the message."""
    fixed: tuple[int, int]
    """Octets of a counter that differ from card to card: first, end."""
    moving: tuple[int, int]
    """Octets of a counter that differ from message to message: first, end."""
    least: int
    """Smallest value of such an octet."""
    most: int


def _digits(number: int, _octets: int) -> bytes:
    return str(number).encode()


ENCODINGS: Final[dict[str, Encoding]] = {
    "json": Encoding(
        "encode-json", MediaType.YANG_DATA_JSON, str(_COUNTER), _digits, (1, 10), (10, 16), 48, 57
    ),
    "xml": Encoding(
        "encode-xml", MediaType.YANG_DATA_XML, str(_COUNTER), _digits, (1, 10), (10, 16), 48, 57
    ),
    "cbor": Encoding(
        "encode-cbor", MediaType.YANG_DATA_CBOR, _COUNTER, int.to_bytes, (2, 5), (5, 8), 0, 255
    ),
}


class Template(Struct, frozen=True):
    """A message, and where it is patched; every card's has the same places."""

    payload: bytes
    event_time: Places
    observation_time: Places
    sequence: Places
    fixed: Places
    moving: Places


def template(card: int, octets: int, encoding: str) -> Template:
    """A push-update of one card. Raises ValueError: so few octets cannot hold it."""
    kind = ENCODINGS[encoding]
    payload = _payload(card, octets, kind)
    return Template(
        payload,
        _one(payload, _time(_EVENT)),
        _one(payload, _time(_EVENT - OBSERVED_BEFORE)),
        _one(payload, kind.octets_of(FIRST_SEQUENCE, 4)),
        _counters(payload, kind, *kind.fixed),
        _counters(payload, kind, *kind.moving),
    )


def notification(card: int, hostname: str = "device.example.net") -> Notification:
    """The envelope that every push-update has."""
    return Notification(
        NotificationKind.PUSH_UPDATE,
        "ietf-yang-push:push-update",
        names.ROOT_ENVELOPE,
        SUBSCRIPTION,
        event_time=DeviceTime(_EVENT),
        observation_time=DeviceTime(_EVENT - OBSERVED_BEFORE),
        generator=str(card),
        hostname=hostname,
        sequence_number=FIRST_SEQUENCE,
    )


def _payload(card: int, octets: int, kind: Encoding) -> bytes:
    least = 0
    for spare in range(3):  # the length of a CBOR text takes more octets from 24 and 256 on
        said = notification(card, f"device{'0' * spare}.example.net")
        entries = [_interface(card, 1, kind)]
        while len(entries) < _INTERFACES:
            entries.append(_interface(card, len(entries) + 1, kind))
            if len(_encoded(said, entries, kind)) > octets - 3:
                entries.pop()
                break
        least = len(_encoded(said, entries, kind))
        filler = 0
        for _ in range(4):
            text = ("link to core7, contract 12345; " * (filler // 31 + 1))[: max(0, filler)]
            entries[0]["description"] = text
            made = _encoded(said, entries, kind)
            if len(made) == octets:
                return made
            filler += octets - len(made)
    raise ValueError(f"a push-update of the benchmark needs {least} octets, not {octets}")


def _encoded(said: Notification, entries: list[dict[str, Any]], kind: Encoding) -> bytes:
    contents = {"ietf-interfaces:interfaces": {"interface": entries}}
    return encode(said, contents, kind.media_type, mode=names.MODE_DN_19)


def _interface(card: int, number: int, kind: Encoding) -> dict[str, Any]:
    statistics: dict[str, Any] = {"discontinuity-time": "2026-01-01T00:00:00Z"}
    statistics |= dict.fromkeys(_COUNTERS, kind.counter)
    statistics |= {"in-errors": 12, "in-discards": 7, "out-errors": 0, "out-discards": 345}
    return {
        "name": f"TenGigE0/{card}/0/{number}",
        "description": "",
        "type": "iana-if-type:ethernetCsmacd",
        "enabled": True,
        "oper-status": "up",
        "phys-address": "02:00:00:00:00:01",
        "statistics": statistics,
    }


# --------------------------------------------------------------------------- places
def _time(ns: int) -> bytes:
    return format_date_and_time(ns, TIME_DIGITS).encode()


def _one(payload: bytes, octets: bytes) -> Places:
    (place,) = _find(payload, octets)
    return np.arange(place, place + len(octets))


def _counters(payload: bytes, kind: Encoding, first: int, end: int) -> Places:
    found = _find(payload, kind.octets_of(_COUNTER, 8))
    return np.concatenate([np.arange(place + first, place + end) for place in found])


def _find(payload: bytes, octets: bytes) -> list[int]:
    found, place = [], payload.find(octets)
    while place >= 0:
        found.append(place)
        place = payload.find(octets, place + 1)
    return found
