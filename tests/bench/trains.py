"""Many datagrams in one system call: sendmmsg(2), and trains that the kernel cuts (UDP_SEGMENT).

Does: keep the structures of sendmmsg(2) for the devices that ``Traffic`` holds, each datagram with
its device's source address (IP_PKTINFO); consecutive messages of one card go as one train, a buffer
that the kernel cuts into datagrams where it can. Leaves out datagrams that are to be lost.
Does not: know about time.

Rules: 64-bit Linux with glibc only, as the fast receive path. A train has at most 64 datagrams and
65,507 octets, and only its last datagram may be shorter: so a segmented message is a train of its
own, unless its last segment is as long as the others.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.bench import traffic
from tests.bench.traffic import Traffic

_SOL_UDP: Final = 17
_UDP_SEGMENT: Final = 103
_IP_PKTINFO: Final = 8
_DATAGRAMS_A_TRAIN: Final = 64
"""UDP_MAX_SEGMENTS of older kernels."""
_OCTETS_A_TRAIN: Final = 65_507
_MMSGHDR: Final = np.dtype(
    {
        "names": ["name", "namelen", "iov", "iovlen", "control", "controllen", "flags", "len"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "i4", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
_IOVEC: Final = np.dtype([("base", "u8"), ("len", "u8")])
_CONTROL: Final = np.dtype(
    {
        "names": [
            "len", "level", "type", "interface", "source", "destination",
            "len2", "level2", "type2", "segment",
        ],
        "formats": ["u8", "i4", "i4", "i4", ">u4", "u4", "u8", "i4", "i4", "u2"],
        "offsets": [0, 8, 12, 16, 20, 24, 32, 40, 44, 48],
        "itemsize": 56,
    }
)  # fmt: skip
_SOURCE_ONLY: Final = 32
"""Octets of the control message without the one about segments."""
_BUSY: Final = (errno.EINTR, errno.EAGAIN, errno.ENOBUFS)
Kept = NDArray[np.bool_]
"""(device, card, update, segment) -> whether the datagram is sent."""


class Trains:
    """One socket that speaks for every device."""

    def __init__(self, port: int, datagrams: Traffic, *, gso: bool = True) -> None:
        """``gso``: have the kernel cut trains, where it can."""
        self._traffic = datagrams
        self._port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        self.gso = gso and _cuts_datagrams(datagrams.datagram)
        """Whether the kernel cuts trains into datagrams."""
        self._sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
        self._lay_out()
        self._build()

    def close(self) -> None:
        """Free the socket."""
        self._socket.close()

    # ----------------------------------------------------------------- structures
    def _lay_out(self) -> None:
        """Where the datagrams of one device are, and which of them make a train."""
        sent = self._traffic
        load, segments = sent.load, sent.segments
        starts = np.arange(segments) * sent.datagram
        lengths = np.minimum(sent.datagram, sent.row - starts)
        rows = np.arange(load.burst)[:, None] * sent.row
        self._starts = (rows + starts).reshape(-1)
        self._lengths = np.tile(lengths, load.burst)
        if not self.gso:
            together = 1
        elif lengths[-1] == sent.datagram:
            together = min(_DATAGRAMS_A_TRAIN, _OCTETS_A_TRAIN // sent.datagram)
            together -= together % segments
        else:
            together = segments
        if self.gso and (together == 0 or segments > _DATAGRAMS_A_TRAIN):
            raise ValueError("a message of the benchmark has to fit into 64 datagrams")
        of_card = np.arange(load.updates * segments) // together
        trains = int(of_card[-1]) + 1
        """Of one card."""
        self._train_of = (np.arange(load.cards)[:, None] * trains + of_card).reshape(-1)
        self.trains = trains * load.cards
        """Of one device in one period."""

    def _build(self) -> None:
        """For as many devices as are held, once."""
        sent, devices = self._traffic, self._traffic.at_once
        device = np.arange(devices)[:, None]
        base = sent.octets.ctypes.data + device * (sent.row * sent.load.burst)
        self._pieces = _iovecs((base + self._starts).reshape(-1), np.tile(self._lengths, devices))
        """An entry a datagram."""
        self._of_train = (device * self.trains + self._train_of).reshape(-1)
        """The train of each datagram."""
        first = np.flatnonzero(np.diff(self._train_of, prepend=-1))
        octets = np.add.reduceat(self._lengths, first)
        self._whole = _iovecs((base + self._starts[first]).reshape(-1), np.tile(octets, devices))
        """An entry a train."""
        self._destination = np.frombuffer(
            socket.AF_INET.to_bytes(2, sys.byteorder) + self._port.to_bytes(2)
            + socket.inet_aton("127.0.0.1") + bytes(8), np.uint8,
        )  # fmt: skip
        self._controls = _controls(devices * self.trains, sent.datagram)
        self._headers = np.zeros(devices * self.trains, _MMSGHDR)
        self._headers["name"] = self._destination.ctypes.data
        self._headers["namelen"] = len(self._destination)
        self._headers["iov"] = _addresses(self._whole)
        self._headers["iovlen"] = 1
        self._headers["control"] = _addresses(self._controls)
        self._headers["controllen"] = _CONTROL.itemsize if self.gso else _SOURCE_ONLY

    # ----------------------------------------------------------------- sending
    def announce(self, first: int, end: int) -> None:
        """``subscription-started`` of devices ``first`` to ``end``."""
        datagram = traffic.started(self._traffic.load)
        for device in range(first, end):
            control = bytes(4) + socket.inet_aton(traffic.address(device)) + bytes(4)
            self._socket.sendmsg(
                [datagram], [(socket.IPPROTO_IP, _IP_PKTINFO, control)], 0,
                ("127.0.0.1", self._port),
            )  # fmt: skip

    def send(self, first: int, end: int, kept: Kept | None = None) -> None:
        """What is held, as from devices ``first`` to ``end``; all of it, or what is ``kept``."""
        count = (end - first) * self.trains
        low = int.from_bytes(socket.inet_aton(traffic.address(first)))
        sources = np.repeat(np.arange(low, low + end - first), self.trains)
        self._controls["source"][:count] = sources
        if kept is None or kept.all():
            self._send_all(self._headers[:count])
        else:
            self._send_kept(count, kept.reshape(-1))

    def _send_kept(self, count: int, kept: NDArray[np.bool_]) -> None:
        """Trains without what is lost: the kernel joins the pieces before it cuts."""
        datagrams = len(kept)
        pieces = self._pieces[:datagrams][kept]
        left = np.bincount(self._of_train[:datagrams][kept], minlength=count)
        headers = self._headers[:count].copy()
        headers["iov"] = pieces.ctypes.data + (np.cumsum(left) - left) * _IOVEC.itemsize
        headers["iovlen"] = left
        self._send_all(headers[left > 0])

    def _send_all(self, headers: NDArray[np.void]) -> None:
        at, base, file = 0, headers.ctypes.data, self._socket.fileno()
        while at < len(headers):
            address = ctypes.c_void_p(base + at * _MMSGHDR.itemsize)
            sent = self._sendmmsg(file, address, len(headers) - at, 0)
            if sent >= 0:
                at += sent
            elif (number := ctypes.get_errno()) not in _BUSY:
                raise OSError(number, os.strerror(number))


def _cuts_datagrams(octets: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.setsockopt(_SOL_UDP, _UDP_SEGMENT, octets)
        except OSError:
            return False
    return True


def _iovecs(bases: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.void]:
    made = np.zeros(len(bases), _IOVEC)
    made["base"], made["len"] = bases, lengths
    return made


def _controls(count: int, segment: int) -> NDArray[np.void]:
    made = np.zeros(count, _CONTROL)
    made["len"], made["type"] = 28, _IP_PKTINFO
    made["len2"], made["level2"], made["type2"] = 18, _SOL_UDP, _UDP_SEGMENT
    made["segment"] = segment
    return made


def _addresses(entries: NDArray[np.void]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = entries.ctypes.data + np.arange(len(entries)) * entries.itemsize
    return found
