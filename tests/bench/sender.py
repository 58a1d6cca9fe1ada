"""The sending side of the benchmark: a process on a core of its own, at a steady rate.

Does: sendmmsg(2) through ctypes, one call for many devices, each with its own source address
(IP_PKTINFO), the cards of a device in one buffer that the kernel cuts into datagrams (UDP_SEGMENT)
where it can. Does not: know what is done with them.

Rules: 64-bit Linux with glibc only, as the fast receive path. The whole period is spread evenly
over the devices; a sender that cannot keep up says so (``SendReport.late_seconds``), never skips.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys
import time
from multiprocessing.connection import Connection

import numpy as np
from msgspec import Struct

from collector.model import SECOND
from tests.bench import traffic
from tests.bench.traffic import Traffic

_SOL_UDP = 17
_UDP_SEGMENT = 103
_IP_PKTINFO = 8
_CHUNK = 32
"""Devices at most in one system call."""
_MMSGHDR = np.dtype(
    {
        "names": ["name", "namelen", "iov", "iovlen", "control", "controllen", "flags", "len"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "i4", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
_IOVEC = np.dtype([("base", "u8"), ("len", "u8")])
_CONTROL = np.dtype(
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
_SOURCE_ONLY = 32
"""Octets of the control message without the one about segments."""


class SendOrder(Struct, frozen=True):
    """What to send, and when."""

    port: int
    devices: int
    octets: int
    updates: int
    """Of one card in one period."""
    period: int
    """ns."""
    periods: int
    """With every device, after the ramp."""
    ramp: int
    """Periods before in which one part of the devices after the other begins, each with the
    ``subscription-started`` of its master; 0: all at once and unannounced."""
    core: int | None


class SendReport(Struct, frozen=True):
    """What was sent."""

    messages: int
    """Updates, state changes not among them."""
    periods: int
    """Of all devices together."""
    seconds: float
    cpu_seconds: float
    late_seconds: float
    """By how much the sender was behind its own plan at most."""
    gso: bool


class Sender:
    """One socket that speaks for every device."""

    def __init__(self, port: int, datagrams: Traffic) -> None:
        self._traffic = datagrams
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        self.gso = self._cuts_datagrams()
        self._port = port
        self._per_device = 1 if self.gso else datagrams.burst
        self._build()
        self._sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg

    def close(self) -> None:
        """Free the socket."""
        self._socket.close()

    def _cuts_datagrams(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.setsockopt(_SOL_UDP, _UDP_SEGMENT, self._traffic.size)
            except OSError:
                return False
        return True

    def _build(self) -> None:
        """The structures of sendmmsg(2) for all devices, once."""
        sent, per = self._traffic, self._per_device
        count = sent.devices * per
        octets = sent.size * sent.burst // per
        self._name = np.frombuffer(
            socket.AF_INET.to_bytes(2, sys.byteorder) + self._port.to_bytes(2)
            + socket.inet_aton("127.0.0.1") + bytes(8), np.uint8,
        )  # fmt: skip
        self._iovecs = np.zeros(count, _IOVEC)
        self._iovecs["base"] = sent.datagrams.ctypes.data + np.arange(count) * octets
        self._iovecs["len"] = octets
        self._controls = np.zeros(count, _CONTROL)
        self._controls["len"] = 28
        self._controls["type"] = _IP_PKTINFO
        sources = [
            int.from_bytes(socket.inet_aton(traffic.address(d))) for d in range(sent.devices)
        ]
        self._controls["source"] = np.repeat(sources, per)
        self._controls["len2"] = 18
        self._controls["level2"] = _SOL_UDP
        self._controls["type2"] = _UDP_SEGMENT
        self._controls["segment"] = sent.size
        self._headers = np.zeros(count, _MMSGHDR)
        self._headers["name"] = self._name.ctypes.data
        self._headers["namelen"] = len(self._name)
        self._headers["iov"] = self._iovecs.ctypes.data + np.arange(count) * _IOVEC.itemsize
        self._headers["iovlen"] = 1
        controls = self._controls.ctypes.data + np.arange(count) * _CONTROL.itemsize
        self._headers["control"] = controls
        self._headers["controllen"] = _CONTROL.itemsize if self.gso else _SOURCE_ONLY

    def announce(self, first: int, end: int, period: int) -> None:
        """``subscription-started`` of devices ``first`` to ``end``."""
        datagram = traffic.started(period)
        for device in range(first, end):
            source = socket.inet_aton(traffic.address(device))
            control = bytes(4) + source + bytes(4)
            self._socket.sendmsg(
                [datagram], [(socket.IPPROTO_IP, _IP_PKTINFO, control)], 0,
                ("127.0.0.1", self._port),
            )  # fmt: skip

    def send(self, first: int, end: int) -> None:
        """One period of devices ``first`` to ``end``."""
        at, stop = first * self._per_device, end * self._per_device
        base = self._headers.ctypes.data
        while at < stop:
            address = ctypes.c_void_p(base + at * _MMSGHDR.itemsize)
            sent = self._sendmmsg(self._socket.fileno(), address, stop - at, 0)
            if sent < 0:
                number = ctypes.get_errno()
                if number not in (errno.EINTR, errno.EAGAIN, errno.ENOBUFS):
                    raise OSError(number, os.strerror(number))
                continue
            at += sent

    def run(self, period: int, periods: int, ramp: int = 0) -> tuple[int, float]:
        """Send at a steady rate; returns periods sent, of all devices together, and by how much it
        was late at most, in seconds."""
        devices, late, sent = self._traffic.devices, 0.0, 0
        begun, place, total = time.monotonic_ns(), 0, devices * (ramp + periods)
        while place < total:
            now = time.monotonic_ns()
            due = min(total, (now - begun) * devices // period + 1)
            if due <= place:
                time.sleep(min(0.001, period / devices / SECOND))
                continue
            late = max(late, (now - begun - place * period // devices) / SECOND)
            index, first = divmod(place, devices)
            end = min(devices, first + min(_CHUNK, due - place))
            place += end - first
            end = min(end, _begun(devices, index, ramp))
            if end > first:
                if index < ramp:
                    self.announce(max(first, _begun(devices, index - 1, ramp)), end, period)
                self._traffic.stamp(first, end, index + 1, time.time_ns())
                self.send(first, end)
                sent += end - first
        return sent, late


def _begun(devices: int, index: int, ramp: int) -> int:
    """How many devices send in period ``index``, counted from 0."""
    return devices * (index + 1) // ramp if index < ramp else devices


def serve(pipe: Connection) -> None:
    """The sending process: carries out ``SendOrder`` after ``SendOrder`` until it gets None."""
    while (order := pipe.recv()) is not None:
        if order.core is not None:
            os.sched_setaffinity(0, {order.core})
        datagrams = Traffic(order.devices, order.octets, order.updates)
        sender = Sender(order.port, datagrams)
        try:
            pipe.send("ready")
            pipe.recv()
            cpu, begun = time.process_time(), time.monotonic()
            sent, late = sender.run(order.period, order.periods, order.ramp)
            seconds, cpu = time.monotonic() - begun, time.process_time() - cpu
        finally:
            sender.close()
        pipe.send(SendReport(sent * datagrams.burst, sent, seconds, cpu, late, sender.gso))
