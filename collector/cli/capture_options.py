"""Options of the commands that read captures: where the terms come from, which port it is."""

from __future__ import annotations

from typing import Any

import click

from collector.command_line import Whole


def capture_options(function: Any) -> Any:
    """``-c``, ``--port``, ``--period``, ``--expect``."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_OPTIONS = (
    click.option(
        "-c", "--config", "config_file", type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Names of devices, graces, terms; of a journal instead of those that it remembers.",
    ),
    click.option(
        "--port", "ports", type=Whole(1, 65535), multiple=True, metavar="N",
        help="Destination port of UDP-notif in a capture.  [default: found; repeatable]",
    ),
    click.option(
        "--period", "periods", multiple=True, metavar="[DEVICE/]ID=SECONDS",
        help="Period of a subscription that nobody names.  [repeatable]",
    ),
    click.option(
        "--expect", "expected", multiple=True, metavar="[DEVICE/]ID=GEN,GEN",
        help="Generators that must deliver in every period.  [repeatable]",
    ),
)  # fmt: skip
