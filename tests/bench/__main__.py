"""What a message costs: ``python -m tests.bench``.

Each stage alone in CPU microseconds, then the whole way on loopback: a sender on one core, a
collector on another, at given rates or in search of the highest one without loss.
"""

from __future__ import annotations

import gc
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace
from rich.console import Console

from tests.bench import bare, end_to_end, report
from tests.bench.end_to_end import EndToEnd
from tests.bench.load import Load, Plan
from tests.bench.payloads import ENCODINGS
from tests.bench.report import Report
from tests.bench.search import Step, search
from tests.bench.stages import MORE_STAGES, STAGES, Sample, StageCost

RATES = (20_000, 40_000, 60_000, 80_000)
QUICK_RATE = 2_000
FLAT_OUT = 1_500_000
"""Messages a second that no receiver takes."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option("--quick", is_flag=True, help="Tiny sizes: shows that it works, measures nothing.")
@click.option("--stage", "stages", type=click.Choice([*STAGES, *MORE_STAGES, "end-to-end"]),
              multiple=True, help="Only this one; repeatable.")  # fmt: skip
@click.option("--search", "searching", is_flag=True,
              help="Search the highest rate without loss: doubling, then bisection.")  # fmt: skip
@click.option("--budget", type=click.FloatRange(1), default=240, show_default=True,
              help="Seconds for the search.")  # fmt: skip
@click.option("--rate", "rates", type=click.IntRange(8, 5_000_000), multiple=True,
              help="Messages a second; repeatable; with --search the first to try.")  # fmt: skip
@click.option("--seconds", type=click.FloatRange(1, 3600), default=5.0, show_default=True,
              help="Seconds of measured traffic at each rate.")  # fmt: skip
@click.option("--devices", type=click.IntRange(1, 100_000),
              help="Devices; their cards send more often at higher rates. [default: 1000, with "
              "--updates as many as the rate takes]")  # fmt: skip
@click.option("--cards", type=click.IntRange(1, 200), default=8, show_default=True,
              help="Line cards of a device.")  # fmt: skip
@click.option("--updates", type=click.IntRange(1, 1000),
              help="Messages of a card in a period. [default: follows from the rate]")  # fmt: skip
@click.option("--octets", type=click.IntRange(400, 60_000), default=900, show_default=True,
              help="Octets of a payload.")  # fmt: skip
@click.option("--encoding", type=click.Choice([*ENCODINGS]), default="json", show_default=True,
              help="Of the payloads.")  # fmt: skip
@click.option("--mtu", type=click.IntRange(200, 65_507), default=1400, show_default=True,
              help="Octets of a datagram at most; longer messages go in segments.")  # fmt: skip
@click.option("--loss", type=click.FloatRange(0, 0.9), default=0.0, show_default=True,
              help="Share of the datagrams that get lost on the way; the verdicts are compared "
              "with what is true.")  # fmt: skip
@click.option("--period", type=click.FloatRange(0.1, 60), default=1.0, show_default=True,
              help="Seconds of one period, about.")  # fmt: skip
@click.option("--lanes", type=click.IntRange(1, 64), default=1, show_default=True,
              help="Processes of the collector that share the port.")  # fmt: skip
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Where journals and stores are written. [default: the system's]")  # fmt: skip
def main(**wanted: Any) -> None:
    """Measure CPU time, rates, latency and memory of the data path.

    \b
    Examples:
      python -m tests.bench --stage decode --stage engine
      python -m tests.bench --search --devices 1000 --cards 8
      python -m tests.bench --rate 40000 --octets 8950 --loss 0.01
    """
    if wanted["quick"]:
        wanted |= {"devices": wanted["devices"] or 20, "seconds": 1.0, "period": 0.5}
    if wanted["searching"] and not wanted["stages"]:
        wanted["stages"] = ("end-to-end",)
    console = Console(stderr=wanted["as_json"])
    if not console.is_terminal:
        console.width = 120
    found = Report(platform.platform(), reference(wanted))
    measure_stages(found, wanted, console)
    if not wanted["stages"] or "end-to-end" in wanted["stages"]:
        measure_rates(found, wanted)
        console.print(report.run_table(found.runs))
    if wanted["as_json"]:
        json.dump(report.plain(found), sys.stdout, indent=1)
        print()
        return
    for line in report.summary(found):
        console.print(line, highlight=False)


def say(line: str) -> None:
    """A line of progress; standard output is for results."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def load_at(wanted: dict[str, Any], rate: int) -> Load:
    """What is sent at a rate."""
    load = Load(
        cards=wanted["cards"], octets=wanted["octets"], encoding=wanted["encoding"],
        mtu=wanted["mtu"], period=round(wanted["period"] * 100) * 10_000_000, loss=wanted["loss"],
    )  # fmt: skip
    devices, updates = wanted["devices"], wanted["updates"]
    if updates is None:
        return replace(load, devices=devices or 1000).at_rate(rate)
    load = replace(load, updates=updates)
    if devices is None:
        return load.with_devices_for(rate)
    period = max(10, round(devices * load.burst / rate * 100)) * 10_000_000
    return replace(load, devices=devices, period=period)


