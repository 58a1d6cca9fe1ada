"""UDP sockets for receivers: opening, large buffers, the kernel's drop counter.

Does: what ``socket`` has no words for. Does not: read.

Rules: the kernel doubles what is asked for (socket(7), SO_RCVBUF), so what it reports is halved
here; then it compares with what was asked and with net.core.rmem_max.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Final

from collector.errors import ConfigError

# Numbers of the Linux kernel, not in the socket module of Python 3.11.
_SO_RCVBUFFORCE: Final = 33
_SO_MEMINFO: Final = 55
SO_TIMESTAMPNS: Final = 35
"""Option and type of its control message, on 64-bit systems."""
UDP_GRO: Final = 104
"""Likewise, of UDP."""
_MEMINFO: Final = struct.Struct("=9I")
_MEMINFO_DROPS: Final = 8


def open_udp_socket(
    address: str,
    port: int,
    prepare: Callable[[socket.socket], None] = lambda sock: None,
    *,
    section: str = "udp_notif",
) -> socket.socket:
    """A non-blocking socket bound to ``address`` (a literal) and ``port``; ``::`` takes IPv4 too.

    ``prepare`` is called with it before it is bound; ``section`` is that of the configuration.

    Raises:
        ConfigError: not an address, not ours, or in use.
    """
    allowed = "an IPv4 or IPv6 address, and a port from 0 to 65535"
    if not 0 <= port <= 0xFFFF:
        raise ConfigError(f"there is no port {port}", key=f"{section}.port", allowed=allowed)
    try:
        family, kind, protocol, _, name = socket.getaddrinfo(
            address, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        message = f"{address!r} cannot be listened on: {error}"
        raise ConfigError(message, key=f"{section}.address", allowed=allowed) from None
    sock = socket.socket(family, kind, protocol)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::")
        sock.setblocking(False)
        prepare(sock)
        sock.bind(name)
    except OSError as error:
        sock.close()
        sentence = f"cannot listen on {address} port {port}: {error.strerror}"
        raise ConfigError(sentence, key=f"{section}.port", allowed="a free port of ours") from None
    return sock


def enlarge_receive_buffer(sock: socket.socket, octets: int) -> int:
    """Ask for a receive buffer of ``octets``; returns what the kernel granted.

    Tries first what needs CAP_NET_ADMIN, since that is not bound by net.core.rmem_max.
    """
    for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):
        try:
            sock.setsockopt(socket.SOL_SOCKET, option, octets)
        except OSError:
            continue
        break
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def stamp_arrivals(sock: socket.socket) -> bool:
    """Ask the kernel to say when each datagram came. False where it cannot."""
    return _switch_on(sock, socket.SOL_SOCKET, SO_TIMESTAMPNS)


def take_trains(sock: socket.socket) -> bool:
    """Have datagrams of one sender and length that came together handed over in one piece.

    The kernel then has one packet to queue and copy where it had up to 64. False where it cannot.
    """
    return _switch_on(sock, socket.IPPROTO_UDP, UDP_GRO)


def _switch_on(sock: socket.socket, level: int, option: int) -> bool:
    try:
        sock.setsockopt(level, option, 1)
    except OSError:
        return False
    return True


def dropped_datagrams(sock: socket.socket) -> int | None:
    """Datagrams that the kernel dropped at this socket, modulo 2^32; None where it does not say.

    A train that was dropped may count as one.

    SO_MEMINFO answers at any time; SO_RXQ_OVFL would only speak with the next datagram.
    """
    try:
        octets = sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
    except OSError:
        return None
    if len(octets) < _MEMINFO.size:
        return None
    drops: int = _MEMINFO.unpack(octets)[_MEMINFO_DROPS]
    return drops
