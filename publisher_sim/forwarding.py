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

from publisher_sim.channel import Forward

MAX_HELD = 1024
"""Pieces that may wait for one session; ours."""
MAX_HELD_OCTETS = 4 * 1024 * 1024
"""Octets of them; ours."""


class Qos(Struct, frozen=True):
    """How a subscription shares its session with others (RFC 8639 §2.3)."""

    weight: int
    """1 to 256."""
    dependency: int | None = None
    """Whose pieces leave before its own."""


def shared(held: Iterable[Forward], qos: Mapping[int, Qos]) -> list[Forward]:
    """Pieces in the order in which they leave: those of a parent before those of what depends on
    it, octets of the others in proportion to their weights; the order of one subscription is kept
    (RFC 8641 §3.11.1)."""
    queues: dict[int, deque[Forward]] = {}
    for piece in held:
        queues.setdefault(piece.subscription_id, deque()).append(piece)
    sent = dict.fromkeys(queues, 0.0)
    found: list[Forward] = []
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
        self._held: dict[str, deque[Forward]] = {}
        """session id of one that is busy -> the pieces that wait for it, the oldest first."""
        self._octets: dict[str, int] = {}
        """Likewise: octets of them."""

    def busy(self, session_id: str) -> None:
        """From now on its pieces wait."""
        self._held.setdefault(session_id, deque())
        self._octets.setdefault(session_id, 0)

    def ready(self, session_id: str, qos: Mapping[int, Qos] | None = None) -> list[Forward]:
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

    def hold(self, session_id: str, piece: Forward) -> bool:
        """Let a piece wait; False: there is no room for it."""
        held = self._held[session_id]
        octets = self._octets[session_id] + len(piece.octets)
        if len(held) >= MAX_HELD or octets > MAX_HELD_OCTETS:
            return False
        held.append(piece)
        self._octets[session_id] = octets
        return True

    def forget(self, subscription_id: int) -> None:
        """Throw away what waits of a subscription."""
        for session_id, held in self._held.items():
            kept = deque(piece for piece in held if piece.subscription_id != subscription_id)
            self._held[session_id] = kept
            self._octets[session_id] = sum(len(piece.octets) for piece in kept)

    def waiting(self, session_id: str) -> int:
        """Octets that wait for a session."""
        return self._octets.get(session_id, 0)
