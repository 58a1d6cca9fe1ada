"""The simulated device calls home (RFC 8071 §4): it connects, and is NETCONF server on that.

What it does: stays connected (persistent), or connects once in a period and leaves an idle
connection (periodic); tries again when nobody is there. What it does not: anything inside the
connection (``server``).

Rules: one connection at a time; a session that holds a subscription is never idle; devices that
were lost together do not come back together.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import asyncssh

from publisher_sim.netconf.server import NetconfServer
from publisher_sim.scenario import Netconf

MAX_RETRY_SECONDS = 60.0
"""Tries grow apart up to this (ours)."""
_LOOK_SECONDS = 0.1
"""How often an idle connection is looked for, at least (ours)."""


class CallHome:
    """One task that keeps calling."""

    def __init__(
        self,
        server: NetconfServer,
        settings: Netconf,
        *,
        holds: Callable[[str], bool],
        progress: Callable[[str], None] = lambda text: None,
    ) -> None:
        """
        Args:
            server: answers on the connections.
            settings: whom to call, and how often.
            holds: session-id -> whether a subscription hangs on it.
            progress: gets a sentence when something changed.
        """
        self._server = server
        self._settings = settings
        self._host, self._port = settings.collector
        self._holds = holds
        self._progress = progress
        self._task: asyncio.Task[None] | None = None
        self.calls = 0
        """Connections made so far."""

    def start(self) -> None:
        """Call from now on."""
        self._task = asyncio.create_task(self._run(), name="call home")

    async def stop(self) -> None:
        """Call no more. May be called twice, or without ``start``."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        first = wait = self._settings.call_home_retry_seconds
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                connection = await self._server.call(self._host, self._port)
            except (OSError, asyncssh.Error) as error:
                self._progress(f"call to {self._settings.call_home}: {type(error).__name__}")
                await asyncio.sleep(wait * (0.5 + random.random() / 2))
                wait = min(2 * wait, MAX_RETRY_SECONDS)
                continue
            self.calls += 1
            wait = first
            self._progress(f"called {self._settings.call_home}")
            try:
                await self._stay(connection)
            finally:
                connection.close()
                await connection.wait_closed()
            period = self._settings.call_home_period_seconds
            await asyncio.sleep(max(0.0, begun + period - loop.time()) if period else first)

    async def _stay(self, connection: asyncssh.SSHServerConnection) -> None:
        """Until the client ends it, or, when we call by period, nobody has used it for a while."""
        ended = asyncio.ensure_future(connection.wait_closed())
        try:
            if not self._settings.call_home_period_seconds:
                await ended
                return
            limit = self._settings.call_home_idle_seconds
            begun = asyncio.get_running_loop().time()
            while not ended.done():
                await asyncio.wait([ended], timeout=min(_LOOK_SECONDS, limit))
                last = self._server.last_active(connection)
                idle = asyncio.get_running_loop().time() - max(last.values(), default=begun)
                if idle >= limit and not any(map(self._holds, last)):
                    return
        finally:
            ended.cancel()
