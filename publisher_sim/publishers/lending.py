"""One way out for all publishers of a device, where its process has very many of them.

Does: lend the socket of the device to each of its publishers. Does not: open others. Rule: over
UDP-notif alone, whose header says who speaks (the processes of a device may share address and port,
draft-ietf-netconf-distributed-notif-19 §4); elsewhere each has a connection of its own.
"""

from __future__ import annotations

from publisher_sim.publishers.senders import Sender, open_sender
from publisher_sim.scenario import Scenario

SHARED = ("udp-notif",)
"""Transports of which one sender serves many publishers."""


class Lending:
    """Makes the senders of one device."""

    def __init__(self) -> None:
        self._own: Sender | None = None
        self.sent = 0
        """Units of all publishers of the device."""

    @property
    def refused(self) -> int:
        """Units that the shared one gave up."""
        return 0 if self._own is None else self._own.refused

    def open(self, scenario: Scenario, transport: str = "", path: str = "") -> Sender | None:
        """A sender for one publisher. Raises ConfigError as ``open_sender``."""
        if (transport or scenario.receiver.transport) not in SHARED:
            single = open_sender(scenario, transport, path)
            return None if single is None else _Counted(single, self)
        if self._own is None:
            self._own = open_sender(scenario, transport, path)
        return None if self._own is None else _Lent(self._own, self)

    def close(self) -> None:
        """Once nobody sends any more; may be called twice."""
        if self._own is not None:
            self._own.close()


class _Counted:
    """A sender of one publisher, which counts."""

    def __init__(self, sender: Sender, lending: Lending) -> None:
        self._sender = sender
        self._lending = lending

    @property
    def refused(self) -> int:
        """See ``Sender``."""
        return self._sender.refused

    @property
    def waiting(self) -> int:
        """See ``Sender``."""
        return self._sender.waiting

    def send(self, address: str, port: int, octets: bytes, media_type: int, dscp: int = 0) -> None:
        """See ``Sender``."""
        self._lending.sent += 1
        self._sender.send(address, port, octets, media_type, dscp)

    def close(self) -> None:
        """See ``Sender``."""
        self._sender.close()


class _Lent(_Counted):
    """What one publisher sees of a shared one."""

    def close(self) -> None:
        """It was lent: others send on."""
