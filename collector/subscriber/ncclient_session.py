"""The second NETCONF session: ncclient behind the same interface, for its vendor handlers.

What it does: lets ncclient connect, greet and send with the device handler that the configuration
names, and takes what arrives through an own listener and a bounded queue into the event loop. What
it does not: use ncclient's parsers (quadratic and unbounded; ours cuts the messages) or its
notification queue (unbounded, and it drops all roots but ``<notification>``).

Rules: two threads a session, ncclient's and paramiko's; they touch nothing of ours but ``_Queue``.
A full queue blocks ncclient's thread, and the SSH window then stops the device. Import this module
only where a device wants it: ncclient and paramiko take their time to load.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ncclient.manager
import ncclient.transport.errors as nc_errors
from ncclient.transport.session import NotificationHandler, SessionListener
from ncclient.transport.ssh import SSHSession, paramiko

from collector.errors import ConfigError, SessionError, UsageError, WireError
from collector.interfaces import Clock
from collector.model import SECOND
from collector.subscriber.inbox import Inbox
from collector.subscriber.session import (
    KEEPALIVE_TRIES,
    Deliver,
    SessionSettings,
    algorithm_error,
    auth_error,
    host_key_error,
    key_error,
    network_error,
    quieten,
    subsystem_error,
    timeout_error,
)
from collector.wire.netconf_framing import Deframer
from collector.wire.netconf_hello import BASE_1_1, Hello, decode_hello

quieten("ncclient", "paramiko")

MAX_QUEUED = 256
"""Messages between ncclient's thread and the event loop (ours)."""
MAX_QUEUED_OCTETS = 1024 * 1024
"""Octets of them; one message may always wait, however long (ours)."""


class _Queue:
    """Messages from ncclient's thread to the event loop; ``put`` blocks while it is full."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._changed = threading.Condition()
        self._messages: deque[bytes] = deque()
        self._octets = 0
        self._open = True

    def put(self, message: bytes) -> None:
        """Wait for room, then add; after ``shut`` the message is thrown away."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open or self._has_room())
            if not self._open:
                return
            self._messages.append(message)
            self._octets += len(message)
        self._wake()

    def take(self) -> list[bytes]:
        """All that waits."""
        with self._changed:
            messages = list(self._messages)
            self._messages.clear()
            self._octets = 0
            self._changed.notify_all()
        return messages

    def shut(self) -> None:
        """Nobody takes any more: let the thread go."""
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return not self._messages or (
            len(self._messages) < MAX_QUEUED and self._octets < MAX_QUEUED_OCTETS
        )


class _Listener(SessionListener):  # type: ignore[misc]  # ncclient has no types
    """Our end of ncclient's dispatcher; runs in its thread."""

    def __init__(self, queue: _Queue, ended: Callable[[Exception], None]) -> None:
        self._queue = queue
        self._ended = ended
        self.message = b""
        """The message being dispatched, as it came."""
        self.text = ""
        """The same as ncclient sees it."""

    def callback(self, _root: Any, raw: str) -> None:
        """ncclient: one message; a device handler may have repaired it."""
        message = self.message if raw == self.text else raw.encode()
        self.message = b""
        self._queue.put(message)

    def errback(self, ex: Exception) -> None:
        """ncclient: the session is over."""
        self._ended(ex)


class _Parser:
    """Stands in for ncclient's parsers: our bounded deframer, then ncclient's dispatcher."""

    def __init__(self, session: Any, listener: _Listener, max_message: int, chunked: bool) -> None:
        self._session = session
        self._listener = listener
        self._chunked = chunked
        """Whether our own hello says base:1.1; some device handlers do not."""
        self._deframer = Deframer(max_message)
        self.hello: Hello | None = None

    def parse(self, data: bytes) -> None:
        """ncclient: octets of the channel. Raises WireError, which ends ncclient's loop."""
        self._deframer.receive(data)
        while (message := self._deframer.next_message()) is not None:
            if self.hello is None:
                self._greeted(decode_hello(message))
                self._session._dispatch_message(message.decode())
                self._session.add_listener(self._listener)
            else:
                self._dispatch(message)

    def _greeted(self, hello: Hello) -> None:
        if hello.session_id is None:
            raise WireError(
                "bad-hello", "the hello has no session-id", clause="RFC 6241 §8.1", field="hello"
            )
        self.hello = hello
        if hello.chunked and self._chunked:
            self._deframer.use_chunked()

    def _dispatch(self, message: bytes) -> None:
        listener = self._listener
        listener.message, listener.text = message, message.decode(errors="replace")
        self._session._dispatch_message(listener.text)
        if listener.message:  # ncclient could not read it: the decoder behind us refuses it
            listener.callback(None, listener.text)


