"""Accounts: what the simulated device says it did, fact by fact; all that the truth knows.

Does not: judge (``rows``), know a collector. Rules: a publisher writes its fact before it does
the deed, one JSON line each, so that a killed process has told everything it did; the deed itself
may then be missing, and ``Killed`` tells near which instant. Times are ns since 1970 by the one
true clock of the simulation, whatever the cards' own clocks say. A ``run`` is one life of a
publisher process; Message IDs belong to a run.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct


class Established(Struct, frozen=True, tag="established"):
    """The reply to establish-subscription left: terms and list from now on."""

    at: int
    subscription_id: int
    period: int
    """ns."""
    anchor: int
    """Any tick; the grid is ``anchor + n * period`` for every integer n (RFC 8641 §4.2)."""
    generators: tuple[str, ...]
    told: bool = True
    """Was its subscriber told who they are? Not everybody may know (base draft §13)."""


class TermsChanged(Struct, frozen=True, tag="terms"):
    """subscription-modified with other terms left."""

    at: int
    subscription_id: int
    period: int
    anchor: int
    generators: tuple[str, ...]
    told: bool = True
    """As of ``Established``."""


class ListChanged(Struct, frozen=True, tag="list"):
    """subscription-modified with a new list under the same terms left."""

    at: int
    subscription_id: int
    generators: tuple[str, ...]


class Suspended(Struct, frozen=True, tag="suspended"):
    """subscription-suspended left."""

    at: int
    subscription_id: int


class Resumed(Struct, frozen=True, tag="resumed"):
    """subscription-resumed left."""

    at: int
    subscription_id: int


class Ended(Struct, frozen=True, tag="ended"):
    """The subscription is over: deleted, killed, terminated, its session gone, the run done."""

    at: int
    subscription_id: int
    reason: str


class Killed(Struct, frozen=True, tag="killed"):
    """A publisher process was taken away at about ``at``."""

    at: int
    generator: str


class Produced(Struct, frozen=True, tag="produced", gc=False):
    """A message was made, its Message ID is used up, whatever becomes of it."""

    generator: str
    run: str
    message_id: int
    subscription_id: int
    nominal: int
    """Tick that the message is for."""
    planned: int
    """When it would leave if nothing were wrong."""
    units: int
    """How many pieces it leaves in: datagrams over UDP, one anywhere else."""
    of: int
    """How many messages the publisher makes for this tick."""
    skew: int = 0
    """How far the clock that stamped it was off, ns."""
    incomplete: bool = False
    """It says that it leaves something out."""


class Recorded(Struct, frozen=True, tag="recorded", gc=False):
    """An update record of an on-change subscription was made, its Message ID is used up."""

    generator: str
    run: str
    message_id: int
    subscription_id: int
    planned: int
    """When it would leave if nothing were wrong."""
    units: int
    """As of ``Produced``."""
    patch_id: int | None
    """None of a push-update: patch-ids begin anew behind it (RFC 8641 §3.7)."""
    edits: int
    """Of a push-change-update."""
    incomplete: bool = False
    """It says that it leaves something out."""
    skew: int = 0


class OnWire(Struct, frozen=True, tag="wire", gc=False):
    """One unit (a datagram; over other transports a whole message) was handed to the network."""

    run: str
    message_id: int
    number: int
    """Which of the message's units, from 0."""
    due: int
    """When it should have left, its faults included."""
    at: int
    """When it left."""
    garbled: bool = False
    """Header intact, payload spoilt so that no decoder can take it."""


TruthFact = (
    Established
    | TermsChanged
    | ListChanged
    | Suspended
    | Resumed
    | Ended
    | Killed
    | Produced
    | Recorded
    | OnWire
)

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(TruthFact)


def encode_fact(fact: TruthFact) -> bytes:
    """One line of an account file, line end included."""
    return _ENCODER.encode(fact) + b"\n"


def decode_facts(content: bytes) -> list[TruthFact]:
    """The facts of an account file; a torn last line (killed while writing) is left out."""
    whole, _, _ = content.rpartition(b"\n")
    return [_DECODER.decode(line) for line in whole.split(b"\n") if line]
