"""A sender with one road to each receiver, over TCP one for each DSCP: what HTTPS-notif, gRPC
dial-out and DTLS share.

Does: make the road when the first unit goes there, count what is given up, close all. Does not:
know a transport; a road queues, connects and sends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from publisher_sim.scenario import Receiver


class Road(Protocol):
    """The way to one receiver."""

    refused: int
    """Units that were given up."""

    @property
    def waiting(self) -> int:
        """Units that were neither sent nor given up."""
        ...

    def put(self, octets: bytes, media_type: int, dscp: int) -> None:
        """Send one unit, or queue it."""
        ...

    def close(self) -> None:
        """Let go of everything; what waited counts as given up."""
        ...


class RoadSender(ABC):
    """The way out of one publisher (``senders.Sender``)."""

    marks_connections = True
    """False: it marks each datagram, so that one road will do for all."""

    def __init__(self, address: str, receiver: Receiver) -> None:
        """``address``: of the device, to send from; ``receiver``: its settings, TLS among them."""
        self._address, self._receiver = address, receiver
        self._roads: dict[tuple[str, int, int], Road] = {}
        """(address, port, DSCP of all that goes there) -> road."""
        self._given_up = 0
        self.on_reach: Callable[[str, int, bool], None] = lambda address, port, reached: None
        """Called with address, port and whether that receiver can be reached, at every news."""

    @abstractmethod
    def _open(self, to: tuple[str, int], dscp: int) -> Road:
        """A road to this address and port; ``dscp``: of its connection. Raises OSError."""

    @property
    def refused(self) -> int:
        """Units that were given up."""
        return self._given_up + sum(road.refused for road in self._roads.values())

    @property
    def waiting(self) -> int:
        """Units that were neither sent nor given up."""
        return sum(road.waiting for road in self._roads.values())

    def send(
        self, address: str, port: int, octets: bytes, media_type: int = 0, dscp: int = 0
    ) -> None:
        """Send one unit, or queue it."""
        key = (address, port, dscp if self.marks_connections else 0)
        road = self._roads.get(key)
        if road is None:
            try:
                road = self._roads[key] = self._open((address, port), key[2])
            except OSError:
                self._given_up += 1
                return
        road.put(octets, media_type, dscp)

    def close(self) -> None:
        """What was not taken is given up. May be called twice."""
        roads, self._roads = self._roads, {}
        for road in roads.values():
            road.close()
            self._given_up += road.refused
