"""What ``collector configure`` does: look, show, ask, write, and tell the running collector."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import msgspec

from collector import control
from collector.cli.reaching import ways_of
from collector.command_line import complain
from collector.config import Config, load_config
from collector.errors import UsageError
from collector.service.configuring import (
    Configuring,
    DeviceLook,
    devices_to_configure,
    keep_ids,
)
from collector.service.configuring_words import to_lines, to_plain
from collector.subscriber.configured.writing import How


def configure_all(
    config_file: str,
    names: Sequence[str],
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    wait: float | None,
    how: How,
) -> int:
    """Returns the exit status; ``wait``: seconds for devices to call. Raises ConfigError,
    UsageError, SinkError."""
    logging.basicConfig(level="ERROR", format="%(message)s", stream=sys.stderr)
    config = load_config(config_file)
    devices = devices_to_configure(config, names, prune=how.prune)
    configuring = Configuring(config, how, ways_of(config, wait))
    shown = asyncio.run(configuring.look(devices))
    if dry_run:
        _show(shown, as_json=as_json)
        return 0 if all(one.is_good and not one.is_to_do for one in shown) else 1
    changing = [one for one in shown if one.is_to_do]
    asked = bool(changing) and not yes
    if asked:
        _confirm(shown, len(changing), as_json=as_json)
    written = asyncio.run(configuring.write(changing))
    done = {one.device: one for one in written}
    results = [done.get(one.device, one) for one in shown]
    _show(done.values() if asked else results, as_json=as_json)
    if keep_ids(config, results, remove=how.remove):
        _tell_running(config)
    if how.remove and any(one.written for one in results):
        _say_what_comes_back(config)
    return 0 if all(one.is_good for one in results) else 1


def _show(looks: Iterable[DeviceLook], *, as_json: bool) -> None:
    for one in looks:
        if as_json:
            click.echo(msgspec.json.encode(to_plain(one)).decode())
        else:
            click.echo("\n".join(to_lines(one)))


def _confirm(shown: Sequence[DeviceLook], changing: int, *, as_json: bool) -> None:
    """Raises UsageError, click.Abort."""
    if as_json or not _is_terminal():
        raise UsageError("nobody can be asked whether that is meant; say --yes, or --dry-run")
    _show(shown, as_json=False)
    click.confirm(f"Write this to {changing} device{'s' if changing > 1 else ''}?", abort=True)


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _say_what_comes_back(config: Config) -> None:
    """What was removed and is wanted all the same."""
    for one in config.subscriptions:
        if one.configured_restore:
            complain(
                f"collector: {one.name} has configured_restore = true, so that a collector that"
                " runs puts it back; take that out of the configuration"
            )


def _tell_running(config: Config) -> None:
    """A running collector learns the ids of what was taken over."""
    folder = Path(config.collector.data_dir)
    if not (control.is_running(folder) or control.is_between(folder)):
        return
    try:
        control.ask(folder, "reload")
    except UsageError as error:
        complain(f"collector: {error}; say `collector reload` for the new ids")
