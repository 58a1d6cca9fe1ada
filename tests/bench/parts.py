"""The parts of a run of the benchmark, one function each: measure, and put it into the report."""

from __future__ import annotations

import gc
import json
import sys
import time

from msgspec.structs import replace

from collector.model import SECOND
from tests.bench import (
    bare,
    end_to_end,
    equality,
    latency,
    limits,
    lines,
    many_sessions,
    netconf_handover,
    scaling,
    startup,
    transports,
)
from tests.bench.bare import Bare
from tests.bench.end_to_end import RECEIVE_BUFFER, EndToEnd
from tests.bench.load import Load, Plan
from tests.bench.options import QUICK_RATE, Options
from tests.bench.report import Report
from tests.bench.search import Step, search
from tests.bench.stages import STAGES, Sample

FLAT_OUT = 1_500_000
"""Messages a second that no receiver takes."""
FLAT_OUT_OCTETS = 1_350_000_000
"""Octets a second, likewise: of long messages fewer are enough, and more than the sender sends."""
STAGE_PERIODS = 9
MEMORY_RATE = 20_000
COMPARED_RATE = 5_000
COMPARED_DEVICES = 200


def say(line: str) -> None:
    """A line of progress; standard output is for results."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def measure(options: Options, report: Report) -> None:
    """Everything that is asked for."""
    parts = options.parts()
    report.reference_microseconds = reference(options)
    stages(options, report, [name for name in parts if name in STAGES])
    if "end-to-end" in parts:
        rates(options, report)
    if "ingest" in parts:
        ingest(options, report)
    if "latency" in parts:
        under_load(options, report)
    if "lone" in parts:
        say("one datagram at a time on an idle collector")
        messages, period = (3, SECOND // 4) if options.quick else (12, SECOND)
        report.lone = latency.lone(folder=options.folder, messages=messages, period=period)
    if "netconf" in parts:
        sessions(options, report)
    for name in parts:
        if name in transports.MODULES:
            of_transport(options, report, name)
    if "start" in parts:
        say("starts")
        devices, times = (50, 1) if options.quick else (startup.MANY_DEVICES, 5)
        report.start = startup.start(folder=options.folder, devices=devices, times=times)
    if "memory" in parts:
        memory(options, report)
    if "sessions" in parts:
        of_many_devices(options, report)
    if options.plot is not None:
        scale(options, report)
    if options.comparing:
        compare(options, report)


def reference(options: Options) -> float:
    """CPU us of ``json.loads`` for one payload."""
    sample = Sample(Load(devices=1, cards=1, octets=max(900, options.octets)), 1)
    text = sample.batches[0].payload[0]
    begun = time.process_time()
    for _ in range(2000):
        json.loads(text)
    return (time.process_time() - begun) / 2000 * 1e6


def stages(options: Options, report: Report, names: list[str]) -> None:
    """Every stage alone, with the same messages."""
    if not names:
        return
    load = options.load()
    sample = Sample(replace(load, devices=8), 3) if options.quick else Sample(load, STAGE_PERIODS)
    for name in names:
        say(f"stage {name}")
        gc.collect()
        report.stages.append(STAGES[name](sample))


def run(options: Options, plan: Plan, lanes: int | None = None) -> EndToEnd:
    """The whole way."""
    lanes = options.lanes if lanes is None else lanes
    return end_to_end.run(plan, folder=options.folder, lanes=lanes)


def rates(options: Options, report: Report) -> None:
    """Every rate, or those of the search, and the bare loop at the best one."""

    def attempt(rate: int) -> EndToEnd:
        report.runs.append(run(options, options.plan(options.load_at(rate))))
        return report.runs[-1]

    def tell(step: Step[EndToEnd], left: float) -> None:
        say(f"{lines.progress(step.run)}; {max(0.0, left):.0f} s left")

    if options.searching:
        start = options.given_rates()[0]
        report.found = search(attempt, start=start, budget_seconds=options.budget, tell=tell)
    else:
        for rate in options.given_rates():
            say(lines.progress(attempt(rate)))
    say("the bare loop")
    best = (report.best or report.runs[0]).load
    seconds = 0.5 if options.quick else 2.0
    report.bare = bare.bare_loop(Plan.of_seconds(best, seconds, warm=False), RECEIVE_BUFFER)
    flat_out = min(FLAT_OUT, FLAT_OUT_OCTETS // options.octets)
    most = options.load_at(QUICK_RATE if options.quick else flat_out)
    plan = Plan.of_seconds(most, seconds / 2, warm=False)
    report.flat_out = bare.bare_loop(plan, RECEIVE_BUFFER)


def ingest(options: Options, report: Report) -> None:
    """The journal alone."""

    def tell(step: Step[Bare], left: float) -> None:
        say(f"into the journal: {lines.bare_progress(step.run)}; {max(0.0, left):.0f} s left")

    report.ingest = limits.measure(
        lambda rate: replace(options.load_at(rate), loss=0.0),
        RECEIVE_BUFFER, folder=options.folder, quick=options.quick, tell=tell,
    )  # fmt: skip


def under_load(options: Options, report: Report) -> None:
    """Verdicts at a live sink, at the rates that were given or at the best one found."""
    best = report.best
    chosen = options.rates or ((best.rate,) if best is not None else options.given_rates()[:1])
    for rate in chosen:
        load = replace(options.load_at(rate), loss=options.loss or latency.LOSS)
        found = latency.under_load(options.plan(load), folder=options.folder, lanes=options.lanes)
        say(f"followed: {lines.progress(found.run)}")
        report.latency.append(found)


def sessions(options: Options, report: Report) -> None:
    """NETCONF notifications, each stream in every way."""
    quick = options.quick
    for stream in netconf_handover.QUICK if quick else netconf_handover.STREAMS:
        say(f"NETCONF notifications of {stream.octets:,} octets, {stream.packets} packets")
        times = 1 if quick else netconf_handover.TIMES
        report.sessions.append(
            netconf_handover.hand_over(stream, folder=options.folder, times=times)
        )


def of_transport(options: Options, report: Report, name: str) -> None:
    """Messages over one transport, each encoding in every way."""
    say(f"messages over {name}")
    for one in transports.measure(name, folder=options.folder, quick=options.quick):
        say(
            f"{one.transport} {one.encoding}: {one.handed.microseconds:.1f} µs of CPU a message, "
            f"the bare library {one.bare.microseconds:.1f}"
        )
        report.transports.append(one)


def memory(options: Options, report: Report) -> None:
    """Many devices."""
    devices = options.devices or startup.MANY_DEVICES
    load = replace(options.load(), devices=devices)
    for rate in options.rates or ((QUICK_RATE,) if options.quick else (MEMORY_RATE,)):
        found = startup.memory(
            load.at_rate(rate), folder=options.folder, seconds=options.seconds,
            lanes=options.lanes, quick=options.quick,
        )  # fmt: skip
        say(f"{devices:,} devices: {lines.progress(found.run)}")
        report.memory.append(found)


def of_many_devices(options: Options, report: Report) -> None:
    """NETCONF sessions to many devices, either way."""
    devices = options.devices or many_sessions.DEVICES
    idle = 1.0 if options.quick else many_sessions.IDLE_SECONDS
    for calling in (False, True):
        say(f"{devices:,} NETCONF sessions{', of devices that call home' * calling}")
        found = many_sessions.measure(
            devices, folder=options.folder, calling=calling, idle_seconds=idle
        )
        report.many_sessions.append(found)
        for line in lines.about_sessions(found):
            say(line)


def scale(options: Options, report: Report) -> None:
    """How the cost grows, and pictures of it."""
    assert options.plot is not None
    report.scaling = scaling.measure(
        options.load(), options.axes or tuple(scaling.AXES),
        lambda plan, lanes: run(options, plan, lanes), lanes=options.lanes,
        seconds=min(options.seconds, 3.0), quick=options.quick,
        tell=lambda one: say(f"{one.axis} {one.value}: {lines.progress(one.run)}"),
    )  # fmt: skip
    report.pictures = [str(path) for path in scaling.plot(report.scaling, options.plot)]


def compare(options: Options, report: Report) -> None:
    """The fast way against the slow one."""
    devices = options.devices or COMPARED_DEVICES
    for rate in options.rates or ((QUICK_RATE,) if options.quick else (COMPARED_RATE,)):
        load = replace(options, devices=devices).load_at(rate)
        say("the same input through the fast way and through the slow one")
        report.equality.append(
            equality.compare(options.plan(load), folder=options.folder, lanes=options.lanes)
        )
