"""The keys of ``[[subscription]]``, ``[[receiver_instance]]`` and ``[[known_subscription]]``: see
``settings``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from collector.config.types import Name, Port, Text
from collector.model import CENTISECOND, SECOND, DeviceTime

Change = Literal["create", "delete", "insert", "move", "replace"]
"""``excluded-change`` (RFC 8641 §4.2)."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def centiseconds(seconds: float) -> int:
    """ns of a length of time in steps of 0.01 s, the unit of the wire."""
    return round(seconds * 100) * CENTISECOND


def moment(text: str) -> DeviceTime:
    """ns of an RFC 3339 time.

    Raises:
        ValueError: it is none, has no zone, or lies beyond 64-bit ns (years 1678 to 2261).
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time without its zone")
    time = (found - _EPOCH) // timedelta(microseconds=1) * 1000
    if abs(time) >= 2**63:
        raise ValueError("a time beyond 64-bit ns")
    return DeviceTime(time)


class SubscriptionSettings(Struct, frozen=True, kw_only=True):
    """One subscription that is wanted, on one or many devices."""

    name: Name
    """Name of the series in verdicts and queries; stays the same when ids change."""
    devices: tuple[Text, ...] = ("*",)
    """Names of devices, or "*" for every one that has a [device.netconf]."""
    stream: Name | None = None
    """Event stream that is subscribed to instead of a datastore, as in "NETCONF" (RFC 8639). Its
    events come as they happen, so it has neither a period nor on_change."""
    xpath: Text | None = None
    """What is selected, as an XPath; prefixes are module names unless namespaces says otherwise.
    Of a stream everything is selected unless this, subtree or filter_name is given."""
    subtree: Text | None = None
    """What is selected, as a subtree filter in XML; instead of xpath."""
    filter_name: Text | None = None
    """What is selected, as the name of a filter that is configured on the device; instead of
    xpath."""
    namespaces: dict[str, Text] = {}
    """prefix -> namespace URI, for prefixes that are no module names, as in
    { if = "urn:ietf:params:xml:ns:yang:ietf-interfaces" }."""
    datastore: Literal["operational", "running", "intended", "candidate", "startup"] | None = None
    """Datastore that is watched (RFC 8342); without it, and without a stream, operational."""
    period_seconds: Annotated[float, Meta(ge=0.01, le=42_949_672.95)] | None = None
    """Seconds between updates, in steps of 0.01; or on_change."""
    on_change: bool = False
    """Whether an update is sent when something changed (RFC 8641), instead of one each period."""
    dampening_seconds: Annotated[float, Meta(ge=0, le=42_949_672.95)] = 0.0
    """With on_change: seconds, in steps of 0.01, that lie between two updates at least."""
    sync_on_start: bool = True
    """With on_change: whether everything is sent once at the beginning. Without it nobody knows
    what the changes change."""
    excluded_changes: tuple[Change, ...] = ()
    """With on_change: kinds of changes that are not sent: "create", "delete", "insert", "move",
    "replace"."""
    stop_time: Text | None = None
    """RFC 3339 time at which the subscription ends for good, by the clock of the device."""
    stop_after_seconds: Annotated[float, Meta(ge=10, le=366 * 86_400)] | None = None
    """Seconds that the device is asked to keep the subscription for, so that it outlives us by no
    more than that; instead of stop_time."""
    renew: bool = True
    """With stop_after_seconds: whether it is prolonged before it ends, for as long as it is in this
    file; else it ends once and for good."""
    replay_start_time: Text | None = None
    """With stream: RFC 3339 time, in the past, from which on events that the device has kept are
    sent first."""
    replay_seconds: Annotated[float, Meta(gt=0, le=366 * 86_400)] | None = None
    """With stream: so many seconds back from the moment of asking; instead of
    replay_start_time. After a break either is asked from where the break began."""
    dscp: Annotated[int, Meta(ge=0, le=63)] | None = None
    """DSCP of the packets that carry the updates."""
    weighting: Annotated[int, Meta(ge=0, le=255)] | None = None
    """Share of the bandwidth among subscriptions with the same dscp."""
    dependency: Name | None = None
    """Another subscription that goes first when both have something to send: its name here, or the
    id of one that is configured on the device."""
    module_versions: dict[str, Text] = {}
    """YANG module -> revision or version that updates must follow, as in
    { ietf-interfaces = "2018-02-20", acme-ports = "1.2.0" }; the device refuses when it has
    another."""
    accept_hints: bool = False
    """Whether a period, or dampening, that the device names when it refuses ours is asked for
    instead; never one shorter than half of ours. Without it hints are only shown."""
    transport: Literal["any", "netconf"] = "any"
    """How updates are expected: "netconf" on the session that subscribes, which carries XML alone
    (RFC 8640, section 6); "any" where the device is set up to push to one of the receivers."""
    encoding: Name | None = None
    """Encoding of the notifications; always asked for, since leaving it out means XML. Without it
    encode-json; of a stream, and with transport = "netconf", encode-xml. "encode-gpb" is what
    vendors have for gRPC dial-out; no standard names it. One of another module is
    "module:identity"; namespaces says that module's namespace, unless it is the IETF's."""
    anchor: Text = "auto"
    """Where periods start: "auto" asks for a multiple of the period since 1970, or an RFC 3339
    time."""
    expect: tuple[Name, ...] = ()
    """Generators that must deliver in every period, whatever the device lists; an alert says when
    its list names fewer of them, and when it names them all again."""
    grace_seconds: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    """Seconds to wait, for this subscription only; see [verdicts]."""
    leaves: bool = False
    """Whether the contents of its updates are stored leaf by leaf, as with [store] leaves."""
    configured_id: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    """Id of the subscription where it is configured on its devices (RFC 8639, section 2.5), by
    `collector configure`, instead of asked for in a session; ids up to 2147483647 are meant for
    that. One that pushes to us under another id is taken over with it."""
    receivers: tuple[Name, ...] = ()
    """With configured_id: names of the [[receiver_instance]] that it is pushed to."""
    configured_replay: bool = False
    """With configured_id and stream: whether what the device kept since its last start is sent to
    a receiver first."""
    configured_restore: bool = False
    """With configured_id: whether the running collector configures it once more when a look into
    /subscriptions (see [cross_check]) finds that a device has lost it, as `collector configure`
    would, at most three times a day. Without it that is only said."""

    @property
    def asked_encoding(self) -> str:
        """The encoding to ask for."""
        of_session = self.stream is not None and self.configured_id is None
        on_session = self.transport == "netconf" or of_session
        return self.encoding or ("encode-xml" if on_session else "encode-json")

    @property
    def asked_datastore(self) -> str | None:
        """The datastore to ask for; None for a stream."""
        return None if self.stream is not None else self.datastore or "operational"

    @property
    def period(self) -> int | None:
        """ns between updates; None where there is no period."""
        return None if self.period_seconds is None else centiseconds(self.period_seconds)

    @property
    def grace(self) -> int | None:
        """ns to wait; None when the setting of [verdicts] or the default rule holds."""
        return None if self.grace_seconds is None else round(self.grace_seconds * SECOND)

    @property
    def anchor_time(self) -> DeviceTime | None:
        """The configured anchor; None for ``auto``."""
        return None if self.anchor == "auto" else moment(self.anchor)


class ReceiverInstanceSettings(Struct, frozen=True, kw_only=True):
    """Where devices push configured subscriptions to: this collector, as they see it."""

    name: Name
    """Its name on the devices; two collectors need two."""
    transport: Literal["udp-notif", "https"] = "udp-notif"
    """Which of the receivers it is."""
    address: Text
    """IP address of the collector, or a name that the devices can resolve."""
    port: Port
    """UDP or TCP port of the receiver."""
    path: Text = "/yang-push"
    """With https: what comes before the names of the resources, as in [https_notif]."""
    tls: bool = False
    """Whether devices use TLS, with udp-notif DTLS."""
    tls_parameters: Text | None = None
    """With tls: what stands inside the device's container of TLS parameters, as XML; the keys and
    certificates in it are names of what is on the device already."""
    enable_segmentation: bool = True
    """With udp-notif: whether large messages are cut; without it IP fragments them."""
    max_segment_size: Annotated[int, Meta(ge=64, le=65_535)] | None = None
    """With udp-notif: octets of a datagram's payload at most; without it the device's default."""
    spelling: Literal[
        "auto", "udp-notif-26", "udp-notif-09", "udp-notif-08", "https-notif-16", "https-notif-15"
    ] = "auto"
    """Which version of the draft the device's model is of: "auto" looks at what it has and says of
    itself. The older ones call the leaves address and port."""


class KnownSubscriptionSettings(Struct, frozen=True, kw_only=True):
    """A subscription that is made elsewhere, known by its id: in a capture whose start is missing,
    or configured on the device."""

    id: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    """Its id, as messages carry it; or its label."""
    label: Text | None = None
    """What messages of gRPC dial-out call it, as in "Sub3". In rows its id is then the CRC-32 of
    that text with the highest bit set."""
    devices: tuple[Text, ...] = ("*",)
    """Names of devices, or "*" for all; in a capture the address of one that has no name here."""
    name: Name | None = None
    """Name of the series in verdicts and queries; without it the label, else the id."""
    period_seconds: Annotated[float, Meta(ge=0.01, le=42_949_672.95)] | None = None
    """Seconds between updates; without it they are learned from the data where that shows it."""
    expect: tuple[Name, ...] = ()
    """Generators that must deliver in every period, whatever the device lists; an alert says when
    its list names fewer of them."""
