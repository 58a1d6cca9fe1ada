"""The tables ``[master]`` and ``[[card]]``: the publishers of the device."""

from __future__ import annotations

from publisher_sim.scenario.table import Table

MASTER = "master"
"""Name under which the master's own publisher is known."""
LATEST_OFFSET = 0.45
"""Part of the period by which a publisher has sent; beyond a half it would be the next tick's."""


class Card(Table, frozen=True):
    """One publisher: the master, or an agent on a line card."""

    name: str
    publisher_id: int
    """Message Publisher ID of its UDP-notif header, uint32; its generator id is this in decimal."""
    interfaces: tuple[str, ...] = ()
    hardware: tuple[str, ...] = ()
    external_connectivity: bool = True
    """False: it cannot reach a receiver, so it never gets a component subscription
    (draft-zhou-netconf-multi-stream-originators-10 §5) and the master serves its nodes."""
    phase: float = 0.0
    """When after the tick it starts to send, as a part of the period, 0 to 0.45."""
    arc: float = 0.05
    """Over which part of the period its messages of one tick are spread."""
    generator_id: str = ""
    """Its Message Generator ID where that is text, as the base draft allows; its updates then go in
    the form of notification-messages. Empty: the publisher id in decimal."""
    transient: tuple[str, ...] = ()
    """Interfaces that come and go (``changes.entry_seconds``), beside the others."""

    @property
    def all_interfaces(self) -> tuple[str, ...]:
        """Those that it ever has."""
        return self.interfaces + self.transient

    @property
    def generator(self) -> str:
        """Its Message Generator ID."""
        return self.generator_id or str(self.publisher_id)


class Master(Table, frozen=True):
    """The master: its own share of the data and its patience."""

    publisher_id: int = 1
    interfaces: tuple[str, ...] = ()
    hardware: tuple[str, ...] = ()
    phase: float = 0.0
    arc: float = 0.05
    loss_detection_seconds: float = 1.0
    """How long after an agent's channel broke the master declares it gone, at most 3."""
    transient: tuple[str, ...] = ()
    """As of a card."""
