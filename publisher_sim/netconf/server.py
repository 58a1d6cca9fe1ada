"""NETCONF server over SSH for the simulated master (RFC 6241, RFC 6242), on asyncssh.

What it does: log-in, session numbers; connections either way (``call``: RFC 8071). What it does
not: sockets (``ssh_transport``), the inside of a session (``session``), or any operation
but ``close-session``; every ``<rpc>`` goes as octets to ``on_rpc``, and the answer comes back
through ``send``.

Rules: runs in one event loop, calls back from there, never blocks; sessions, message size and what
waits to be sent are bounded; it sees many sessions and keeps nothing of them once they end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import asyncssh

from collector.wire.netconf.hello import BASE_1_0, BASE_1_1
from publisher_sim.netconf.session import (
    OnBusy,
    OnClose,
    OnOpen,
    OnRpc,
    ServerSession,
)
from publisher_sim.netconf.ssh_transport import call, listen, read_host_key, stop_listening

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
MAX_UNSENT = 16 * 1024 * 1024
"""Octets that may wait for a slow subscriber before messages to it are refused (ours)."""
BUSY_ABOVE = 256 * 1024
"""Octets that may wait for a subscriber before it counts as slow; it no longer does below a quarter
of them (ours)."""


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
        on_goodbye: OnClose = _ignore,
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
            on_goodbye: the same of one that asks for its end, which follows.
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
        self.on_goodbye = on_goodbye
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

    @property
    def public_key(self) -> str:
        """The host key as a subscriber pins it: type and key, without a comment."""
        return " ".join(self._host_key.export_public_key().decode().split()[:2])

    @property
    def fingerprint(self) -> str:
        """The same as ``ssh-keygen -l`` prints it: ``SHA256:`` and base64."""
        return self._host_key.get_fingerprint()

    def known_hosts_line(self, host: str = "", port: int = 0) -> str:
        """The line that a subscriber's known_hosts needs, for the name it connects to."""
        host, port = host or self.host, port or self.port
        name = host if port == 22 else f"[{host}]:{port}"
        return f"{name} {self.public_key}\n"

    async def start(self) -> None:
        """Return when listening. Raises ConfigError when the address cannot be used."""
        if self._door is not None:
            self._door.enter(self)
            self.port = self._door.port
            return
        self._acceptor = await listen(self.host, self.port, self._host_key, lambda: Login(self))
        self.port = self._acceptor.get_port()

    async def call(self, host: str, port: int) -> asyncssh.SSHServerConnection:
        """Connect to a client and be its SSH server, from the address of this one.

        Raises:
            OSError, asyncssh.Error: as ``ssh_transport.call``.
        """
        return await call(self.host, host, port, self._host_key, lambda: Login(self))

    async def stop(self) -> None:
        """Close the sessions and the socket. May be called twice, or without ``start``."""
        if self._door is not None:
            self._door.leave(self)
        acceptor, self._acceptor = self._acceptor, None
        if acceptor is not None:
            await stop_listening(acceptor)
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

    def refuse_message(self, session_id: str, why: str) -> None:
        """Say that the last message cannot be read as an rpc, or end the session."""
        session = self._sessions.get(session_id)
        if session is not None:
            session.refuse_message(why)

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

    def last_active(self, connection: asyncssh.SSHServerConnection) -> dict[str, float]:
        """session-id -> the loop's time of its last message, either way; those of a connection."""
        return {
            name: session.last_active
            for name, session in self._sessions.items()
            if session.connection is connection
        }

    def forget(self, session_id: str) -> None:
        """A session ended."""
        session = self._sessions.pop(session_id, None)
        if session is not None and session.opened:
            self.on_close(session_id)


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
