"""The ``publisher-sim`` command.

Does: choose the sub-command and turn errors into one clear sentence. Does not: know what a
command does; each lives in a file of its own, imported only when it is used. Rules: exit status 0
done, 2 it could not be done, 130 stopped with Ctrl-C. Never a traceback, unless
``PUBLISHER_SIM_DEBUG=1`` is set.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from collector.errors import CollectorError

COMMANDS = {
    "run": ("publisher_sim.cli.run:run", "Run a device on real sockets."),
    "check": ("publisher_sim.cli.check:check", "Say whether a scenario is good."),
    "simulate": ("publisher_sim.cli.simulate:simulate", "Run a scenario in pretend time."),
    "distort": ("publisher_sim.cli.distort:distort", "Put known faults into a capture."),
    "scenarios": ("publisher_sim.cli.scenarios:scenarios", "List or print packaged scenarios."),
}
"""name -> (where the command is, its line in the overview)"""
HIDDEN = {"agent": "publisher_sim.cli.agent:agent"}
"""What the device starts itself."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands that people use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None when there is none of this name."""
        where = COMMANDS[cmd_name][0] if cmd_name in COMMANDS else HIDDEN.get(cmd_name)
        if where is None:
            return None
        module, _, attribute = where.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The overview, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: publisher-sim run four-cards --receiver 127.0.0.1:10003",
)
def cli() -> None:
    """A simulated device whose line cards push YANG-Push telemetry on their own, and break.

    What it deserves to be told about every period goes into a truth file.
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    sys.exit(status_of(args))


def status_of(args: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    debug = os.environ.get("PUBLISHER_SIM_DEBUG", "") not in ("", "0")
    try:
        # click hands an early exit back as a value
        status = cli.main(args, prog_name="publisher-sim", standalone_mode=False)
    except click.exceptions.Exit as left:
        return left.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except CollectorError as error:
        if debug:
            raise
        click.echo(f"publisher-sim: {error}", err=True)
        return 2
    return status if isinstance(status, int) else 0
