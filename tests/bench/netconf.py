"""CPU time of a NETCONF session: notifications out of real SSH up to ``deliver``, and idling.

The device is a process of its own, so the process time here is the collector's alone (ncclient's
threads included); the kernel's share of the receiving side is in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import resource
import threading
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from collector.model import SECOND, CollectorTime
from collector.subscriber.manager import session_factory
from collector.subscriber.session import Arrived, NetconfSession, SessionSettings
from collector.wire.netconf_framing import encode_chunked
from publisher_sim.publishers.netconf_server import NetconfServer

_USER, _PASSWORD = "bench", "loopback only"
_BURST = 32
_BURST_LIMIT = 4 * 1024 * 1024
"""Octets that the device lets wait before it pauses."""


class NetconfCost(NamedTuple):
    """What one run cost."""

    messages: int
    cpu_seconds: float
    wall_seconds: float
    idle_sessions: int
    idle_core_share: float
    """CPU seconds a second of all idle sessions together."""
    connect_cpu_seconds: float
    """CPU of opening one session."""
    threads: int
    """Threads of this process while the idle sessions were open."""

    @property
    def microseconds(self) -> float:
        """CPU time of one notification."""
        return self.cpu_seconds / self.messages * 1e6


class _Clock:
    def now(self) -> CollectorTime:
        return CollectorTime(time.time_ns())


class _Counter:
    """A ``deliver`` that keeps nothing."""

    def __init__(self, expected: int) -> None:
        self._left = expected
        self.done = asyncio.Event()

    def deliver(self, now: CollectorTime, messages: Sequence[Arrived]) -> None:
        self._left -= sum(message.root == "notification" for message in messages)
        if self._left <= 0:
            self.done.set()


def bench_netconf(
    messages: int = 20_000,
    octets: int = 900,
    *,
    kind: str = "asyncssh",
    idle_sessions: int = 100,
    idle_seconds: float = 3.0,
) -> NetconfCost:
    """Receive ``messages`` notifications on one session, then hold idle ones."""
    with _device(messages, octets) as (port, known_hosts):
        settings = SessionSettings(
            "127.0.0.1",
            _USER,
            port=port,
            password=lambda: _PASSWORD,
            known_hosts=known_hosts,
            rpc_timeout=60 * SECOND,
        )
        return asyncio.run(_bench(settings, kind, messages, idle_sessions, idle_seconds))


async def _bench(
    settings: SessionSettings, kind: str, messages: int, idle_sessions: int, idle_seconds: float
) -> NetconfCost:
    counter = _Counter(messages)
    session = session_factory(kind)(settings, counter.deliver, _Clock())
    await session.open()
    start, wall = _cpu(), time.perf_counter()
    await session.rpc(b'<rpc message-id="1"><go/></rpc>')
    await counter.done.wait()
    cpu, wall = _cpu() - start, time.perf_counter() - wall
    await session.close()

    idle = [
        session_factory(kind)(settings, counter.deliver, _Clock()) for _ in range(idle_sessions)
    ]
    start = _cpu()
    await _open_all(idle)
    connect = (_cpu() - start) / max(1, idle_sessions)
    await asyncio.sleep(0.5)
    start, threads = _cpu(), threading.active_count()
    await asyncio.sleep(idle_seconds)
    idling = (_cpu() - start) / idle_seconds
    await asyncio.gather(*(each.close() for each in idle))
    return NetconfCost(messages, cpu, wall, idle_sessions, idling, connect, threads)


async def _open_all(sessions: list[NetconfSession]) -> None:
    for at in range(0, len(sessions), 8):
        await asyncio.gather(*(each.open() for each in sessions[at : at + 8]))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


# --------------------------------------------------------------------------- the device
@contextlib.contextmanager
def _device(messages: int, octets: int) -> Iterator[tuple[int, str]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, messages, octets), daemon=True)
    process.start()
    with TemporaryDirectory() as folder:
        port, line = ours.recv()
        known_hosts = Path(folder) / "known_hosts"
        known_hosts.write_text(line)
        try:
            yield port, str(known_hosts)
        finally:
            ours.send(None)
            process.join()
            ours.close()


def _serve(pipe: Connection, messages: int, octets: int) -> None:
    asyncio.run(_serve_until_told(pipe, messages, octets))


async def _serve_until_told(pipe: Connection, messages: int, octets: int) -> None:
    head = (
        b'<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        b"<eventTime>2026-01-01T00:00:00Z</eventTime><event>"
    )
    tail = b"</event></notification>"
    message = head + b"x" * (octets - len(head) - len(tail)) + tail
    bursts: set[asyncio.Task[None]] = set()

    framed = encode_chunked(message)

    async def burst(session: str) -> None:
        """Full SSH packets, as a subsystem behind sshd fills them."""
        for at in range(0, messages, _BURST):
            while server.unsent(session) > _BURST_LIMIT:
                await asyncio.sleep(0.001)
            server._sessions[session].write(framed * min(_BURST, messages - at))

    def answer(session: str, request: bytes) -> None:
        server.send(session, b'<rpc-reply message-id="1"><ok/></rpc-reply>')
        bursts.add(asyncio.get_running_loop().create_task(burst(session)))

    server = NetconfServer(port=0, users={_USER: _PASSWORD}, on_rpc=answer, max_sessions=10_000)
    await server.start()
    pipe.send((server.port, server.known_hosts_line()))
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    await server.stop()


if __name__ == "__main__":
    for name in ("asyncssh", "ncclient"):
        cost = bench_netconf(kind=name)
        print(
            f"{name}: {cost.microseconds:.1f} us CPU a notification of 900 octets, "
            f"{cost.messages / cost.wall_seconds:,.0f} a second; "
            f"{cost.idle_sessions} idle sessions: {cost.idle_core_share * 100:.2f} % of a core, "
            f"{cost.threads} threads; "
            f"{cost.connect_cpu_seconds * 1000:.1f} ms CPU to open one"
        )
