"""The whole way on loopback: one process sends, another is a collector, each pinned to its core.

Does: run one load, and look at what is on disk afterwards. Does not: print, or start the collector
otherwise than people do (``running``).

Rules: a run is good when the kernel dropped nothing, every message is in the journal and in the
Parquet files, and the last row on every period of every device says what is true, those of the
warm-up included. In the warm-up one part of the devices after the other begins, and the engine
learns what is usual for each. CPU time is that of all threads of the collector from the end of the
warm-up until everything is on disk and it has stopped. A short run can hide in the socket's buffer
that the collector falls behind: then it took more than a core, and the rate is not sustained.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from msgspec import Struct

from collector.core.expectation.deadlines import default_grace
from collector.model import SECOND
from tests.bench import on_disk, processes
from tests.bench.load import Load, Plan
from tests.bench.running import CollectorRun, collector, cores, empty, granted_buffer
from tests.bench.sender import LATE_SECONDS, SendOrder, SendReport

RECEIVE_BUFFER = 192 << 20
"""Octets asked of the kernel: the default of the product."""
NARROWLY = 0.02
"""Share of the messages at most that was lost."""
WHOLE = 1.02
"""More CPU time than that for what came in a second is more than a core has."""


class EndToEnd(Struct, frozen=True):
    """What one run of one load came to."""

    load: Load
    lanes: int
    begun: int
    """When the first period began, ns since 1970."""
    sent: int
    """Messages of which every segment was sent, those of the warm-up included."""
    measured: int
    """Messages that the CPU time is of."""
    journalled: int
    update_rows: int
    verdict_rows: int
    kernel_drops: int
    periods: int
    """Of all devices together."""
    true: int
    """Periods whose last row says what is true."""
    said: dict[str, int]
    """outcome -> periods."""
    wrong: dict[str, int]
    """what is true -> what is said instead: periods."""
    examples: tuple[str, ...]
    cpu_seconds: float
    stop_cpu_seconds: float
    """The part of it that was spent after the last message: the end of the store and the stop."""
    seconds: float
    """Of the measured periods."""
    peak_rss: int
    granted_buffer: int
    late_seconds: float
    """Of the sender."""
    sender_microseconds: float
    """CPU us of the sender for one message."""
    gso: bool
    datagrams_a_train: float
    status: int
    """Of the collector's exit."""

    @property
    def rate(self) -> int:
        """Messages a second, as planned."""
        return self.load.rate

    @property
    def microseconds(self) -> float:
        """CPU us of the collector for one message, its part of the stop included."""
        return self.cpu_seconds / max(1, self.measured) * 1e6

    @property
    def running_microseconds(self) -> float:
        """The same without the stop: a stop costs the same after a short run and a long one."""
        return (self.cpu_seconds - self.stop_cpu_seconds) / max(1, self.measured) * 1e6

    @property
    def a_core(self) -> float:
        """Messages a second that one core could take if all of its time were spent like that."""
        return 1e6 / self.microseconds if self.cpu_seconds else 0.0

    @property
    def megabytes(self) -> float:
        """10^6 octets of payload a second."""
        return self.rate * self.load.octets / 1e6

    @property
    def busy(self) -> float:
        """Cores that what came took, until nothing of it waited any more."""
        return (self.cpu_seconds - self.stop_cpu_seconds) / self.seconds if self.seconds else 0.0

    @property
    def narrow(self) -> bool:
        """What was lost may be the fault of other work on the machine."""
        lost = self.sent - min(self.journalled, self.update_rows)
        return self.status == 0 and 0 <= lost <= self.sent * NARROWLY

    @property
    def sender_was_late(self) -> bool:
        """The sender, or the machine, was the bottleneck."""
        return self.late_seconds > LATE_SECONDS

    @property
    def result(self) -> str:
        """In a word."""
        if not self.lossless:
            return "loss"
        return "sender late" if self.sender_was_late else "no loss" if self.sustained else "behind"

    @property
    def sustained(self) -> bool:
        """Nothing was lost, and the socket's buffer would not fill up in a longer run either."""
        return self.lossless and self.busy <= self.lanes * WHOLE and not self.sender_was_late

    @property
    def lossless(self) -> bool:
        """Nothing was dropped, everything is stored and judged right."""
        return (
            self.status == 0
            and self.kernel_drops == 0
            and self.sent == self.journalled == self.update_rows
            and self.true == self.periods
        )


