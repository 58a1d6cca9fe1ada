"""The whole way on loopback: one process sends, one is a collector, each pinned to its own core.

Does: run one rate, look at what is on disk afterwards, search the highest rate without loss.
Does not: print.

Rules: a rate is good when the kernel dropped nothing, every message is in the journal and in the
Parquet files, and every period of every device is COMPLETE in its last row, those of the warm-up
included. In the warm-up one part of the devices after the other begins, and the engine learns what
is usual for each. CPU time is that of all threads of the collector from the end of the warm-up
until everything is on disk and it has stopped.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from msgspec import Struct

from collector.journal import JournalReader
from collector.model import SECOND, RecordKind
from collector.store.manifest import load_manifest, store_folder
from tests.bench.collector_process import State, serve_bare_loop, serve_collector
from tests.bench.sender import SendOrder, SendReport, serve
from tests.bench.traffic import CARDS

_PATIENCE_SECONDS = 20.0
"""Longest wait for a process to answer."""
_SETTLED_SECONDS = 0.3
"""Nothing arrived for so long: all that was sent is here."""


class Shape(Struct, frozen=True):
    """What is sent and how long."""

    rate: int
    """Messages a second."""
    seconds: float
    octets: int = 900
    """Of one payload."""
    updates: int = 4
    """Messages of one card in one period, in one burst."""
    period: int = SECOND
    """ns."""
    receive_buffer: int = 64 << 20
    """Octets asked of the kernel: the default of the product."""
    ramp: int = 5
    """Periods in which the devices begin."""
    learning: int = 3
    """Further periods that are not measured."""

    @property
    def devices(self) -> int:
        """Enough devices to reach the rate."""
        return max(1, round(self.rate * self.period / SECOND / CARDS / self.updates))

    @property
    def periods(self) -> int:
        """Whole measured periods that fit."""
        return max(1, round(self.seconds * SECOND / self.period))

    @property
    def warm_up_seconds(self) -> float:
        """From the first message to the first that is measured."""
        return (self.ramp + self.learning) * self.period / SECOND

    def order(self, port: int, core: int | None, *, warm: bool = True) -> SendOrder:
        """What the sender is told."""
        ramp, more = (self.ramp, self.learning) if warm else (0, 0)
        periods = more + self.periods
        return SendOrder(
            port, self.devices, self.octets, self.updates, self.period, periods, ramp, core
        )


class EndToEnd(Struct, frozen=True):
    """What one run at one rate came to."""

    rate: int
    """Messages a second that were sent in truth, after the warm-up."""
    devices: int
    sent: int
    """Messages, those of the warm-up included."""
    measured: int
    """Messages that the CPU time is of."""
    journalled: int
    update_rows: int
    kernel_drops: int
    periods: int
    """Periods of all devices that deserve COMPLETE."""
    complete: int
    other_outcomes: dict[str, int]
    """outcome -> periods whose last row says so."""
    cpu_seconds: float
    stop_cpu_seconds: float
    """The part of it that was spent after the last message: the end of the store and the stop."""
    peak_rss: int
    granted_buffer: int
    late_seconds: float
    gso: bool

    @property
    def microseconds(self) -> float:
        """CPU us of the collector for one message."""
        return self.cpu_seconds / max(1, self.measured) * 1e6

    @property
    def lossless(self) -> bool:
        """Nothing was dropped, everything is stored and judged."""
        return (
            self.kernel_drops == 0
            and self.sent == self.journalled == self.update_rows
            and self.complete == self.periods
        )


class Bare(Struct, frozen=True):
    """The bare receive loop at the same rate."""

    messages: int
    sent: int
    cpu_seconds: float

    @property
    def microseconds(self) -> float:
        """CPU us of one datagram."""
        return self.cpu_seconds / max(1, self.messages) * 1e6


def cores() -> tuple[int | None, int | None]:
    """Cores for collector and sender; None, None when there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


