"""CPU time of a NETCONF session: notifications out of real SSH up to ``deliver``, and idling.

The device is a process of its own, so the process time here is the collector's alone (ncclient's
threads included); the kernel's share of the receiving side is in it.
"""

from __future__ import annotations

import asyncio
import resource
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from collector.model import CollectorTime
from collector.subscriber.manager import session_factory
from collector.subscriber.sessions.session import Arrived, NetconfSession, SessionSettings
from tests.bench.netconf_device import START, Stream, device


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
    with device(Stream(messages, octets, "full")) as settings:
        return asyncio.run(_bench(settings, kind, messages, idle_sessions, idle_seconds))


async def _bench(
    settings: SessionSettings, kind: str, messages: int, idle_sessions: int, idle_seconds: float
) -> NetconfCost:
    counter = _Counter(messages)
    session = session_factory(kind)(settings, counter.deliver, _Clock())
    await session.open()
    start, wall = _cpu(), time.perf_counter()
    await session.rpc(START)
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
