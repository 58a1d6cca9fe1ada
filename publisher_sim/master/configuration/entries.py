"""Entries: a configured subscription and its receivers, as the state machines keep them.

Does not: move them (``subscriptions``, ``receivers``). Spec: RFC 8639 §2.5.1.
"""

from __future__ import annotations

from msgspec import Struct

from collector.model import NotificationKind, StateChange
from collector.wire.subscriptions.config import ConfiguredSubscription
from collector.wire.subscriptions.receiver_instances import ReceiverInstance
from publisher_sim.cards.channel import ComponentSubscription, Destination
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.ports import Announce
from publisher_sim.subscriptions.global_subscription import DEFAULT_ENCODING, GlobalSubscription

VALID, INVALID, CONCLUDED = "valid", "invalid", "concluded"
CONNECTING, ACTIVE, SUSPENDED, DISCONNECTED = "connecting", "active", "suspended", "disconnected"

GONE = "no-such-subscription"
"""Why a subscription or a receiver ends that is configured no more."""


class Receiver(Struct):
    """One receiver of a valid subscription."""

    destination: Destination
    state: str = CONNECTING
    since: int = 0
    """When it began to connect, ns since 1970."""


class Entry(Struct):
    """One subscription of the running configuration."""

    wanted: ConfiguredSubscription
    instances: tuple[ReceiverInstance, ...]
    state: str = INVALID
    one: GlobalSubscription | None = None
    receivers: dict[str, Receiver] = {}


def is_running(entry: Entry, life_cycle: LifeCycle) -> bool:
    """Has it begun, and not ended?"""
    return entry.one is not None and life_cycle.get(entry.wanted.id) is entry.one


def place_of(to: Destination) -> tuple[str, str, int]:
    """Transport, address and port."""
    return (to.transport, to.address, to.port)


def announce(
    one: GlobalSubscription, kind: NotificationKind, change: StateChange, to: Destination
) -> Announce:
    """To one receiver alone."""
    component = ComponentSubscription(
        subscription_id=one.subscription_id,
        period=one.terms.period or 0,
        anchor=one.terms.anchor_time or 0,
        encoding=one.terms.encoding or DEFAULT_ENCODING,
        nodes=(),
        selection=one.selection.wanted,
        receiver_transport=to.transport,
        receiver_address=to.address,
        receiver_port=to.port,
        timeline_start=one.terms.anchor_time or 0,
        timeline_period=one.terms.period or 0,
        dscp=one.terms.dscp or 0,
        destinations=(to,),
    )
    return Announce(component, kind, change)
