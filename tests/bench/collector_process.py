"""The receiving side of the benchmark: a whole ``Service`` in a process of its own, or a bare loop.

Does: start, answer questions about itself, stop. Does not: send, or judge what it measured.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import select
from multiprocessing.connection import Connection
from typing import Any, cast

from msgspec import Struct

from collector.config import Config, read_config_table
from collector.receivers.recvmmsg import open_reader
from collector.receivers.sockets import enlarge_receive_buffer, open_udp_socket
from collector.receivers.udp_notif import BATCH, UdpNotifReceiver
from collector.service.lifecycle import Service
from collector.service.memory import settle
from tests.bench import traffic


class State(Struct, frozen=True):
    """How a receiving process stands."""

    cpu_seconds: float
    """Of all its threads."""
    messages: int
    kernel_drops: int
    granted_buffer: int
    """Octets."""
    peak_rss: int
    """Octets."""
    port: int


def config(folder: str, devices: int, receive_buffer: int) -> Config:
    """A collector with ``devices`` devices and nothing else but its defaults."""
    return read_config_table(
        {
            "collector": {"data_dir": folder, "log_level": "warning"},
            "udp_notif": {"port": 0, "receive_buffer_bytes": receive_buffer},
            "metrics": {"enabled": False},
            "alerts": {"log": False},
            "device": [
                {"name": traffic.device_name(one), "sources": [traffic.address(one)]}
                for one in range(devices)
            ],
        }
    )


def usage() -> tuple[float, int]:
    """CPU seconds of this process, all threads, and its peak RSS in octets."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime, spent.ru_maxrss * 1024


def serve_collector(
    pipe: Connection, folder: str, devices: int, receive_buffer: int, core: int | None
) -> None:
    """Run a collector; answers every message with its ``State``, stops at None."""
    logging.basicConfig(level=logging.WARNING)
    if core is not None:
        os.sched_setaffinity(0, {core})
    asyncio.run(_serve_collector(pipe, config(folder, devices, receive_buffer)))
    cpu, peak = usage()
    pipe.send(State(cpu, 0, 0, 0, peak, 0))


async def _serve_collector(pipe: Connection, settings: Config) -> None:
    service = Service(settings)
    await service.start()
    settle()
    receiver = cast("UdpNotifReceiver", service.receivers[0])
    over = asyncio.Event()

    def answer() -> None:
        if pipe.recv() is None:
            over.set()
            return
        cpu, peak = usage()
        stats: dict[str, Any] = receiver.stats()
        pipe.send(
            State(
                cpu, stats["messages"], receiver.kernel_drops,
                receiver.granted_receive_buffer, peak, receiver.local_port,
            )
        )  # fmt: skip

    loop = asyncio.get_running_loop()
    loop.add_reader(pipe.fileno(), answer)
    try:
        await over.wait()
    finally:
        loop.remove_reader(pipe.fileno())
        await service.stop()


def serve_bare_loop(pipe: Connection, receive_buffer: int, core: int | None) -> None:
    """Take datagrams out of a socket and do nothing with them: the limit of everything else."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    sock = open_udp_socket("127.0.0.1", 0)
    granted = enlarge_receive_buffer(sock, receive_buffer)
    reader = open_reader(sock, BATCH)
    port = sock.getsockname()[1]
    messages = 0
    while True:
        ready, _, _ = select.select([sock.fileno(), pipe.fileno()], [], [])
        if sock.fileno() in ready:
            messages += len(reader.read()[0])
        elif pipe.recv() is None:
            break
        else:
            cpu, peak = usage()
            pipe.send(State(cpu, messages, 0, granted, peak, port))
    sock.close()
    cpu, peak = usage()
    pipe.send(State(cpu, messages, 0, granted, peak, port))
