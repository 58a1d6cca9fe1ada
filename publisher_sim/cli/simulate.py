"""``publisher-sim simulate``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: publisher-sim simulate four-cards --truth truth.jsonl")
@click.argument("scenario")
@click.option("--truth", type=click.Path(path_type=Path, dir_okay=False), help="Truth file.")
@click.option("--seed", type=click.IntRange(0), help="Instead of the scenario's.")
def simulate(scenario: str, truth: Path | None, seed: int | None) -> None:
    """Run SCENARIO in memory and in pretend time; nothing is sent."""
    from collections import Counter

    from collector.errors import UsageError
    from publisher_sim import truth_file
    from publisher_sim.cli.scenario_argument import read_scenario
    from publisher_sim.run import override
    from publisher_sim.simulate import simulate as run

    wanted = override(read_scenario(scenario), seed=seed)
    if not wanted.periods:
        raise UsageError("an endless scenario cannot be simulated (set periods)")
    said, header, rows = run(wanted)
    if truth is not None:
        try:
            truth_file.write(truth, header, rows)
        except OSError as error:
            raise UsageError(f"{truth} cannot be written: {error.strerror}") from error
    kinds = Counter(one.kind for one in said)
    outcomes = Counter(row.last.outcome for row in rows)
    click.echo(f"{kinds['datagram']} datagrams, {kinds['notification']} notifications")
    click.echo(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))
