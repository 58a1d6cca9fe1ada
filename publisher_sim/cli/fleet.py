"""``publisher-sim fleet``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from collector.command_line import Whole
from publisher_sim.cli.numbers import Number
from publisher_sim.fleet.members import FIRST_ADDRESS

EXAMPLE = """Example:

  publisher-sim fleet quiet --devices 1000 --cards 8 --print-config > fleet.toml

  publisher-sim fleet quiet --devices 1000 --cards 8 --metrics

  collector run -c fleet.toml

The password is read as in "publisher-sim run", by both.
"""


@click.command(epilog=EXAMPLE)
@click.argument("scenario")
@click.option("--devices", type=Whole(1), default=1000, show_default=True)
@click.option("--cards", type=Whole(0), help="Of each device, instead of the scenario's.")
@click.option("--period", type=Number(0.01, 86_400), help="Seconds, instead of the scenario's.")
@click.option(
    "--first-address",
    metavar="127.X.Y.Z",
    help=f"Of the first device; each next one has the next.  [default: {FIRST_ADDRESS}]",
)
@click.option("--shared-port", is_flag=True, help="One address for all; the user name says which.")
@click.option("--netconf-port", type=Whole(0, 65535), help="0 takes any free port.")
@click.option("--receiver", metavar="HOST:PORT", help="Where the cards push to.")
@click.option("--seed", type=Whole(0), help="Instead of the scenario's.")
@click.option("--periods", type=Whole(0), help="Ticks of the run; 0: until stopped.")
@click.option("--truth", type=click.Path(path_type=Path, file_okay=False), help="Folder of truths.")
@click.option(
    "--known-hosts",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("fleet-known-hosts"),
    show_default=True,
    help="Gets the host key, for the collector.",
)
@click.option("--duration", type=Number(0, 1e9, min_open=True), help="Seconds, then stop.")
@click.option("--metrics", is_flag=True, help="A JSON line of figures every 10 seconds.")
@click.option("--print-config", is_flag=True, help="A collector's configuration, and nothing else.")
@click.option("-v", "--verbose", is_flag=True, help="Say what happens to each device.")
def fleet(
    scenario: str,
    devices: int,
    cards: int | None,
    period: float | None,
    first_address: str | None,
    shared_port: bool,
    netconf_port: int | None,
    receiver: str | None,
    seed: int | None,
    periods: int | None,
    truth: Path | None,
    known_hosts: Path,
    duration: float | None,
    metrics: bool,
    print_config: bool,
    verbose: bool,
) -> None:
    """Run very many devices like SCENARIO in one process, on a loopback address each.

    All listen on one port with one host key. Prints one JSON line when subscribers can come.
    """
    from publisher_sim.cli.scenario_argument import read_scenario
    from publisher_sim.device.run import override
    from publisher_sim.fleet.collecting import collector_config
    from publisher_sim.fleet.members import Muster, members

    if shared_port and first_address is not None:
        raise click.UsageError("--shared-port and --first-address exclude each other")
    wanted = override(
        read_scenario(scenario),
        receiver=receiver, netconf_port=netconf_port, seed=seed, periods=periods, period=period,
    )  # fmt: skip
    muster = Muster(devices, cards, first_address or FIRST_ADDRESS, shared_port)
    all_of_them = members(wanted, muster)
    if print_config and not wanted.netconf.port:
        raise click.UsageError("--print-config needs a --netconf-port that is known before")
    if print_config:
        click.echo(
            collector_config(all_of_them, wanted.netconf.port, str(known_hosts.absolute())),
            nl=False,
        )
        return
    from publisher_sim.fleet.running import run_fleet

    run_fleet(
        all_of_them,
        known_hosts=known_hosts, truth=truth, duration=duration, figures=metrics,
        quiet=not verbose,
    )  # fmt: skip
    sys.stdout.flush()