class _Transport(SSHSession):  # type: ignore[misc]  # ncclient has no types
    """ncclient's session without its unbounded queue, and with the files of the settings only."""

    def __init__(self, handler: Any, settings: SessionSettings) -> None:
        super().__init__(handler)
        self._known_hosts = settings.known_hosts
        self._key = _private_key(settings)

    def add_listener(self, listener: Any) -> None:
        """ncclient: its own collector of notifications stays out."""
        if not isinstance(listener, NotificationHandler):
            super().add_listener(listener)

    def load_known_hosts(self, filename: str | None = None) -> None:
        """ncclient: the file of the settings and no other; an absent one means no key."""
        path = Path(filename or self._known_hosts).expanduser()
        if path.exists():
            super().load_known_hosts(str(path))

    def _auth(self, username: str, password: str | None, *_: Any) -> None:
        """ncclient: log in with the key, else with the password; it knows one secret for both."""
        try:
            if self._key is not None:
                try:
                    self._transport.auth_publickey(username, self._key)
                    return
                except paramiko.AuthenticationException:
                    if password is None:
                        raise
            self._transport.auth_password(username, password or "")
        except paramiko.AuthenticationException as error:
            if not self._transport.is_active():  # paramiko says the same of a lost connection
                raise nc_errors.SSHError("connection lost while logging in") from error
            raise nc_errors.AuthenticationError(type(error).__name__) from error


class NcclientSession:
    """A ``NetconfSession``; see there for what its methods promise."""

    def __init__(self, settings: SessionSettings, deliver: Deliver, clock: Clock) -> None:
        self.settings = settings
        self.capabilities: tuple[str, ...] = ()
        self.session_id = 0
        self.peer = ""
        self.port = 0
        self._inbox = Inbox(settings, deliver, clock)
        self._loop = asyncio.get_running_loop()
        self._queue = _Queue(self._wake)
        self._paused = False
        self._socket: socket.socket | None = None
        self._abandoned = False
        """Set when nobody waits for the connecting thread any more."""
        self._transport: _Transport | None = None

    @property
    def closed(self) -> asyncio.Future[SessionError]:
        """See ``NetconfSession.closed``."""
        return self._inbox.closed

    @property
    def dropped(self) -> int:
        """See ``Inbox.dropped``."""
        return self._inbox.dropped

    # ------------------------------------------------------------------ open
    async def open(self) -> None:
        """See ``NetconfSession.open``."""
        with _thread() as executor:
            connecting = self._loop.run_in_executor(executor, self._connect)
            try:
                async with asyncio.timeout(self.settings.connect_timeout / SECOND):
                    parser = await asyncio.shield(connecting)
            except BaseException as error:
                await self._abandon(executor, connecting)
                failure = _session_error(self.settings, error)
                self._inbox.end(failure or SessionError("opening was cancelled"), patient=False)
                if failure is None:
                    raise
                raise failure from error
        assert parser.hello is not None
        self.capabilities = parser.hello.capabilities
        self.session_id = parser.hello.session_id or 0

    def _connect(self) -> _Parser:
        """Blocking, in a thread of its own."""
        settings = self.settings
        try:
            handler = ncclient.manager.make_device_handler({"name": settings.device_handler})
        except ImportError:
            raise ConfigError(
                f"ncclient has no device handler {settings.device_handler}", key="device_handler"
            ) from None
        transport = _Transport(handler, settings)
        password = None if settings.password is None else settings.password()
        timeout = settings.connect_timeout / SECOND
        self._socket = socket.create_connection((settings.host, settings.port), timeout)
        if self._abandoned:
            raise TimeoutError
        _watch(self._socket, settings.keepalive)
        address = self._socket.getpeername()
        self.peer, self.port = address[0].removeprefix("::ffff:"), address[1]
        listener = _Listener(self._queue, self._ended)
        chunked = BASE_1_1 in handler.get_capabilities()
        transport.parser = parser = _Parser(transport, listener, settings.max_message, chunked)
        handler.get_xml_parser = lambda _session: parser
        self._transport = transport
        arguments: dict[str, Any] = {}
        handler.add_additional_ssh_connect_params(arguments)
        transport.connect(
            **arguments
            | {
                "host": settings.host,
                "port": settings.port,
                "sock": self._socket,
                "timeout": timeout,
                "username": settings.username,
                "password": password,
                "allow_agent": False,
                "look_for_keys": False,
                "hostkey_verify": settings.verify_host_key,
                "keepalive": settings.keepalive // SECOND or None,
            }
        )
        return parser

    async def _abandon(
        self, executor: ThreadPoolExecutor, connecting: asyncio.Future[_Parser]
    ) -> None:
        """Make a connecting thread give up, and wait for it."""
        self._abandoned = True
        self._queue.shut()
        if self._socket is not None:
            self._socket.close()
        if self._transport is not None and self._transport.transport is not None:
            self._transport.transport.close()
        await asyncio.wait([connecting])
        if not connecting.cancelled():
            connecting.exception()  # read: it is the consequence of what is reported already
        await self._loop.run_in_executor(executor, self._disconnect)

    # ------------------------------------------------------------------ arriving
    def _wake(self) -> None:
        """In ncclient's thread."""
        self._in_loop(self._drain)

    def _ended(self, error: Exception) -> None:
        """In ncclient's thread."""
        if isinstance(error, WireError):
            text, reason = f"{self.settings.where}: {error}; session ended", error.reason
        else:  # ncclient's text quotes what was received, so it stays out of ours
            text, reason = f"{self.settings.where} ended the session", "lost"
        failure = SessionError(text, reason=reason)
        self._in_loop(lambda: self._over(failure))

    def _in_loop(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            self._queue.shut()  # the event loop is closed: nobody is left to care

    def _drain(self) -> None:
        if self._paused:
            return
        for message in self._queue.take():
            self._inbox.arrived(message)
        self._inbox.offer(self._pause, self._resume)

    def _pause(self) -> None:
        self._paused = True

    def _resume(self) -> None:
        self._paused = False
        self._drain()

    def _over(self, error: SessionError) -> None:
        for message in self._queue.take():
            self._inbox.arrived(message)
        self._queue.shut()
        self._inbox.end(error)

    # ------------------------------------------------------------------ requests
    async def rpc(self, request: bytes, timeout: int | None = None) -> bytes:
        """See ``NetconfSession.rpc``."""
        if self.session_id == 0:
            raise UsageError("the session is not open")
        message_id, future = self._inbox.expect_reply(request)
        self._send(request)
        return await self._inbox.reply(message_id, future, timeout)

    def _send(self, request: bytes) -> None:
        try:
            if self._transport is not None:
                self._transport.send(request.decode())
        except nc_errors.TransportError:
            pass  # it is just ending, and ``closed`` will say so

    # ------------------------------------------------------------------ the end
    async def close(self) -> None:
        """See ``NetconfSession.close``."""
        await self._inbox.say_goodbye(self._send if self.session_id else None)
        self._queue.shut()
        with _thread() as executor:
            await self._loop.run_in_executor(executor, self._disconnect)

    def _disconnect(self) -> None:
        """Blocking: until ncclient's and paramiko's threads are gone."""
        transport, self._transport = self._transport, None
        if transport is not None and transport.transport is not None:
            transport.close()
        if self._socket is not None:
            self._socket.close()


def _watch(connection: socket.socket, keepalive: int) -> None:
    """End the connection when what paramiko sends to keep it alive is not even acknowledged.

    paramiko sends, but never looks whether an answer comes.
    """
    if keepalive and hasattr(socket, "TCP_USER_TIMEOUT"):
        silence = keepalive * KEEPALIVE_TRIES // 1_000_000
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, silence)


