"""What the devices of the benchmark send: push-updates of one size, and what is true of them.

Does: hold the datagrams of some devices in one array of octets, and patch times, numbers and
counters in place for the devices whose turn it is, so that making traffic costs next to nothing.
Does not: send.

Every device has an address of its own in 127.0.0.0/8 and so many line cards; each card has its own
Message Publisher ID and its own run of Message IDs and sends the same number of push-updates in
every period. So every period of every device is COMPLETE when nothing is lost.
"""

from __future__ import annotations

import ipaddress
import time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from collector.model import (
    DeviceTime,
    Notification,
    NotificationKind,
    StateChange,
    SubscriptionTerms,
)
from collector.wire.notifications.notification import encode
from collector.wire.udp_notif.datagrams import decode_header, encode_message
from collector.wire.values import names
from collector.wire.values.timestamps import format_date_and_time
from tests.bench import payloads
from tests.bench.load import Load
from tests.bench.payloads import FIRST_SEQUENCE, OBSERVED_BEFORE, SUBSCRIPTION, TIME_DIGITS

MASTER: Final = 0
"""Message Publisher ID of the master, which sends the state changes."""
FIRST_CARD: Final = 1_001
"""Message Publisher ID of the first card: all have as many digits in JSON and as many octets in
CBOR, so that the messages of all cards are patched at the same places."""
_FIRST_ADDRESS: Final = int(ipaddress.IPv4Address("127.1.0.1"))
_AT_ONCE: Final = 32
"""Devices at most whose datagrams are held."""
_OCTETS_AT_ONCE: Final = 4 << 20
"""Octets of datagrams that are held, about; they should stay in the processor's cache."""
_MESSAGE_ID: Final = slice(8, 12)
"""Octets of the header of UDP-notif (draft-ietf-netconf-udp-notif-26 §3.2)."""


def address(device: int) -> str:
    """Source address of a device, counted from 0."""
    return str(ipaddress.IPv4Address(_FIRST_ADDRESS + device))


def device_name(device: int) -> str:
    """Its name in the configuration."""
    return f"device{device}"


def device_number(name: str) -> int:
    """The other way round."""
    return int(name.removeprefix("device"))


def _numbers(load: Load) -> range:
    return range(FIRST_CARD, FIRST_CARD + load.cards)


def cards(load: Load) -> tuple[str, ...]:
    """Message generators of every device."""
    return tuple(map(str, _numbers(load)))


def terms(load: Load) -> SubscriptionTerms:
    """What every subscription is about."""
    return SubscriptionTerms(
        datastore="operational",
        period=load.period,
        anchor_time=DeviceTime(0),
        encoding=payloads.ENCODINGS[load.encoding].name,
    )


def started(load: Load) -> bytes:
    """The datagram with the ``subscription-started`` that every master sends first."""
    notification = Notification(
        NotificationKind.SUBSCRIPTION_STARTED,
        "ietf-subscribed-notifications:subscription-started",
        names.ROOT_ENVELOPE,
        SUBSCRIPTION,
        event_time=DeviceTime(time.time_ns()),
        state_change=StateChange(terms(load), cards(load)),
    )
    media_type = payloads.ENCODINGS[load.encoding].media_type
    payload = encode(notification, None, media_type, mode=names.MODE_DN_19)
    (datagram,) = encode_message(
        payload, media_type=media_type, publisher_id=MASTER, message_id=1, max_segment_size=65_000
    )
    return datagram


