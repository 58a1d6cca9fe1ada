"""Bare receivers in a process of their own: the limits of everything else.

Does: a loop that only empties the socket, and the receiver with the journal behind it and nothing
else (``ingest``); both answer how they stand. Does not: decode, judge or store.
"""

from __future__ import annotations

import asyncio
import os
import resource
import select
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from msgspec import Struct

from collector.journal import Journal
from collector.model import ReceivedBatch
from collector.receivers.sockets.recvmmsg import open_reader
from collector.receivers.sockets.udp import (
    dropped_datagrams,
    enlarge_receive_buffer,
    open_udp_socket,
)
from collector.receivers.udp_notif import BATCH, UdpNotifReceiver
from collector.service.clock import CollectorClock
from collector.service.memory import settle
from tests.bench import processes
from tests.bench.end_to_end import NARROWLY, WHOLE
from tests.bench.load import Plan
from tests.bench.running import cores, empty
from tests.bench.sender import LATE_SECONDS, SendOrder

_SETTLED_SECONDS = 2.0
"""Nothing arrived for so long: nothing more will come. A disk can keep a journal waiting."""


class State(Struct, frozen=True):
    """How a receiving process stands."""

    cpu_seconds: float
    """Of all its threads."""
    received: int
    """Datagrams of the bare loop, messages in the journal of ``ingest``."""
    kernel_drops: int
    peak_rss: int
    """Octets."""
    port: int


class Bare(Struct, frozen=True):
    """What a bare receiver came to."""

    rate: int
    """Messages a second."""
    octets: int
    """Of one payload."""
    sent: int
    """Messages."""
    received: int
    """As ``State.received``."""
    pieces: int
    """How many of those one message makes."""
    kernel_drops: int
    cpu_seconds: float
    seconds: float
    late_seconds: float

    @property
    def busy(self) -> float:
        """Cores that were busy while messages came."""
        return self.cpu_seconds / self.seconds if self.seconds else 0.0

    @property
    def sustained(self) -> bool:
        """Nothing was lost, and the socket's buffer would not fill up in a longer run either."""
        lossless = self.kernel_drops == 0 and self.received >= self.sent * self.pieces
        return lossless and self.busy <= WHOLE and not self.sender_was_late

    @property
    def narrow(self) -> bool:
        """What was lost may be the fault of other work on the machine."""
        return self.sent * self.pieces - self.received <= self.sent * self.pieces * NARROWLY

    @property
    def sender_was_late(self) -> bool:
        """The sender, or the machine, was the bottleneck."""
        return self.late_seconds > LATE_SECONDS

    @property
    def microseconds(self) -> float:
        """CPU us of one datagram, or of one message in the journal."""
        return self.cpu_seconds / max(1, self.received) * 1e6

    @property
    def microseconds_of_message(self) -> float:
        """CPU us of all that one message makes."""
        return self.microseconds * self.pieces

    @property
    def a_core(self) -> float:
        """How many of them a second one core could take."""
        return 1e6 / self.microseconds if self.cpu_seconds else 0.0


def bare_loop(plan: Plan, receive_buffer: int) -> Bare:
    """A load into a loop that only empties the socket."""
    return _measured(plan, serve_bare_loop, receive_buffer)


def ingest(plan: Plan, receive_buffer: int, *, folder: Path | None = None) -> Bare:
    """A load into the journal, and no further."""
    kept = Path(tempfile.mkdtemp(prefix="bench-", dir=folder))
    try:
        return _measured(plan, serve_ingest, receive_buffer, str(kept))
    finally:
        empty(kept)


def _measured(plan: Plan, target: Callable[..., None], *arguments: object) -> Bare:
    here, there = cores()
    with processes.process(target, here, *arguments) as pipe:
        before = _ask(pipe)
        report = processes.send(SendOrder(before.port, plan, there))
        pieces = report.segments if target is serve_bare_loop else 1
        after = _settled(pipe, report.messages * pieces)
    return Bare(
        plan.load.rate, plan.load.octets, report.messages, after.received, pieces,
        after.kernel_drops, after.cpu_seconds - before.cpu_seconds, report.seconds,
        report.late_seconds,
    )  # fmt: skip


def _ask(pipe: Connection) -> State:
    pipe.send("state")
    state: State = processes.answer(pipe)
    return state


def _settled(pipe: Connection, expected: int) -> State:
    """The state once everything has come or was dropped, or nothing has come for a while."""
    state, since = _ask(pipe), time.monotonic()
    while state.received + state.kernel_drops < expected:
        if time.monotonic() - since > _SETTLED_SECONDS:
            break
        time.sleep(0.05)
        newer = _ask(pipe)
        if newer.received != state.received:
            since = time.monotonic()
        state = newer
    return state


# --------------------------------------------------------------------------- in the processes
def usage() -> tuple[float, int]:
    """CPU seconds of this process, all threads, and its peak RSS in octets."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return time.process_time(), peak


def _pin(core: int | None) -> None:
    if core is not None:
        os.sched_setaffinity(0, {core})


def serve_bare_loop(pipe: Connection, core: int | None, receive_buffer: int) -> None:
    """Take datagrams out of a socket and do nothing with them."""
    _pin(core)
    sock = open_udp_socket("127.0.0.1", 0)
    enlarge_receive_buffer(sock, receive_buffer)
    reader = open_reader(sock, BATCH)
    port, received = sock.getsockname()[1], 0
    while True:
        ready, _, _ = select.select([sock.fileno(), pipe.fileno()], [], [])
        if sock.fileno() in ready:
            received += len(reader.read()[0])
        elif pipe.recv() is None:
            break
        else:
            cpu, peak = usage()
            pipe.send(State(cpu, received, dropped_datagrams(sock) or 0, peak, port))
    sock.close()


class _OnlyJournal:
    """An intake that keeps records and looks at nothing."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._first = journal.next_offset

    @property
    def records(self) -> int:
        return self.journal.next_offset - self._first

    def take(self, batch: ReceivedBatch) -> int:
        return self.journal.append(batch).next_offset

    async def committed(self, offset: int) -> None:
        await self.journal.wait_committed(offset)


def serve_ingest(pipe: Connection, core: int | None, receive_buffer: int, folder: str) -> None:
    """The receiver and the journal of a collector, nothing behind them."""
    _pin(core)
    with Journal.open(Path(folder)) as journal:
        asyncio.run(_serve_ingest(pipe, _OnlyJournal(journal), receive_buffer))


async def _serve_ingest(pipe: Connection, intake: _OnlyJournal, receive_buffer: int) -> None:
    receiver: Any = UdpNotifReceiver(
        intake, CollectorClock(), port=0, receive_buffer_bytes=receive_buffer
    )
    await receiver.start()
    settle()
    over = asyncio.Event()

    def answer() -> None:
        if pipe.recv() is None:
            over.set()
            return
        cpu, peak = usage()
        pipe.send(State(cpu, intake.records, receiver.kernel_drops, peak, receiver.local_port))

    loop = asyncio.get_running_loop()
    loop.add_reader(pipe.fileno(), answer)
    try:
        await over.wait()
    finally:
        loop.remove_reader(pipe.fileno())
        await receiver.stop()
