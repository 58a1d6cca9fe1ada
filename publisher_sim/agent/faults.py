"""Faults: from the messages of one tick to what is put on the wire, and when.

Does not: send, or judge. One ``Breaker`` belongs to one publisher; its randomness comes from
(seed, publisher, subscription, tick), so that a run can be repeated and two publishers never
share a draw. A message is touched by every fault of the timeline that names its publisher and
holds its tick, in the order of the file.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from msgspec import Struct

from collector.model import SECOND
from publisher_sim.scenario import MESSAGE_FAULTS, Fault

GARBLED = 4
"""Octets of the payload that ``corrupt`` spoils; ours."""


class Sending(Struct, frozen=True, gc=False):
    """One unit that will leave: a datagram over UDP, elsewhere a whole message."""

    due: int
    """ns since 1970."""
    number: int
    """Which unit of its message."""
    octets: bytes
    garbled: bool = False


class Breaker:
    """The faults of one publisher."""

    def __init__(self, publisher: str, seed: int, faults: Iterable[Fault]) -> None:
        self._publisher = publisher
        self._seed = seed
        self._faults = [
            fault
            for fault in faults
            if fault.kind in MESSAGE_FAULTS and fault.card in ("", publisher)
        ]

    def silent(self, tick: int) -> bool:
        """Does the publisher say nothing at this tick of the timeline?"""
        return any(fault.kind == "silent" for fault in self._at(tick))

    def incomplete(self, tick: int) -> bool:
        """Does it leave half out of its updates of this tick, and say so?"""
        return any(fault.kind == "incomplete" for fault in self._at(tick))

    def skew(self, tick: int) -> int:
        """How far its clock is off at this tick, ns."""
        skews = (fault.seconds for fault in self._at(tick) if fault.kind == "clock_skew")
        return round(sum(skews) * SECOND)

    def break_messages(
        self,
        tick: int,
        subscription_id: int,
        messages: Sequence[tuple[int, Sequence[bytes]]],
        within: str = "",
    ) -> list[list[Sending]]:
        """What leaves of each message.

        Args:
            tick: of the timeline.
            subscription_id: whose messages they are.
            messages: (when it would leave, its units), in order.
            within: tells apart what is made at different instants of one tick.
        """
        sendings = [
            [Sending(planned, number, octets) for number, octets in enumerate(units)]
            for planned, units in messages
        ]
        faults = self._at(tick)
        if not faults:
            return sendings
        draw = random.Random(f"{self._seed}/{self._publisher}/{subscription_id}/{tick}{within}")
        for fault in faults:
            for position, message in enumerate(sendings):
                hit = fault.datagrams or draw.random() < fault.probability
                if hit:
                    sendings[position] = _broken(fault, message, draw)
        return sendings

    def _at(self, tick: int) -> list[Fault]:
        return [
            fault
            for fault in self._faults
            if fault.at_period <= tick and (fault.until is None or tick < fault.until)
        ]


def _broken(fault: Fault, message: list[Sending], draw: random.Random) -> list[Sending]:
    amount = round(fault.seconds * SECOND)
    if fault.kind == "drop":
        if not fault.datagrams:
            return []
        return [one for one in message if draw.random() >= fault.probability]
    if fault.kind == "duplicate":
        return message + [_later(one, amount) for one in message]
    if fault.kind == "reorder":
        return [_later(one, amount) for one in reversed(message)]
    if fault.kind == "delay":
        return [_later(one, amount) for one in message]
    if fault.kind == "corrupt":
        return [_garble(one) for one in message]
    return message


def _later(sending: Sending, amount: int) -> Sending:
    return Sending(sending.due + amount, sending.number, sending.octets, sending.garbled)


def _garble(sending: Sending) -> Sending:
    """Spoil the payload so that neither JSON, XML nor CBOR can be read; the header stays good."""
    octets = bytearray(sending.octets)
    start = octets[1]  # header length
    for position in range(start, min(start + GARBLED, len(octets))):
        octets[position] = 0xFF
    return Sending(sending.due, sending.number, bytes(octets), garbled=True)
