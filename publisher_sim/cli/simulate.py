"""``publisher-sim simulate``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from collector.command_line import Whole


@click.command(epilog="Example: publisher-sim simulate quiet --periods 40 --pcap lab.pcap")
@click.argument("scenario")
@click.option("--truth", type=click.Path(path_type=Path, dir_okay=False), help="Truth file.")
@click.option(
    "--pcap", type=click.Path(path_type=Path, dir_okay=False), help="Capture of what was sent."
)
@click.option("--periods", type=Whole(1), help="Instead of the scenario's.")
@click.option("--seed", type=Whole(0), help="Instead of the scenario's.")
def simulate(
    scenario: str, truth: Path | None, pcap: Path | None, periods: int | None, seed: int | None
) -> None:
    """Run SCENARIO in memory and in pretend time; nothing is sent.

    What would have been sent over UDP can be kept as a capture.
    """
    from collections import Counter

    from collector.errors import UsageError
    from publisher_sim.cli.numbers import counted
    from publisher_sim.cli.scenario_argument import read_scenario
    from publisher_sim.device.run import override
    from publisher_sim.device.simulate import Simulation, capture
    from publisher_sim.distort.files import write
    from publisher_sim.truth import file as truth_file

    wanted = override(read_scenario(scenario), seed=seed, periods=periods)
    if not wanted.periods:
        raise UsageError("an endless scenario cannot be simulated (--periods)")
    if truth is not None and truth == pcap:
        raise UsageError("--truth and --pcap name the same file")
    simulation = Simulation(wanted)
    said = list(simulation.run())
    (header, rows), records = simulation.truth(), simulation.records()
    files: dict[Path, Iterable[bytes | memoryview]] = {}
    if truth is not None:
        files[truth] = truth_file.encode(header, rows, records)
    if pcap is not None:
        files[pcap] = [capture(wanted, said)]
    write(files)
    kinds = Counter(one.kind for one in said)
    outcomes = Counter(row.last.outcome for row in rows)
    nouns = [noun for noun in ("datagram", "message", "notification") if kinds[noun]]
    click.echo(", ".join(counted(kinds[noun], noun) for noun in nouns) or "nothing was sent")
    if records:
        patches = sum(one.patch_id is not None for one in records)
        text = f"on-change: {counted(len(records) - patches, 'push-update')}"
        click.echo(f"{text}, {counted(patches, 'push-change-update')}")
    if not rows:
        return
    click.echo(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))
