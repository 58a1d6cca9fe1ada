"""KillingSessions: kill-session, the end of somebody else's session (RFC 6241 §7.9).

Does not: what follows from the end of a session - its subscriptions and locks end when it is gone,
however it ended (``MasterPublisher.session_closed``). Rule: nobody can kill its own session.
"""

from __future__ import annotations

from collector.errors import ProtocolError
from collector.wire.netconf.rpc import KillSession, Ok, Rpc
from publisher_sim.master.dispatch import Answer
from publisher_sim.master.ports import CloseSession
from publisher_sim.master.sessions import SessionInfo, Sessions


class KillingSessions:
    """Answers kill-session."""

    operations = ("ietf-netconf:kill-session",)

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def answer(self, session: SessionInfo, rpc: Rpc, now: int) -> Answer:
        """Raises ProtocolError: no other session has that id."""
        del now
        assert isinstance(rpc.operation, KillSession)
        victim = str(rpc.operation.session_id)
        if victim == session.session_id:
            raise ProtocolError("close-session ends your own session", tag="invalid-value")
        if victim not in self._sessions:
            raise ProtocolError(f"there is no session {victim}", tag="invalid-value")
        return Ok(), [CloseSession(victim)]
