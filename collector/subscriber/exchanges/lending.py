"""The sessions of a running collector, lent to commands that have something to ask a device.

Does: wait for the session where there is none, pass requests on, take locks away that a command
left. Does not: talk to commands (``service.commands``), keep what is asked in the journal: it is
none of the collector's business, as it would be in a session of the command's own.

Rules: a session is lent while the command lives, and needed so long, also where no subscription is;
what is the collector's own, its subscriptions and the end of the session, cannot be asked for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from itertools import count
from typing import Any, Protocol

from msgspec import Struct, field

from collector.errors import CollectorError, UsageError, WireError
from collector.model import SECOND
from collector.subscriber.sessions.session import NetconfSession
from collector.wire.netconf.rpc import (
    CANDIDATE,
    DiscardChanges,
    Operation,
    Unlock,
    encode_rpc,
    operation_name,
)
from collector.wire.values import xml

log = logging.getLogger("collector.subscriber")

MAX_LENT = 16
"""Commands that have borrowed a session, at a time (ours)."""
GIVE_BACK = 5 * SECOND
"""How long a device may take over a lock that was left (ours)."""
LOOK_SECONDS = 0.1
"""Between two looks whether there is a session now (ours)."""
OURS = frozenset(
    (
        "establish-subscription", "modify-subscription", "delete-subscription",
        "resync-subscription", "close-session",
    )
)  # fmt: skip
"""Operations whose outcome would be the session's, and whose session it is has asked for others."""
ASK = "ask"
"""Command of the control socket: one request on a session that is lent."""
BORROW = "borrow"
"""Command of the control socket: a stream that lasts as long as a session is lent."""

Row = Mapping[str, Any]


class Owner(Protocol):
    """Met by ``runner.DeviceRunner``."""

    @property
    def session(self) -> NetconfSession | None:
        """Of the device; None: there is none now."""

    @property
    def hopeless(self) -> str:
        """Why there will be none; empty: there may."""

    def borrowed(self, by: int) -> None:
        """So many more need the session, or less."""


class _Lent(Struct):
    device: str
    session: NetconfSession
    locks: list[str] = field(default_factory=list)
    """Datastores that the command has locked."""


class Lending:
    """Of all devices."""

    def __init__(self, owner_of: Callable[[str], Owner]) -> None:
        """``owner_of``: device -> who has its session. Raises UsageError."""
        self._owner_of = owner_of
        self._names = count(1)
        self._waiting = 0
        self._lent: dict[str, _Lent] = {}
        """Name that the command was told -> what it has."""

    async def borrow(self, arguments: Row) -> AsyncIterator[Row]:
        """Rows for a command: that it has to wait, what it got, and why that has ended.

        Raises:
            UsageError: no such device, no session to be expected, or too many borrow already.
        """
        device = str(arguments.get("device", ""))
        owner = self._owner_of(device)
        if why := owner.hopeless:
            raise UsageError(f"there is no session with {device}: {why}")
        if self._waiting + len(self._lent) >= MAX_LENT:
            raise UsageError(f"{MAX_LENT} commands have borrowed a session already")
        return self._rows(device, owner)

    async def _rows(self, device: str, owner: Owner) -> AsyncIterator[Row]:
        owner.borrowed(+1)
        try:
            session = owner.session
            if session is None:
                yield {"state": "waiting"}
                session = await self._awaited(owner)
            if session is None:
                yield {"state": "refused", "why": owner.hopeless}
                return
            name = f"lent-{next(self._names)}"
            self._lent[name] = lent = _Lent(device, session)
            log.info("The session with device %s is lent to a command.", device)
            try:
                yield {
                    "state": "lent",
                    "name": name,
                    "capabilities": session.capabilities,
                    "session_id": session.session_id,
                    "peer": session.peer,
                    "port": session.port,
                }
                await asyncio.wait([session.closed])
                yield {"state": "ended", "why": str(session.closed.result())}
            finally:
                del self._lent[name]
                await _free(lent)
        finally:
            owner.borrowed(-1)

    async def _awaited(self, owner: Owner) -> NetconfSession | None:
        """The session once there is one; None: there will be none."""
        self._waiting += 1
        try:
            while (session := owner.session) is None and not owner.hopeless:
                await asyncio.sleep(LOOK_SECONDS)
            return session
        finally:
            self._waiting -= 1

    async def ask(self, arguments: Row) -> bytes:
        """The reply to one request.

        Raises:
            UsageError: nothing is lent under that name, or it cannot be asked for.
            SessionError: the session ended, or no reply came in time.
        """
        lent = self._lent.get(str(arguments.get("name", "")))
        if lent is None:
            raise UsageError("the session is not lent any more")
        request = str(arguments.get("request", "")).encode()
        operation, target = _operation_of(request)
        if operation in OURS:
            raise UsageError(f"the session is the collector's: it alone asks for {operation}")
        if operation == "lock":
            lent.locks.append(target)  # before the reply: who asks may be gone when it comes
        reply = await lent.session.rpc(request)
        has_gone = b"rpc-error" in reply if operation == "lock" else operation == "unlock"
        if has_gone and target in lent.locks:
            lent.locks.remove(target)
        return reply


async def _free(lent: _Lent) -> None:
    """A session of its own would have taken its locks with it (RFC 6241 §7.5)."""
    for datastore in reversed(lent.locks):
        operations: list[Operation] = [DiscardChanges()] if datastore == CANDIDATE else []
        for operation in (*operations, Unlock(datastore)):
            name = f"give-back-{operation_name(operation)}-{datastore}"
            try:
                await lent.session.rpc(encode_rpc(name, operation), GIVE_BACK)
            except CollectorError as error:
                log.warning(
                    "The lock of %s that a command left on device %s may still be there: %s",
                    datastore,
                    lent.device,
                    error,
                )


def _operation_of(request: bytes) -> tuple[str, str]:
    """Name of the operation, and the datastore that it is about where it has one."""
    try:
        operation = next(iter(xml.parse(request).children))
    except (WireError, StopIteration):
        raise UsageError("a request is one <rpc> with one operation in it") from None
    target = operation.find("target")
    return operation.name, next((one.name for one in target.children), "") if target else ""
