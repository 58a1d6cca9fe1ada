"""``collector resync``."""

from __future__ import annotations

import sys

import click
import msgspec

from collector.cli.options import data_folder, json_option, store_option


@click.command(
    epilog="""\b
Examples:
  collector resync core7
  collector resync core7 interface-state -c collector.toml
"""
)
@click.argument("device")
@click.argument("subscription", required=False, default="")
@json_option
@store_option
def resync(
    device: str, subscription: str, folder: str | None, config_file: str | None, as_json: bool
) -> int:
    """Have a device send its on-change subscriptions as a whole once more.

    SUBSCRIPTION is a name of the configuration; without it each that is on-change. The running
    collector asks for it by itself after a gap. Exit status 1 when one could not be had.
    """
    from collector import control

    path = data_folder(folder, config_file)
    answer = control.ask(path, "resync", device=device, name=subscription)
    rows = answer["subscriptions"]
    if as_json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    else:
        for row in rows:
            said = "is sent as a whole" if row["resynced"] else row["why"]
            click.echo(f"{row['subscription']}: {said}")
    return 0 if all(row["resynced"] for row in rows) else 1