def reference(wanted: dict[str, Any]) -> float:
    """CPU us of ``json.loads`` for one payload."""
    payload = Sample(Load(devices=1, cards=1, octets=max(900, wanted["octets"])), 1)
    text = payload.batches[0].payload[0]
    begun = time.process_time()
    for _ in range(2000):
        json.loads(text)
    return (time.process_time() - begun) / 2000 * 1e6


def measure_stages(found: Report, wanted: dict[str, Any], console: Console) -> None:
    """Every stage alone, with the same messages."""
    stages = wanted["stages"]
    names = [name for name in STAGES if name in stages or not stages]
    names += [name for name in MORE_STAGES if name in stages]
    if not names:
        return
    load = load_at(wanted, 8_000)
    sample = Sample(replace(load, devices=8), 3) if wanted["quick"] else Sample(load, 9)
    for name in names:
        say(f"stage {name}")
        gc.collect()
        cost: StageCost = (STAGES | MORE_STAGES)[name](sample)
        found.stages.append(cost)
    console.print(report.stage_table(found.stages))


def measure_rates(found: Report, wanted: dict[str, Any]) -> None:
    """Every rate, or those of the search, and the bare loop at the best one."""

    def attempt(rate: int) -> EndToEnd:
        load = load_at(wanted, rate)
        quick, seconds = wanted["quick"], wanted["seconds"]
        plan = end_to_end.quick(load) if quick else Plan.of_seconds(load, seconds)
        run = end_to_end.run(plan, folder=wanted["folder"], lanes=wanted["lanes"])
        found.runs.append(run)
        return run

    if wanted["searching"]:

        def tell(step: Step, left: float) -> None:
            say(f"{report.progress(step.run)}; {max(0.0, left):.0f} s left")

        start = (wanted["rates"] or (QUICK_RATE if wanted["quick"] else RATES[0],))[0]
        found.found = search(attempt, start=start, budget_seconds=wanted["budget"], tell=tell)
    else:
        for rate in wanted["rates"] or ((QUICK_RATE,) if wanted["quick"] else RATES):
            say(report.progress(attempt(rate)))
    best = found.best or found.runs[0]
    seconds = 0.5 if wanted["quick"] else 2.0
    buffer = end_to_end.RECEIVE_BUFFER
    say("the bare loop")
    found.bare = bare.bare_loop(Plan.of_seconds(best.load, seconds, warm=False), buffer)
    flat = load_at(wanted, QUICK_RATE if wanted["quick"] else FLAT_OUT)
    found.flat_out = bare.bare_loop(Plan.of_seconds(flat, seconds / 2, warm=False), buffer)


if __name__ == "__main__":
    main()
