"""The ``publisher-sim`` command.

Does: name the sub-commands. Does not: know what one does; each lives in a file of its own, imported
only when it is used, and what they end with is ``collector.command_line``'s.
"""

from __future__ import annotations

import click

from collector import command_line
from collector.command_line import LazyGroup

COMMANDS = {
    "run": ("publisher_sim.cli.run:run", "Run a device on real sockets."),
    "fleet": ("publisher_sim.cli.fleet:fleet", "Run very many devices in one process."),
    "check": ("publisher_sim.cli.check:check", "Say whether a scenario is good."),
    "simulate": ("publisher_sim.cli.simulate:simulate", "Run a scenario in pretend time."),
    "distort": ("publisher_sim.cli.distort:distort", "Put known faults into a capture."),
    "scenarios": ("publisher_sim.cli.scenarios:scenarios", "List or print packaged scenarios."),
}
"""name -> (where the command is, its line in the overview)"""
HIDDEN = {"agent": "publisher_sim.cli.agent:agent"}
"""What the device starts itself."""


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from collector import __version__

        click.echo(f"publisher-sim {__version__}, of the collector")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    overview=COMMANDS,
    hidden=HIDDEN,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: publisher-sim run four-cards --receiver 127.0.0.1:10003",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version,
    help="Show the version.",
)  # fmt: skip
def cli() -> None:
    """A simulated device whose line cards push YANG-Push telemetry on their own, and break.

    What it deserves to be told about every period goes into a truth file.
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    command_line.run("publisher-sim", cli, args)


def status_of(args: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return command_line.status_of("publisher-sim", cli, args)
