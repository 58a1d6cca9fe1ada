"""The sockets of all lanes: one port, SO_REUSEPORT, and the program that steers; those of UDP, and
those that take calls over TCP.

Does: open the sockets in the order of the lanes, attach and replace the steering program. Does not:
read, or decide which address belongs where (``steering``, ``lanes.plan``).

Rules:
* The kernel numbers the sockets of a group in the order of their bind (of TCP: in which they begin
  to listen), and moves the last one into
  the hole that a closed one leaves. So all of them are opened here, in order, by the process that
  outlives the lanes, and none is closed before all are: lane n is number n for ever, and what
  arrives while a lane restarts waits in its socket.
* Until the group is whole the program's answer may name a socket that is not there yet, and the
  kernel would choose another lane. So every socket is bound with a filter that drops everything,
  which is taken away when all are there.
* Any process of the same user may join a group; so the port must be free first, without sharing.
"""

from __future__ import annotations

import ctypes
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Final

from collector.errors import ConfigError
from collector.receivers.sockets.steering import Instruction
from collector.receivers.sockets.udp import enlarge_receive_buffer, open_udp_socket, stamp_arrivals

# Numbers of the Linux kernel (asm-generic/socket.h), not in the socket module of Python 3.11.
_SO_ATTACH_FILTER: Final = 26
_SO_DETACH_FILTER: Final = 27
_SO_ATTACH_REUSEPORT_CBPF: Final = 51
_BACKLOG: Final = 1024
"""Callers that wait while a lane is busy or starts again (ours)."""
_DROP_ALL: Final[list[Instruction]] = [(0x06, 0, 0, 0)]


class _Filter(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("jt", ctypes.c_uint8),
        ("jf", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Filter)))


def open_lane_sockets(
    address: str,
    port: int,
    *,
    lanes: int,
    program: Sequence[Instruction],
    receive_buffer: int = 0,
) -> list[socket.socket]:
    """One socket a lane, in order, steered by ``program`` and open to the world.

    Args:
        address: as ``open_udp_socket``.
        port: 0 for any free one.
        lanes: how many.
        program: see ``steering.steering_program``.
        receive_buffer: octets asked for each; 0 leaves the system's default.

    Raises:
        ConfigError: the address cannot be used, or this system cannot steer.
    """
    with open_udp_socket(address, port) as alone:
        port = alone.getsockname()[1]

    def one() -> socket.socket:
        opened = open_udp_socket(address, port, prepare=_prepared)
        stamp_arrivals(opened)
        if receive_buffer:
            enlarge_receive_buffer(opened, receive_buffer)
        return opened

    return _group(one, lanes, program)


def open_lane_listeners(
    address: str, port: int, *, lanes: int, program: Sequence[Instruction], section: str
) -> list[socket.socket]:
    """The same over TCP: one listening socket a lane; who connects reaches the lane of his address.

    Args:
        address: a literal; ``::`` takes IPv4 too.
        port: 0 for any free one.
        lanes: how many.
        program: see ``steering.steering_program``.
        section: of the configuration.

    Raises:
        ConfigError: the address cannot be used, or this system cannot steer.
    """

    def one(prepare: Callable[[socket.socket], None] = lambda sock: None) -> socket.socket:
        listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        try:
            if listening.family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::")
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setblocking(False)
            prepare(listening)
            listening.bind((address, port))
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            sentence = f"cannot listen on {address} port {port}: {error.strerror}"
            raise ConfigError(sentence, key=f"{section}.address") from None
        return listening

    with one() as alone:
        port = alone.getsockname()[1]
    return _group(lambda: one(_prepared), lanes, program)


def _group(
    one: Callable[[], socket.socket], lanes: int, program: Sequence[Instruction]
) -> list[socket.socket]:
    """All of them, steered, and only then open to the world."""
    sockets: list[socket.socket] = []
    try:
        sockets.extend(one() for _ in range(lanes))  # it keeps those before one that fails
        steer(sockets[0], program)
        for opened in sockets:
            opened.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
    except BaseException:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _prepared(sock: socket.socket) -> None:
    """Before the bind. Raises OSError."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    _attach(sock, _SO_ATTACH_FILTER, _DROP_ALL)


def steer(sock: socket.socket, program: Sequence[Instruction]) -> None:
    """Give the group that ``sock`` is in a program, in the place of the one it has.

    Raises:
        ConfigError: this system cannot (Linux 4.5 or later can), or refuses the program.
    """
    try:
        _attach(sock, _SO_ATTACH_REUSEPORT_CBPF, program)
    except OSError as error:
        missing = error.errno in (errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.ENOSYS)
        sentence = (
            "this system cannot steer to lanes (SO_ATTACH_REUSEPORT_CBPF is missing)"
            if missing
            else f"the kernel refuses to steer to lanes: {error.strerror}"
        )
        allowed = "1, or Linux 4.5 or later"
        raise ConfigError(sentence, key="collector.lanes", allowed=allowed) from None


def _attach(sock: socket.socket, option: int, program: Sequence[Instruction]) -> None:
    filters = (_Filter * len(program))(*(_Filter(*one) for one in program))
    packed = _Program(len(program), ctypes.cast(filters, ctypes.POINTER(_Filter)))
    sock.setsockopt(socket.SOL_SOCKET, option, bytes(packed))