def run(shape: Shape, *, folder: Path | None = None) -> EndToEnd:
    """One rate. Needs about a kilobyte of disk under ``folder`` for each message, and frees it."""
    kept = Path(tempfile.mkdtemp(prefix="bench-", dir=folder))
    try:
        return _run(shape, kept)
    except TimeoutError:
        return _given_up(shape)
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def _run(shape: Shape, folder: Path) -> EndToEnd:
    here, there = cores()
    arguments = (str(folder), shape.devices, shape.receive_buffer, here)
    with _process(serve_collector, *arguments) as collector, _process(serve) as sender:
        sender.send(shape.order(_ask(collector).port, there))
        assert _answer(sender) == "ready"
        sender.send("go")
        time.sleep(shape.warm_up_seconds)
        warm = _ask(collector)
        report: SendReport = _answer(sender, shape.seconds)
        after = _settled(collector, report.messages + shape.devices)
        collector.send(None)
        sender.send(None)
        end: State = _answer(collector)
    journalled = sum(
        frame.batch().kind.count(RecordKind.DATA) for frame in JournalReader(folder).read()
    )
    rows, outcomes = _stored(folder)
    return EndToEnd(
        rate=round(shape.devices * CARDS * shape.updates * SECOND / shape.period),
        devices=shape.devices,
        sent=report.messages,
        measured=after.messages - warm.messages,
        journalled=journalled - shape.devices,
        update_rows=rows,
        kernel_drops=after.kernel_drops,
        periods=report.periods,
        complete=outcomes.pop("COMPLETE", 0),
        other_outcomes=outcomes,
        cpu_seconds=end.cpu_seconds - warm.cpu_seconds,
        stop_cpu_seconds=end.cpu_seconds - after.cpu_seconds,
        peak_rss=end.peak_rss,
        granted_buffer=warm.granted_buffer,
        late_seconds=report.late_seconds,
        gso=report.gso,
    )


def _given_up(shape: Shape) -> EndToEnd:
    """A collector that is so far behind that it does not even answer."""
    rate = round(shape.devices * CARDS * shape.updates * SECOND / shape.period)
    sent = round(rate * (shape.seconds + shape.warm_up_seconds))
    return EndToEnd(
        rate=rate, devices=shape.devices, sent=sent, measured=0, journalled=0, update_rows=0,
        kernel_drops=0, periods=shape.devices * shape.periods, complete=0, other_outcomes={},
        cpu_seconds=0.0, stop_cpu_seconds=0.0, peak_rss=0, granted_buffer=0, late_seconds=0.0,
        gso=False,
    )  # fmt: skip


def bare_loop(shape: Shape) -> Bare:
    """The same traffic into a loop that only empties the socket."""
    here, there = cores()
    with _process(serve_bare_loop, shape.receive_buffer, here) as loop, _process(serve) as sender:
        before = _ask(loop)
        sender.send(shape.order(before.port, there, warm=False))
        _answer(sender)
        sender.send("go")
        report: SendReport = _answer(sender, shape.seconds)
        after = _settled(loop, report.messages)
        loop.send(None)
        sender.send(None)
        _answer(loop)
    return Bare(after.messages, report.messages, after.cpu_seconds - before.cpu_seconds)


# --------------------------------------------------------------------------- what is on disk
def _stored(folder: Path) -> tuple[int, dict[str, int]]:
    """Rows of ``updates``; outcome -> periods, by the last row of each."""
    store = store_folder(folder)
    files = load_manifest(store).files
    rows = sum(one.rows for one in files if one.table == "updates")
    last: dict[tuple[str, int], tuple[int, str]] = {}
    columns = ["device", "period_index", "period_to", "amendment", "outcome"]
    for one in files:
        if one.table != "verdicts":
            continue
        table = pq.read_table(store / one.name, columns=columns)
        for device, index, to, amendment, outcome in zip(
            *(table.column(name).to_pylist() for name in columns), strict=True
        ):
            for period in range(index, to + 1):
                key = device, period
                if key not in last or last[key][0] < amendment:
                    last[key] = amendment, outcome
    outcomes: dict[str, int] = {}
    for _, outcome in last.values():
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    return rows, outcomes


# --------------------------------------------------------------------------- processes
@contextlib.contextmanager
def _process(target: Callable[..., None], *arguments: object) -> Iterator[Connection]:
    """A process that talks through a pipe; killed when it does not end by itself."""
    context: Any = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
        process.join(_PATIENCE_SECONDS)
    finally:
        if process.is_alive():
            process.kill()
            process.join()
        ours.close()


def _answer(pipe: Connection, seconds: float = 0.0) -> Any:
    """What a process says, within ``seconds`` and some patience."""
    if not pipe.poll(seconds + _PATIENCE_SECONDS):
        raise TimeoutError("a process of the benchmark does not answer")
    return pipe.recv()


def _ask(pipe: Connection) -> State:
    pipe.send("state")
    state: State = _answer(pipe)
    return state


def _settled(pipe: Connection, messages: int | None = None) -> State:
    """The state once ``messages`` are there, or nothing has come for a while."""
    state, since = _ask(pipe), time.monotonic()
    while state.messages != messages and time.monotonic() - since < _SETTLED_SECONDS:
        time.sleep(0.05)
        newer = _ask(pipe)
        if newer.messages != state.messages:
            since = time.monotonic()
        state = newer
    return state
