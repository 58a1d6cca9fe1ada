"""What a message costs: ``python -m tests.bench``.

Each stage alone in CPU microseconds, then the whole way on loopback: a sender on one core, a
collector on another, growing rates until something is lost. Takes about 90 seconds.
"""

from __future__ import annotations

import gc
import json
import platform
import sys
import time

import click
import msgspec
from rich.console import Console

from tests.bench import end_to_end, report
from tests.bench.end_to_end import EndToEnd, Shape
from tests.bench.report import Report
from tests.bench.stages import MORE_STAGES, STAGES, Sample, StageCost

RATES = (40_000, 50_000, 61_000, 70_000, 80_000, 100_000)
QUICK_RATE = 2_000


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option("--quick", is_flag=True, help="Tiny sizes: shows that it works, measures nothing.")
@click.option("--seconds", type=click.FloatRange(1, 600), default=5.0, show_default=True,
              help="Seconds of traffic at each rate.")  # fmt: skip
@click.option("--rate", "rates", type=click.IntRange(8, 2_000_000), multiple=True,
              help="Messages a second, instead of the search; repeatable.")  # fmt: skip
@click.option("--stage", "stages", type=click.Choice([*STAGES, *MORE_STAGES, "end-to-end"]),
              multiple=True, help="Only this one; repeatable.")  # fmt: skip
@click.option("--octets", type=click.IntRange(850, 60_000), default=900, show_default=True,
              help="Octets of a payload.")  # fmt: skip
@click.option("--updates", type=click.IntRange(1, 7), default=4, show_default=True,
              help="Messages of a card in one period.")  # fmt: skip
@click.option("--period", type=click.FloatRange(0.1, 60), default=1.0, show_default=True,
              help="Seconds of one period.")  # fmt: skip
def main(
    as_json: bool,
    quick: bool,
    seconds: float,
    rates: tuple[int, ...],
    stages: tuple[str, ...],
    octets: int,
    updates: int,
    period: float,
) -> None:
    """Measure CPU time and rates of the data path.

    Example: python -m tests.bench --stage decode --stage engine
    """
    console = Console(stderr=as_json)
    if not console.is_terminal:
        console.width = 110
    found = Report(platform.platform(), reference(octets))
    single = [name for name in (*STAGES, *MORE_STAGES) if name in stages or not stages]
    single = [name for name in single if name in STAGES or name in stages]
    if single:
        found.stages = measure_stages(single, octets, quick, console)
        if not as_json:
            console.print(report.stage_table(found.stages))
    if not stages or "end-to-end" in stages:
        chosen = rates or ((QUICK_RATE,) if quick else RATES)
        shape = Shape(chosen[0], 2.0 if quick else seconds, octets, updates, round(period * 1e9))
        if quick:
            shape = msgspec.structs.replace(shape, ramp=1, learning=1)
        measure_rates(found, shape, chosen, stop_at_loss=not rates, console=console)
        if not as_json:
            console.print(report.run_table(found.runs, found.bare))
    if as_json:
        json.dump(report.plain(found), sys.stdout, indent=1)
        print()
        return
    for line in report.summary(found):
        console.print(line)


def reference(octets: int) -> float:
    """CPU us of ``json.loads`` for one payload."""
    payload = Sample(1, 1, octets).batches[0].payload[0]
    begun = time.process_time()
    for _ in range(2000):
        json.loads(payload)
    return (time.process_time() - begun) / 2000 * 1e6


def measure_stages(names: list[str], octets: int, quick: bool, console: Console) -> list[StageCost]:
    """Every stage alone, with the same messages."""
    sample = Sample(8, 3, octets) if quick else Sample(1000, 9, octets)
    costs = []
    for name in names:
        with console.status(f"{name} ..."):
            gc.collect()
            costs.append((STAGES | MORE_STAGES)[name](sample))
    return costs


def measure_rates(
    found: Report, shape: Shape, rates: tuple[int, ...], *, stop_at_loss: bool, console: Console
) -> None:
    """Every rate, and the bare loop at the best one."""
    for rate in rates:
        with console.status(f"end to end, {rate:,} messages/s ..."):
            found.runs.append(end_to_end.run(msgspec.structs.replace(shape, rate=rate)))
        if stop_at_loss and not found.runs[-1].lossless:
            break
    best: EndToEnd = found.best or found.runs[0]
    with console.status("the bare loop ..."):
        at = msgspec.structs.replace(shape, rate=best.rate, seconds=2.0)
        found.bare = end_to_end.bare_loop(at)


if __name__ == "__main__":
    main()
