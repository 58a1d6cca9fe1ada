"""What a capture or a journal shows of a publisher, one value for each thing that came.

For people who look at traffic: ``collector decode`` and ``collector conformance``. Not on the hot
path. Times are CollectorTime: the stamp of the capture, or the journal's arrival.
"""

from __future__ import annotations

from msgspec import Struct

from collector.errors import WireError
from collector.model.identifiers import NO_SIDS, SidTable
from collector.model.notes import RejectedNote, UnreassembledNote
from collector.model.notifications import Notification
from collector.model.records import PRIVATE_SPACE
from collector.model.times import CollectorTime


class Origin(Struct, frozen=True, gc=False):
    """Where something came from, and whereto."""

    device: str
    """Empty for a source that belongs to no device."""
    source: str
    source_port: int
    destination: str = ""
    """Empty where it is not known: a journal does not keep it."""
    destination_port: int = 0
    dscp: int | None = None
    """DSCP of the IP header; None where it is not known."""


class ObservedDatagram(Struct, frozen=True):
    """One UDP datagram of a capture, before anything was decoded."""

    arrival: CollectorTime
    origin: Origin
    octets: bytes
    fragments: int = 1
    """IP packets that it came in."""


class ObservedMessage(Struct, frozen=True):
    """One whole notification message."""

    arrival: CollectorTime
    """Of its last segment."""
    origin: Origin
    transport: int
    """``Transport``."""
    version: int
    private_space: bool
    """The S flag: the media type is of the private space."""
    media_type: int
    publisher_id: int | None
    """Of the header, like ``message_id``; None where the transport has none."""
    message_id: int | None
    segments: int
    options: bytes
    payload: bytes
    said: Notification | None
    """None when it was refused."""
    refused: WireError | None = None
    sids: SidTable = NO_SIDS
    """What its contents are read with, too."""

    @property
    def encoding(self) -> int:
        """The media type as encodings count: those of the private space are others."""
        return self.media_type | (PRIVATE_SPACE if self.private_space else 0)


class ObservedRefusal(Struct, frozen=True):
    """A datagram that was refused before its payload was looked at."""

    arrival: CollectorTime
    origin: Origin
    publisher_id: int | None
    message_id: int | None
    note: RejectedNote


class ObservedHalfBuilt(Struct, frozen=True):
    """Segments of a message that was not whole in time."""

    arrival: CollectorTime
    origin: Origin
    publisher_id: int
    message_id: int
    note: UnreassembledNote


Observed = ObservedDatagram | ObservedMessage | ObservedRefusal | ObservedHalfBuilt
