"""The goals of the fast path beside what was measured; nothing is judged here but "at most" and
"at least"."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tests.bench.report import Report

RATE = {"pure Python": 110_000, "compiled": 300_000}
"""Messages a second on one core, JSON of 900 octets, nothing dropped."""
RATE_OF_LANES = 400_000
"""The same on two cores that also run the sender."""
SEGMENTED_MEGABYTES = 300
SEGMENTED_OCTETS = 8_950
INGEST_A_CORE = 600_000
VERDICT_MS = 100
LONE_MS = 50
STORED_MS = 10_000
MEMORY = 600e6
START_SECONDS = 1.0
SESSIONS_MEMORY = 2 * 2**30
SESSIONS_IDLE = 0.1
SESSIONS_A_SECOND = 50
"""[sessions] connects_per_second."""
OF_THE_LIBRARY = 0.8
"""Of what the bare library of a transport takes."""


class Goal(Struct, frozen=True):
    """One figure."""

    what: str
    goal: str
    measured: str
    met: bool


def goals(report: Report) -> Iterator[Goal]:
    """Those of which something was measured."""
    yield from _throughput(report)
    yield from _latency(report)
    yield from _sessions(report)
    for one in report.sessions:
        for what, share in (("", one.share), (", into the journal", one.share_into_journal)):
            yield Goal(
                f"NETCONF, {one.stream.octets:,} octets, {one.stream.packets} packets{what}: "
                "of the bare library's",
                f">= {OF_THE_LIBRARY:.0%}", f"{share:.0%}", share >= OF_THE_LIBRARY,
            )  # fmt: skip
    for cost in report.transports:
        yield Goal(
            f"{cost.transport}, {cost.encoding}, {cost.octets:,} octets: of the bare library's",
            f">= {OF_THE_LIBRARY:.0%}", f"{cost.share:.0%}", cost.share >= OF_THE_LIBRARY,
        )  # fmt: skip
    if report.start is not None:
        start = report.start
        for what, seconds in (
            ("collector run listens", start.listening),
            (f"the same with {start.devices:,} devices", start.listening_many),
        ):
            yield Goal(what, f"< {START_SECONDS:g} s", f"{seconds:.2f} s", seconds < START_SECONDS)
        heavy = ", ".join(start.heavy) or f"nothing, {start.import_collector * 1e3:.0f} ms"
        yield Goal("import collector loads", "nothing heavy", heavy, not start.heavy)
    for many in report.memory:
        yield Goal(
            f"memory, {many.devices:,} devices x {many.run.load.cards} cards, {many.run.rate:,} "
            "messages/s",
            f"<= {MEMORY / 1e6:.0f} MB", f"{many.peak / 1e6:.0f} MB", many.peak <= MEMORY,
        )  # fmt: skip


def _sessions(report: Report) -> Iterator[Goal]:
    for one in report.many_sessions:
        what = f"{one.devices:,} NETCONF sessions{' by call home' * one.calling}"
        yield Goal(
            f"{what}: memory", f"<= {SESSIONS_MEMORY / 2**30:g} GiB", f"{one.peak / 2**20:.0f} MiB",
            one.peak <= SESSIONS_MEMORY,
        )  # fmt: skip
        yield Goal(
            f"{what}: idle, of a core", f"< {SESSIONS_IDLE:.0%}", f"{one.idle:.1%}",
            one.idle < SESSIONS_IDLE,
        )  # fmt: skip
        most = max(one.up.most_a_second, one.back.most_a_second)
        yield Goal(
            f"{what}: opened in a second", f"<= {SESSIONS_A_SECOND} (+10 %)", f"{most:.0f}",
            most <= 1.1 * SESSIONS_A_SECOND,
        )  # fmt: skip


def _throughput(report: Report) -> Iterator[Goal]:
    best = report.best
    if report.runs:
        load, lanes = report.runs[0].load, report.runs[0].lanes
        rate = RATE[report.path] if lanes == 1 else RATE_OF_LANES
        found = 0 if best is None else best.rate
        if load.octets < SEGMENTED_OCTETS:
            yield Goal(
                f"messages/s of {load.octets} octets, {lanes} lane{'s' * (lanes > 1)}, "
                f"{report.path}", f">= {rate:,}", f"{found:,}", found >= rate,
            )  # fmt: skip
        else:
            speed = 0.0 if best is None else best.megabytes
            yield Goal(
                f"MB/s of {load.octets:,} octets in segments", f">= {SEGMENTED_MEGABYTES}",
                f"{speed:.0f}", speed >= SEGMENTED_MEGABYTES,
            )  # fmt: skip
    if report.ingest is not None and report.ingest.best is not None:
        a_core = report.ingest.best.a_core
        yield Goal(
            "into the journal, messages/s a core", f">= {INGEST_A_CORE:,}", f"{a_core:,.0f}",
            a_core >= INGEST_A_CORE,
        )  # fmt: skip


def _latency(report: Report) -> Iterator[Goal]:
    for one in report.latency:
        for what, spread in (("early", one.early), ("at the deadline", one.deadline)):
            if spread is not None:
                yield Goal(
                    f"verdict at a live sink, {what}, {one.run.rate:,} messages/s",
                    f"<= {VERDICT_MS} ms", spread.text, spread.most <= VERDICT_MS,
                )  # fmt: skip
    if report.lone is None:
        return
    for what, spread, most in (
        ("in the journal file", report.lone.journal, LONE_MS),
        ("folded, its verdict at a live sink", report.lone.folded, LONE_MS),
        ("in a Parquet file", report.lone.stored, STORED_MS),
    ):
        if spread is not None:
            yield Goal(
                f"a lone datagram is {what}", f"<= {most:,} ms", spread.text, spread.most <= most
            )
