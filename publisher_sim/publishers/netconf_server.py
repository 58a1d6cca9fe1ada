"""NETCONF server over SSH for the simulated master (RFC 6241, RFC 6242), on asyncssh.

What it does: sockets, log-in, hello, framing, session numbers, ``close-session``, and the replies
to requests that are no ``<rpc>`` at all. What it does not: any other operation; every ``<rpc>``
goes as octets to ``on_rpc``, and the answer comes back through ``send``.

Rules: runs in one event loop, calls back from there, never blocks; sessions, message size and what
waits to be sent are bounded; it sees many sessions and keeps nothing of them once they end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import asyncssh

from collector.errors import ConfigError, WireError
from collector.wire.names import NETCONF_BASE
from collector.wire.netconf_framing import Deframer, encode_chunked, encode_delimited
from collector.wire.netconf_hello import (
    BASE_1_0,
    BASE_1_1,
    Root,
    decode_hello,
    encode_hello,
    root_of,
)
from publisher_sim.publishers.marking import mark

if TYPE_CHECKING:
    from asyncssh.misc import BytesOrStr

CAPABILITIES = (
    BASE_1_0,
    BASE_1_1,
    "urn:ietf:params:netconf:capability:yang-library:1.1?revision=2019-01-04&content-id=1",
    "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
    "?module=ietf-subscribed-notifications&revision=2019-09-09",
    "urn:ietf:params:xml:ns:yang:ietf-yang-push?module=ietf-yang-push&revision=2019-09-09",
    "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
    "?module=ietf-netconf-monitoring&revision=2010-10-04",
)
"""Hello of a device that pushes. ``:notification`` is absent on purpose: it stands for RFC 5277
create-subscription, which this server does not have."""
DEFAULT_PORT = 8300
"""830 (RFC 6242 §6) needs root."""
MAX_SESSIONS = 64
BACKLOG = 4096
"""Connections that may wait to be accepted; the system may allow fewer (ours)."""
MAX_REQUEST = 1024 * 1024
"""Octets of one request (ours)."""
MAX_UNSENT = 16 * 1024 * 1024
"""Octets that may wait for a slow subscriber before messages to it are refused (ours)."""
BUSY_ABOVE = 256 * 1024
"""Octets that may wait for a subscriber before it counts as slow; it no longer does below a quarter
of them (ours)."""

OnOpen = Callable[[str, str], None]
"""(session_id, user): a session passed its hello exchange."""
OnRpc = Callable[[str, bytes], None]
"""(session_id, the whole ``<rpc>``)."""
OnBusy = Callable[[str, bool], None]
"""(session_id, busy): its subscriber reads too slowly (``BUSY_ABOVE``), or no longer."""
OnClose = Callable[[str], None]
"""(session_id): a session that was opened ended, by either side."""


def _ignore(*_: object) -> None:
    pass


class Door(Protocol):
    """A listener that several servers share."""

    port: int
    host_key: asyncssh.SSHKey

    def enter(self, server: NetconfServer) -> None:
        """Who asks for this one is its own from now on."""
        ...

    def leave(self, server: NetconfServer) -> None:
        """Nobody finds it any more; may be called twice."""
        ...


class NetconfServer:
    """Listens on one address; a session is known by its NETCONF session-id as decimal text."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        *,
        host_key: asyncssh.SSHKey | str | Path | None = None,
        users: Mapping[str, str] | None = None,
        authorized_keys: Mapping[str, str] | None = None,
        capabilities: Sequence[str] = CAPABILITIES,
        on_open: OnOpen = _ignore,
        on_rpc: OnRpc = _ignore,
        on_busy: OnBusy = _ignore,
        on_close: OnClose = _ignore,
        max_sessions: int = MAX_SESSIONS,
        max_unsent: int = MAX_UNSENT,
        busy_above: int = BUSY_ABOVE,
        door: Door | None = None,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            host: address to listen on.
            port: TCP port, 0 lets the system choose (``port`` says which).
            host_key: a key, the path of a private key, or None for a throw-away Ed25519 key.
            users: name -> password.
            authorized_keys: name -> lines in the form of OpenSSH's authorized_keys.
            capabilities: URIs of the hello; with base:1.1 chunked framing is offered.
            on_open: see ``OnOpen``.
            on_rpc: see ``OnRpc``.
            on_busy: see ``OnBusy``.
            on_close: see ``OnClose``.
            max_sessions: further ones are refused at the subsystem request.
            max_unsent: octets, see ``MAX_UNSENT``.
            busy_above: octets, see ``BUSY_ABOVE``.
            door: listens instead of this server, with a host key of its own; None: nobody does.

        Raises:
            ConfigError: the host key cannot be read.
        """
        self.host = host
        self.port = port
        self.capabilities = tuple(capabilities)
        self.users = dict(users or {})
        self.authorized_keys = dict(authorized_keys or {})
        self.on_open = on_open
        self.on_rpc = on_rpc
        self.on_busy = on_busy
        self.on_close = on_close
        self.max_sessions = max_sessions
        self.max_unsent = max_unsent
        self.busy_above = busy_above
        self._door = door
        self._host_key = read_host_key(host_key) if door is None else door.host_key
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._sessions: dict[str, ServerSession] = {}
        """session-id -> the session, from its subsystem request to its end."""
        self._next_id = 1

    def known_hosts_line(self, host: str = "", port: int = 0) -> str:
        """The line that a subscriber's known_hosts needs, for the name it connects to."""
        host, port = host or self.host, port or self.port
        name = host if port == 22 else f"[{host}]:{port}"
        return f"{name} {self._host_key.export_public_key().decode().strip()}\n"

    async def start(self) -> None:
        """Return when listening. Raises ConfigError when the address cannot be used."""
        if self._door is not None:
            self._door.enter(self)
            self.port = self._door.port
            return
        self._acceptor = await listen(self.host, self.port, self._host_key, lambda: Login(self))
        self.port = self._acceptor.get_port()

    async def stop(self) -> None:
        """Close the sessions and the socket. May be called twice, or without ``start``."""
        if self._door is not None:
            self._door.leave(self)
        acceptor, self._acceptor = self._acceptor, None
        if acceptor is not None:
            acceptor.close()
        connections = list(self._connections)
        for connection in connections:
            connection.close()
        for connection in connections:
            await connection.wait_closed()
        if acceptor is not None:
            await acceptor.wait_closed()

    # ------------------------------------------------------------------ sessions
    @property
    def sessions(self) -> tuple[str, ...]:
        """session-ids that passed their hello exchange."""
        return tuple(name for name, session in self._sessions.items() if session.opened)

    def send(self, session_id: str, message: bytes) -> bool:
        """Send one message in the framing of the session.

        Returns:
            False when nothing was sent: no such session, or its subscriber reads too slowly.
        """
        session = self._sessions.get(session_id)
        return session is not None and session.send(message)

    def unsent(self, session_id: str) -> int:
        """Octets that wait for the subscriber to read; 0 for an unknown session."""
        session = self._sessions.get(session_id)
        return 0 if session is None else session.unsent

    def mark(self, session_id: str, dscp: int) -> None:
        """Set the DSCP of the session's connection; nothing happens when it is gone."""
        session = self._sessions.get(session_id)
        if session is not None:
            session.mark(dscp)

    def close_session(self, session_id: str) -> None:
        """End a session after what was sent before; nothing happens when it is gone."""
        session = self._sessions.get(session_id)
        if session is not None:
            session.close()

    def make_session(self, user: str) -> ServerSession:
        """A session for a new channel; tests override it to misbehave."""
        return ServerSession(self, user)

    def admit(self, session: ServerSession) -> str | None:
        """Number a session whose subsystem was asked for; None: there are too many."""
        if len(self._sessions) >= self.max_sessions:
            return None
        session_id = str(self._next_id)
        self._next_id += 1
        self._sessions[session_id] = session
        return session_id

    def forget(self, session_id: str) -> None:
        """A session ended."""
        session = self._sessions.pop(session_id, None)
        if session is not None and session.opened:
            self.on_close(session_id)


