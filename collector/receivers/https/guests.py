"""The open connections of the HTTPS receiver: how many there may be, and how long they may take.

Does: count connections, those of one address, and octets of unfinished requests against their
bounds; look once a second who takes too long, and end it. Does not: read or answer.
"""

from __future__ import annotations

from typing import Final

from collector.receivers.https.connection import Connection
from collector.receivers.refusals import Refusals
from collector.receivers.tls.server import refusal_of

HANDSHAKE_SECONDS: Final = 10.0
"""Time for a TLS handshake (ours)."""
LINGER_SECONDS: Final = 2.0
"""Time for the peer to read our last words (ours)."""
HELD_OCTETS: Final = 64 << 20
"""Of unfinished requests of all connections, at the least (ours)."""
_SHARE_OF_A_PEER: Final = 4
"""One address may have a fourth of all connections (ours)."""
_OF_A_PEER: Final = 64
"""That many it may always have: line cards behind one address (ours)."""


class Guests:
    """See the module."""

    def __init__(
        self,
        refusals: Refusals,
        *,
        most: int,
        idle_seconds: float,
        request_seconds: float,
        max_message: int,
    ) -> None:
        """
        Args:
            refusals: where it is counted who was sent away.
            most: connections at a time.
            idle_seconds: without a request a connection lives so long.
            request_seconds: to arrive, and to read an answer.
            max_message: octets of one message.
        """
        self._refusals = refusals
        self._most, self._most_of_peer = most, max(_OF_A_PEER, most // _SHARE_OF_A_PEER)
        self._idle_seconds, self._request_seconds = idle_seconds, request_seconds
        self._most_held = max(HELD_OCTETS, 2 * max_message)
        self._held = 0
        self._of_peer: dict[str, int] = {}
        """Address -> connections."""
        self.connections: set[Connection] = set()

    def opened(self, connection: Connection) -> bool:
        """A connection came; False: there are too many already."""
        peer, of_peer = connection.peer, self._of_peer.get(connection.peer, 0)
        if len(self.connections) >= self._most or of_peer >= self._most_of_peer:
            whose = "of its address" if of_peer >= self._most_of_peer else "already"
            self.refuse("too-many-connections", peer, f"there are too many connections {whose}")
            return False
        self.connections.add(connection)
        self._of_peer[peer] = of_peer + 1
        return True

    def closed(self, connection: Connection) -> None:
        """It is gone."""
        if connection in self.connections:
            self.connections.discard(connection)
            left = self._of_peer.pop(connection.peer) - 1
            if left:
                self._of_peer[connection.peer] = left

    def hold(self, octets: int) -> bool:
        """Octets of unfinished requests grow or, below 0, shrink; False: there are too many."""
        self._held += octets
        return self._held <= self._most_held

    def refuse(self, reason: str, peer: str, sentence: str) -> None:
        """Count a connection that was given up, and say why."""
        self._refusals.add(reason, f"refused {peer}: {sentence}")

    def look(self, now: float) -> None:
        """End what took too long; ``now`` is the event loop's time."""
        for connection in list(self.connections):
            self._look_at(connection, now)

    def _look_at(self, connection: Connection, now: float) -> None:
        took, peer = now - connection.since, connection.peer
        if connection.closing:
            if took > LINGER_SECONDS:
                connection.abort()
        elif connection.handshaking:
            if took > HANDSHAKE_SECONDS:
                reason, sentence = refusal_of(TimeoutError())
                self.refuse(reason, peer, sentence)
                connection.abort()
        elif connection.stuck_since is not None:
            if now - connection.stuck_since > self._request_seconds:
                self.refuse("answers-unread", peer, "it does not read its answers")
                connection.abort()
        elif connection.in_request:
            if took > self._request_seconds:
                sentence = f"a request took longer than {self._request_seconds:g} s to arrive"
                self.refuse("request-timeout", peer, sentence)
                connection.time_out()
        elif connection.idle and took > self._idle_seconds:
            connection.close()
