"""A NETCONF session with a device that calls home: an ``AsyncsshSession`` on the connection that
the device made (RFC 8071 §3.1 C8).

What it does: wait for the call, for as long as it takes, then go on like any other session. What it
does not: listen, or find out who calls (``listener``).
"""

from __future__ import annotations

import asyncio

import asyncssh
from msgspec.structs import replace

from collector.errors import SessionError
from collector.interfaces import Clock
from collector.model import SECOND
from collector.subscriber.call_home.listener import CallHome
from collector.subscriber.sessions.asyncssh_session import AsyncsshSession
from collector.subscriber.sessions.session import Deliver, SessionSettings
from collector.subscriber.sessions.ssh import SshClient
from collector.subscriber.sessions.unfinished import Budget


class CalledSession(AsyncsshSession):
    """A ``NetconfSession``; ``open`` waits for the device to call."""

    def __init__(
        self,
        settings: SessionSettings,
        deliver: Deliver,
        clock: Clock,
        *,
        calls: CallHome,
        budget: Budget | None = None,
        wait: int | None = None,
        name: str = "the device",
    ) -> None:
        """``calls``: takes the calls; ``budget``: as with any session; ``wait``: ns until the call,
        None: for ever; ``name``: of the device, for people."""
        super().__init__(settings, deliver, clock, budget=budget)
        self._calls = calls
        self._wait = wait
        self._name = name
        self._call: asyncssh.SSHClientConnection | None = None

    async def open(self) -> None:
        """See ``NetconfSession.open``; the time limit begins with the call."""
        try:
            self._call = await self._next_call()
        except BaseException as error:
            given_up = SessionError("waiting for a call was given up", reason="closed")
            self._inbox.end(error if isinstance(error, SessionError) else given_up, patient=False)
            raise
        await super().open()

    async def _next_call(self) -> asyncssh.SSHClientConnection:
        limit = None if self._wait is None else self._wait / SECOND
        try:
            async with asyncio.timeout(limit):
                return await self._calls.next_call(self.settings)
        except TimeoutError:
            text = f"{self._name} did not call within {limit:g} s"
            raise SessionError(text, reason="timeout") from None

    async def _connect(self) -> asyncssh.SSHClientConnection:
        """The connection that the device made."""
        assert self._call is not None, "open() waits for it"
        owner = self._call.get_owner()
        self._client = owner if isinstance(owner, SshClient) else None
        peer = self._call.get_extra_info("peername")
        self._known_as(replace(self.settings, host=str(peer[0]), port=int(peer[1])))
        return self._call
