"""The NETCONF session as the subscriber sees it: settings, interface, and the parts both share.

What it does: says what a session promises (``NetconfSession``), how to reach a device
(``SessionSettings``), and holds what every implementation needs (``Inbox``: order, back-pressure,
matching of replies). What it does not: open sockets (``asyncssh_session``, ``ncclient_session``),
know subscriptions (``manager``).

Rules:

* every message of the peer goes to one ``deliver`` call, in the order of arrival, replies
  included, before the waiting ``rpc()`` returns: so a journal behind it has the order of the wire;
* when ``deliver`` raises IntakeFullError nothing was taken: the session stops reading, keeps what
  it has and offers it again; nothing is ever dropped and no queue grows;
* secrets are read when a session opens and live in no repr, log line or error.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from msgspec import Struct

from collector.config import NetconfSettings, read_secret
from collector.errors import IntakeFullError, SessionError, UsageError, WireError
from collector.interfaces import Clock
from collector.model import SECOND, CollectorTime
from collector.wire.names import NETCONF_BASE
from collector.wire.netconf_framing import DEFAULT_MAX_MESSAGE
from collector.wire.netconf_hello import BASE_1_0, BASE_1_1, root_of

CLIENT_CAPABILITIES = (BASE_1_0, BASE_1_1)
DEFAULT_KNOWN_HOSTS = "~/.ssh/known_hosts"
DEFAULT_PORT = 830
"""RFC 6242 §6."""
MAX_PENDING_RPCS = 64
"""Requests of one session that may wait for their reply (ours)."""
CLOSE_TIMEOUT = 2 * SECOND
"""How long a device may take to answer close-session and to disconnect (ours)."""
CLOSE_SESSION = (
    f'<rpc message-id="close-session" xmlns="{NETCONF_BASE}"><close-session/></rpc>'.encode()
)
"""RFC 6241 §7.8; the id cannot meet one of ``manager``, which are numbers."""


ReadSecret = Callable[[], str | None]
"""Reads a secret where it lives (file, environment, vault). Raises ConfigError naming the place."""


class SessionSettings(Struct, frozen=True):
    """How to reach a device and what to put up with; times in ns."""

    host: str
    """Name or address."""
    username: str
    port: int = DEFAULT_PORT
    password: ReadSecret | None = None
    """Reads the password when a session opens; None: no log-in by password."""
    key_file: str = ""
    """Path of a private key; empty: none."""
    key_passphrase: ReadSecret | None = None
    """Reads the passphrase of ``key_file``."""
    known_hosts: str = DEFAULT_KNOWN_HOSTS
    """OpenSSH known_hosts file with the device's host key."""
    verify_host_key: bool = True
    """False gives up the protection against a man in the middle; for laboratories only."""
    connect_timeout: int = 15 * SECOND
    """TCP, SSH, authentication and hello together."""
    rpc_timeout: int = 30 * SECOND
    keepalive: int = 30 * SECOND
    """Silence after which the peer is asked whether it lives; three unanswered end the session.
    0: never."""
    device_handler: str = "default"
    """ncclient's name of the vendor, as in ``iosxr``; asyncssh ignores it."""
    max_message: int = DEFAULT_MAX_MESSAGE
    """Octets of one message of the device."""
    retry_interval: int = SECOND // 10
    """How long to wait before messages are offered again to a full intake."""

    @property
    def where(self) -> str:
        """``host:port`` for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def host_key_error(settings: SessionSettings) -> SessionError:
    """The key that the device showed is not one that we trust."""
    port = "" if settings.port == 22 else f"-p {settings.port} "
    return SessionError(
        f"the host key of {settings.where} is not in {settings.known_hosts}; if it is really the "
        f"device (compare the fingerprint on its console), add the key: "
        f"ssh-keyscan {port}{settings.host} >> {settings.known_hosts}",
        reason="host-key",
        retryable=False,
    )


def auth_error(settings: SessionSettings) -> SessionError:
    """The device did not accept user name, password or key."""
    return SessionError(
        f"{settings.where} refused the user {settings.username}: password or key are wrong",
        reason="auth",
        retryable=False,
    )


def settings_from(netconf: NetconfSettings, device: str = "") -> SessionSettings:
    """The settings of a session as the configuration says."""
    return SessionSettings(
        host=netconf.host,
        port=netconf.port,
        username=netconf.username,
        password=partial(read_secret, netconf, device=device),
        key_file=netconf.key_file or "",
        known_hosts=netconf.known_hosts or DEFAULT_KNOWN_HOSTS,
        connect_timeout=round(netconf.connect_timeout_seconds * SECOND),
        rpc_timeout=round(netconf.rpc_timeout_seconds * SECOND),
        device_handler=netconf.device_handler,
    )


def network_error(settings: SessionSettings, error: OSError) -> SessionError:
    """Nobody could be connected to."""
    where = settings.where
    match error:
        case TimeoutError():
            return timeout_error(settings)
        case ConnectionRefusedError():
            text, reason = f"{where} refused the connection", "refused"
        case ConnectionError():
            text, reason = f"{where} ended the connection", "lost"
        case socket.gaierror():
            text, reason = f"the name {settings.host} is not known", "unreachable"
        case _:
            text, reason = f"{where} cannot be reached", "unreachable"
    return SessionError(f"{text} ({error.strerror})" if error.strerror else text, reason=reason)


def timeout_error(settings: SessionSettings) -> SessionError:
    """Connecting, logging in and the hello took too long."""
    limit = settings.connect_timeout / SECOND
    return SessionError(f"{settings.where} did not greet within {limit:g} s", reason="timeout")


class Arrived(Struct, frozen=True, gc=False):
    """One whole message of the peer."""

    root: str
    """Local name of the root: ``rpc-reply``, ``notification``, ``envelope``, ...; empty when
    there is none."""
    message_id: str | None
    """Of an ``rpc-reply``."""
    payload: bytes


Deliver = Callable[[CollectorTime, Sequence[Arrived]], None]
"""Takes messages over, all or none, and when they were read. Raises IntakeFullError when it cannot
for now; the next try comes with a later time, so that times in a journal never go back."""


class NetconfSession(Protocol):
    """A NETCONF session with one device; used once: open, use, close."""

    settings: SessionSettings
    capabilities: tuple[str, ...]
    """Of the device's hello; empty before ``open``."""
    session_id: int
    """Of the device's hello; 0 before ``open``."""
    peer: str
    """The device's address as text; empty before ``open``."""
    port: int

    @property
    def dropped(self) -> int:
        """Messages thrown away because the intake was still full when ``close`` was called."""
        ...

    @property
    def closed(self) -> asyncio.Future[SessionError]:
        """Done when the session is over; the result (never an exception) says why.

        ``reason`` is ``closed`` when it was us.
        """
        ...

    async def open(self) -> None:
        """Connect, authenticate, exchange hellos.

        Raises:
            SessionError: ``refused``, ``unreachable``, ``timeout``, ``host-key``, ``auth``,
                ``subsystem``, ``bad-hello``, ``lost``, ...
            ConfigError: a secret or key cannot be had.
        """
        ...

    async def rpc(self, request: bytes, timeout: int | None = None) -> bytes:
        """Send an ``<rpc>`` that carries a message-id, return the ``<rpc-reply>``.

        Args:
            request: the whole element.
            timeout: ns; None: ``settings.rpc_timeout``.

        Raises:
            SessionError: ``timeout``, or the reason the session ended with.
            UsageError: no message-id, or one that waits already, or too many waiting.
        """
        ...

    async def close(self) -> None:
        """Say ``<close-session>`` if the session lives, then disconnect. May be called twice."""
        ...