def _private_key(settings: SessionSettings) -> Any:
    """The key of the settings; None: none. Raises ConfigError."""
    if not settings.key_file:
        return None
    phrase = None if settings.key_passphrase is None else settings.key_passphrase()
    path = Path(settings.key_file).expanduser()
    try:
        return paramiko.PKey.from_path(path, None if phrase is None else phrase.encode())
    except (OSError, ValueError, TypeError, paramiko.SSHException) as error:
        raise key_error(settings, error) from error


def _thread() -> ThreadPoolExecutor:
    """A thread for ncclient's blocking calls, apart from the loop's own (name look-ups)."""
    return ThreadPoolExecutor(1, thread_name_prefix="ncclient")


def _session_error(settings: SessionSettings, error: BaseException) -> SessionError | None:
    """What went wrong while connecting; None: not ours to translate (cancelled, configuration)."""
    where = settings.where
    match error:
        case nc_errors.SSHUnknownHostError():
            return host_key_error(settings)
        case nc_errors.AuthenticationError():
            return auth_error(settings)
        case WireError():
            return SessionError(f"{where}: {error}; session ended", reason=error.reason)
        case nc_errors.SessionError():
            return timeout_error(settings)  # "Capability exchange timed out" is all it says
        case nc_errors.SSHError() if "subsystem" in str(error):
            return subsystem_error(settings)
        case nc_errors.SSHError() if isinstance(
            error.__context__, paramiko.ssh_exception.IncompatiblePeer
        ):
            return algorithm_error(settings)
        case nc_errors.TransportError():
            return SessionError(f"{where} ended the connection", reason="lost")
        case OSError():
            return network_error(settings, error)
        case EOFError():
            return SessionError(f"{where} ended the connection", reason="lost")
        case _:
            return None
