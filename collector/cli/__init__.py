"""The ``collector`` command.

Does: choose the sub-command and turn errors into one clear sentence. Does not: know what a
command does; each lives in a file of its own, imported only when it is used.
Rules: exit status 0 done, 1 the answer is "no" (a check failed), 2 it could not be done, 130
stopped with Ctrl-C. Never a traceback, unless ``COLLECTOR_DEBUG=1`` is set.
"""

from __future__ import annotations

import difflib
import errno
import io
import os
import sys
from importlib import import_module

import click

from collector.errors import CollectorError

COMMANDS = {
    "run": ("collector.cli.run:run", "Receive, judge and store, until stopped."),
    "demo": ("collector.cli.demo:demo", "Show all of it on this machine, no config needed."),
    "init": ("collector.cli.init:init", "Write a commented configuration."),
    "check-config": (
        "collector.cli.check_config:check_config",
        "Say whether a configuration can be used.",
    ),
    "subscribe": (
        "collector.cli.subscribe:subscribe",
        "Subscribe once to HOST and print the updates and verdicts that come.",
    ),
    "capabilities": (
        "collector.cli.capabilities:capabilities",
        "Ask a device what can be subscribed to, and how.",
    ),
    "verdicts": ("collector.cli.verdicts:verdicts", "Show the verdicts, or follow new ones."),
    "query": ("collector.cli.query:query", "Ask the store in SQL."),
    "replay": (
        "collector.cli.replay:replay",
        "Judge captures, or a journal again.",
    ),
    "decode": ("collector.cli.decode:decode", "Show the messages of captures."),
    "conformance": (
        "collector.cli.conformance:conformance",
        "Say which rules of the standards a publisher keeps and breaks.",
    ),
    "status": ("collector.cli.status:status", "What the running collector is doing."),
    "devices": (
        "collector.cli.devices:devices",
        "Devices of the running collector, and senders that belong to none.",
    ),
    "configure": (
        "collector.cli.configure:configure",
        "Configure subscriptions and receivers on devices (RFC 8639, section 2.5).",
    ),
    "reload": (
        "collector.cli.reload:reload",
        "Have the running collector read its configuration again.",
    ),
    "resync": (
        "collector.cli.resync:resync",
        "Have a device send its on-change subscriptions as a whole once more.",
    ),
    "kill": (
        "collector.cli.kill:kill",
        "End a dynamic subscription of a device, whoever established it.",
    ),
    "yang": ("collector.cli.yang:yang_group", "Work with YANG modules."),
    "completion": (
        "collector.cli.completion:completion",
        "Print the completion script of a shell.",
    ),
}
"""name -> (where the command is, its line in the overview)"""


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a write says when its disk is full or broken; without a file name it is that of the output,
since journal and store say themselves what they could not write."""

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None when there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a wrong name gets the nearest right one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f", did you mean {near[0]}?" if near else ""
            ctx.fail(f"there is no command {args[0]}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The overview, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from collector.cli.versions import version_text

        click.echo(version_text())
        ctx.exit()


@click.group(cls=LazyGroup, context_settings=SETTINGS)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version,
    help="Show the versions of the collector and of what it stands on.",
)  # fmt: skip
def cli() -> None:
    """A YANG-Push telemetry collector that says, for every period of every subscription, whether
    each line card delivered its piece, and if not, which one and why.

    Start with: collector demo
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot show is no end
    sys.exit(status_of(args))


def _open_closed_streams() -> None:
    """Who closed our output (``>&-``) wants none; a socket must not become descriptor 1 or 2."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the whole life of the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def status_of(args: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    debug = os.environ.get("COLLECTOR_DEBUG", "") not in ("", "0")
    try:
        result = _invoke(sys.argv[1:] if args is None else args)
        sys.stdout.flush()
    except click.exceptions.Exit as left:
        return left.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except click.ClickException as error:
        click.echo(_usage_text(error), err=True)
        return 2
    except BrokenPipeError:
        # whoever read us (head, less) has seen enough; keep Python from flushing into nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except CollectorError as error:
        if debug:
            raise
        for text in (str(error), *getattr(error, "__notes__", ())):
            click.echo(f"collector: {_printable(text)}", err=True)
        return 2
    except Exception as error:  # the last door: a person reads this
        if debug:
            raise
        click.echo(f"collector: {_last_words(error)}", err=True)
        return 2
    return result if isinstance(result, int) else 0


def _invoke(args: list[str]) -> object:
    """Run a command; unlike ``cli.main`` a broken pipe stays what it is and is no answer "no"."""
    if "_COLLECTOR_COMPLETE" in os.environ:
        return cli.main(args, prog_name="collector")
    with cli.make_context("collector", args) as context:
        return cli.invoke(context)


def _usage_text(error: click.ClickException) -> str:
    """One sentence for a wrong option or argument, and where the right ones are."""
    context = getattr(error, "ctx", None)
    if context is None:
        return f"collector: {_printable(error.format_message())}"
    if type(error).__name__ == "NoArgsIsHelpError":  # not in every click that we take
        return str(context.get_help())
    sentence = _printable(error.format_message()).rstrip(".")
    return f"collector: {sentence}; see {context.command_path} --help"


def _last_words(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return _printable(f"{error.filename} cannot be used: {error.strerror}")
    if isinstance(error, OSError) and error.errno in _FULL:
        return f"the output cannot be written: {error.strerror}"
    return (
        f"unexpected {type(error).__name__}: {_printable(str(error))}"
        " (set COLLECTOR_DEBUG=1 for where, and please report it)"
    )


def _printable(text: str) -> str:
    # a peer's words can be in an error, and an escape sequence must not reach the terminal
    return "".join(letter if letter.isprintable() else " " for letter in text)
