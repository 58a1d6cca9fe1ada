"""TCP for receivers: a listening socket, and who is at the other end of a connection."""

from __future__ import annotations

import socket
from typing import Any

from collector.errors import ConfigError

BACKLOG = 1024
"""Connections that the kernel may accept before we look (ours; net.core.somaxconn is a limit)."""


def open_listener(address: str, port: int, *, section: str) -> socket.socket:
    """A listening, non-blocking socket on ``address`` (a literal) and ``port``; ``::`` takes IPv4
    too.

    Args:
        address: literal of IPv4 or IPv6.
        port: 0 for any free one.
        section: of the configuration, for messages.

    Raises:
        ConfigError: not an address, not ours, or in use.
    """
    try:
        family, kind, protocol, _, name = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )[0]
    except (OSError, UnicodeError, OverflowError) as error:
        raise ConfigError(
            f"{address!r} cannot be listened on: {error}", key=f"{section}.address",
            allowed="an IPv4 or IPv6 address",
        ) from None  # fmt: skip
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::")
        listener.setblocking(False)
        listener.bind(name)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"cannot listen on {address} port {port}: {error.strerror}", key=f"{section}.port",
            allowed="a free port of ours",
        ) from None  # fmt: skip
    return listener


def peer_of(name: Any) -> tuple[str, int]:
    """Address and port of what a transport calls its ``peername``, spelled as in records; empty and
    0 where the peer is gone already."""
    if not isinstance(name, tuple) or len(name) < 2:
        return "", 0
    address, port = str(name[0]), int(name[1])
    return address.removeprefix("::ffff:").partition("%")[0], port
