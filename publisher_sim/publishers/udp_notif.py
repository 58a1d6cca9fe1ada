"""UDP-notif publisher: puts datagrams on the wire from the device's own address.

Does: one socket a publisher process, bound to the device's (loopback) address and an ephemeral
port (udp-notif-26 §3.2). Does not: encode, delay or drop on purpose (``faults`` does). A datagram
that the system refuses is counted and gone, as on a real wire; nothing is retried.
"""

from __future__ import annotations

import socket

from collector.errors import ConfigError
from publisher_sim.publishers.marking import mark
from publisher_sim.scenario import Receiver

SEND_BUFFER = 4 * 1024 * 1024
"""Octets asked for; a burst of all segments of a tick must fit. Ours."""


class UdpNotifPublisher:
    """The sending socket of one publisher."""

    waiting = 0
    """What is sent is gone."""

    def __init__(self, address: str, receiver: Receiver | None = None) -> None:
        """``address``: of the device, IPv4 or IPv6; ``receiver``: nothing of it is needed here.

        Raises:
            ConfigError: it cannot be bound.
        """
        del receiver
        self.refused = 0
        """Datagrams that the system did not take."""
        self._dscp = 0
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        try:
            self._socket.bind((address, 0))
        except OSError as error:
            self._socket.close()
            raise ConfigError(
                f"{address} cannot be bound: {error.strerror}",
                key="address",
                allowed="an address of this machine, 127.0.0.1 to 127.255.255.254 among them",
            ) from error

    def send(
        self, address: str, port: int, octets: bytes, media_type: int = 0, dscp: int = 0
    ) -> None:
        """Send one datagram; its header says the media type already."""
        del media_type
        try:
            if dscp != self._dscp:
                mark(self._socket, dscp)
                self._dscp = dscp
            self._socket.sendto(octets, (address, port))
        except OSError:
            self.refused += 1

    def close(self) -> None:
        """May be called twice."""
        self._socket.close()
