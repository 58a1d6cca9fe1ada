"""What was measured, as tables for people and as plain values for programs. Measures nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich.table import Table

from tests.bench.bare import Bare
from tests.bench.end_to_end import EndToEnd
from tests.bench.search import Found
from tests.bench.stages import StageCost

GOAL_RATE = 110_000
"""Messages a second on one core, without a compiler: stored and judged, nothing dropped."""


_RESULTS = {"no loss": "[green]no loss[/]", "behind": "[yellow]behind[/]", "loss": "[red]loss[/]"}


class Report(msgspec.Struct):
    """Everything of one run; what was not asked for is empty."""

    machine: str
    reference_microseconds: float
    """What ``json.loads`` takes for one payload, here and now: tells a slow moment from a slow
    program."""
    stages: list[StageCost] = []
    runs: list[EndToEnd] = []
    found: Found | None = None
    bare: Bare | None = None
    """At the best rate."""
    flat_out: Bare | None = None
    """The same loop with all that the sender can send; what was dropped does not count."""

    @property
    def best(self) -> EndToEnd | None:
        """The highest rate that was sustained without loss."""
        good = [one for one in self.runs if one.sustained]
        return max(good, key=lambda one: one.rate) if good else None


def plain(report: Report) -> dict[str, Any]:
    """The report with what follows from it, for ``--json``."""
    found: dict[str, Any] = msgspec.to_builtins(report)
    for stage, value in zip(report.stages, found["stages"], strict=True):
        value |= {"microseconds": stage.microseconds, "a_core": stage.rate}
    found["runs"] = [run_values(one) for one in report.runs]
    if report.found is not None:
        found["found"]["steps"] = [
            {"rate": one.rate, "good": one.good, "microseconds": one.run.microseconds}
            for one in report.found.steps
        ]
        del found["found"]["best"]
    best = report.best
    found["lossless_rate"] = best.rate if best is not None else 0
    for name in ("bare", "flat_out"):
        one: Bare | None = getattr(report, name)
        if one is not None:
            found[name] |= {"microseconds": one.microseconds, "a_core": one.a_core}
    if best is not None and report.bare is not None:
        found["times_the_bare_loop"] = best.microseconds / report.bare.microseconds
    return found


def run_values(run: EndToEnd) -> dict[str, Any]:
    """One run with what follows from it."""
    value: dict[str, Any] = msgspec.to_builtins(run)
    for name in (
        "rate", "microseconds", "a_core", "megabytes", "busy", "lossless", "sustained", "result",
    ):  # fmt: skip
        value[name] = getattr(run, name)
    return value


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
        "messages/s", "MB/s", "devices", "cards", "updates", "CPU µs", "a core", "busy", "drops",
        "stored", "right", "RSS",
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
            f"{one.kernel_drops:,}",
            share(min(one.journalled, one.update_rows), one.sent),
            share(one.true, one.periods),
            f"{one.peak_rss / 2**20:,.0f} MiB",
            _RESULTS[one.result],
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


def summary(report: Report) -> list[str]:
    """The sentences below the tables."""
    lines = []
    if report.runs:
        lines += _about_runs(report)
    bare, flat = report.bare, report.flat_out
    if bare is not None and flat is not None:
        lines.append(
            f"A loop that only empties the socket (recvmmsg) takes {bare.microseconds:.2f} µs a "
            f"message at the best rate, and {flat.microseconds:.2f} µs with all that the sender "
            f"can send ({flat.a_core:,.0f} messages/s a core)."
        )
    lines.append(
        f"Reference: json.loads takes {report.reference_microseconds:.1f} µs for one payload here "
        "and now."
    )
    return lines


def _about_runs(report: Report) -> list[str]:
    first, best = report.runs[0], report.best
    burst, lost = first.load.burst, first.load.loss
    lines = [
        f"Every device sends {burst} messages of its {first.load.cards} line cards in each period "
        f"of {first.load.period / 1e9:g} s at the first rate; {first.load.octets:,} octets of "
        f"{first.load.encoding.upper()} a message"
        + (f", {lost:.2%} of the datagrams lost on purpose." if lost else "."),
        f"Receive buffer granted by the kernel: {first.granted_buffer / 2**20:.1f} MiB "
        f"(about {first.granted_buffer // 2304:,} datagrams); the sender cuts datagrams "
        + (
            f"in the kernel (GSO), up to {max(one.datagrams_a_train for one in report.runs):.0f} "
            "at once"
            if first.gso
            else "itself, one call for many"
        )
        + f", and takes {min(one.sender_microseconds for one in report.runs):.2f} µs a message.",
    ]
    late = max(one.late_seconds for one in report.runs)
    if late > 0.25:
        lines.append(f"The sender was up to {late:.2f} s late: it or this machine was too busy.")
    for run in report.runs if not any(one.kernel_drops for one in report.runs) else ():
        lines += [f"Wrong at {run.rate:,} messages/s: {one}." for one in run.examples]
    if report.found is not None:
        lines.append(f"The search ended after {report.found.seconds:.0f} s: {report.found.why}.")
    if best is None:
        return [*lines, "No rate was without loss."]
    ratio = ""
    if report.bare is not None:
        ratio = f", {best.microseconds / report.bare.microseconds:.1f} times the bare loop"
    lines.append(
        f"Highest rate without loss: {best.rate:,} messages/s (goal {GOAL_RATE:,} on one core), "
        f"{best.megabytes:,.0f} MB/s, {best.microseconds:.2f} µs of CPU a message{ratio}."
    )
    return lines
