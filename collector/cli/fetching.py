"""What ``collector yang fetch`` does: find the device, fetch, say what became of it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from collector.cli.options import DEFAULT_FOLDER
from collector.cli.reaching import reach
from collector.service.modules import Fetched, Progress, fetch_modules
from collector.subscriber.sessions.session import settings_from

REFUSED_SHOWN = 20
"""Modules that are named in the text for people (ours); --json names all."""


def fetch_for(
    target: str, config_file: str | None, output: str | None, options: Mapping[str, Any]
) -> Fetched:
    """Fetch the modules of a device of the configuration, or of a host.

    Raises:
        UsageError: nobody knows how to reach it.
        CollectorError: as ``service.modules.fetch_modules``.
    """
    logging.basicConfig(level="ERROR", format="%(message)s", stream=sys.stderr)
    config, device, ways = reach(target, config_file, options)
    assert device.netconf is not None
    data_dir = Path(DEFAULT_FOLDER if config is None else config.collector.data_dir)
    return fetch_modules(
        settings_from(device.netconf, device.name),
        session=device.netconf.session,
        folder=None if output is None else Path(output),
        cache=data_dir / "modules",
        progress=_progress(),
        device=device.name,
        ways=ways,
    )


def _progress() -> Progress:
    """A line on standard error that is written over; in a log one in a hundred."""
    watched = sys.stderr.isatty()

    def show(done: int, total: int, name: str) -> None:
        if watched:
            click.echo(f"\r\x1b[K{done}/{total} {name[:60]}", err=True, nl=False)
        elif done % 100 == 0:
            click.echo(f"{done}/{total} {name}", err=True)

    return show


def say(result: Fetched, as_json: bool) -> int:
    """Print what became of it; returns the exit status."""
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    if as_json:
        click.echo(msgspec.json.encode(result).decode())
        return 1 if result.refused else 0
    for one in result.refused[:REFUSED_SHOWN]:
        version = f"@{one.revision}" if one.revision else ""
        click.echo(f"not fetched: {one.module}{version}: {one.why}", err=True)
    if len(result.refused) > REFUSED_SHOWN:
        click.echo(f"and {len(result.refused) - REFUSED_SHOWN} more; see --json", err=True)
    if result.unusable:
        click.echo(f"{result.unusable} entries of the list name no YANG module", err=True)
    click.echo(
        f"{result.fetched} modules fetched, {result.present} were there already,"
        f" {len(result.refused)} not fetched; list from {result.source}\n{result.folder}"
    )
    return 1 if result.refused else 0
