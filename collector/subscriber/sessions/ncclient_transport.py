"""The parts of ncclient that ``ncclient_session`` puts in the place of its own.

What it does: a bounded queue to the event loop, our end of ncclient's dispatcher, our deframer in
the place of its parsers, and its session without the unbounded queue. What it does not: know
requests or the event loop.

Rules: everything but ``Queue.take`` and ``Queue.shut`` runs in ncclient's thread.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ncclient.transport.errors as nc_errors
from ncclient.transport.session import NotificationHandler, SessionListener
from ncclient.transport.ssh import SSHSession, paramiko

from collector.subscriber.sessions.session import KEEPALIVE_TRIES, SessionSettings, key_error
from collector.subscriber.sessions.session_base import read_hello
from collector.wire.netconf.framing import Deframer
from collector.wire.netconf.hello import Hello

# what it says of a broken connection is in the error that it raises; it adds a traceback
logging.getLogger("ncclient.transport.ssh").setLevel(logging.CRITICAL)

MAX_QUEUED = 256
"""Messages between ncclient's thread and the event loop (ours)."""
MAX_QUEUED_OCTETS = 1024 * 1024
"""Octets of them; one message may always wait, however long (ours)."""


class Queue:
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


class Listener(SessionListener):  # type: ignore[misc]  # ncclient has no types
    """Our end of ncclient's dispatcher; runs in its thread."""

    def __init__(self, queue: Queue, ended: Callable[[Exception], None]) -> None:
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


class Parser:
    """Stands in for ncclient's parsers: our bounded deframer, then ncclient's dispatcher."""

    def __init__(self, session: Any, listener: Listener, max_message: int, chunked: bool) -> None:
        self._session = session
        self._listener = listener
        self._may_chunk = chunked
        """Whether our own hello says base:1.1; some device handlers do not."""
        self.chunked = False
        """Whether both hellos said base:1.1."""
        self._deframer = Deframer(max_message)
        self.hello: Hello | None = None

    def parse(self, data: bytes) -> None:
        """ncclient: octets of the channel. Raises WireError, which ends ncclient's loop."""
        self._deframer.receive(data)
        while (message := self._deframer.next_message()) is not None:
            if self.hello is None:
                self.hello = read_hello(message)
                self.chunked = self.hello.chunked and self._may_chunk
                if self.chunked:
                    self._deframer.use_chunked()
                self._session._dispatch_message(message.decode())
                self._session.add_listener(self._listener)
            else:
                self._dispatch(message)

    def _dispatch(self, message: bytes) -> None:
        listener = self._listener
        listener.message, listener.text = message, message.decode(errors="replace")
        self._session._dispatch_message(listener.text)
        if listener.message:  # ncclient could not read it: the decoder behind us refuses it
            listener.callback(None, listener.text)


class Transport(SSHSession):  # type: ignore[misc]  # ncclient has no types
    """ncclient's session without its unbounded queue, and with the files of the settings only."""

    def __init__(self, handler: Any, settings: SessionSettings) -> None:
        super().__init__(handler)
        self._known_hosts = settings.known_hosts
        self._pins = settings.host_keys
        self._key = _private_key(settings)

    def add_listener(self, listener: Any) -> None:
        """ncclient: its own collector of notifications stays out."""
        if not isinstance(listener, NotificationHandler):
            super().add_listener(listener)

    def is_pinned(self, _host: str, _md5: str) -> bool:
        """ncclient: what about a host key that no file has?"""
        shown: paramiko.PKey = self._transport.get_remote_server_key()
        return self._pins is not None and shown.fingerprint in self._pins.fingerprints

    def load_known_hosts(self, filename: str | None = None) -> None:
        """ncclient: the file of the settings and no other; an absent one means no key."""
        if self._pins is not None:
            return
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


def watch(connection: socket.socket, keepalive: int) -> None:
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
