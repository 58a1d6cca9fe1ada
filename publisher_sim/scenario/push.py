"""The tables ``[push]`` and ``[period]``: how updates are written, and how often."""

from __future__ import annotations

from typing import Literal

from publisher_sim.scenario.table import Table
from publisher_sim.scenario.transports import EncodingName, HeaderName


class Push(Table, frozen=True):
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


class Periods(Table, frozen=True):
    """Which periods the device accepts (RFC 8641 §3.2), seconds."""

    seconds: float = 1.0
    """That of the subscription which ``simulate`` makes, and of the timeline's rules."""
    minimum_seconds: float = 0.1
    """Shorter ones get ``period-unsupported`` with this as hint."""
    maximum_seconds: float = 86_400.0
