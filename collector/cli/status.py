"""``collector status``."""

from __future__ import annotations

import click

from collector.cli.options import data_folder, json_option, store_option


@click.command(epilog="Example: collector status -c collector.toml")
@json_option
@store_option
def status(folder: str | None, config_file: str | None, as_json: bool) -> None:
    """What the running collector is doing.

    With lanes: all of them together, and a row for each.
    """
    from collector.cli.talking import show_answer

    show_answer(data_folder(folder, config_file), "status", as_json)
