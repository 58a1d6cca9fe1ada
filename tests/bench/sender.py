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
from tests.bench.traffic import CARDS, Traffic

_SOL_UDP = 17
_UDP_SEGMENT = 103
_IP_PKTINFO = 8
_CHUNK = 64
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
    period: int
    """ns."""
    periods: int
    start: bool
    """Announce the subscriptions first."""
    core: int | None


class SendReport(Struct, frozen=True):
    """What was sent."""

    messages: int
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
        self._per_device = 1 if self.gso else CARDS
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
        octets = sent.size * CARDS // per
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

    def announce(self, period: int) -> None:
        """``subscription-started`` of every device, slowly enough for any receiver."""
        datagram = traffic.started(period)
        for device in range(self._traffic.devices):
            source = socket.inet_aton(traffic.address(device))
            control = bytes(4) + source + bytes(4)
            self._socket.sendmsg(
                [datagram], [(socket.IPPROTO_IP, _IP_PKTINFO, control)], 0,
                ("127.0.0.1", self._port),
            )  # fmt: skip
            if device % 20 == 19:
                time.sleep(0.002)

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

    def run(self, period: int, periods: int, first_index: int = 1) -> float:
        """Send whole periods at a steady rate; by how much it was late at most, in seconds."""
        devices, late = self._traffic.devices, 0.0
        begun, sent, total = time.monotonic_ns(), 0, devices * periods
        while sent < total:
            now = time.monotonic_ns()
            due = min(total, (now - begun) * devices // period + 1)
            if due <= sent:
                time.sleep(min(0.001, period / devices / SECOND))
                continue
            index, first = divmod(sent, devices)
            end = min(devices, first + min(_CHUNK, due - sent))
            self._traffic.stamp(first, end, first_index + index, time.time_ns())
            self.send(first, end)
            late = max(late, (now - begun - sent * period // devices) / SECOND)
            sent += end - first
        return late


def serve(pipe: Connection) -> None:
    """The sending process: carries out ``SendOrder`` after ``SendOrder`` until it gets None."""
    while (order := pipe.recv()) is not None:
        if order.core is not None:
            os.sched_setaffinity(0, {order.core})
        datagrams = Traffic(order.devices, order.octets)
        sender = Sender(order.port, datagrams)
        try:
            if order.start:
                sender.announce(order.period)
            pipe.send("ready")
            pipe.recv()
            cpu, begun = time.process_time(), time.monotonic()
            late = sender.run(order.period, order.periods)
            seconds, cpu = time.monotonic() - begun, time.process_time() - cpu
        finally:
            sender.close()
        messages = order.devices * CARDS * order.periods
        pipe.send(SendReport(messages, seconds, cpu, late, sender.gso))
