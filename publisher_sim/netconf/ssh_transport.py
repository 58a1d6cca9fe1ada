"""SSH below the NETCONF servers (RFC 6242), on asyncssh: host keys, connections either way.

Does: listen, and stop so that nobody is left behind; call a client (RFC 8071). Does not: let
anybody in (``server.Login``).
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import asyncssh

from collector.errors import ConfigError
from collector.listening import accept_no_more

MakeLogin = Callable[[], asyncssh.SSHServer]
"""Who looks after a new connection."""
BACKLOG = 4096
"""Connections that may wait to be accepted; the system may allow fewer (ours)."""
KEEPALIVE_SECONDS = 15.0
"""Silence after which we ask whether a client that we called is alive: a global request that wants
a reply (RFC 8071 §4.1 S7). Three without an answer end the connection."""
LOGIN_SECONDS = 20.0
"""How long a client that we called may take to log in (RFC 8071 §4.1 S5; the time is ours)."""


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


async def listen(
    host: str, port: int, host_key: asyncssh.SSHKey, login: MakeLogin
) -> asyncssh.SSHAcceptor:
    """Listen for NETCONF over SSH. Raises ConfigError when the address cannot be used."""
    try:
        return await asyncssh.listen(host, port, backlog=BACKLOG, **_options(host_key, login))
    except OSError as error:
        raise ConfigError(f"cannot listen on {host} port {port}: {error.strerror}") from error


async def stop_listening(acceptor: asyncssh.SSHAcceptor) -> None:
    """Return when nobody comes any more, and who was accepted is known, to be closed in turn."""
    await accept_no_more(acceptor.sockets)
    acceptor.close()


async def call(
    local: str, host: str, port: int, host_key: asyncssh.SSHKey, login: MakeLogin
) -> asyncssh.SSHServerConnection:
    """Connect to a client and be its SSH server (RFC 8071 §4.1 S1 to S5); logged in.

    From the local address, where the other one is given as an address.

    Raises:
        OSError: nobody is there.
        asyncssh.Error: the client did not log in.
    """
    return await asyncssh.connect_reverse(
        host,
        port,
        local_addr=(local, 0) if _same_family(local, host) else (),
        keepalive_interval=KEEPALIVE_SECONDS,
        login_timeout=LOGIN_SECONDS,
        **_options(host_key, login),
    )


def _same_family(ours: str, theirs: str) -> bool:
    try:
        one, other = ip_address(ours), ip_address(theirs)
    except ValueError:
        return False
    return one.version == other.version and not one.is_unspecified


def _options(host_key: asyncssh.SSHKey, login: MakeLogin) -> dict[str, Any]:
    """What asyncssh is told, whoever made the connection."""
    return {
        "server_factory": login,
        "server_host_keys": [host_key],
        "config": None,
        "gss_host": None,
        "compression_algs": None,
        "allow_scp": False,
        "x11_forwarding": False,
        "agent_forwarding": False,
        "encoding": None,
    }
