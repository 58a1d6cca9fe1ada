"""What goes into reassembly and what comes out of it, and its limits: plain values.

The state machine is ``core.assembly.reassembly``; here is nothing but data.
Spec: draft-ietf-netconf-udp-notif-26 §4.1 and §5.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from collector.model import SECOND, CollectorTime, Octets

LONGEST_WINDOW: Final = 20 * SECOND
"""draft-ietf-netconf-udp-notif-26 §5.2: reassembly MUST NOT exceed 20 seconds."""


class ReassemblyLimits(Struct, frozen=True):
    """Bounds of the tables; the defaults are ours unless a clause is named."""

    window: int = 10 * SECOND
    """ns from the first segment until a message is given up; 1 ns to 20 s (§5.2)."""
    notice: int = SECOND // 2
    """ns from the first segment until ``HalfBuilt`` is said; at most ``window``."""
    remember: int = 10 * SECOND
    """ns that a finished message is remembered; cut to 20 s - ``window``."""
    max_segments: int = 128
    """Of one message; §5.2: MUST support 64."""
    max_message_octets: int = 256 * 1024
    """Payload octets of one message; §5.2: MUST support 96 KiB."""
    max_per_peer: int = 256
    """Half-built messages of one source address."""
    max_half_built: int = 4096
    """Half-built messages in all, and finished ones remembered."""
    max_octets: int = 64 * 1024 * 1024
    """Octets held in all, 512 for each segment added; always enough for two whole messages."""
    max_remembered_octets: int = 48 * 1024 * 1024
    """Octets kept, beside those, of finished messages that are remembered; more are hashed."""

    def __post_init__(self) -> None:
        if not 0 < self.window <= LONGEST_WINDOW:
            raise ValueError("window is above 0 and at most 20 s (udp-notif-26 §5.2)")
        if not 0 <= self.notice <= self.window:
            raise ValueError("notice is at least 0 and at most window")
        if self.remember < 0:
            raise ValueError("remember is at least 0")
        smallest = min(self.max_segments, self.max_message_octets, self.max_octets)
        if min(smallest, self.max_per_peer, self.max_half_built) < 1:
            raise ValueError("caps are at least 1")


class SegmentReceived(Struct, frozen=True, gc=False):
    """One segment as it came, header taken apart."""

    source: str
    port: int
    publisher_id: int
    message_id: int
    form: int
    """First octet of the header (version, S, media type): the same in all segments."""
    number: int
    """Segment Number, from 0."""
    last: bool
    options: bytes
    """The segmentation option left out."""
    payload: bytes


class Assembled(Struct, frozen=True, gc=False):
    """A whole message."""

    source: str
    port: int
    publisher_id: int
    message_id: int
    form: int
    segments: int
    options: bytes
    """Those of segment 0."""
    payload: bytes
    first_arrival: CollectorTime


class HalfBuilt(Struct, frozen=True, gc=False):
    """A message of which something, but not all, has come."""

    source: str
    port: int
    publisher_id: int
    message_id: int
    first_arrival: CollectorTime
    segments_had: int
    segments_total: int | None
    """None while the last segment has not been seen."""
    version: int = 1
    """Of its headers."""


Fact = Assembled | HalfBuilt
Key = tuple[str, int, int, int]
"""Source address, source port, publisher id, message id."""


class Runs(Struct, frozen=True, gc=False):
    """Messages of which all segments lie in a batch, in order, one behind the other, no options.

    Each has a place, from 0; the segments of all of them are rows of the batch, and other
    datagrams may be as well.
    """

    keys: list[Key]
    forms: list[int]
    """``SegmentReceived.form`` of each message."""
    starts: list[int]
    """Row of segment 0; ascending, as rows are in order of arrival."""
    ends: list[int]
    """Row behind the last segment; a run has at least two."""
    arrivals: Sequence[int]
    """CollectorTime of each row."""
    payload: Octets
    """Of each row."""
