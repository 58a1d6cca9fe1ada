"""``collector devices``."""

from __future__ import annotations

import click

from collector.cli.options import data_folder, json_option, store_option


@click.command(epilog="Example: collector devices --json")
@json_option
@store_option
def devices(folder: str | None, config_file: str | None, as_json: bool) -> None:
    """Devices of the running collector, and senders that belong to none.

    Times are UTC. In a pipe, and with --json, there is more of each generator.
    """
    from collector.cli.talking import show_answer
    from collector.views.devices import print_devices

    show_answer(data_folder(folder, config_file), "devices", as_json, print_devices)
