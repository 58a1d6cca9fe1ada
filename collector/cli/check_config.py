"""``collector check-config``."""

from __future__ import annotations

import click

from collector.cli.options import DEFAULT_CONFIG


@click.command(epilog="Example: collector check-config collector.toml")
@click.argument("file", default=DEFAULT_CONFIG, type=click.Path(dir_okay=False))
def check_config(file: str) -> int:
    """Say whether a configuration can be used.

    Every fault is named with its key and with what is allowed; exit status 2 when there is one.
    Nothing is started and no device is asked.
    """
    from collector.config import check_config as check

    config, faults = check(file)
    for fault in faults:
        click.echo(str(fault), err=True)
    if config is None:
        click.echo(f"{len(faults)} fault{'s' if len(faults) != 1 else ''}", err=True)
        return 2
    devices, subscriptions = len(config.devices), len(config.subscriptions)
    click.echo(f"{file}: good; devices: {devices}, subscriptions: {subscriptions}")
    if not devices:
        click.echo("No [[device]] is configured yet, so nothing will be judged.", err=True)
    return 0