class Inbox:
    """What arrives, on its way to ``deliver``: order, back-pressure, replies, the end.

    Lives in the event loop's thread.
    """

    def __init__(self, settings: SessionSettings, deliver: Deliver, clock: Clock) -> None:
        self._settings = settings
        self._deliver = deliver
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Arrived] = []
        """Messages that a full intake did not take; no more than one read brought."""
        self._replies: dict[str, asyncio.Future[bytes]] = {}
        """message-id -> who waits for the reply; at most ``MAX_PENDING_RPCS``."""
        self._retry: asyncio.TimerHandle | None = None
        self._ending: SessionError | None = None
        self.closed: asyncio.Future[SessionError] = self._loop.create_future()
        self.dropped = 0
        """Messages thrown away because the intake was still full when we closed the session."""

    # ------------------------------------------------------------------ in
    def arrived(self, payload: bytes) -> None:
        """Note a message; ``offer()`` hands it over."""
        try:
            root = root_of(payload)
            name, message_id = root.name, root.message_id
        except WireError:
            name, message_id = "", None  # the decoder behind ``deliver`` refuses and counts it
        self._waiting.append(Arrived(name, message_id, payload))

    def offer(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Hand over what waits; call ``pause`` if the intake is full, ``resume`` once it is not."""
        if self._retry is None and not self._flush():
            pause()
            self._offer_later(resume)

    def _flush(self) -> bool:
        if not self._waiting:
            return True
        try:
            self._deliver(self._clock.now(), self._waiting)
        except IntakeFullError:
            return False
        taken, self._waiting = self._waiting, []
        for message in taken:
            if message.root == "rpc-reply":
                self._answer(message)
        return True

    def _offer_later(self, resume: Callable[[], None]) -> None:
        def again() -> None:
            self._retry = None
            if self._flush():
                resume()
            else:
                self._offer_later(resume)

        self._retry = self._loop.call_later(self._settings.retry_interval / SECOND, again)

    # ------------------------------------------------------------------ replies
    def expect_reply(self, request: bytes) -> tuple[str, asyncio.Future[bytes]]:
        """Where the reply to ``request`` will be. Raises UsageError, SessionError."""
        if self._ending is not None:
            raise self._ending
        message_id = root_of(request).message_id
        if message_id is None:
            raise UsageError("an <rpc> must carry a message-id (RFC 6241 §4.1)")
        if message_id in self._replies:
            raise UsageError(f"message-id {message_id} waits for its reply already")
        if len(self._replies) >= MAX_PENDING_RPCS:
            raise UsageError(f"{MAX_PENDING_RPCS} requests wait for their reply already")
        future: asyncio.Future[bytes] = self._loop.create_future()
        self._replies[message_id] = future
        return message_id, future

    async def reply(
        self, message_id: str, future: asyncio.Future[bytes], timeout: int | None
    ) -> bytes:
        """Wait for a reply announced with ``expect_reply``. Raises SessionError."""
        limit = self._settings.rpc_timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(limit / SECOND):
                return await future
        except TimeoutError:
            raise SessionError(
                f"{self._settings.where} did not answer a request within {limit / SECOND:g} s",
                reason="timeout",
            ) from None
        finally:
            self._replies.pop(message_id, None)

    def _answer(self, message: Arrived) -> None:
        key = message.message_id
        if key is None and self._replies:
            # A reply to a request that the server could not read has no message-id
            # (RFC 6241 §4.3); servers answer in order (§4.5), so it is the oldest one's.
            key = next(iter(self._replies))
        future = self._replies.pop(key, None) if key is not None else None
        if future is not None and not future.done():
            future.set_result(message.payload)

    # ------------------------------------------------------------------ the end
    async def say_goodbye(self, send: Callable[[bytes], None] | None) -> None:
        """We close: ask politely with ``send`` where the session lives, then let nothing wait."""
        reason = SessionError(
            f"the session with {self._settings.where} was closed", reason="closed"
        )
        if send is not None and self._ending is None:
            try:
                message_id, future = self.expect_reply(CLOSE_SESSION)
                self._ending = reason
                send(CLOSE_SESSION)
                await self.reply(message_id, future, CLOSE_TIMEOUT)
            except (SessionError, UsageError):
                pass  # it was polite to ask; the connection is closed in any case
        self.end(reason, patient=False)

    def end(self, error: SessionError, *, patient: bool = True) -> None:
        """The session is over: wake everybody who waits. The first reason counts.

        Args:
            error: why.
            patient: go on offering what a full intake did not take, and be ``closed`` only then;
                else offer once more and count the rest in ``dropped``.
        """
        if self._ending is None:
            self._ending = error
        if self.closed.done():
            return
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if patient and not self._flush():
            self._offer_later(self._finish)
        else:
            self._finish()

    def _finish(self) -> None:
        assert self._ending is not None
        if not self._flush():
            self.dropped += len(self._waiting)
            self._waiting = []
        self.closed.set_result(self._ending)
        replies, self._replies = self._replies, {}
        for future in replies.values():
            if not future.done():
                future.set_exception(self._ending)
