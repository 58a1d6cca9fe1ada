"""``collector check-config``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from collector.cli.options import DEFAULT_CONFIG

if TYPE_CHECKING:
    from collector.config import Config


@click.command(epilog="Example: collector check-config collector.toml")
@click.argument("file", default=DEFAULT_CONFIG, type=click.Path(dir_okay=False))
def check_config(file: str) -> int:
    """Say whether a configuration can be used.

    Every fault is named with its key and with what is allowed; exit status 2 when there is one.
    Nothing is started and no device is asked. Files of passwords, keys and certificates that cannot
    be read here are said, but are no fault: they may be on another machine. Certificates that can
    be read and not be used are one.
    """
    from collector.config import check_config as check

    config, faults = check(file)
    if config is not None:
        from collector.sections import faults_of

        faults = faults_of(config, file)
    for fault in faults:
        click.echo(str(fault), err=True)
    if config is None or faults:
        click.echo(f"{len(faults)} fault{'s' if len(faults) != 1 else ''}", err=True)
        return 2
    if config.collector.lanes > 1 and not _steerable(config):
        return 2
    from collector.cli.named_files import missing_files, tls_faults

    if unusable := tls_faults(config):
        for why in unusable:
            click.echo(f"{file}: {why}", err=True)
        click.echo(f"{len(unusable)} fault{'s' if len(unusable) != 1 else ''}", err=True)
        return 2
    devices, subscriptions = len(config.devices), len(config.subscriptions)
    click.echo(f"{file}: good; devices: {devices}, subscriptions: {subscriptions}")
    for remark in missing_files(config):
        click.echo(remark, err=True)
    if not devices:
        click.echo("No [[device]] is configured yet, so nothing will be judged.", err=True)
    return 0


def _steerable(config: Config) -> bool:
    """Say how devices are shared out; False when their addresses cannot be steered."""
    from collector.errors import ConfigError
    from collector.lanes.plan import plan_of
    from collector.receivers.sockets.steering import MAX_INSTRUCTIONS

    try:
        plan = plan_of(config, config.collector.lanes)
    except ConfigError as error:
        click.echo(f"{error}\n1 fault", err=True)
        return False
    shares = ", ".join(str(len(lane.devices)) for lane in plan.configs)
    click.echo(
        f"lanes: {plan.lanes}, with {shares} devices; steering them takes {len(plan.program)} of"
        f" {MAX_INSTRUCTIONS} instructions"
    )
    return True
