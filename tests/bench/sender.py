"""The sending side of the benchmark: a process on a core of its own, at a steady rate.

Does: send a ``Plan``, the devices of a period spread evenly over it, and tell when the warm-up is
over. Does not: know what is done with it, or how datagrams get into the kernel (``trains``).

Rules: a sender that cannot keep up says so (``SendReport.late_seconds``), never skips.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from msgspec import Struct

from collector.model import SECOND
from tests.bench import truth
from tests.bench.load import FIRST_PERIOD, Plan
from tests.bench.traffic import Traffic
from tests.bench.trains import Kept, Trains

LATE_SECONDS = 0.25
"""A sender that was later than this is the bottleneck, or the machine is busy."""
READY, WARM = "ready", "warm"
"""What the process says before its report."""


class SendOrder(Struct, frozen=True):
    """What to send, and where."""

    port: int
    plan: Plan
    core: int | None
    gso: bool = True


class SendReport(Struct, frozen=True):
    """What was sent."""

    messages: int
    """Updates of which every segment was sent; state changes are not among them."""
    periods: int
    """Of all devices together."""
    begun: int
    """When the first period began, ns since 1970."""
    seconds: float
    cpu_seconds: float
    late_seconds: float
    """By how much the sender was behind its own plan at most."""
    gso: bool
    segments: int
    """Datagrams of one message."""
    datagrams_a_train: float


class Sender:
    """Carries out one plan."""

    def __init__(self, port: int, plan: Plan, *, gso: bool = True) -> None:
        self.plan = plan
        self.traffic = Traffic(plan.load)
        self.trains = Trains(port, self.traffic, gso=gso)
        self.late_seconds = 0.0
        self.begun = 0
        """ns since 1970."""

    def close(self) -> None:
        """Free the socket."""
        self.trains.close()

    def run(self, warm: Callable[[], None] = lambda: None) -> None:
        """Send everything; ``warm`` is called before the first measured period."""
        plan, devices = self.plan, self.plan.load.devices
        period, place, total = plan.load.period, 0, plan.load.devices * plan.total
        begun, self.begun = time.monotonic_ns(), time.time_ns()
        index, kept = -1, None
        while place < total:
            now = time.monotonic_ns()
            due = min(total, (now - begun) * devices // period + 1)
            if due <= place:
                time.sleep(min(0.001, period / devices / SECOND))
                continue
            self.late_seconds = max(
                self.late_seconds, (now - begun - place * period // devices) / SECOND
            )
            if place // devices != index:
                index = place // devices
                kept = truth.kept(plan, self.traffic.segments, index)
                if index == plan.warm_up:
                    warm()
            first = place % devices
            end = min(devices, first + min(self.traffic.at_once, due - place))
            place += end - first
            end = min(end, plan.begun(index))
            if end > first:
                self._send(index, first, end, None if kept is None else kept[first:end])

    def _send(self, index: int, first: int, end: int, kept: Kept | None) -> None:
        plan = self.plan
        if index < plan.ramp:
            before = plan.begun(index - 1) if index else 0
            if end > before:
                self.trains.announce(max(first, before), end)
        self.traffic.stamp(end - first, index + FIRST_PERIOD, time.time_ns())
        self.trains.send(first, end, kept)


def serve(pipe: Connection) -> None:
    """The sending process: carries out ``SendOrder`` after ``SendOrder`` until it gets None."""
    while (order := pipe.recv()) is not None:
        if order.core is not None:
            os.sched_setaffinity(0, {order.core})
        sender = Sender(order.port, order.plan, gso=order.gso)
        try:
            pipe.send(READY)
            pipe.recv()
            cpu, begun = time.process_time(), time.monotonic()
            sender.run(lambda: pipe.send(WARM))
            seconds, cpu = time.monotonic() - begun, time.process_time() - cpu
        finally:
            sender.close()
        pipe.send(_report(sender, seconds, cpu))


def _report(sender: Sender, seconds: float, cpu_seconds: float) -> SendReport:
    plan, segments = sender.plan, sender.traffic.segments
    return SendReport(
        messages=truth.whole_messages(plan, segments),
        periods=sum(plan.begun(index) for index in range(plan.total)),
        begun=sender.begun,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        late_seconds=sender.late_seconds,
        gso=sender.trains.gso,
        segments=segments,
        datagrams_a_train=plan.load.burst * segments / sender.trains.trains,
    )
