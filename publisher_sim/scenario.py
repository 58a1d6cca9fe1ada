"""Scenario: what the device is and what goes wrong with it, as the TOML file says; frozen values.

Does not: run anything, read passwords or files (``scenario_file`` does, and checks the values).
Every table refuses unknown keys. Durations are in seconds here (the file's unit), in ns wherever
a property says so.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from collector.model import SECOND
from publisher_sim.transports import (
    TRANSPORTS,
    Continuity,
    EncodingName,
    HeaderName,
    Traits,
    TransportName,
    continuity,
)
from publisher_sim.truth import default_grace

MASTER = "master"
"""Name under which the master's own publisher is known."""

FaultKind = Literal[
    "drop", "duplicate", "reorder", "delay", "corrupt", "clock_skew", "silent",
    "kill", "pull", "move", "suspend", "terminate",
]  # fmt: skip
MESSAGE_FAULTS = ("drop", "duplicate", "reorder", "delay", "corrupt", "clock_skew", "silent")
"""Faults that a publisher does to its own messages; the others are the master's to act out."""

REASONS = {
    "suspend": (
        "insufficient-resources", "unsupportable-volume", "period-unsupported", "update-too-big",
        "sync-too-big",
    ),
    "terminate": (
        "no-such-subscription", "filter-unavailable", "stream-unavailable", "suspension-timeout",
        "datastore-not-subscribable", "unchanging-selection",
    ),
}  # fmt: skip
"""kind of fault -> the reasons it may give (RFC 8639 §2.7, RFC 8641 §5)."""


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Netconf(_Table, frozen=True):
    """Where the master's NETCONF server listens and who may come in."""

    port: int = 8300
    """0 takes any free port."""
    username: str = "collector"
    password_file: str = ""
    """File with the password in its first line."""
    password_env: str = "PUBLISHER_SIM_PASSWORD"  # noqa: S105 - a variable's name
    """Environment variable with the password, used where there is no file."""
    authorized_keys: str = ""
    """File with public keys that may log in, in the OpenSSH format."""
    host_key: str = ""
    """File with the private host key; made anew for every run where empty."""


class Tls(_Table, frozen=True):
    """How publishers meet a receiver over TLS or DTLS; paths of PEM files."""

    ca: str = ""
    """Who signs receivers. Empty: no TLS, where the transport can do without."""
    certificate: str = ""
    """What publishers show, its chain behind it; empty: none."""
    key: str = ""
    """Its private key, without a passphrase."""
    server_name: str = ""
    """Name that the receiver's certificate must have; empty: the receiver's address."""


class Receiver(_Table, frozen=True):
    """Where all publishers push to: in ``mso`` mode a device is preconfigured with it."""

    transport: TransportName = "udp-notif"
    """``netconf``: no receiver at all, the master forwards the pieces of its agents on the session
    that subscribed (RFC 8640 §6); address and port mean nothing then."""
    address: str = "127.0.0.1"
    port: int = 10003
    tls: Tls = Tls()
    path: str = "/yang-push"
    """Over ``https-notif``: what comes before the names of the resources."""
    yang_data: bool = False
    """Over ``https-notif``: whether media types are those of https-notif-16, as in
    ``application/yang-data+json``."""
    framing: Literal["single", "counted"] = "single"
    """Over ``dtls``: one datagram in each record (udp-notif-26), or behind its length in decimal
    digits (up to -25)."""


class Configured(_Table, frozen=True):
    """A subscription that the device was configured with (RFC 8639 §2.5): it pushes from its start
    on, whoever listens, and nobody has to ask. State changes go where the data goes."""

    subscription_id: int = 100
    """uint32; the lower half is for configured ones (RFC 8639 §6)."""
    xpath: str = "/ietf-interfaces:interfaces"
    """What it selects, prefixes are module names."""
    announce: bool = True
    """False: no state change is ever sent, as over dial-out, or to a collector that came later."""
    announce_list: bool = True
    """False: subscription-started and -modified come without the list of generators, as many
    devices do; an observer has to learn it."""


class Push(_Table, frozen=True):
    """How updates are cut and written."""

    updates_per_period: int = 1
    """Messages a publisher makes for each tick, 1 to 64."""
    encoding: EncodingName | None = None
    """What ``simulate`` asks for; a real subscriber says it in its request. None: the first that
    the transport can carry."""
    encodings: tuple[EncodingName, ...] | None = None
    """What it is able to write. None: all that the transport can carry."""
    cbor_keys: Literal["name", "sid"] = "name"
    """What names the nodes in CBOR; the SIDs are those of ``yang/sid-experimental``."""
    header: HeaderName = "envelope"
    """What stands around each update. ``rfc5277`` has no number: over it a lost message shows
    only where the transport has numbers of its own."""
    max_segment_size: int = 1400
    """Octets of a datagram's payload, header included (udp-notif-26 §7), 64 to 65507."""


class Periods(_Table, frozen=True):
    """Which periods the device accepts (RFC 8641 §3.2), seconds."""

    seconds: float = 1.0
    """That of the subscription which ``simulate`` makes, and of the timeline's rules."""
    minimum_seconds: float = 0.1
    """Shorter ones get ``period-unsupported`` with this as hint."""
    maximum_seconds: float = 86_400.0


