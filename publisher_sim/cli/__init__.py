"""The ``publisher-sim`` command.

Does: choose the sub-command and turn errors into one clear sentence. Does not: know what a
command does; each lives in a file of its own, imported only when it is used. Rules: exit status 0
done, 2 it could not be done, 130 stopped with Ctrl-C; a reader who has seen enough (``| head``) is
no error. Never a traceback, unless ``PUBLISHER_SIM_DEBUG=1`` is set.
"""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module

import click

from collector.errors import CollectorError

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
    if sys.stdout is None:  # closed by who started us; a socket must not become descriptor 1
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the whole life of the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot show is no end
    sys.exit(status_of(args))


def status_of(args: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    debug = os.environ.get("PUBLISHER_SIM_DEBUG", "") not in ("", "0")
    try:
        status = _invoke(sys.argv[1:] if args is None else args)
        sys.stdout.flush()
    except click.exceptions.Exit as left:
        return left.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except click.ClickException as error:
        click.echo(_usage_text(error), err=True)
        return 2
    except BrokenPipeError:
        # keep Python from flushing into nothing at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        click.echo(f"publisher-sim: {_sentence(error)}", err=True)
        return 2
    return status if isinstance(status, int) else 0


def _invoke(args: list[str]) -> object:
    """Run a command; unlike ``cli.main`` a broken pipe stays what it is."""
    if "_PUBLISHER_SIM_COMPLETE" in os.environ:
        return cli.main(args, prog_name="publisher-sim")
    with cli.make_context("publisher-sim", args) as context:
        return cli.invoke(context)


def _usage_text(error: click.ClickException) -> str:
    """One sentence for a wrong option or argument, and where the right ones are."""
    context = getattr(error, "ctx", None)
    if context is None:
        return f"publisher-sim: {_printable(error.format_message())}"
    if type(error).__name__ == "NoArgsIsHelpError":  # not in every click that we take
        return str(context.get_help())
    sentence = _printable(error.format_message()).rstrip(".")
    return f"publisher-sim: {sentence}; see {context.command_path} --help"


def _sentence(error: Exception) -> str:
    if isinstance(error, CollectorError):
        return _printable(str(error))
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return _printable(f"{error.filename} cannot be used: {error.strerror}")
    return (
        f"unexpected {type(error).__name__}: {_printable(str(error))}"
        " (set PUBLISHER_SIM_DEBUG=1 for where, and please report it)"
    )


def _printable(text: str) -> str:
    # names come from files and captures, and an escape sequence must not reach the terminal
    return "".join(letter if letter.isprintable() else " " for letter in text)
