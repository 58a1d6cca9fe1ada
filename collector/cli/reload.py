"""``collector reload``."""

from __future__ import annotations

import click

from collector.cli.options import data_folder, json_option, store_option


@click.command(name="reload", epilog="Example: collector reload -c collector.toml")
@json_option
@store_option
def reload(folder: str | None, config_file: str | None, as_json: bool) -> None:
    """Have the running collector read its configuration again.

    Devices, subscriptions, what is expected and how it is judged are taken over at once; keys that
    the next start alone heeds (addresses, folders, limits) are named. A configuration with a fault
    is refused, and the collector goes on with the one it has.
    """
    from collector.cli.talking import show_answer

    show_answer(data_folder(folder, config_file), "reload", as_json)
