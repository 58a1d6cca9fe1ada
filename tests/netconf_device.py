"""A NETCONF server on loopback for tests, and what a test needs to log in to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from collector.errors import IntakeFullError
from collector.model import SECOND, CollectorTime
from collector.subscriber.sessions.session import Arrived, SessionSettings
from publisher_sim.netconf.server import CAPABILITIES, NetconfServer
from publisher_sim.netconf.session import ServerSession

USER, PASSWORD = "operator", "only for this test"
LIMIT = 30.0
"""Seconds after which something that must happen is given up."""

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a test in an event loop of its own; no task may be left when it ends."""

    async def checked() -> T:
        result = await asyncio.wait_for(main, 3 * LIMIT)
        for _ in range(3):  # callbacks of closed transports
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
        return result

    return asyncio.run(checked())


class RunningClock:
    """Runs like a clock, from a moment of the test's choice."""

    def __init__(self, start: int = 1_700_000_000 * SECOND) -> None:
        self._base = start - time.monotonic_ns()

    def now(self) -> CollectorTime:
        return CollectorTime(self._base + time.monotonic_ns())

    def skip(self, seconds: float) -> None:
        """What takes long in the world takes no time in a test."""
        self._base += round(seconds * SECOND)


class Basket:
    """Takes what a session delivers; can be full."""

    def __init__(self) -> None:
        self.full = False
        self.messages: list[Arrived] = []
        self.times: list[int] = []
        self.refused = 0
        self.largest = 0

    def deliver(self, now: CollectorTime, messages: Sequence[Arrived]) -> None:
        self.largest = max(self.largest, len(messages))
        if self.full:
            self.refused += 1
            raise IntakeFullError("full")
        self.messages += messages
        self.times.append(now)

    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]


class Device:
    """A server that answers every rpc with ``<ok/>`` unless told otherwise."""

    def __init__(
        self,
        folder: Path,
        *,
        session_type: type[ServerSession] = ServerSession,
        capabilities: Sequence[str] = CAPABILITIES,
        **server: Any,
    ) -> None:
        self.folder = folder
        self.opened: list[tuple[str, str]] = []
        self.rpcs: list[tuple[str, bytes]] = []
        self.closed: list[str] = []
        self.answer: Callable[[str, bytes], Awaitable[None] | None] = self.answer_ok
        outer = self

        class Server(NetconfServer):
            def make_session(self, user: str) -> ServerSession:
                return session_type(self, user)

        server.setdefault("users", {USER: PASSWORD})
        self.server = Server(
            port=0,
            capabilities=capabilities,
            on_open=lambda session, user: outer.opened.append((session, user)),
            on_rpc=self._on_rpc,
            on_close=self.closed.append,
            **server,
        )

    async def __aenter__(self) -> Device:
        await self.server.start()
        self.known_hosts = self.folder / f"known_hosts-{self.server.port}"
        self.known_hosts.write_text(self.server.known_hosts_line())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.stop()

    def settings(self, **changes: Any) -> SessionSettings:
        values: dict[str, Any] = {
            "host": self.server.host,
            "port": self.server.port,
            "username": USER,
            "password": lambda: PASSWORD,
            "known_hosts": str(self.known_hosts),
            "connect_timeout": round(LIMIT * SECOND),
            "rpc_timeout": round(LIMIT * SECOND),
            "retry_interval": SECOND // 100,
        }
        return SessionSettings(**values | changes)

    def _on_rpc(self, session: str, message: bytes) -> None:
        self.rpcs.append((session, message))
        self.answer(session, message)

    def answer_ok(self, session: str, message: bytes) -> None:
        self.server.send(session, ok_reply(message))


def rpc(number: int | str, content: str = "<get/>") -> bytes:
    return (
        f'<rpc message-id="{number}" xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">'
        f"{content}</rpc>"
    ).encode()


def ok_reply(request: bytes) -> bytes:
    number = request.split(b'message-id="')[1].split(b'"')[0]
    return (
        b'<rpc-reply message-id="%b" xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">'
        b"<ok/></rpc-reply>" % number
    )


def notification(number: int, size: int = 0) -> bytes:
    filling = "x" * size
    return (
        '<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        f"<eventTime>2026-01-01T00:00:00Z</eventTime><event><n>{number}</n><x>{filling}</x></event>"
        "</notification>"
    ).encode()
