"""Many datagrams out of a socket at once: ``recvmmsg`` through ctypes, or a loop without it.

Does: fill a ``DatagramSlab`` from a non-blocking socket and name the sources. Does not: decode, or
decide when to read.

Rules: one reader owns the slab that it fills. The structures of recvmmsg(2) are laid out here for
64-bit Linux with glibc and checked before use; anywhere else the loop does the same, at about
twice the CPU time a datagram. Sources are cached by their raw socket address; the cache is
emptied when it is full, so invented addresses cannot fill the memory.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys
from array import array
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from collector.model import SECOND, Coded
from collector.receivers.sockets.slab import ROW_OCTETS, DatagramSlab
from collector.receivers.sockets.udp import SO_TIMESTAMPNS, UDP_GRO, stamp_arrivals, take_trains

MAX_SOURCES: Final = 65_536
"""Cached sources (address and port); ours."""
_CONTROL: Final = np.dtype(
    [
        ("len", "u8"), ("level", "i4"), ("type", "i4"), ("seconds", "i8"), ("ns", "i8"),
        ("len2", "u8"), ("level2", "i4"), ("type2", "i4"), ("size", "i4"), ("padding", "i4"),
    ]
)  # fmt: skip
"""struct cmsghdr with a struct timespec, and one with the size of a train's datagrams; the kernel
writes them in this order."""
_STAMP_OCTETS: Final = 32
_ROWS_AT_LEAST: Final = 64
_DATAGRAMS_A_READ: Final = 4096
"""About so many; where trains come, fewer rows are read at once."""
_NAME_OCTETS: Final = 28
"""sizeof(struct sockaddr_in6), the longest name that comes."""
_MSG_DONTWAIT: Final = 0x40
_MSGHDR_OCTETS: Final = 64
_MSG_LEN_OFFSET: Final = 56


Sent: TypeAlias = "tuple[Coded[str], array[int]]"
"""Source address and source port (uint16) of each datagram."""


class DatagramReader(Protocol):
    """Reads what waits in a socket into its slab."""

    slab: DatagramSlab
    more: bool
    """The last read took as much as it can: more may wait."""

    def read(self) -> Sent:
        """Fill the slab from its beginning, without blocking.

        Returns who sent each datagram; empty when none waits.

        Raises:
            OSError: the socket is unusable.
        """
        ...


class Sources(dict[bytes, tuple[str, int]]):
    """Raw socket address -> (address as text, port); IPv4-mapped IPv6 is written as IPv4."""

    def __missing__(self, name: bytes) -> tuple[str, int]:
        if len(self) >= MAX_SOURCES:
            self.clear()
        family = int.from_bytes(name[:2], sys.byteorder)
        port = int.from_bytes(name[2:4])
        if family == socket.AF_INET:
            source = socket.inet_ntop(socket.AF_INET, name[4:8]), port
        else:
            scope = int.from_bytes(name[24:28], sys.byteorder)
            source = address_text(socket.inet_ntop(socket.AF_INET6, name[8:24]), scope), port
        self[name] = source
        return source


def address_text(address: str, scope: int = 0) -> str:
    """An address the way records name it: without the IPv4-mapped prefix, with its zone."""
    if address.startswith("::ffff:") and "." in address:
        return address[7:]
    if scope and "%" not in address:
        try:
            return f"{address}%{socket.if_indextoname(scope)}"
        except OSError:  # the interface is gone again
            return f"{address}%{scope}"
    return address


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("len", ctypes.c_size_t))


class _Msghdr(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("namelen", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Mmsghdr(ctypes.Structure):
    _fields_ = (("hdr", _Msghdr), ("len", ctypes.c_uint))


def recvmmsg_usable() -> bool:
    """True on 64-bit Linux with glibc, where the layout above is the kernel's."""
    if not sys.platform.startswith("linux") or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    library = ctypes.CDLL(None)
    return (
        hasattr(library, "recvmmsg")
        and hasattr(library, "gnu_get_libc_version")
        and ctypes.sizeof(_Mmsghdr) == _MSGHDR_OCTETS
        and _Mmsghdr.len.offset == _MSG_LEN_OFFSET
    )


