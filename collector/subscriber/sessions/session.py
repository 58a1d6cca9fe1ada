"""The NETCONF session as the subscriber sees it: settings, interface, errors.

What it does: says what a session promises (``NetconfSession``), how to reach a device
(``SessionSettings``), and in which words a failure is told. What it does not: open sockets
(``asyncssh_session``, ``ncclient_session``), know subscriptions (``manager``).

Rules:

* every message of the peer goes to one ``deliver`` call, in the order of arrival, replies
  included, before the waiting ``rpc()`` returns: so a journal behind it has the order of the wire;
* when ``deliver`` raises IntakeFullError nothing was taken: the session stops reading, keeps what
  it has and offers it again; nothing is ever dropped and no queue grows;
* secrets are read when a session opens and live in no repr, log line or error.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from collector.config import NetconfSettings, PinnedKeys, pinned_keys, read_secret
from collector.errors import ConfigError, SessionError
from collector.model import SECOND, CollectorTime
from collector.wire.netconf.framing import DEFAULT_MAX_MESSAGE
from collector.wire.netconf.hello import BASE_1_0, BASE_1_1

CLIENT_CAPABILITIES = (BASE_1_0, BASE_1_1)
DEFAULT_KNOWN_HOSTS = "~/.ssh/known_hosts"
DEFAULT_PORT = 830
"""RFC 6242 §6."""
KEEPALIVE_TRIES = 3
CLOSE_TIMEOUT = 2 * SECOND
"""How long a device may take to answer close-session and to disconnect (ours)."""


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
    host_keys: PinnedKeys | None = None
    """The only keys that the device may show; then ``known_hosts`` is not looked at."""
    calls_home: bool = False
    """The device connects to us (RFC 8071); ``host`` and ``port`` are not known before."""
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
        if not self.host:
            return "the device that calls home"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def host_key_error(settings: SessionSettings, shown: str = "") -> SessionError:
    """The key that the device showed, ``shown`` its fingerprint, is not one that we trust."""
    if settings.host_keys is not None:
        text = (
            f"the host key of {settings.where}{f', {shown},' if shown else ''} is none of those in "
            "host_keys; if it is really the device (compare the fingerprint on its console), put "
            "the new key there"
        )
    else:
        port = "" if settings.port == 22 else f"-p {settings.port} "
        text = (
            f"the host key of {settings.where} is not in {settings.known_hosts}; if it is really "
            f"the device (compare the fingerprint on its console), add the key: "
            f"ssh-keyscan {port}{settings.host} >> {settings.known_hosts}"
        )
    return SessionError(text, reason="host-key", retryable=False)


def key_error(settings: SessionSettings, error: Exception) -> ConfigError:
    """Our own private key cannot be read."""
    word = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
    return ConfigError(f"the private key {settings.key_file} cannot be used: {word}")


def auth_error(settings: SessionSettings) -> SessionError:
    """The device did not accept user name, password or key."""
    return SessionError(
        f"{settings.where} refused the user {settings.username}: password or key are wrong",
        reason="auth",
        retryable=False,
    )


class ConfiguredSecret(Struct, frozen=True):
    """A ``ReadSecret`` that is equal when the configuration is: a reload keeps the sessions."""

    netconf: NetconfSettings
    device: str
    secret: Literal["password", "key_passphrase"] = "password"  # noqa: S105 - the key's name

    def __call__(self) -> str | None:
        """The secret, None where none is configured. Raises ConfigError."""
        return read_secret(self.netconf, device=self.device, secret=self.secret)


def settings_from(netconf: NetconfSettings, device: str = "") -> SessionSettings:
    """The settings of a session as the configuration says."""
    return SessionSettings(
        host=netconf.host,
        port=netconf.port,
        username=netconf.username,
        password=ConfiguredSecret(netconf, device),
        key_file=netconf.key_file or "",
        key_passphrase=ConfiguredSecret(netconf, device, "key_passphrase"),
        known_hosts=netconf.known_hosts or DEFAULT_KNOWN_HOSTS,
        host_keys=pinned_keys(netconf.host_keys),
        calls_home=netconf.call_home,
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
    # asyncio's own text has the address once more, as a tuple
    why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    if why and reason != "refused":
        text = f"{text} ({why})"
    return SessionError(text, reason=reason)


def subsystem_error(settings: SessionSettings, detail: str = "") -> SessionError:
    """Logged in, but there is no NETCONF: it may not be switched on yet."""
    more = f" ({detail})" if detail else ""
    return SessionError(
        f"{settings.where} has no NETCONF subsystem for us{more}", reason="subsystem"
    )


def algorithm_error(settings: SessionSettings) -> SessionError:
    """Both sides know SSH, but not the same."""
    return SessionError(
        f"no common SSH algorithm with {settings.where}", reason="ssh", retryable=False
    )


def timeout_error(settings: SessionSettings) -> SessionError:
    """Connecting, logging in and the hello took too long."""
    limit = settings.connect_timeout / SECOND
    return SessionError(f"{settings.where} did not greet within {limit:g} s", reason="timeout")


def plain(text: str, limit: int = 200) -> str:
    """What a peer said, fit for a log line: one line, printable, of at most ``limit`` letters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * limit]).split())
    return line if len(line) <= limit else line[:limit] + "..."


def quieten(*loggers: str) -> None:
    """Let libraries that log each message at level INFO speak from WARNING on.

    A level that somebody has set already stays as it is.
    """
    for name in loggers:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)


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
    def stray(self) -> int:
        """Replies that came to no request that waits: an unknown message-id, or one given up."""
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
