"""A NETCONF session that the running collector has, as a command sees it.

Does: borrow it over the control socket, hand requests on, notice its end. Does not: end it; what a
device notifies goes to the collector alone. Rules: as in ``exchanges.lending``; message-ids are
made different from those of the collector and of other commands.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from collector import asking
from collector.control import REQUEST_BYTES
from collector.errors import SessionError, UsageError
from collector.model import SECOND
from collector.subscriber.exchanges.lending import ASK, BORROW
from collector.subscriber.sessions.session import SessionSettings
from collector.wire.netconf.hello import root_of

ANSWER_SECONDS = 5.0
"""How long the collector may take beyond the device's time for a reply (ours)."""


class BorrowedSession:
    """A ``NetconfSession``; see there for what its methods promise. Nothing is delivered."""

    def __init__(
        self,
        settings: SessionSettings,
        folder: Path,
        device: str,
        *,
        wait_seconds: float,
        say: Callable[[str], None],
    ) -> None:
        """
        Args:
            settings: of the device.
            folder: data folder of the collector that runs.
            device: its name there.
            wait_seconds: for a session that is not there yet.
            say: is told what is waited for.
        """
        self.settings = settings
        self.capabilities: tuple[str, ...] = ()
        self.session_id = 0
        self.peer = ""
        self.port = 0
        self.dropped = self.stray = 0
        self.closed: asyncio.Future[SessionError] = asyncio.get_running_loop().create_future()
        self._folder = folder
        self._device = device
        self._wait_seconds = wait_seconds
        self._say = say
        self._name = ""
        self._rows: AsyncGenerator[dict[str, Any], None] | None = None
        self._watching: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Borrow it, once it is there. Raises SessionError, UsageError."""
        self._rows = asking.follow(self._folder, BORROW, {"device": self._device})
        try:
            async with asyncio.timeout(self._wait_seconds):
                row = await self._next()
                if row["state"] == "waiting":
                    self._say(
                        f"{self._device} has no session with the running collector yet; waiting"
                        f" for it, for {self._wait_seconds:g} s at most."
                    )
                    row = await self._next()
        except TimeoutError:
            text = f"{self._device} had no session within {self._wait_seconds:g} s"
            raise self._over(text, "timeout") from None
        if row["state"] != "lent":
            raise self._over(f"there is no session with {self._device}: {row['why']}", "refused")
        self._name = str(row["name"])
        self.capabilities = tuple(map(str, row["capabilities"]))
        self.session_id = int(row["session_id"])
        self.peer, self.port = str(row["peer"]), int(row["port"])
        self.settings = replace(self.settings, host=self.peer, port=self.port)
        self._watching = asyncio.create_task(self._watch(), name="borrowed session")

    async def _next(self) -> dict[str, Any]:
        assert self._rows is not None
        row = await anext(self._rows, None)
        if row is None:
            raise self._over("the running collector went away", "lost")
        return row

    async def _watch(self) -> None:
        """Until the end, as the collector says it."""
        row = await self._next()
        self._over(str(row.get("why", "")), "lost")

    def _over(self, text: str, reason: str) -> SessionError:
        error = SessionError(text, reason=reason)
        if not self.closed.done():
            self.closed.set_result(error)
        return error

    async def rpc(self, request: bytes, timeout: int | None = None) -> bytes:
        """See ``NetconfSession.rpc``."""
        if not self._name:
            raise UsageError("the session is not open")
        if len(request) > REQUEST_BYTES // 2:
            text = f"a request of {len(request)} octets is too long for the running collector"
            raise UsageError(f"{text}; stop it, then the device can call this command")
        number = root_of(request).message_id or ""
        ours = request.replace(
            f'message-id="{number}"'.encode(), f'message-id="{self._name}-{number}"'.encode(), 1
        )
        limit = (self.settings.rpc_timeout if timeout is None else timeout) / SECOND
        arguments = {"name": self._name, "request": ours.decode()}
        seconds = limit + ANSWER_SECONDS
        try:
            _, octets = await asking.ask(self._folder, ASK, arguments, seconds=seconds)
        except UsageError as error:
            raise SessionError(f"{error} (in the session of the running collector)") from error
        return octets

    async def close(self) -> None:
        """Give it back. May be called twice."""
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        rows, self._rows = self._rows, None
        if rows is not None:
            await rows.aclose()
        self._name = ""
        self._over("closed by us", "closed")
