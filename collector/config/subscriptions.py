"""The keys of ``[[subscription]]`` and ``[[known_subscription]]``: see ``settings``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from collector.config.types import Name, Text
from collector.model import CENTISECOND, SECOND, DeviceTime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SubscriptionSettings(Struct, frozen=True, kw_only=True):
    """One subscription that is wanted, on one or many devices."""

    name: Name
    """Name of the series in verdicts and queries; stays the same when ids change."""
    devices: tuple[Text, ...] = ("*",)
    """Names of devices, or "*" for every one that has a [device.netconf]."""
    xpath: Text | None = None
    """What is selected, as an XPath; prefixes are module names unless namespaces says otherwise."""
    subtree: Text | None = None
    """What is selected, as a subtree filter in XML; instead of xpath."""
    namespaces: dict[str, Text] = {}
    """prefix -> namespace URI, for prefixes that are no module names."""
    datastore: Literal["operational", "running", "intended", "candidate", "startup"] = "operational"
    """Datastore that is watched (RFC 8342)."""
    period_seconds: Annotated[float, Meta(ge=0.01, le=42_949_672.95)]
    """Seconds between updates, in steps of 0.01."""
    transport: Literal["any", "netconf"] = "any"
    """How updates are expected: "netconf" on the session that subscribes, which carries XML alone
    (RFC 8640, section 6); "any" where the device is set up to push to one of the receivers."""
    encoding: Literal["encode-json", "encode-xml", "encode-cbor", "encode-gpb"] | None = None
    """Encoding of the notifications; always asked for, since leaving it out means XML. Without it
    encode-json, with transport = "netconf" encode-xml. "encode-gpb" is what vendors have for gRPC
    dial-out; no standard names it."""
    anchor: Text = "auto"
    """Where periods start: "auto" asks for a multiple of the period since 1970, or an RFC 3339
    time."""
    expect: tuple[Name, ...] = ()
    """Generators that must deliver in every period, where the device does not list them."""
    grace_seconds: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    """Seconds to wait, for this subscription only; see [verdicts]."""
    mode: Literal["auto", "mso", "distributed-notif-18", "distributed-notif-19"] = "auto"
    """Which draft the device follows: "auto" finds out from what it answers."""
    leaves: bool = False
    """Whether the contents of its updates are stored leaf by leaf, as with [store] leaves."""

    @property
    def asked_encoding(self) -> str:
        """The encoding to ask for."""
        return self.encoding or ("encode-xml" if self.transport == "netconf" else "encode-json")

    @property
    def period(self) -> int:
        """ns between updates."""
        return round(self.period_seconds * 100) * CENTISECOND

    @property
    def grace(self) -> int | None:
        """ns to wait; None when the setting of [verdicts] or the default rule holds."""
        return None if self.grace_seconds is None else round(self.grace_seconds * SECOND)

    @property
    def anchor_time(self) -> DeviceTime | None:
        """The configured anchor; None for ``auto``."""
        if self.anchor == "auto":
            return None
        moment = datetime.fromisoformat(self.anchor)
        return DeviceTime((moment - _EPOCH) // timedelta(microseconds=1) * 1000)


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
    """Generators that must deliver in every period, where the device does not list them."""