class Card(_Table, frozen=True):
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

    @property
    def generator(self) -> str:
        """Its Message Generator ID."""
        return self.generator_id or str(self.publisher_id)


class Master(_Table, frozen=True):
    """The master: its own share of the data and its patience."""

    publisher_id: int = 1
    interfaces: tuple[str, ...] = ()
    hardware: tuple[str, ...] = ()
    phase: float = 0.0
    arc: float = 0.05
    loss_detection_seconds: float = 1.0
    """How long after an agent's channel broke the master declares it gone, at most 3."""


class Fault(_Table, frozen=True):
    """One entry of the timeline; periods count from 0 at the first subscription's first tick."""

    kind: FaultKind
    at_period: int
    """First tick that is touched; what the master acts out happens a quarter period before it."""
    until_period: int | None = None
    """First tick that is no longer touched: a pulled or killed card is back, with other Message
    IDs. None: one tick for what touches messages, for good for the others."""
    card: str = ""
    """Whom it hits; empty: every publisher (only for what touches messages)."""
    probability: float = 1.0
    """Of each message (``drop`` with ``datagrams``: of each datagram)."""
    datagrams: bool = False
    """``drop``: single datagrams of a segmented message rather than whole ones."""
    seconds: float = 0.0
    """``delay``: how long; ``reorder``: how far back; ``clock_skew``: how far, either sign."""
    moves_to: str = ""
    """``pull``, ``kill``, ``move``: which publisher takes the nodes over; empty: they leave the
    datastore with the card."""
    interfaces: tuple[str, ...] = ()
    """``move``: which ones; empty: all that the card owns."""
    reason: str = ""
    """``suspend``, ``terminate``: identity without its module; empty: the first of ``REASONS``."""

    @property
    def until(self) -> int | None:
        """``until_period`` with its default filled in."""
        if self.until_period is None and self.kind in MESSAGE_FAULTS:
            return self.at_period + 1
        return self.until_period

    @property
    def said_reason(self) -> str:
        """``reason`` with its default filled in; empty for faults without one."""
        return self.reason or REASONS.get(self.kind, ("",))[0]


class Scenario(_Table, frozen=True):
    """The whole file."""

    name: str = "device"
    address: str = "127.0.1.1"
    """Loopback address that the device binds and sends from, one a device."""
    control_mode: Literal["mso", "distributed-notif-18", "distributed-notif-19"] = "mso"
    """How the list is spelled, and whether an update carries its publisher's id
    (distributed-notif -09 to -19 do, the base draft has the transport's header alone); -19 has
    configured subscriptions only."""
    seed: int = 1
    periods: int = 60
    """How long the run lasts, counted in ticks of the first subscription; 0: until stopped."""
    grace_seconds: float | None = None
    """What the collector waits. None: the default that it derives from the period."""
    netconf: Netconf = Netconf()
    receiver: Receiver = Receiver()
    configured: Configured | None = None
    """None: it waits for establish-subscription."""
    push: Push = Push()
    period: Periods = Periods()
    master: Master = Master()
    card: tuple[Card, ...] = ()
    fault: tuple[Fault, ...] = field(default=())

    @property
    def grace(self) -> int | None:
        """ns, as stated; None when it was not."""
        return None if self.grace_seconds is None else round(self.grace_seconds * SECOND)

    @property
    def period_ns(self) -> int:
        """Period that the timeline's rules are checked with, ns."""
        return round(self.period.seconds * SECOND)

    @property
    def effective_grace(self) -> int:
        """The stated grace, or the default for ``period_ns``, ns."""
        return default_grace(self.period_ns) if self.grace is None else self.grace

    @property
    def traits(self) -> Traits:
        """What its transport can carry."""
        return TRANSPORTS[self.receiver.transport]

    @property
    def encodings(self) -> tuple[str, ...]:
        """What its publishers are able to write, over its transport."""
        return (
            tuple(self.traits.media_types) if self.push.encodings is None else self.push.encodings
        )

    @property
    def encoding(self) -> str:
        """What ``simulate`` asks for."""
        return self.push.encoding or self.encodings[0]

    @property
    def continuity(self) -> Continuity:
        """Which numbers show a receiver that a message was lost."""
        return continuity(self.receiver.transport, self.push.header)

    @property
    def announces(self) -> bool:
        """Are state changes of its subscription sent?"""
        if self.configured is None:
            return True
        return self.configured.announce and self.traits.notifications

    @property
    def lists(self) -> bool:
        """Does it ever say who is to deliver?"""
        return self.configured is None or (self.announces and self.configured.announce_list)

    @property
    def publishers(self) -> tuple[Card, ...]:
        """The master's own publisher first, then the cards."""
        own = self.master
        first = Card(
            MASTER, own.publisher_id, own.interfaces, own.hardware, True, own.phase, own.arc
        )
        return (first, *self.card)

    def publisher(self, name: str) -> Card:
        """The publisher of that name. Raises KeyError."""
        for one in self.publishers:
            if one.name == name:
                return one
        raise KeyError(name)
