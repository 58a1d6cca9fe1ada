"""A commit that is to be confirmed: whose it is, until when, and what comes back without it.

Does: at most one at a time, its token, its time (RFC 6241 §8.4). Does not: hold datastores
(``datastores`` puts back what is handed out here). Rules: without a token only its own session may
follow it up, and its end takes the commit back; with a token everybody who has it may, and nobody
else; a follow-up starts the time anew and goes back to what was before the first.
"""

from __future__ import annotations

from msgspec import Struct

from collector.errors import ProtocolError
from collector.model import SECOND
from collector.wire.netconf.rpc import CONFIRM_SECONDS, CancelCommit, Commit
from collector.wire.values import xml

START, EXTEND, COMPLETE = "start", "extend", "complete"
CANCEL, TIMEOUT = "cancel", "timeout"
"""``confirm-event`` of RFC 6470 §2.2."""


class _Pending(Struct):
    session: str
    """That committed last."""
    token: str | None
    before: xml.Element
    until: int
    """ns since 1970."""


class Confirming:
    """Of one device."""

    def __init__(self) -> None:
        """Nothing waits."""
        self._pending: _Pending | None = None

    @property
    def until(self) -> int | None:
        """When what waits is taken back, ns since 1970; None: nothing waits."""
        return None if self._pending is None else self._pending.until

    def hinders(self, session: str) -> str:
        """The other session whose commit waits, empty for none (RFC 6241 §7.5)."""
        one = self._pending
        return one.session if one is not None and one.session != session else ""

    def check(self, session: str, operation: Commit | CancelCommit) -> None:
        """May that session do this?

        Raises:
            ProtocolError: ``invalid-value``: the token is another, or missing; ``in-use``: another
                session's commit waits; ``operation-failed``: there is nothing to cancel.
        """
        one = self._pending
        token = None if one is None else one.token
        if operation.persist_id != token:
            raise ProtocolError(
                "no commit with that persist-id waits to be confirmed"
                if operation.persist_id is not None
                else "the commit that waits to be confirmed has a persist-id",
                tag="invalid-value",
            )
        if one is None:
            if isinstance(operation, CancelCommit):
                raise ProtocolError("no commit waits to be confirmed", tag="operation-failed")
        elif token is None and one.session != session:
            hints = {"session-id": one.session}
            raise ProtocolError(
                f"a commit of session {one.session} waits to be confirmed",
                tag="in-use",
                hints=hints,
            )

    def committed(self, session: str, commit: Commit, before: xml.Element, now: int) -> str:
        """It was done; ``before``: what was running. Returns the event, empty: nobody waits."""
        one, self._pending = self._pending, None
        if not commit.confirmed:
            return COMPLETE if one is not None else ""
        until = now + (commit.confirm_timeout_seconds or CONFIRM_SECONDS) * SECOND
        if one is None:
            self._pending = _Pending(session, commit.persist, before, until)
            return START
        token = one.token if commit.persist is None else commit.persist
        self._pending = _Pending(session, token, one.before, until)
        return EXTEND

    def take_back(self) -> xml.Element | None:
        """What was running before; nothing waits any more. None: nothing waited."""
        one, self._pending = self._pending, None
        return None if one is None else one.before

    def ends_with(self, session: str) -> bool:
        """Is what waits to be taken back when that session ends?"""
        one = self._pending
        return one is not None and one.token is None and one.session == session

    def is_over(self, now: int) -> bool:
        """Has its time passed?"""
        return self._pending is not None and self._pending.until <= now
