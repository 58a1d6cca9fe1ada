"""Senders: what puts the units of one publisher process on the wire, one file a transport.

Does: say what a sender is, and find that of a transport by its entry point. Does not: send. Rules:
an entry point of ``publisher_sim.publishers`` has the transport's name; a class is imported only
when a scenario wants it. Over ``netconf`` an agent has none: its master forwards.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Protocol

from msgspec import structs

from collector.errors import ConfigError
from publisher_sim.scenario import Receiver, Scenario

GROUP = "publisher_sim.publishers"


class Sender(Protocol):
    """The way out of one publisher process; made and used in the event loop."""

    @property
    def refused(self) -> int:
        """Units that were given up: by the system, the receiver, or a full queue."""
        ...

    @property
    def waiting(self) -> int:
        """Units that were taken and neither sent nor given up; who stops waits for them a while."""
        ...

    def send(self, address: str, port: int, octets: bytes, media_type: int, dscp: int = 0) -> None:
        """Send one unit, or put it into a bounded queue; returns at once and never raises.

        Order is kept, over TCP among those of one ``dscp``. What cannot be sent is counted in
        ``refused`` and gone: the truth was told that it left, so nothing here may drop on purpose
        or take long.
        """
        ...

    def close(self) -> None:
        """Let go of everything at once; may be called twice."""
        ...


class SenderClass(Protocol):
    """What an entry point names."""

    def __call__(self, address: str, receiver: Receiver) -> Sender:
        """Open what is local; connecting may come later.

        Args:
            address: of the device, to send from.
            receiver: transport and TLS settings; each ``send`` says address and port.

        Raises:
            ConfigError: the address cannot be bound, a file cannot be read.
        """
        ...


class OpenSender(Protocol):
    """How a publisher gets its way out."""

    def __call__(self, scenario: Scenario, transport: str = "", path: str = "") -> Sender | None:
        """As ``open_sender``."""
        ...


def open_sender(scenario: Scenario, transport: str = "", path: str = "") -> Sender | None:
    """A new sender for one publisher of the device; None where the master forwards.

    Args:
        scenario: address and TLS settings.
        transport: one of ``transports.TRANSPORTS``; empty: the scenario's.
        path: over ``https-notif``; empty: the scenario's.

    Raises:
        ConfigError: it is not installed, or as ``SenderClass``.
    """
    receiver = structs.replace(
        scenario.receiver,
        transport=transport or scenario.receiver.transport,
        path=path or scenario.receiver.path,
    )
    if receiver.transport == "netconf":
        return None
    found = {one.name: one for one in entry_points(group=GROUP)}
    if receiver.transport not in found:
        raise ConfigError(
            f"nothing here sends over {receiver.transport}",
            key="receiver.transport",
            allowed=", ".join(sorted({"netconf", *found})),
        )
    try:
        make: SenderClass = found[receiver.transport].load()
    except ImportError as error:
        raise ConfigError(
            f"{receiver.transport} needs a library that is not installed: {error}",
            key="receiver.transport",
        ) from error
    return make(scenario.address, receiver)
