"""Forwarding: pieces of the agents on their way to the session that subscribed (RFC 8640 §6).

Does: let them through while the session takes them, hold a bounded number while it does not, and
say when there are too many. Does not: send, suspend (``master`` does). Rules: the order of one
subscription is kept, and of all of them unless weighting or dependency say otherwise; a piece is
accounted for when it leaves, not when it was made; what is held for a subscription that ends or is
suspended is thrown away, and the truth never hears that it left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from msgspec import Struct

from publisher_sim.cards.channel import Forward

MAX_HELD = 1024
"""Pieces that may wait for one session; ours."""
MAX_HELD_OCTETS = 4 * 1024 * 1024
"""Octets of them; ours."""


class EventPiece(Struct, frozen=True, gc=False):
    """One record of an event stream for a session; of these the truth knows nothing."""

    subscription_id: int
    octets: bytes
    """The whole notification message, XML."""
    must: bool = False
    """A state change behind records that wait: it is never dropped (RFC 8639 §2.7)."""


Piece = Forward | EventPiece


class Qos(Struct, frozen=True):
    """How a subscription shares its session with others (RFC 8639 §2.3)."""

    weight: int
    """1 to 256."""
    dependency: int | None = None
    """Whose pieces leave before its own."""


def shared(held: Iterable[Piece], qos: Mapping[int, Qos]) -> list[Piece]:
    """Pieces in the order in which they leave: those of a parent before those of what depends on
    it, octets of the others in proportion to their weights; the order of one subscription is kept
    (RFC 8641 §3.11.1)."""
    queues: dict[int, deque[Piece]] = {}
    for piece in held:
        queues.setdefault(piece.subscription_id, deque()).append(piece)
    sent = dict.fromkeys(queues, 0.0)
    found: list[Piece] = []
    while queues:
        free = [number for number in queues if qos[number].dependency not in queues]
        # its next piece would bring it least far beyond its part
        first = min(
            free or queues,
            key=lambda n: sent[n] + len(queues[n][0].octets) / qos[n].weight,
        )
        piece = queues[first].popleft()
        sent[first] += len(piece.octets) / qos[first].weight
        found.append(piece)
        if not queues[first]:
            del queues[first]
    return found


class Forwarding:
    """What waits for each session that reads too slowly."""

    def __init__(self) -> None:
        self._held: dict[str, deque[Piece]] = {}
        """session id of one that is busy -> the pieces that wait for it, the oldest first."""
        self._octets: dict[str, int] = {}
        """Likewise: octets of them."""

    def busy(self, session_id: str) -> None:
        """From now on its pieces wait."""
        self._held.setdefault(session_id, deque())
        self._octets.setdefault(session_id, 0)

    def ready(self, session_id: str, qos: Mapping[int, Qos] | None = None) -> list[Piece]:
        """What waited, in the order in which it may leave; from now on pieces pass again.

        Args:
            session_id: whose it is.
            qos: subscription id -> how it shares the session; None: all alike, the oldest first.
        """
        self._octets.pop(session_id, None)
        held = self._held.pop(session_id, deque())
        return list(held) if not qos else shared(held, qos)

    def passes(self, session_id: str) -> bool:
        """May a piece leave at once?"""
        return session_id not in self._held

    def hold(self, session_id: str, piece: Piece) -> bool:
        """Let a piece wait; False: there is no room for it. Of that a state change has more."""
        held = self._held[session_id]
        octets = self._octets[session_id] + len(piece.octets)
        must = isinstance(piece, EventPiece) and piece.must
        more = 2 if must else 1
        if len(held) >= more * MAX_HELD or octets > more * MAX_HELD_OCTETS:
            return False
        held.append(piece)
        self._octets[session_id] = octets
        return True

    def holds(self, session_id: str, subscription_id: int) -> bool:
        """Does anything of this subscription wait?"""
        held = self._held.get(session_id, ())
        return any(piece.subscription_id == subscription_id for piece in held)

    def forget(self, subscription_id: int, *, ended: bool = True) -> None:
        """Throw away what waits of a subscription; of one that is suspended its records alone."""
        for session_id, held in self._held.items():
            kept = deque(
                piece
                for piece in held
                if piece.subscription_id != subscription_id
                or (not ended and isinstance(piece, EventPiece) and piece.must)
            )
            self._held[session_id] = kept
            self._octets[session_id] = sum(len(piece.octets) for piece in kept)

    def waiting(self, session_id: str) -> int:
        """Octets that wait for a session."""
        return self._octets.get(session_id, 0)
