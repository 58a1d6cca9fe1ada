"""What was measured, as tables for people and as plain values for programs. Measures nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich.table import Table

from tests.bench.end_to_end import Bare, EndToEnd
from tests.bench.stages import StageCost
from tests.bench.traffic import CARDS

GOAL_RATE = 60_000
"""Messages a second on one core, stored and judged, nothing dropped."""


class Report(msgspec.Struct):
    """Everything of one run; what was not asked for is empty."""

    machine: str
    reference_microseconds: float
    """What ``json.loads`` takes for one payload, here and now: tells a slow moment from a slow
    program."""
    stages: list[StageCost] = []
    runs: list[EndToEnd] = []
    bare: Bare | None = None

    @property
    def best(self) -> EndToEnd | None:
        """The highest rate without loss."""
        good = [one for one in self.runs if one.lossless]
        return max(good, key=lambda one: one.rate) if good else None


def plain(report: Report) -> dict[str, Any]:
    """The report with what follows from it, for ``--json``."""
    found: dict[str, Any] = msgspec.to_builtins(report)
    for stage, value in zip(report.stages, found["stages"], strict=True):
        value["microseconds"] = stage.microseconds
    for run, value in zip(report.runs, found["runs"], strict=True):
        value |= {"microseconds": run.microseconds, "lossless": run.lossless}
    best = report.best
    found["lossless_rate"] = best.rate if best is not None else 0
    if report.bare is not None:
        found["bare"]["microseconds"] = report.bare.microseconds
    return found


def stage_table(stages: Iterable[StageCost]) -> Table:
    """One line a stage."""
    table = Table(title="Stages, each alone", title_justify="left")
    table.add_column("stage")
    table.add_column("CPU µs/message", justify="right")
    table.add_column("messages/s/core", justify="right")
    table.add_column("messages", justify="right")
    table.add_column("what")
    for one in stages:
        table.add_row(
            one.stage, f"{one.microseconds:.2f}", f"{one.rate:,.0f}", f"{one.messages:,}", one.note
        )
    return table


def run_table(runs: Sequence[EndToEnd], bare: Bare | None) -> Table:
    """One line a rate."""
    title = "End to end on loopback, one core: received, journalled, judged, in Parquet"
    table = Table(title=title, title_justify="left")
    for name in ("messages/s", "devices", "CPU µs", "core", "drops", "stored", "COMPLETE", "RSS"):
        table.add_column(name, justify="right")
    table.add_column("result")
    for one in runs:
        busy = (one.cpu_seconds - one.stop_cpu_seconds) * one.rate / max(1, one.measured)
        table.add_row(
            f"{one.rate:,}",
            f"{one.devices:,}",
            f"{one.microseconds:.2f}",
            f"{busy:.0%}",
            f"{one.kernel_drops:,}",
            _share(min(one.journalled, one.update_rows), one.sent),
            _share(one.complete, one.periods),
            f"{one.peak_rss / 2**20:,.0f} MiB",
            "[green]no loss[/]" if one.lossless else "[red]loss[/]",
        )
    if bare is not None:
        table.caption = (
            f"A bare recvmmsg loop takes {bare.microseconds:.2f} µs a datagram at the best rate."
        )
        table.caption_justify = "left"
    return table


def _share(part: int, whole: int) -> str:
    """100 % only when it is all."""
    return "100 %" if part == whole else f"{math.floor(1000 * part / whole) / 10:.1f} %"


def summary(report: Report) -> list[str]:
    """The sentences below the tables."""
    lines = []
    if report.runs:
        first, best = report.runs[0], report.best
        burst = round(first.sent / max(1, first.periods))
        lines.append(
            f"Every device sends {burst} messages of its {CARDS} line cards in each period."
        )
        granted = first.granted_buffer
        lines.append(
            f"Receive buffer granted by the kernel: {granted / 2**20:.1f} MiB "
            f"(about {granted // 2304:,} messages); the sender cuts datagrams "
            f"{'in the kernel (GSO)' if first.gso else 'itself, one call for many'}."
        )
        late = max(one.late_seconds for one in report.runs)
        if late > 0.25:
            lines.append(f"The sender was up to {late:.2f} s late: this machine is busy.")
        if best is None:
            lines.append("No rate was without loss.")
        else:
            lines.append(
                f"Highest rate without loss: {best.rate:,} messages/s on one core "
                f"(goal {GOAL_RATE:,}), {best.microseconds:.2f} µs of CPU a message"
                + (
                    f", {best.microseconds / report.bare.microseconds:.1f} times the bare loop."
                    if report.bare is not None
                    else "."
                )
            )
    lines.append(
        f"Reference: json.loads takes {report.reference_microseconds:.1f} µs for one payload here "
        "and now."
    )
    return lines
