"""``publisher-sim check``."""

from __future__ import annotations

import click


@click.command(epilog="Example: publisher-sim check my-device.toml")
@click.argument("scenario")
def check(scenario: str) -> None:
    """Say whether SCENARIO (a file, or a packaged name) can be used, and what it is."""
    from publisher_sim.cli.numbers import counted
    from publisher_sim.cli.scenario_argument import read_scenario
    from publisher_sim.master import MasterPublisher

    found = read_scenario(scenario)
    MasterPublisher(found).configure(0)  # what its configuration holds is read there
    asked = "dynamic" if found.configured is None else "configured"
    if found.configuration is not None:
        asked = "configured over NETCONF"
    shows = "" if found.continuity == "none" else f", losses show by {found.continuity}"
    periods = counted(found.periods, "period") if found.periods else "endless periods"
    click.echo(
        f"{found.name}: {counted(len(found.card), 'card')}, {periods} of "
        f"{found.period.seconds:g} s, {counted(len(found.fault), 'fault')}, "
        f"grace {found.effective_grace / 1e9:g} s; {asked}, over {found.receiver.transport}: "
        f"{', '.join(found.encodings)}{shows}"
    )
