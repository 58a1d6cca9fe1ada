"""What a publisher wants done, in order: the actions of ``AgentPublisher``."""

from __future__ import annotations

from msgspec import Struct

from publisher_sim.cards.channel import Count, Forward, Status
from publisher_sim.truth.accounts import OnWire, Produced, Recorded


class Account(Struct, frozen=True, gc=False):
    """Write this down before anything that follows it is done."""

    fact: Produced | Recorded | OnWire


class Transmit(Struct, frozen=True, gc=False):
    """Put this unit on the wire."""

    transport: str
    """One of ``transports.TRANSPORTS``, never ``netconf``: there the master sends."""
    address: str
    port: int
    media_type: int
    """``MediaType``."""
    octets: bytes
    path: str = ""
    """Over ``https-notif``; empty: the scenario's."""
    dscp: int = 0
    """Code point of its IP header."""
    scope: int = 0
    """From the source port of this subscription; 0: all share one."""


class Planned(Struct, frozen=True, gc=False):
    """An update that is to be made."""

    subscription_id: int
    plan: int
    """Nothing is made for a plan that was given up."""
    nominal: int
    """Tick that it is for."""
    at: int
    """When it is made and leaves if nothing is wrong, ns since 1970."""
    position: int
    """Which of ``count`` of its tick, from 0."""
    count: int


AgentAction = Account | Transmit | Forward | Status | Count
