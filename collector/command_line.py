"""What the commands ``collector`` and ``publisher-sim`` have alike: their first and last door.

Does: import a sub-command only when it is called, and turn errors into one clear sentence. Does
not: know a command; each program has its own table of them.
Rules: exit status 0 done, 1 the answer is "no" (a check failed), 2 it could not be done, 130
stopped with Ctrl-C; a reader who has seen enough (``| head``) is no error. Never a traceback,
unless ``NAME_DEBUG=1`` is set, as in ``COLLECTOR_DEBUG``.
"""

from __future__ import annotations

import difflib
import errno
import io
import os
import sys
import textwrap
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from collector.errors import CollectorError

Overview = Mapping[str, tuple[str, str]]
"""name -> (``module:attribute`` of the command, its line in the overview); in the order in which a
newcomer meets them."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a write says when its disk is full or broken; without a file name it is that of the output,
since journal and store say themselves what they could not write."""


class Whole(click.IntRange):
    """A whole number from ``min`` to ``max``; give ``min`` at least."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text -> number."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f'"{value}" is no whole number {self._allowed()}', param, ctx)

    def _allowed(self) -> str:
        return f"of {self.min} or more" if self.max is None else f"from {self.min} to {self.max}"


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def __init__(
        self, *args: Any, overview: Overview, hidden: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        """``hidden``: name -> ``module:attribute`` of commands that people do not call."""
        super().__init__(*args, **kwargs)
        self._overview = overview
        self._hidden = hidden or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands that people call."""
        return list(self._overview)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None when there is none of this name."""
        where = self._hidden.get(cmd_name)
        if cmd_name in self._overview:
            where = self._overview[cmd_name][0]
        if where is None:
            return None
        module, _, attribute = where.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a wrong name gets the nearest right one."""
        known = self._overview.keys() | self._hidden.keys()
        if args and args[0] not in known and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self._overview, n=1)
            hint = f", did you mean {near[0]}?" if near else ""
            ctx.fail(f"there is no command {args[0]}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The overview, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._overview.items()])


def run(name: str, group: click.Group, args: list[str] | None = None) -> None:
    """Run the command line of the program ``name`` and leave with its exit status."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot show is no end
    sys.exit(status_of(name, group, args))


def _open_closed_streams() -> None:
    """Who closed our output (``>&-``) wants none; a socket must not become descriptor 1 or 2."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the whole life of the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def status_of(name: str, group: click.Group, args: list[str] | None = None) -> int:
    """Run the command line of the program ``name``; returns the exit status."""
    variable = name.upper().replace("-", "_")
    debug = os.environ.get(f"{variable}_DEBUG", "") not in ("", "0")
    try:
        result = _invoke(name, variable, group, sys.argv[1:] if args is None else args)
        sys.stdout.flush()
    except click.exceptions.Exit as left:
        return left.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except click.ClickException as error:
        complain(_usage_text(name, error))
        return 2
    except BrokenPipeError:
        # whoever read us (head, less) has seen enough; keep Python from flushing into nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the last door: a person reads this
        if debug:
            raise
        for text in _sentences(error, variable):
            complain(f"{name}: {_printable(text)}")
        return 2
    return result if isinstance(result, int) else 0


def complain(text: str) -> None:
    """A sentence on standard error: one line for other programs, whole words in a terminal."""
    if sys.stderr.isatty():
        width = os.get_terminal_size(sys.stderr.fileno()).columns or 80
        lines = (
            textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
            for line in text.split("\n")
        )
        text = "\n".join(part for wrapped in lines for part in wrapped)
    click.echo(text, err=True)


def _invoke(name: str, variable: str, group: click.Group, args: list[str]) -> object:
    """Run a command; unlike ``main`` of click a broken pipe stays what it is and is no "no"."""
    if f"_{variable}_COMPLETE" in os.environ:
        return group.main(args, prog_name=name)
    with group.make_context(name, args) as context:
        return group.invoke(context)


def _usage_text(name: str, error: click.ClickException) -> str:
    """One sentence for a wrong option or argument, and where the right ones are."""
    context = getattr(error, "ctx", None)
    if context is None:
        return f"{name}: {_printable(error.format_message())}"
    if type(error).__name__ == "NoArgsIsHelpError":  # not in every click that we take
        return str(context.get_help())
    sentence = _printable(error.format_message()).rstrip(".")
    return f"{name}: {sentence}; see {context.command_path} --help"


def _sentences(error: Exception, variable: str) -> list[str]:
    """What is said of an error, and what was noted beside it."""
    if isinstance(error, CollectorError):
        return [str(error), *getattr(error, "__notes__", ())]
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return [f"{error.filename} cannot be used: {error.strerror}"]
    if isinstance(error, OSError) and error.errno in _FULL:
        return [f"the output cannot be written: {error.strerror}"]
    where = f"(set {variable}_DEBUG=1 for where, and please report it)"
    return [f"unexpected {type(error).__name__}: {error} {where}"]


def _printable(text: str) -> str:
    # a peer's words can be in an error, and an escape sequence must not reach the terminal
    return "".join(letter if letter.isprintable() else " " for letter in text)