Beside = Callable[[CollectorRun], AbstractContextManager[object]]
"""What is done beside a run, while the collector is there."""


def run(
    plan: Plan, *, folder: Path | None = None, lanes: int = 1,
    beside: Beside = nullcontext, inspect: Callable[[Path], None] = lambda folder: None,
) -> EndToEnd:  # fmt: skip
    """One load. Needs about a kilobyte of disk under ``folder`` for each message, and frees it.

    Args:
        plan: what is sent.
        folder: where the collector's own folder is made; None: where the system likes.
        lanes: processes of the collector.
        beside: is entered when the collector listens, and left before it is stopped.
        inspect: gets the collector's folder once it has stopped.
    """
    kept = Path(tempfile.mkdtemp(prefix="bench-", dir=folder))
    try:
        found = _run(plan, kept, lanes, beside)
        inspect(kept)
        return found
    finally:
        empty(kept)


class _Watch:
    """CPU time of a collector at the borders of the measured periods."""

    def __init__(self, running: CollectorRun) -> None:
        self._running = running
        self.cpu = running.cpu_seconds()
        self.since = time.monotonic()

    def warm(self) -> None:
        self.cpu = self._running.cpu_seconds()
        self.since = time.monotonic()


def _run(plan: Plan, folder: Path, lanes: int, beside: Beside) -> EndToEnd:
    load = plan.load
    here, there = cores() if lanes == 1 else (None, None)
    with collector(
        folder, load.devices, receive_buffer=RECEIVE_BUFFER, lanes=lanes, core=here
    ) as running:
        with beside(running):
            watch = _Watch(running)
            report = processes.send(SendOrder(running.port, plan, there), watch.warm)
            seconds = time.monotonic() - watch.since
            if load.loss:
                time.sleep((1.5 * load.period + default_grace(load.period)) / SECOND)
            running.settled()
        drops, after = running.drops(), running.cpu_seconds()
        status = running.stop()
    return _result(plan, folder, lanes, report, seconds, status, drops, watch.cpu, after, running)


def _result(
    plan: Plan, folder: Path, lanes: int, report: SendReport, seconds: float, status: int,
    drops: int, warm_cpu: float, after_cpu: float, running: CollectorRun,
) -> EndToEnd:  # fmt: skip
    load = plan.load
    stored = on_disk.stored(folder)
    found = on_disk.compared(folder, plan, report.segments)
    warm = sum(plan.begun(index) for index in range(plan.warm_up)) * load.burst
    announced = load.devices if plan.ramp else 0
    return EndToEnd(
        load=load,
        lanes=lanes,
        begun=report.begun,
        sent=report.messages,
        measured=report.messages - warm,
        journalled=stored.messages - announced,
        update_rows=stored.update_rows,
        verdict_rows=stored.verdict_rows,
        kernel_drops=drops,
        periods=report.periods,
        true=found.agreed,
        said=found.said,
        wrong=found.wrong,
        examples=found.examples,
        cpu_seconds=running.end_cpu_seconds - warm_cpu,
        stop_cpu_seconds=running.end_cpu_seconds - after_cpu,
        seconds=seconds,
        peak_rss=running.peak_rss,
        granted_buffer=granted_buffer(RECEIVE_BUFFER),
        late_seconds=report.late_seconds,
        sender_microseconds=report.cpu_seconds / max(1, report.messages) * 1e6,
        gso=report.gso,
        datagrams_a_train=report.datagrams_a_train,
        status=status,
    )


def quick(load: Load) -> Plan:
    """A plan that shows that everything works, and measures nothing."""
    return Plan(load, periods=2, ramp=1, learning=2, closing=2 if load.loss else 0)
