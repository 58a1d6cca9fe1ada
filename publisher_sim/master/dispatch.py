"""Dispatcher: every rpc to the object that answers it, and what it says as octets.

Does not: know operations. Rules: one object for one operation, the one added last; an operation of
nobody is ``operation-not-supported``, one that the user may not ask for ``access-denied``; a
refusal is a ``ProtocolError`` raised by ``answer``, which has then changed nothing; the reply is
the first action (RFC 8639 §2.4: nothing under new terms before it).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from collector.errors import ProtocolError
from collector.wire.netconf.rpc import CloseSession as CloseSessionRpc
from collector.wire.netconf.rpc import Ok, Result, Rpc, encode_reply, operation_name
from publisher_sim.master.ports import Action, CloseSession, SendReply
from publisher_sim.master.sessions import SessionInfo
from publisher_sim.users.access import permit

Answer = tuple[Result, list[Action]]
"""What is replied, and what follows from it, in order."""


class Answerer(Protocol):
    """Somebody who answers some operations."""

    @property
    def operations(self) -> tuple[str, ...]:
        """``module:local-name`` of each operation that it answers."""
        ...

    def answer(self, session: SessionInfo, rpc: Rpc, now: int) -> Answer:
        """Answer one of them; ``rpc.error`` is None. Raises ProtocolError: it is refused."""
        ...


class Dispatcher:
    """Who answers what."""

    def __init__(
        self,
        mode: str,
        refuse: Callable[[ProtocolError], ProtocolError] = lambda error: error,
    ) -> None:
        """Nobody answers anything but close-session yet.

        Args:
            mode: control mode, says how lists of generators are spelled in replies.
            refuse: how this device words what it refuses.
        """
        self._refuse = refuse
        self._mode = mode
        self._answerers: dict[str, Answerer] = {}
        self.add(_Closing())

    def add(self, answerer: Answerer) -> None:
        """From now on its operations are its own, whoever answered them before."""
        self._answerers.update(dict.fromkeys(answerer.operations, answerer))

    def answer(self, session: SessionInfo, rpc: Rpc, now: int) -> list[Action]:
        """The reply, and what follows from it."""
        try:
            result, after = self._ask(session, rpc, now)
        except ProtocolError as error:
            result, after = self._refuse(error), []
        reply = encode_reply(
            rpc.message_id, result,
            mode=self._mode, operation=rpc.operation, attributes=rpc.attributes,
        )  # fmt: skip
        return [SendReply(session.session_id, reply), *after]

    def _ask(self, session: SessionInfo, rpc: Rpc, now: int) -> Answer:
        if rpc.error is not None:
            raise rpc.error
        name = operation_name(rpc.operation)
        permit(session.access, name)
        answerer = self._answerers.get(name)
        if answerer is None:
            raise ProtocolError(f"{name} is not supported", tag="operation-not-supported")
        return answerer.answer(session, rpc, now)


class _Closing:
    """close-session (RFC 6241 §7.8)."""

    operations = (operation_name(CloseSessionRpc()),)

    def answer(self, session: SessionInfo, rpc: Rpc, now: int) -> Answer:
        del rpc, now
        return Ok(), [CloseSession(session.session_id)]
