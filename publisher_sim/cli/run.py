"""``publisher-sim run``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from collector.command_line import Whole
from publisher_sim.cli.numbers import Number

EXAMPLE = """Example:

  PUBLISHER_SIM_PASSWORD=secret publisher-sim run four-cards --receiver 127.0.0.1:10003
"""


@click.command(epilog=EXAMPLE)
@click.argument("scenario")
@click.option("--receiver", metavar="HOST:PORT", help="Where the cards push to.")
@click.option("--netconf-port", type=Whole(0, 65535), help="0 takes any free port.")
@click.option("--call-home", metavar="HOST[:PORT]", help="Collector that it calls (RFC 8071).")
@click.option("--address", help="Loopback address of the device.")
@click.option(
    "--truth",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Truth file, grows with the run.",
)
@click.option("--seed", type=Whole(0), help="Instead of the scenario's.")
@click.option("--duration", type=Number(0, 1e9, min_open=True), help="Seconds, then stop.")
@click.option("--in-process", is_flag=True, help="Cards as tasks, not as processes.")
@click.option("-v", "--verbose", is_flag=True, help="Say what happens, also without a terminal.")
def run(
    scenario: str,
    receiver: str | None,
    netconf_port: int | None,
    call_home: str | None,
    address: str | None,
    truth: Path | None,
    seed: int | None,
    duration: float | None,
    in_process: bool,
    verbose: bool,
) -> None:
    """Run the device of SCENARIO (a file, or a packaged name) until its periods are over.

    Prints one JSON line when subscribers can come. The password for them comes from the file or the
    environment variable that the scenario names. SIGTERM and Ctrl-C end it in good order.
    """
    from publisher_sim.cli.scenario_argument import read_scenario
    from publisher_sim.device.run import override, run_device

    wanted = override(
        read_scenario(scenario),
        receiver=receiver,
        netconf_port=netconf_port,
        call_home=call_home,
        address=address,
        seed=seed,
    )
    quiet = not (verbose or sys.stderr.isatty())
    run_device(wanted, truth=truth, duration=duration, in_process=in_process, quiet=quiet)
