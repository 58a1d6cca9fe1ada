"""Marking: the DSCP in the IP header of what a socket sends (RFC 8639 §2.3, RFC 2474).

Rule: a TCP connection has one mark from its first packet on, since RFC 8639 §2.3 wants all traffic
of a connection to share that of its subscriptions.
"""

from __future__ import annotations

import asyncio
import socket

_ECN_BITS = 2
"""Below the code point in the octet of the header."""


def mark(sending: socket.socket, dscp: int) -> None:
    """From now on. Raises OSError: the system does not let us."""
    octet = dscp << _ECN_BITS
    if sending.family == socket.AF_INET6:
        sending.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, octet)
    else:
        sending.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, octet)


async def connect_marked(local: str, to: tuple[str, int], dscp: int) -> socket.socket:
    """A TCP connection from that address. Raises OSError."""
    loop = asyncio.get_running_loop()
    family, kind, protocol, _, name = (
        await loop.getaddrinfo(
            *to, family=socket.AF_INET6 if ":" in local else socket.AF_INET, type=socket.SOCK_STREAM
        )
    )[0]
    connecting = socket.socket(family, kind, protocol)
    try:
        connecting.setblocking(False)
        connecting.bind((local, 0))
        if dscp:
            mark(connecting, dscp)
        await loop.sock_connect(connecting, name)
    except BaseException:
        connecting.close()
        raise
    return connecting
