"""``collector kill``."""

from __future__ import annotations

import sys

import click

from collector.cli.options import json_option
from collector.cli.reaching import reach, reach_options
from collector.command_line import Whole


@click.command(
    epilog="""\b
Examples (a password is in a file or in the environment variable COLLECTOR_PASSWORD):
  collector kill core7 2147483650 -c collector.toml
  collector kill 192.0.2.7 2147483650 --user operator --yes
"""
)
@click.argument("target", metavar="DEVICE|HOST")
@click.argument("subscription_id", metavar="ID", type=Whole(0, 2**32 - 1))
@click.option("--yes", is_flag=True, help="Do not ask.")
@reach_options
@json_option
def kill(
    target: str,
    subscription_id: int,
    yes: bool,
    config_file: str | None,
    as_json: bool,
    **options: object,
) -> None:
    """End a dynamic subscription of a device, whoever established it.

    DEVICE is one of the configuration; a HOST needs --user. `collector devices` shows the ids of
    our own; one of them is established again as long as it is in the configuration. Most devices
    refuse this unless a rule of theirs allows it.
    """
    from collector.errors import UsageError
    from collector.service.killing import kill_subscription
    from collector.subscriber.sessions.session import settings_from

    _, device, ways = reach(target, config_file, options)
    assert device.netconf is not None
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("nobody can be asked whether that is meant; say --yes")
        click.confirm(
            f"End subscription {subscription_id} of {target}, whoever receives it?", abort=True
        )
    settings = settings_from(device.netconf, device.name)
    kill_subscription(
        settings, device.netconf.session, subscription_id, device=device.name, ways=ways
    )
    if as_json:
        click.echo(f'{{"killed":{subscription_id}}}')
    else:
        click.echo(f"{target} ended subscription {subscription_id}")