class Traffic:
    """The datagrams of some devices in one period, ready to be sent."""

    def __init__(self, load: Load) -> None:
        """Raises ValueError: the payload is too small for a push-update."""
        self.load = load
        kind = payloads.ENCODINGS[load.encoding]
        made = [payloads.template(card, load.octets, load.encoding) for card in _numbers(load)]
        split = [
            encode_message(
                one.payload, media_type=kind.media_type, publisher_id=card, message_id=0,
                max_segment_size=load.mtu,
            )
            for card, one in zip(_numbers(load), made, strict=True)
        ]  # fmt: skip
        self.segments = len(split[0])
        """Datagrams of one message."""
        self.datagram = len(split[0][0])
        """Octets of each but the last."""
        self.row = sum(map(len, split[0]))
        """Octets of all datagrams of one message."""
        self.at_once = max(1, min(_AT_ONCE, load.devices, _OCTETS_AT_ONCE // self._device_octets))
        """Devices that are held."""
        rows = np.frombuffer(b"".join(map(b"".join, split)), np.uint8)
        rows = rows.reshape(1, load.cards, 1, self.row)
        self.octets: NDArray[np.uint8] = np.empty(
            (self.at_once, load.cards, load.updates, self.row), np.uint8
        )
        """(device, card, update, octet)."""
        self.octets[:] = rows
        self._find_places(split[0], made[0])
        self._random = np.random.default_rng(load.seed)
        self._least, self._most = kind.least, kind.most
        self._octets_of = kind.octets_of
        self.octets[..., self._fixed] = self._noise((self.at_once, load.cards, 1, len(self._fixed)))
        held = load.updates * len(self._moving) * load.cards * self.at_once
        self._moves = self._noise((held + (1 << 16),))

    @property
    def _device_octets(self) -> int:
        return self.row * self.load.burst

    def _noise(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        return self._random.integers(self._least, self._most + 1, shape, np.uint8)

    def _find_places(self, datagrams: list[bytes], one: payloads.Template) -> None:
        """From octets of the payload to octets of the row, between the headers."""
        lengths = [len(datagram) for datagram in datagrams]
        starts = np.cumsum([0, *lengths[:-1]])
        headers = [decode_header(datagram).header_length for datagram in datagrams]
        self.payload_octets = np.concatenate(
            [
                np.arange(start + header, start + length)
                for start, header, length in zip(starts, headers, lengths, strict=True)
            ]
        )
        """Where the payload is in a row."""
        self._headers = [int(start) for start in starts]
        at = self.payload_octets
        self._sequence = _together(at[one.sequence])
        self._event_time = _together(at[one.event_time])
        self._observation_time = _together(at[one.observation_time])
        self._fixed, self._moving = at[one.fixed], at[one.moving]

    def stamp(self, count: int, index: int, now: int) -> NDArray[np.uint8]:
        """Write message ids, sequence numbers, times and counters of period ``index`` into the
        first ``count`` devices that are held; returns them. ``now``: ns since 1970."""
        rows, updates = self.octets[:count], self.load.updates
        numbers = [index * updates + one for one in range(updates)]
        ids = _table([number.to_bytes(4) for number in numbers])
        for start in self._headers:
            rows[..., start + _MESSAGE_ID.start : start + _MESSAGE_ID.stop] = ids
        rows[..., self._sequence] = _table(
            [self._octets_of(FIRST_SEQUENCE + number, 4) for number in numbers]
        )
        rows[..., self._event_time] = _text(now)
        rows[..., self._observation_time] = _text(now - OBSERVED_BEFORE)
        shape = (*rows.shape[:3], len(self._moving))
        at = int(self._random.integers(1 << 16))
        rows[..., self._moving] = self._moves[at : at + np.prod(shape, dtype=int)].reshape(shape)
        return rows


def _text(ns: int) -> NDArray[np.uint8]:
    return np.frombuffer(format_date_and_time(ns, TIME_DIGITS).encode(), np.uint8)


def _table(texts: list[bytes]) -> NDArray[np.uint8]:
    """One row a text; all of one length."""
    return np.frombuffer(b"".join(texts), np.uint8).reshape(len(texts), -1)


def _together(places: payloads.Places) -> slice | payloads.Places:
    """A slice where the octets follow each other: quicker to write."""
    first, end = int(places[0]), int(places[-1]) + 1
    return slice(first, end) if end - first == len(places) else places
