"""What master and agents say to each other, as values: the pure contract behind the gRPC channel.

Does not: carry anything; ``publishers.agent_channel`` does between processes, ``simulate`` in
memory. The base draft leaves the mechanism open (§4) and asks for what it must do: registration,
an announced component capability, component subscriptions down, their status up, life-cycle
events. The end of a channel is the loss of the agent.
"""

from __future__ import annotations

from msgspec import Struct

from collector.model import OnChange, SelectionFilter
from publisher_sim.data.entries import Node


class Destination(Struct, frozen=True):
    """Where and how a configured subscription is pushed to (RFC 8639 §2.5.7)."""

    transport: str
    """One of ``transports.TRANSPORTS``, never ``netconf``."""
    address: str
    port: int
    path: str = ""
    """Over ``https-notif``: what comes before the names of the resources; empty: the scenario's."""
    max_segment_size: int = 0
    """Octets of a datagram's payload; 0: the scenario's."""


class ComponentSubscription(Struct, frozen=True, tag="component-subscription"):
    """Serve these nodes from the next tick on; replaces what was said of this id before.

    It shares id, period, encoding and receiver with its global subscription
    (draft-zhou-netconf-multi-stream-originators-10 §5).
    """

    subscription_id: int
    period: int
    """ns."""
    anchor: int
    """Any tick."""
    encoding: str
    """Identity without its module."""
    nodes: tuple[Node, ...]
    selection: SelectionFilter | None
    """What of them; None: all."""
    receiver_transport: str
    """Where and how to push to (``transports.TRANSPORTS``); over ``netconf`` to the master, with
    ``Forward``."""
    receiver_address: str
    receiver_port: int
    timeline_start: int
    """Tick 0 of the scenario's timeline; ``timeline_period`` apart from the next one."""
    timeline_period: int
    destinations: tuple[Destination, ...] = ()
    """Instead of the one receiver above: each gets everything, counted in numbers of its own. What
    leaves for the first one is accounted for."""
    dscp: int = 0
    """Code point of what is sent, 0 to 63 (RFC 8639 §2.3)."""
    on_change: OnChange | None = None
    """Say what changes, rather than everything at each tick (RFC 8641 §4.2); period and anchor are
    then those of the timeline."""
    resumed: bool = False
    """The subscription is older than this: changes may have been missed."""

    @property
    def goes_to(self) -> tuple[Destination, ...]:
        """Where it is pushed to, however that was said."""
        only = Destination(self.receiver_transport, self.receiver_address, self.receiver_port)
        return self.destinations or (only,)


class EndComponent(Struct, frozen=True, tag="end-component"):
    """Stop serving this subscription; also what suspends it."""

    subscription_id: int
    suspended: bool = False
    """It may go on: what was said of an on-change subscription is remembered."""


class ResyncComponent(Struct, frozen=True, tag="resync-component"):
    """Send everything of an on-change subscription once more (RFC 8641 §4.4.4)."""

    subscription_id: int


ToAgent = ComponentSubscription | EndComponent | ResyncComponent


class Register(Struct, frozen=True, tag="register"):
    """An agent is there. Its component capability is what it announces beside its name."""

    card: str
    run: str
    """This life of its process."""
    encodings: tuple[str, ...]
    minimum_period: int
    """ns."""
    external_connectivity: bool


class Status(Struct, frozen=True, tag="status"):
    """State of a component subscription: ``active``, ``ended`` or ``refused``."""

    card: str
    subscription_id: int
    state: str
    detail: str = ""


class Forward(Struct, frozen=True, tag="forward", gc=False):
    """Put this piece on the session that subscribed: a data plane without a way of its own."""

    card: str
    subscription_id: int
    run: str
    message_id: int
    """Of the account of this life of the process; not on the wire."""
    number: int
    due: int
    """When it should have left, ns since 1970."""
    octets: bytes
    """The whole notification message, XML."""


class Count(Struct, frozen=True, tag="count"):
    """What a publisher made of a subscription since it said so last (RFC 8639 §2.8)."""

    card: str
    subscription_id: int
    sent: int
    """Update records."""
    excluded: int = 0
    """Records that a filter or access control kept back."""


class Heartbeat(Struct, frozen=True, tag="heartbeat"):
    """Still there."""

    card: str


FromAgent = Register | Status | Forward | Count | Heartbeat
