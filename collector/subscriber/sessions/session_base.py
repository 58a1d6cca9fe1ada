"""What both implementations of ``NetconfSession`` do alike; each adds its way to the octets."""

from __future__ import annotations

import asyncio

from collector.errors import SessionError, UsageError, WireError
from collector.interfaces import Clock
from collector.subscriber.sessions.inbox import Inbox
from collector.subscriber.sessions.session import Deliver, SessionSettings, plain
from collector.wire.netconf.hello import Hello, decode_hello


class SessionBase:
    """Requests, replies and the end; ``open``, ``_send`` and ``_disconnect`` are for others."""

    def __init__(self, settings: SessionSettings, deliver: Deliver, clock: Clock) -> None:
        self.settings = settings
        self.capabilities: tuple[str, ...] = ()
        self.session_id = 0
        self.peer = ""
        self.port = 0
        self._inbox = Inbox(settings, deliver, clock)

    @property
    def closed(self) -> asyncio.Future[SessionError]:
        """See ``NetconfSession.closed``."""
        return self._inbox.closed

    @property
    def dropped(self) -> int:
        """See ``NetconfSession.dropped``."""
        return self._inbox.dropped

    @property
    def stray(self) -> int:
        """See ``NetconfSession.stray``."""
        return self._inbox.stray

    async def rpc(self, request: bytes, timeout: int | None = None) -> bytes:
        """See ``NetconfSession.rpc``."""
        if self.session_id == 0:
            raise UsageError("the session is not open")
        message_id, future = self._inbox.expect_reply(request)
        self._send(request)
        return await self._inbox.reply(message_id, future, timeout)

    async def close(self) -> None:
        """See ``NetconfSession.close``."""
        await self._inbox.say_goodbye(self._send if self.session_id else None)
        await self._disconnect()

    def _send(self, request: bytes) -> None:
        """Octets of one message; nothing happens when the session is just ending."""
        raise NotImplementedError

    async def _disconnect(self) -> None:
        """Leave neither task, thread nor socket. May be called twice, or before ``open``."""
        raise NotImplementedError

    def _known_as(self, settings: SessionSettings) -> None:
        """Where the device is, which was not known before it called."""
        self.settings = self._inbox.settings = settings

    def _met(self, address: tuple[str, int]) -> None:
        """Whom we are connected to."""
        self.peer, self.port = address[0].removeprefix("::ffff:"), address[1]

    def _greeted_by(self, hello: Hello) -> None:
        self.capabilities = hello.capabilities
        self.session_id = hello.session_id or 0


def read_hello(message: bytes) -> Hello:
    """The hello of a server.

    Raises:
        WireError: ``bad-hello``; also without session-id, where a client MUST end the session
            (RFC 6241 §8.1).
    """
    hello = decode_hello(message)
    if hello.session_id is None:
        raise WireError(
            "bad-hello", "the hello has no session-id", clause="RFC 6241 §8.1", field="hello"
        )
    return hello


def wire_failure(settings: SessionSettings, error: WireError) -> SessionError:
    """The peer broke a rule of the wire: RFC 6242 §4.2 wants the channel closed."""
    text = f"{settings.where} broke the protocol: {plain(str(error))}"
    return SessionError(text, reason=error.reason)
