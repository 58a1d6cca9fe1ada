"""What the devices of the benchmark send: push-updates of one size, and what is true of them.

Does: build every datagram once, in one array of octets, and patch times, numbers and counters in
place, many datagrams at a time, so that making traffic costs next to nothing. Does not: send.

Every device has an address of its own in 127.0.0.0/8 and ``CARDS`` line cards; each card has its
own Message Publisher ID and its own run of Message IDs and sends the same number of push-updates
in every period. So every period of every device is COMPLETE when nothing is lost.
"""

from __future__ import annotations

import ipaddress
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.model import (
    SECOND,
    DeviceTime,
    MediaType,
    Notification,
    NotificationKind,
    StateChange,
    SubscriptionTerms,
)
from collector.wire import names
from collector.wire.notification import encode
from collector.wire.timestamps import format_date_and_time
from collector.wire.udp_notif import HEADER_LENGTH, encode_message

CARDS = 8
SUBSCRIPTION = 4711
MASTER = 0
"""Message Publisher ID of the master, which sends the state changes."""
FIRST_SEQUENCE = 1_000_000_000
"""All sequence numbers have as many digits."""
_FIRST_ADDRESS = int(ipaddress.IPv4Address("127.1.0.1"))
OBSERVED_BEFORE = 2_000_000
"""ns between the observation and the event time of a message."""
_TIME_DIGITS = 6
_COUNTERS = ("in-octets", "out-octets", "in-unicast-pkts", "out-unicast-pkts")
_MOVING = 6
"""Digits of a counter that change from period to period."""


def address(device: int) -> str:
    """Source address of a device, counted from 0."""
    return str(ipaddress.IPv4Address(_FIRST_ADDRESS + device))


def device_name(device: int) -> str:
    """Its name in the configuration."""
    return f"device{device}"


def cards() -> tuple[str, ...]:
    """Message generators of every device."""
    return tuple(str(card) for card in range(1, CARDS + 1))


def started(period: int) -> bytes:
    """The datagram with the ``subscription-started`` that every master sends first.

    ``period``: ns.
    """
    notification = Notification(
        NotificationKind.SUBSCRIPTION_STARTED,
        "ietf-subscribed-notifications:subscription-started",
        names.ROOT_ENVELOPE,
        SUBSCRIPTION,
        event_time=DeviceTime(time.time_ns()),
        state_change=StateChange(
            SubscriptionTerms(
                datastore="operational",
                period=period,
                anchor_time=DeviceTime(0),
                encoding="encode-json",
            ),
            cards(),
        ),
    )
    payload = encode(notification, mode=names.MODE_DN_19)
    return encode_message(payload, media_type=1, publisher_id=MASTER, message_id=1)[0]


def _template(card: int, octets: int) -> bytes:
    """One push-update of exactly ``octets``, an interface of ietf-interfaces in it."""
    statistics: dict[str, Any] = {"discontinuity-time": "2026-01-01T00:00:00Z"}
    statistics |= dict.fromkeys(_COUNTERS, "1234567890123456")
    statistics |= {"in-errors": 12, "in-discards": 7, "out-errors": 0, "out-discards": 345}
    interface = {
        "name": f"TenGigE0/{card}/0/1",
        "description": "",
        "type": "iana-if-type:ethernetCsmacd",
        "enabled": True,
        "oper-status": "up",
        "phys-address": "02:00:00:00:00:01",
        "statistics": statistics,
    }
    stamp = DeviceTime(1_800_000_000 * SECOND + 123_456_000)
    notification = Notification(
        NotificationKind.PUSH_UPDATE,
        "ietf-yang-push:push-update",
        names.ROOT_ENVELOPE,
        SUBSCRIPTION,
        event_time=stamp,
        observation_time=stamp,
        generator=str(card),
        hostname="device.example.net",
        sequence_number=FIRST_SEQUENCE,
    )

    def encoded() -> bytes:
        contents = {"ietf-interfaces:interfaces": {"interface": [interface]}}
        return encode(notification, contents, MediaType.YANG_DATA_JSON, mode=names.MODE_DN_19)

    missing = octets - len(encoded())
    if missing < 0:
        raise ValueError(f"a push-update of the benchmark needs {octets - missing} octets")
    interface["description"] = ("link to core7, contract 12345; " * (missing // 31 + 1))[:missing]
    return encoded()


class Traffic:
    """All datagrams of one period, ready to be sent."""

    def __init__(self, devices: int, octets: int = 900, updates: int = 1, *, seed: int = 1) -> None:
        """
        Args:
            devices: each with ``CARDS`` cards.
            octets: of one payload, the header of UDP-notif comes on top.
            updates: messages of one card in one period.
            seed: of the counters' digits.
        """
        self.devices = devices
        self.octets = octets
        self.updates = updates
        self.burst = CARDS * updates
        """Messages of one device in one period: those of card 1, of card 2, ..."""
        self.size = HEADER_LENGTH + octets
        """Octets of one datagram."""
        templates = [
            encode_message(_template(card, octets), media_type=1, publisher_id=card, message_id=0)[
                0
            ]
            for card in range(1, CARDS + 1)
            for _ in range(updates)
        ]
        rows = np.frombuffer(b"".join(templates), np.uint8).reshape(1, self.burst, self.size)
        self.datagrams: NDArray[np.uint8] = np.repeat(rows, devices, axis=0)
        """(device, message, octet)."""
        first = templates[0]
        stamp = format_date_and_time(1_800_000_000 * SECOND + 123_456_000, _TIME_DIGITS).encode()
        self._times = _places(first, stamp)
        self._sequence = first.index(str(FIRST_SEQUENCE).encode())
        self._counters = [place + 10 for place in _places(first, b"1234567890123456")]
        random = np.random.default_rng(seed)
        shape = (len(self._counters), devices, self.burst, 10)
        leading = random.integers(48, 58, shape, np.uint8)
        for row, place in enumerate(self._counters):
            self.datagrams[:, :, place - 10 : place] = leading[row]
            self.datagrams[:, :, place - 10] = ord("1")
        self._moving = random.integers(48, 58, (8, devices, self.burst, _MOVING), np.uint8)

    def stamp(self, first: int, end: int, index: int, now: int) -> None:
        """Write message ids, sequence numbers, times and counters of period ``index`` into the
        datagrams of devices ``first`` to ``end``; ``now``: ns since 1970."""
        rows = self.datagrams[first:end]
        numbers = [index * self.updates + one for one in range(self.updates)] * CARDS
        rows[:, :, 8:12] = _table([number.to_bytes(4) for number in numbers])
        sequences = _table([str(FIRST_SEQUENCE + number).encode() for number in numbers])
        rows[:, :, self._sequence : self._sequence + sequences.shape[1]] = sequences
        for time_, place in zip((now, now - OBSERVED_BEFORE), self._times, strict=True):
            text = _octets(format_date_and_time(time_, _TIME_DIGITS).encode())
            rows[:, :, place : place + len(text)] = text
        for number, place in enumerate(self._counters):
            moved = self._moving[(index + 4 * number) % len(self._moving), first:end]
            rows[:, :, place : place + _MOVING] = moved


def _octets(text: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(text, np.uint8)


def _table(texts: list[bytes]) -> NDArray[np.uint8]:
    """One row a text; all of one length."""
    return _octets(b"".join(texts)).reshape(len(texts), -1)


def _places(octets: bytes, wanted: bytes) -> list[int]:
    found, place = [], octets.find(wanted)
    while place >= 0:
        found.append(place)
        place = octets.find(wanted, place + 1)
    return found