class RecvmmsgReader:
    """One system call for as many datagrams or trains as the slab has rows."""

    def __init__(self, sock: socket.socket, slab: DatagramSlab) -> None:
        self.slab = slab
        self.more = False
        self._socket = sock
        rows = self._rows = len(slab)
        self._names: NDArray[np.uint8] = np.zeros((rows, _NAME_OCTETS), np.uint8)
        self._name_keys = self._names.view(f"V{_NAME_OCTETS}").ravel()
        self._iovecs = (_Iovec * rows)()
        self._control: NDArray[np.void] = np.zeros(rows, _CONTROL)
        self._headers = (_Mmsghdr * rows)()
        octets, names = slab.octets.ctypes.data, self._names.ctypes.data
        control = self._control.ctypes.data
        for row in range(rows):
            self._iovecs[row] = _Iovec(octets + row * ROW_OCTETS, ROW_OCTETS)
            header = self._headers[row].hdr
            header.name = names + row * _NAME_OCTETS
            header.namelen = _NAME_OCTETS
            header.iov = ctypes.addressof(self._iovecs) + row * ctypes.sizeof(_Iovec)
            header.iovlen = 1
            header.control = control + row * _CONTROL.itemsize
            header.controllen = _CONTROL.itemsize
        raw = memoryview(self._headers).cast("B")
        strides = (_MSGHDR_OCTETS,)
        self._lengths: NDArray[np.uint32] = np.ndarray(
            (rows,), np.uint32, raw, _MSG_LEN_OFFSET, strides
        )
        self._namelens: NDArray[np.uint32] = np.ndarray(
            (rows,), np.uint32, raw, _Msghdr.namelen.offset, strides
        )
        self._controllens: NDArray[np.uint64] = np.ndarray(
            (rows,), np.uint64, raw, _Msghdr.controllen.offset, strides
        )
        # without stamps a train's size would stand where the stamp is looked for
        self.takes_trains = stamp_arrivals(sock) and take_trains(sock)
        """The kernel hands over what came together in one piece."""
        self._sources = Sources()
        self._recvmmsg = ctypes.CDLL(None, use_errno=True).recvmmsg

    def read(self) -> Sent:
        """See ``DatagramReader.read``."""
        count = self._recvmmsg(
            self._socket.fileno(), self._headers, self._rows, _MSG_DONTWAIT, None
        )
        self.more = count == self._rows
        if count < 0:
            number = ctypes.get_errno()
            if number in (errno.EAGAIN, errno.EINTR):
                return Coded(), array("H")
            raise OSError(number, os.strerror(number))
        self._namelens[:count] = _NAME_OCTETS  # the kernel wrote the length of each name
        sources = self._sources
        pairs = [sources[name] for name in self._name_keys[:count].tolist()]
        peers = Coded.of(address for address, _ in pairs)
        ports = array("H", [port for _, port in pairs])
        rows = self._fill_slab(count)
        if rows is not None:
            peers.codes = array("I", np.frombuffer(peers.codes, np.uint32)[rows].tobytes())
            ports = array("H", np.frombuffer(ports, np.uint16)[rows].tobytes())
        return peers, ports

    def _fill_slab(self, count: int) -> NDArray[np.intp] | None:
        """Say where each datagram lies; returns the row of each when trains came."""
        control, used = self._control[:count], self._controllens[:count]
        octets = self._lengths[:count].copy()
        stamped = (used >= _STAMP_OCTETS) & (control["type"] == SO_TIMESTAMPNS)
        stamps = np.where(stamped, control["seconds"] * SECOND + control["ns"], 0)
        train = stamped & (used > _STAMP_OCTETS) & (control["level2"] == socket.IPPROTO_UDP)
        train &= (control["type2"] == UDP_GRO) & (control["size"] > 0)
        used[:] = _CONTROL.itemsize  # the kernel wrote what it used
        if not train.any():
            self._rows = len(self.slab)
            self.slab.fill(octets, stamps)
            return None
        sizes = np.where(train, control["size"], np.maximum(octets, 1)).astype(np.int64)
        rows = self.slab.split(octets, stamps, sizes)
        enough = _DATAGRAMS_A_READ * count // len(rows)
        self._rows = min(len(self.slab), max(enough, _ROWS_AT_LEAST))
        return rows


class LoopReader:
    """One system call a datagram; everywhere. Knows no arrival times."""

    def __init__(self, sock: socket.socket, slab: DatagramSlab) -> None:
        self.slab = slab
        self.more = False
        self._socket = sock

    def read(self) -> Sent:
        """See ``DatagramReader.read``."""
        peers: Coded[str] = Coded()
        ports = array("H")
        view = self.slab.view
        for row in range(len(self.slab)):
            start = row * ROW_OCTETS
            try:
                length, name = self._socket.recvfrom_into(view[start : start + ROW_OCTETS])
            except (BlockingIOError, InterruptedError):
                break
            self.slab.lengths[row] = length
            peers.append(address_text(name[0], name[3] if len(name) == 4 else 0))
            ports.append(name[1])
        self.more = len(peers) == len(self.slab)
        return peers, ports


def open_reader(sock: socket.socket, rows: int) -> DatagramReader:
    """The fastest reader that works here, for batches of up to ``rows`` datagrams."""
    slab = DatagramSlab(rows)
    return RecvmmsgReader(sock, slab) if recvmmsg_usable() else LoopReader(sock, slab)
