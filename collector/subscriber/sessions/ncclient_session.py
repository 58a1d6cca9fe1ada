"""The second NETCONF session: ncclient behind the same interface, for its vendor handlers.

What it does: lets ncclient connect, greet and send with the device handler that the configuration
names, and takes what arrives through an own listener and a bounded queue into the event loop. What
it does not: use ncclient's parsers (quadratic and unbounded; ours cuts the messages) or its
notification queue (unbounded, and it drops all roots but ``<notification>``).

Rules: two threads a session, ncclient's and paramiko's; they touch nothing of ours but ``Queue``.
A full queue blocks ncclient's thread, and the SSH window then stops the device. Import this module
only where a device wants it: ncclient and paramiko take their time to load.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ncclient.manager
import ncclient.transport.errors as nc_errors
from ncclient.transport.session import NetconfBase
from ncclient.transport.ssh import paramiko

from collector.errors import ConfigError, SessionError, WireError
from collector.interfaces import Clock
from collector.model import SECOND
from collector.subscriber.sessions.ncclient_transport import (
    Listener,
    Parser,
    Queue,
    Transport,
    watch,
)
from collector.subscriber.sessions.session import (
    Deliver,
    SessionSettings,
    algorithm_error,
    auth_error,
    host_key_error,
    network_error,
    quieten,
    subsystem_error,
    timeout_error,
)
from collector.subscriber.sessions.session_base import SessionBase, wire_failure
from collector.wire.netconf.hello import BASE_1_1

quieten("ncclient", "paramiko")


class NcclientSession(SessionBase):
    """A ``NetconfSession``; see there for what its methods promise."""

    def __init__(self, settings: SessionSettings, deliver: Deliver, clock: Clock) -> None:
        super().__init__(settings, deliver, clock)
        self._loop = asyncio.get_running_loop()
        self._queue = Queue(self._wake)
        self._paused = False
        self._socket: socket.socket | None = None
        self._abandoned = False
        """Set when nobody waits for the connecting thread any more."""
        self._transport: Transport | None = None

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
        self._greeted_by(parser.hello)

    def _connect(self) -> Parser:
        """Blocking, in a thread of its own."""
        settings = self.settings
        try:
            handler = ncclient.manager.make_device_handler({"name": settings.device_handler})
        except ImportError:
            raise ConfigError(
                f"ncclient has no device handler {settings.device_handler}", key="device_handler"
            ) from None
        transport = Transport(handler, settings)
        password = None if settings.password is None else settings.password()
        timeout = settings.connect_timeout / SECOND
        self._socket = socket.create_connection((settings.host, settings.port), timeout)
        if self._abandoned:
            raise TimeoutError
        watch(self._socket, settings.keepalive)
        self._met(self._socket.getpeername())
        listener = Listener(self._queue, self._ended)
        chunked = BASE_1_1 in handler.get_capabilities()
        transport.parser = parser = Parser(transport, listener, settings.max_message, chunked)
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
                "unknown_host_cb": transport.is_pinned,
                "keepalive": settings.keepalive // SECOND or None,
            }
        )
        # ncclient compares capabilities as printed, with the white space around them; what is
        # sent must be framed as the device and our deframer understood the hellos.
        transport._base = NetconfBase.BASE_11 if parser.chunked else NetconfBase.BASE_10
        return parser

    async def _abandon(
        self, executor: ThreadPoolExecutor, connecting: asyncio.Future[Parser]
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
        await self._loop.run_in_executor(executor, self._hang_up)

    # ------------------------------------------------------------------ arriving
    def _wake(self) -> None:
        """In ncclient's thread."""
        self._in_loop(self._drain)

    def _ended(self, error: Exception) -> None:
        """In ncclient's thread."""
        if isinstance(error, WireError):
            failure = wire_failure(self.settings, error)
        else:  # ncclient's text quotes what was received, so it stays out of ours
            failure = SessionError(f"{self.settings.where} ended the session", reason="lost")
        self._in_loop(lambda: self._over(failure))

    def _in_loop(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            self._queue.shut()  # the event loop is closed: nobody is left to care

    def _drain(self) -> None:
        if self._paused:
            return
        self._inbox.arrived(self._queue.take())
        self._inbox.offer(self._pause, self._resume)

    def _pause(self) -> None:
        self._paused = True

    def _resume(self) -> None:
        self._paused = False
        self._drain()

    def _over(self, error: SessionError) -> None:
        self._inbox.arrived(self._queue.take())
        self._queue.shut()
        self._inbox.end(error)

    # ------------------------------------------------------------------ requests
    def _send(self, request: bytes) -> None:
        try:
            if self._transport is not None:
                self._transport.send(request.decode())
        except nc_errors.TransportError:
            pass  # it is just ending, and ``closed`` will say so

    # ------------------------------------------------------------------ the end
    async def _disconnect(self) -> None:
        self._queue.shut()
        with _thread() as executor:
            await self._loop.run_in_executor(executor, self._hang_up)

    def _hang_up(self) -> None:
        """Blocking: until ncclient's and paramiko's threads are gone."""
        transport, self._transport = self._transport, None
        if transport is not None and transport.transport is not None:
            transport.close()
        if self._socket is not None:
            self._socket.close()


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
            return wire_failure(settings, error)
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
