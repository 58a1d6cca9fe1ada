"""One SSH listener for the NETCONF servers of all devices of a process (RFC 6242).

Does: hand every connection to the server that it is for, known by the address that the subscriber
connected to, or by the name that it logs in with. Does not: anything else of a session. Rule: who
asks for no device of ours is told what everybody with a wrong password is told; who comes from
outside this machine is told nothing.
"""

from __future__ import annotations

from ipaddress import ip_address

import asyncssh

from publisher_sim.netconf.server import Login, NetconfServer
from publisher_sim.netconf.ssh_transport import listen, stop_listening


class SharedDoor:
    """The listener, and who is behind it."""

    def __init__(
        self, host: str, port: int, host_key: asyncssh.SSHKey, *, by_user: bool = False
    ) -> None:
        """Nothing is opened yet.

        Args:
            host: address to listen on; one that stands for all of them, where devices are known by
                theirs.
            port: TCP port, 0 lets the system choose (``port`` says which).
            host_key: of all devices.
            by_user: devices are known by the user names that they let in.
        """
        self.host = host
        self.port = port
        self.host_key = host_key
        self._by_user = by_user
        self._servers: dict[str, NetconfServer] = {}
        """address or user name -> whose it is."""
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self.strangers: set[asyncssh.SSHServerConnection] = set()
        """Connections that are for no device, or have not said for which."""

    def enter(self, server: NetconfServer) -> None:
        """See ``Door``."""
        self._servers.update(dict.fromkeys(self._keys(server), server))

    def leave(self, server: NetconfServer) -> None:
        """See ``Door``."""
        for key in self._keys(server):
            self._servers.pop(key, None)

    def _keys(self, server: NetconfServer) -> tuple[str, ...]:
        return (*server.users, *server.authorized_keys) if self._by_user else (server.host,)

    async def start(self) -> None:
        """Return when listening. Raises ConfigError when the address cannot be used."""
        self._acceptor = await listen(self.host, self.port, self.host_key, lambda: _Guest(self))
        self.port = self._acceptor.get_port()

    async def stop(self) -> None:
        """After the servers. May be called twice, or without ``start``."""
        acceptor, self._acceptor = self._acceptor, None
        if acceptor is not None:
            await stop_listening(acceptor)
        strangers = list(self.strangers)
        for connection in strangers:
            connection.abort()
        for connection in strangers:
            await connection.wait_closed()
        if acceptor is not None:
            await acceptor.wait_closed()

    def at(self, address: str) -> NetconfServer | None:
        """Whose address that is."""
        return None if self._by_user else self._servers.get(address)

    def of(self, user: str) -> NetconfServer | None:
        """Who lets this user in."""
        return self._servers.get(user) if self._by_user else None


class _Guest(Login):
    """A connection that may be for any of them."""

    def __init__(self, door: SharedDoor) -> None:
        super().__init__()
        self._door = door

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        address = conn.get_extra_info("sockname")
        if address and not ip_address(address[0]).is_loopback:
            conn.abort()  # one that stands for all addresses of this machine stands for those too
            return
        self.server = self._door.at(address[0]) if address else None
        if self.server is None:
            self._door.strangers.add(conn)
        super().connection_made(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._door.strangers.discard(self._connection)
        super().connection_lost(exc)

    def begin_auth(self, username: str) -> bool:
        if self.server is None:
            self.server = self._door.of(username)
            if self.server is not None and self._connection is not None:
                self._door.strangers.discard(self._connection)
                super().connection_made(self._connection)
        return super().begin_auth(username)
