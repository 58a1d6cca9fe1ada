"""What is sent: how many devices and cards, how much, in which encoding, and what is lost of it.

Does: hold the numbers and what follows from them. Does not: send, or measure.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from collector.model import SECOND

CENTISECOND = SECOND // 100
FIRST_PERIOD = 1
"""Index that the sender gives to its first period."""


class Load(Struct, frozen=True):
    """The traffic of every period, and how often it comes."""

    devices: int = 1000
    cards: int = 8
    """Line cards of each device."""
    updates: int = 1
    """Messages of one card in one period, in one burst."""
    octets: int = 900
    """Of one payload; the headers of UDP-notif come on top."""
    encoding: str = "json"
    """A key of ``payloads.ENCODINGS``."""
    mtu: int = 1400
    """Octets of a datagram at most; a longer message goes in segments."""
    period: int = SECOND
    """ns; whole centiseconds."""
    loss: float = 0.0
    """Share of the datagrams that the sender does not send, after the warm-up."""
    seed: int = 1

    @property
    def burst(self) -> int:
        """Messages of one device in one period."""
        return self.cards * self.updates

    @property
    def rate(self) -> int:
        """Messages a second."""
        return round(self.devices * self.burst * SECOND / self.period)

    def at_rate(self, rate: int) -> Load:
        """The same devices and cards, ``rate`` messages a second.

        A card sends more messages in a period, as many as suit the present period best; the rest
        is done by the length of the period, in centiseconds, as subscriptions have it.
        """
        each_second = rate / (self.devices * self.cards)
        updates = max(1, round(each_second * self.period / SECOND))
        period = max(CENTISECOND * 10, round(updates / each_second * 100) * CENTISECOND)
        return replace(self, updates=updates, period=period)

    def with_devices_for(self, rate: int) -> Load:
        """As many devices as ``rate`` takes, everything else as it is."""
        devices = max(1, round(rate * self.period / SECOND / self.burst))
        return replace(self, devices=devices)


class Plan(Struct, frozen=True):
    """How long a load is sent."""

    load: Load = Load()
    periods: int = 5
    """With every device, measured."""
    ramp: int = 5
    """Periods before in which one part of the devices after the other begins, each with the
    ``subscription-started`` of its master; 0: all at once and unannounced."""
    learning: int = 3
    """Further periods that are not measured: the engine learns what is usual."""
    closing: int = 0
    """Periods at the end without loss, so that the counters say what was lost before."""

    @classmethod
    def of_seconds(cls, load: Load, seconds: float, *, warm: bool = True) -> Plan:
        """As many whole measured periods as fit, three at least when something is lost."""
        periods = max(1, round(seconds * SECOND / load.period))
        ramp, learning = (5, 3) if warm else (0, 0)
        return cls(load, periods, ramp, learning, 2 if load.loss else 0)

    @property
    def warm_up(self) -> int:
        """Periods before the measured ones."""
        return self.ramp + self.learning

    @property
    def total(self) -> int:
        """All periods."""
        return self.warm_up + self.periods + self.closing

    @property
    def seconds(self) -> float:
        """From the first message to the last."""
        return self.total * self.load.period / SECOND

    def begun(self, index: int) -> int:
        """How many devices send in a period, counted from 0."""
        if index >= self.ramp:
            return self.load.devices
        return self.load.devices * (index + 1) // self.ramp

    def begins(self, device: int) -> int:
        """The period in which a device sends first, counted from 0."""
        return next(index for index in range(self.ramp + 1) if self.begun(index) > device)

    def loses(self, index: int) -> bool:
        """Whether datagrams get lost in this period."""
        return bool(self.load.loss) and self.warm_up <= index < self.warm_up + self.periods
