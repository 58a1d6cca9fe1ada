"""The ``collector`` command.

Does: name the sub-commands. Does not: know what one does; each lives in a file of its own, imported
only when it is used, and what they end with is ``command_line``'s.
"""

from __future__ import annotations

import click

from collector import command_line
from collector.command_line import LazyGroup

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
    "plugins": (
        "collector.cli.plugins:plugins",
        "Receivers, encodings and sinks that are installed, of any package.",
    ),
    "yang": ("collector.cli.yang:yang_group", "Work with YANG modules."),
    "completion": (
        "collector.cli.completion:completion",
        "Print the completion script of a shell.",
    ),
}
"""name -> (where the command is, its line in the overview)"""

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from collector.cli.versions import version_text

        click.echo(version_text())
        ctx.exit()


@click.group(cls=LazyGroup, overview=COMMANDS, context_settings=SETTINGS)
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
    command_line.run("collector", cli, args)


def status_of(args: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return command_line.status_of("collector", cli, args)
