"""What was measured, as tables and sentences for people. Measures nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from rich.table import Table

from tests.bench.bare import Bare
from tests.bench.end_to_end import EndToEnd
from tests.bench.equality import Equality
from tests.bench.goals import goals
from tests.bench.limits import Ingest
from tests.bench.many_sessions import Sessions
from tests.bench.netconf_handover import HandOver
from tests.bench.report import Report
from tests.bench.scaling import Point
from tests.bench.stages import StageCost
from tests.bench.startup import Start
from tests.bench.transports import TransportCost

_RESULTS = {"no loss": "green", "behind": "yellow", "sender late": "yellow", "loss": "red"}


def stage_table(stages: Iterable[StageCost]) -> Table:
    """One line a stage."""
    table = Table(title="Stages, each alone", title_justify="left")
    table.add_column("stage")
    for name in ("CPU µs/message", "messages/s/core", "messages"):
        table.add_column(name, justify="right")
    table.add_column("what")
    for one in stages:
        table.add_row(
            one.stage, f"{one.microseconds:.2f}", f"{one.rate:,.0f}", f"{one.messages:,}", one.note
        )
    return table


def run_table(runs: Sequence[EndToEnd], title: str = "") -> Table:
    """One line a run."""
    table = Table(
        title=title or "End to end on loopback: received, journalled, judged, in Parquet",
        title_justify="left",
    )
    for name in (
        "messages/s", "MB/s", "devices", "cards", "updates", "CPU µs", "a core", "busy",
        "stop, CPU s", "drops", "stored", "right", "RSS",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    table.add_column("result")
    for one in runs:
        table.add_row(
            f"{one.rate:,}",
            f"{one.megabytes:,.0f}",
            f"{one.load.devices:,}",
            f"{one.load.cards}",
            f"{one.load.updates}",
            f"{one.microseconds:.2f}",
            f"{one.a_core:,.0f}",
            f"{one.busy:.0%}",
            f"{one.stop_cpu_seconds:.2f}",
            f"{one.kernel_drops:,}",
            share(min(one.journalled, one.update_rows), one.sent),
            share(one.true, one.periods),
            f"{one.peak_rss / 2**20:,.0f} MiB",
            f"[{_RESULTS[one.result]}]{one.result}[/]",
        )
    return table


def share(part: int, whole: int) -> str:
    """100 % only when it is all."""
    if part == whole:
        return "100 %"
    return f"{math.floor(1000 * part / max(1, whole)) / 10:.1f} %"


def progress(run: EndToEnd) -> str:
    """One run in one line."""
    more = (
        "" if run.lossless else f", {run.kernel_drops:,} dropped, wrong: {run.wrong or 'nothing'}"
    )
    late = f", sender {run.late_seconds:.2f} s late" if run.sender_was_late else ""
    return (
        f"{run.rate:>9,} messages/s: {run.result}, {run.microseconds:.2f} µs of CPU a message, "
        f"{run.busy:.0%} of a core, {run.peak_rss / 2**20:,.0f} MiB{more}{late}"
    )


def bare_progress(one: Bare) -> str:
    """One run of a bare receiver in one line."""
    lost = max(0, one.sent - one.received // one.pieces)
    late = f", sender {one.late_seconds:.2f} s late" if one.sender_was_late else ""
    return (
        f"{one.rate:>9,} messages/s: {'no loss' if not lost else f'{lost:,} lost'}, "
        f"{one.microseconds:.2f} µs of CPU a message, {one.busy:.0%} of a core{late}"
    )


def tables(report: Report) -> Iterator[Table]:
    """Everything that has more than one line."""
    if report.stages:
        yield stage_table(report.stages)
    if report.runs:
        yield run_table(report.runs)
    if report.sessions:
        yield session_table(report.sessions)
    if report.transports:
        yield transport_table(report.transports)
    if report.scaling:
        yield scaling_table(report.scaling)
    for one in report.equality:
        yield equality_table(one)
    found = list(goals(report))
    if found:
        table = Table(title="Goals", title_justify="left")
        for name in ("what", "goal", "measured", ""):
            table.add_column(name)
        for goal in found:
            table.add_row(
                goal.what, goal.goal, goal.measured,
                "[green]met[/]" if goal.met else "[red]missed[/]",
            )  # fmt: skip
        yield table


def session_table(found: Sequence[HandOver]) -> Table:
    """One line a stream and way."""
    table = Table(title="NETCONF notifications, through SSH", title_justify="left")
    table.add_column("octets")
    table.add_column("SSH packets")
    table.add_column("way")
    for name in ("CPU µs/message", "messages/s/core", "messages/s", "busy", "of the bare"):
        table.add_column(name, justify="right")
    for one in found:
        stream, bare = one.stream, one.bare.microseconds
        for way in (one.bare, one.handed, one.journal, one.whole):
            table.add_row(
                f"{stream.octets:,}", stream.packets, way.name, f"{way.microseconds:.2f}",
                f"{way.a_core:,.0f}", f"{way.rate:,.0f}", f"{way.busy:.0%}",
                f"{bare / way.microseconds:.0%}",
            )  # fmt: skip
    return table


def transport_table(found: Sequence[TransportCost]) -> Table:
    """One line a transport, encoding and way."""
    table = Table(title="Messages through a library of the transport", title_justify="left")
    for name in ("transport", "encoding"):
        table.add_column(name)
    for name in ("octets", "connections"):
        table.add_column(name, justify="right")
    table.add_column("way")
    for name in ("CPU µs/message", "messages/s/core", "messages/s", "of the bare"):
        table.add_column(name, justify="right")
    for one in found:
        for way in (one.bare, one.handed, one.journal):
            table.add_row(
                one.transport, one.encoding, f"{one.octets:,}", f"{one.connections:,}", way.name,
                f"{way.microseconds:.2f}", f"{way.a_core:,.0f}", f"{way.rate:,.0f}",
                f"{one.bare.microseconds / way.microseconds:.0%}",
            )  # fmt: skip
    return table


def scaling_table(points: Sequence[Point]) -> Table:
    """One line a point."""
    table = Table(title="How the cost of a message grows", title_justify="left")
    table.add_column("what")
    for name in ("value", "messages/s", "CPU µs", "MB/s a core", "stop, CPU s", "RSS"):
        table.add_column(name, justify="right")
    table.add_column("result")
    for one in points:
        run = one.run
        table.add_row(
            one.axis, str(one.value), f"{run.rate:,}", f"{run.running_microseconds:.2f}",
            f"{run.load.octets / max(run.running_microseconds, 1e-9):,.0f}",
            f"{run.stop_cpu_seconds:.2f}",
            f"{run.peak_rss / 2**20:,.0f} MiB", f"[{_RESULTS[run.result]}]{run.result}[/]",
        )  # fmt: skip
    return table


def equality_table(one: Equality) -> Table:
    """One line a table of the store."""
    table = Table(
        title=f"Rows of the fast way ({one.path}, in batches) and of the slow one (pure Python, "
        f"record by record), {one.records:,} records",
        title_justify="left",
    )
    for name in ("table", "fast", "slow", "differing"):
        table.add_column(name, justify="right")
    table.add_column("first differences")
    for found in one.tables:
        table.add_row(
            found.name, f"{found.fast:,}", f"{found.slow:,}", f"{found.differing:,}",
            "\n".join(found.examples),
        )  # fmt: skip
    return table


def summary(report: Report) -> Iterator[str]:
    """The sentences below the tables."""
    if report.runs:
        yield from _about_runs(report)
    bare, flat = report.bare, report.flat_out
    if bare is not None and flat is not None:
        yield (
            f"A loop that only empties the socket (recvmmsg) takes {bare.microseconds:.2f} µs a "
            f"datagram at the best rate, and {flat.microseconds:.2f} µs with all that the sender "
            f"can send ({flat.a_core:,.0f} datagrams/s a core)."
        )
    if report.ingest is not None:
        yield from _about_ingest(report.ingest)
    for one in report.latency:
        if one.since_sent is not None:
            yield (
                f"Followed at {one.run.rate:,} messages/s ({one.run.result}): early verdicts "
                f"{one.since_sent.text} after the device was to send; {one.lost_rows} rows were "
                "too quick for the follower."
            )
    for kind in report.sessions:
        yield (
            f"A NETCONF notification of {kind.stream.octets:,} octets, {kind.stream.packets} "
            f"packets: decoding its XML takes {kind.decode_microseconds:.1f} µs, judging, rows "
            f"and Parquet {kind.judge_microseconds:.1f} µs."
        )
    if report.start is not None:
        yield _about_start(report.start)
    for memory in report.memory:
        yield (
            f"{memory.devices:,} devices x {memory.run.load.cards} cards: "
            f"{memory.started / 1e6:.0f} MB when it listens, {memory.loaded / 1e6:.0f} MB after "
            f"the last of {memory.periods} periods of {memory.run.load.period / 1e9:g} s "
            f"({memory.an_originator:,.0f} octets an originator), {memory.peak / 1e6:.0f} MB at "
            f"most. Started again it listens after {memory.restart:.1f} s and takes "
            f"{memory.restarted / 1e6:.0f} MB at most until then."
        )
    for one in report.many_sessions:
        yield from about_sessions(one)
    for picture in report.pictures:
        yield f"Picture: {picture}"
    yield (
        f"Hot functions: {report.path}. Reference: json.loads takes "
        f"{report.reference_microseconds:.1f} µs for one payload here and now."
    )


def about_sessions(one: Sessions) -> Iterator[str]:
    """Sessions to many devices."""
    who = "that call home" if one.calling else "that are connected to"
    yield (
        f"NETCONF sessions with {one.devices:,} devices {who}: {one.memory / 2**20:.0f} MiB "
        f"({one.a_session / 1024:.0f} KiB a session), {one.peak / 2**20:.0f} MiB at most; idle for "
        f"{one.idle_seconds:.0f} s {one.idle:.2%} of a core."
    )
    for when, coming in (("At the start", one.up), ("After all were dropped at once", one.back)):
        yield (
            f"{when} the last one had its subscription after {coming.seconds:.0f} s; at most "
            f"{coming.most_a_second:.0f} sessions a second and {coming.busiest:.0%} of a core in "
            f"the busiest five seconds, {coming.cpu:.1f} s of CPU in all."
        )


def _about_runs(report: Report) -> Iterator[str]:
    first, best = report.runs[0], report.best
    load, gso = first.load, max(one.datagrams_a_train for one in report.runs)
    lost = f", {load.loss:.2%} of the datagrams lost on purpose" if load.loss else ""
    yield (
        f"Every device sends {load.burst} messages of its {load.cards} line cards in each period "
        f"of {load.period / 1e9:g} s at the first rate; {load.octets:,} octets of "
        f"{load.encoding.upper()} a message{lost}."
    )
    yield (
        f"Receive buffer granted by the kernel: {first.granted_buffer / 2**20:.1f} MiB "
        f"(about {first.granted_buffer // 2304:,} datagrams); the sender cuts datagrams "
        + (f"in the kernel (GSO), up to {gso:.0f} at once" if first.gso else "itself")
        + f", and takes {min(one.sender_microseconds for one in report.runs):.2f} µs a message."
    )
    if not any(one.kernel_drops for one in report.runs):
        for run in report.runs:
            yield from (f"Wrong at {run.rate:,} messages/s: {one}." for one in run.examples)
    if report.found is not None:
        yield f"The search ended after {report.found.seconds:.0f} s: {report.found.why}."
    if best is None:
        yield "No rate was without loss."
        return
    ratio = report.times_the_bare_loop
    yield (
        f"Highest rate without loss: {best.rate:,} messages/s, {best.megabytes:,.0f} MB/s, "
        f"{best.microseconds:.2f} µs of CPU a message"
        + (f", {ratio:.1f} times the bare loop." if ratio is not None else ".")
    )


def _about_ingest(found: Ingest) -> Iterator[str]:
    best, disk = found.best, found.disk
    if best is not None:
        yield (
            f"Into the journal and no further: {best.rate:,} messages/s without loss "
            f"({best.rate * best.octets / 1e6:,.0f} MB/s), {best.microseconds:.2f} µs of CPU a "
            f"message ({best.a_core:,.0f} messages/s a core), {found.times_the_bare_loop:.1f} "
            f"times the bare loop with all that can be sent ({found.flat_out.microseconds:.2f} µs "
            f"a datagram). Why not more: {found.why}."
        )
    yield (
        f"A plain file in the same folder is written at {disk.buffered:,.0f} MB/s into the "
        f"kernel, {disk.synced:,.0f} MB/s onto the disk, {disk.committed:,.0f} MB/s with an "
        "fdatasync after every MiB."
    )


def _about_start(start: Start) -> str:
    named = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in start.imports)
    return (
        f"An interpreter starts and ends in {start.python:.2f} s; what collector run imports "
        f"takes, by package and with the clock of -X importtime running: {named}."
    )
