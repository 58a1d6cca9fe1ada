"""What the payload of our own kinds of journal record says, as JSON; ``RecordKind`` names each.

Rule: stored, so a field is only ever added, with a default. No note holds a secret.
"""

from __future__ import annotations

from msgspec import Struct

from collector.model.times import CollectorTime


class UnreassembledNote(Struct, frozen=True):
    """Payload of ``RecordKind.UNREASSEMBLED``, as JSON."""

    first_arrival: CollectorTime
    segments_had: int
    segments_total: int | None = None
    """None while the last segment has not been seen."""


class RejectedNote(Struct, frozen=True):
    """Payload of ``RecordKind.REJECTED``, as JSON."""

    reason: str
    detail: str = ""


class RpcNote(Struct, frozen=True):
    """Payload of ``RecordKind.REQUEST`` and ``REPLY``, as JSON; never holds a secret."""

    device: str
    subscription: str
    """Name of the wanted subscription in the configuration."""
    operation: str
    """``establish-subscription`` ..."""
    request: str
    """The rpc as XML text."""
    reply: str | None = None
    """The rpc-reply as XML text; None in a REQUEST."""


class SessionNote(Struct, frozen=True):
    """Payload of ``RecordKind.SESSION_UP`` and ``SESSION_DOWN``, as JSON."""

    device: str
    reason: str = ""


class DropsNote(Struct, frozen=True):
    """Payload of ``RecordKind.DROPS``, as JSON: we lost datagrams ourselves."""

    since: CollectorTime
    """Start of the window in which they were dropped; its end is the record's ``received_at``."""
    count: int
    where: str
    """``kernel`` (socket buffer) or the name of a queue."""


class ClockNote(Struct, frozen=True):
    """Payload of ``RecordKind.CLOCK``, as JSON: wall clock and collector's clock came apart."""

    since: CollectorTime
    """The collector's time before; the record's ``received_at`` is the time after."""
    moved: int
    """ns by which the wall clock is ahead, negative: behind (the collector's does not go back)."""


class PauseNote(Struct, frozen=True):
    """Payload of ``RecordKind.PAUSE``, as JSON: for a time nothing was taken.

    The record stands where the time began: what waited in the receivers follows it.
    """

    since: CollectorTime
    until: CollectorTime
    reason: str
    """Why, in a sentence."""
    refused: bool = True
    """Whether what came was refused; else we stood still, and all of it waits to be read."""
    stamped: bool = True
    """Whether datagrams that waited follow with the times at which they came; those of several
    sockets cannot, since one is read after the other."""
