"""Sessions: who is there, and how much they may do.

Does not: log anybody in (the server does), or decide what an access level allows. Rule: a session
is known from its hello exchange to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from publisher_sim.users.access import EVERY_MODULE, FULL


class SessionInfo(Struct, frozen=True):
    """One NETCONF session."""

    session_id: str
    user: str
    access: str = FULL
    """Access level of its user."""
    reads: tuple[str, ...] = EVERY_MODULE
    """Modules whose data its user may read."""
    since: int = 0
    """When it said hello, ns since 1970."""


class Sessions:
    """The open sessions of a device."""

    def __init__(
        self,
        access_of: Callable[[str], str] = lambda user: FULL,
        reads_of: Callable[[str], tuple[str, ...]] = lambda user: EVERY_MODULE,
    ) -> None:
        """Nobody is there yet.

        Args:
            access_of: user -> access level.
            reads_of: user -> modules whose data it may read.
        """
        self._access_of = access_of
        self._reads_of = reads_of
        self._open: dict[str, SessionInfo] = {}

    def opened(self, session_id: str, user: str, now: int = 0) -> SessionInfo:
        """Somebody came."""
        session = SessionInfo(session_id, user, self._access_of(user), self._reads_of(user), now)
        self._open[session_id] = session
        return session

    def closed(self, session_id: str) -> None:
        """Somebody went."""
        self._open.pop(session_id, None)

    def get(self, session_id: str) -> SessionInfo:
        """That session; one that never said hello belongs to nobody."""
        return self._open.get(session_id) or SessionInfo(session_id, "", self._access_of(""))

    def __contains__(self, session_id: object) -> bool:
        return session_id in self._open

    def __iter__(self) -> Iterator[SessionInfo]:
        return iter(self._open.values())
