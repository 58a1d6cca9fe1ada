"""The NETCONF session that the collector uses by default: asyncssh with our own framer.

What it does: SSH with subsystem ``netconf`` (RFC 6242 §3), host key checked, hello, framing by
what both sides can, requests and everything that arrives. It runs in the event loop without a task
or thread of its own. What it does not: look inside messages.

Rules: reading stops while the intake is full, and the SSH window stops the device.
"""

from __future__ import annotations

import asyncio

import asyncssh

from collector.errors import ConfigError, SessionError, WireError
from collector.interfaces import Clock
from collector.model import SECOND
from collector.subscriber.sessions.session import (
    CLIENT_CAPABILITIES,
    CLOSE_TIMEOUT,
    Deliver,
    SessionSettings,
    plain,
)
from collector.subscriber.sessions.session_base import SessionBase, read_hello, wire_failure
from collector.subscriber.sessions.ssh import SshClient, options_of, session_error
from collector.subscriber.sessions.unfinished import Budget, Watch
from collector.wire.netconf.framing import Deframer, encode_chunked, encode_delimited
from collector.wire.netconf.hello import encode_hello

WINDOW = 512 * 1024
"""SSH window in octets: what may wait in the channel while the intake is full (ours)."""


class AsyncsshSession(SessionBase, asyncssh.SSHClientSession[bytes]):
    """A ``NetconfSession``; see there for what its methods promise."""

    def __init__(
        self,
        settings: SessionSettings,
        deliver: Deliver,
        clock: Clock,
        *,
        budget: Budget | None = None,
    ) -> None:
        """``budget``: of the unfinished messages of all sessions; None: no common bound."""
        super().__init__(settings, deliver, clock)
        self._watch = Watch(
            settings.rpc_timeout,
            budget,
            paused=lambda: self._inbox.waits,
            give_up=lambda reason, text: self._give_up(
                SessionError(f"{self.settings.where} sent {text}", reason=reason)
            ),
        )
        self._deframer = Deframer(settings.max_message)
        self._encode = encode_delimited
        self._client: SshClient | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._loop = asyncio.get_running_loop()
        self._greeted: asyncio.Future[None] = self._loop.create_future()
        self._offers = False
        """Whether ``_offer`` is about to be called."""

    # ------------------------------------------------------------------ open
    async def open(self) -> None:
        """See ``NetconfSession.open``."""
        try:
            async with asyncio.timeout(self.settings.connect_timeout / SECOND):
                self._connection = await self._connect()
                await self._start_netconf(self._connection)
        except BaseException as error:
            failure = session_error(self.settings, error, self._client)
            self._inbox.end(failure or SessionError("opening was cancelled"), patient=False)
            await self._disconnect()
            if failure is None:
                raise
            raise failure from error

    async def _connect(self) -> asyncssh.SSHClientConnection:
        """A connection on which we are logged in."""
        settings = self.settings
        if settings.calls_home:
            raise ConfigError(
                "this device calls home and cannot be connected to; only the collector that it "
                "calls, while it runs, has a session with it"
            )
        # A passphrase is made costly on purpose (bcrypt, a second): not in the loop.
        options = await asyncio.to_thread(options_of, settings)
        self._client = client = SshClient(settings.host_keys)
        return await asyncssh.connect(
            settings.host, settings.port, client_factory=lambda: client, **options
        )

    async def _start_netconf(self, connection: asyncssh.SSHClientConnection) -> None:
        self._met(connection.get_extra_info("peername"))
        await connection.create_session(
            lambda: self, subsystem="netconf", encoding=None, window=WINDOW
        )
        await self._greeted

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """asyncssh: the channel is there, the subsystem not yet."""
        self._channel = chan

    def session_started(self) -> None:
        """asyncssh: the subsystem runs. Both sides say hello at once (RFC 6241 §8.1)."""
        assert self._channel is not None
        self._channel.write(encode_delimited(encode_hello(CLIENT_CAPABILITIES)))

    # ------------------------------------------------------------------ arriving
    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """asyncssh: octets of the channel; those of stderr are no NETCONF."""
        if datatype is not None:
            return
        try:
            ended = self._cut(data)
        except WireError as error:
            self._give_up(wire_failure(self.settings, error))
            return
        unfinished = self._deframer.buffered
        if unfinished or self._watch.octets:
            self._watch.look(unfinished, ended=ended)
        if not self._offers:
            self._offers = True
            self._loop.call_soon(self._offer)

    def _cut(self, data: bytes) -> bool:
        """Whole messages into the inbox; whether there were any. Raises WireError."""
        if self._deframer.chunked:
            messages = self._deframer.cut(data)
            self._inbox.arrived(messages)
            if self._deframer.error is not None:
                raise self._deframer.error
            return bool(messages)
        self._deframer.receive(data)
        ended = False
        while (message := self._deframer.next_message()) is not None:
            ended = True
            if self._greeted.done():
                self._inbox.arrived([message])
            else:
                self._hello(message)
        return ended

    def _offer(self) -> None:
        """What one look at the socket brought, up to eight SSH packets, goes on as one batch."""
        self._offers = False
        self._inbox.offer(self._pause, self._resume)

    def _hello(self, message: bytes) -> None:
        hello = read_hello(message)
        self._greeted_by(hello)
        if hello.chunked:
            self._deframer.use_chunked()
            self._encode = encode_chunked
        self._greeted.set_result(None)

    def _pause(self) -> None:
        if self._channel is not None:
            self._channel.pause_reading()

    def _resume(self) -> None:
        if self._channel is not None:
            self._channel.resume_reading()

    # ------------------------------------------------------------------ requests
    def _send(self, request: bytes) -> None:
        if self._channel is not None:  # else it is just ending, and ``closed`` will say so
            self._channel.write(self._encode(request))

    # ------------------------------------------------------------------ the end
    def connection_lost(self, exc: Exception | None) -> None:
        """asyncssh: the channel is gone."""
        self._channel = None
        why = f" ({plain(str(exc))})" if exc is not None and str(exc) else ""
        self._end(SessionError(f"{self.settings.where} ended the session{why}", reason="lost"))

    def _give_up(self, error: SessionError) -> None:
        """The device did what ends a session."""
        self._end(error)
        if self._connection is not None:
            self._connection.abort()

    def _end(self, error: SessionError) -> None:
        self._watch.stop()
        if not self._greeted.done():
            self._greeted.set_exception(error)
            self._greeted.exception()  # read here: nobody may be waiting for it any more
        self._inbox.end(error)

    async def _disconnect(self) -> None:
        self._watch.stop()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        connection.close()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT / SECOND):
                await connection.wait_closed()
        except TimeoutError:
            connection.abort()
            await connection.wait_closed()