async def listen(
    host: str, port: int, host_key: asyncssh.SSHKey, login: Callable[[], asyncssh.SSHServer]
) -> asyncssh.SSHAcceptor:
    """Listen for NETCONF over SSH. Raises ConfigError when the address cannot be used."""
    try:
        return await asyncssh.listen(
            host,
            port,
            server_factory=login,
            server_host_keys=[host_key],
            config=None,
            gss_host=None,
            compression_algs=None,
            allow_scp=False,
            x11_forwarding=False,
            agent_forwarding=False,
            encoding=None,
            backlog=BACKLOG,
        )
    except OSError as error:
        raise ConfigError(f"cannot listen on {host} port {port}: {error.strerror}") from error


class Login(asyncssh.SSHServer):
    """One SSH connection until it is authenticated."""

    def __init__(self, server: NetconfServer | None = None) -> None:
        self.server = server
        """Whose subscriber it is; None: nobody's, and no password is right."""
        self._connection: asyncssh.SSHServerConnection | None = None
        self._user = ""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """asyncssh: somebody is there."""
        self._connection = conn
        if self.server is not None:
            self.server._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncssh: somebody is gone."""
        if self._connection is not None and self.server is not None:
            self.server._connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        """asyncssh: who it says it is."""
        self._user = username
        if self.server is None:
            return True
        keys = self.server.authorized_keys.get(username)
        if keys and self._connection is not None:
            self._connection.set_authorized_keys(asyncssh.import_authorized_keys(keys))
        return True

    def password_auth_supported(self) -> bool:
        """asyncssh: is it worth asking for a password?"""
        return self.server is None or bool(self.server.users)

    def validate_password(self, username: str, password: str) -> bool:
        """asyncssh: is that the password?"""
        return self.server is not None and self.server.users.get(username) == password

    def session_requested(self) -> ServerSession | bool:
        """asyncssh: a channel is wanted."""
        return False if self.server is None else self.server.make_session(self._user)


class ServerSession(asyncssh.SSHServerSession[bytes]):
    """One NETCONF session, from the subsystem request to the end of its channel."""

    def __init__(self, server: NetconfServer, user: str) -> None:
        self.server = server
        self.user = user
        self.session_id = ""
        self.opened = False
        """True from the subscriber's hello on."""
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None
        self._deframer = Deframer(MAX_REQUEST)
        self._encode = encode_delimited

    # ------------------------------------------------------------------ asyncssh
    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """asyncssh: the channel is there."""
        self._channel = chan
        limit = self.server.busy_above
        chan.set_write_buffer_limits(high=limit, low=limit // 4)

    def subsystem_requested(self, subsystem: str) -> bool:
        """asyncssh: only ``netconf`` exists here (RFC 6242 §3)."""
        if subsystem != "netconf":
            return False
        self.session_id = self.server.admit(self) or ""
        return bool(self.session_id)

    def session_started(self) -> None:
        """asyncssh: the subsystem runs. Both sides say hello at once (RFC 6241 §8.1)."""
        self.greet()

    def data_received(self, data: BytesOrStr, datatype: asyncssh.DataType) -> None:
        """asyncssh: octets of the channel."""
        assert isinstance(data, bytes)
        if self._channel is None or self._channel.is_closing():
            return
        self._deframer.receive(data)
        try:
            while (message := self._deframer.next_message()) is not None:
                self._received(message)
        except WireError:
            # RFC 6242 §4.2 and RFC 6241 §8.1: after broken framing or a bad hello, close.
            self.close()

    def pause_writing(self) -> None:
        """asyncssh: more waits than the subscriber reads."""
        if self.opened:
            self.server.on_busy(self.session_id, True)

    def resume_writing(self) -> None:
        """asyncssh: the subscriber reads again."""
        if self.opened:
            self.server.on_busy(self.session_id, False)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncssh: the channel is gone."""
        self._channel = None
        self.server.forget(self.session_id)

    # ------------------------------------------------------------------ NETCONF
    def greet(self) -> None:
        """Say hello."""
        hello = encode_hello(self.server.capabilities, int(self.session_id))
        self.write(encode_delimited(hello))

    def received(self, message: bytes) -> None:
        """One message after the hello."""
        try:
            root = root_of(message)
        except WireError:
            root = Root("")
        if root.name != "rpc":
            self.send(_rpc_error(None, "malformed-message", "not an <rpc>"))
        elif root.message_id is None:
            self.send(_rpc_error(None, "missing-attribute", "an <rpc> needs a message-id"))
        elif _name(message[root.end :]) == "close-session":
            self.send(_reply(root.message_id, "<ok/>"))
            self.close()
        else:
            self.server.on_rpc(self.session_id, message)

    def send(self, message: bytes) -> bool:
        """Send one message; False: nothing was sent."""
        if self._channel is None or self._channel.is_closing():
            return False
        if self.unsent > self.server.max_unsent:
            return False
        self.write(self._encode(message))
        return True

    def write(self, octets: bytes) -> None:
        """Octets onto the channel as they are."""
        if self._channel is not None and not self._channel.is_closing():
            self._channel.write(octets)

    @property
    def unsent(self) -> int:
        """Octets that wait for the subscriber."""
        return 0 if self._channel is None else self._channel.get_write_buffer_size()

    def mark(self, dscp: int) -> None:
        """The DSCP of its connection, and of every other session over it."""
        if self._channel is not None:
            with contextlib.suppress(OSError):
                mark(self._channel.get_extra_info("socket"), dscp)

    def close(self) -> None:
        """End after what was written before."""
        if self._channel is not None:
            self._channel.close()

    def _received(self, message: bytes) -> None:
        if self.opened:
            self.received(message)
            return
        hello = decode_hello(message)
        if hello.session_id is not None:
            raise WireError("bad-hello", "a client has no session-id", clause="RFC 6241 §8.1")
        if hello.chunked and BASE_1_1 in self.server.capabilities:
            self._deframer.use_chunked()
            self._encode = encode_chunked
        self.opened = True
        self.server.on_open(self.session_id, self.user)


def read_host_key(host_key: asyncssh.SSHKey | str | Path | None) -> asyncssh.SSHKey:
    """A key as given, read, or made anew. Raises ConfigError."""
    if host_key is None:
        return asyncssh.generate_private_key("ssh-ed25519")
    if isinstance(host_key, asyncssh.SSHKey):
        return host_key
    try:
        return asyncssh.read_private_key(host_key)
    except (OSError, asyncssh.KeyImportError) as error:
        raise ConfigError(f"the host key {host_key} cannot be read: {error}") from error


def _name(element: bytes) -> str:
    """Local name of the first element; empty when there is none."""
    try:
        return root_of(element).name
    except WireError:
        return ""


def _reply(message_id: str | None, content: str) -> bytes:
    escaped = (message_id or "").replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    attribute = "" if message_id is None else f' message-id="{escaped}"'
    return f'<rpc-reply{attribute} xmlns="{NETCONF_BASE}">{content}</rpc-reply>'.encode()


def _rpc_error(message_id: str | None, tag: str, text: str) -> bytes:
    return _reply(
        message_id,
        f"<rpc-error><error-type>rpc</error-type><error-tag>{tag}</error-tag>"
        f"<error-severity>error</error-severity><error-message>{text}</error-message></rpc-error>",
    )
