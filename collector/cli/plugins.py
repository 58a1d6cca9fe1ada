"""``collector plugins``."""

from __future__ import annotations

import sys

import click

from collector.cli.options import json_option


@click.command(epilog="Example: collector plugins -c collector.toml")
@json_option
@click.option(
    "-c", "--config", "config_file", type=click.Path(dir_okay=False), metavar="FILE",
    help="Say, too, what this configuration wants.",
)  # fmt: skip
def plugins(config_file: str | None, as_json: bool) -> int:
    """Receivers, encodings and sinks that are installed, of any package.

    Each is imported and looked at: one that cannot be used says why. With a configuration, what it
    wants and is not installed is shown too, and the exit status is 1 when anything that it wants
    cannot be used. With --json also the keys of each section.
    """
    import msgspec

    from collector.config import load_config
    from collector.plugins import GOOD
    from collector.sections import overview
    from collector.views.console import make_console
    from collector.views.tables import print_objects

    rows = overview(None if config_file is None else load_config(config_file))
    plain = [msgspec.to_builtins(row) for row in rows]
    if as_json:
        sys.stdout.writelines(msgspec.json.encode(row).decode() + "\n" for row in plain)
    else:
        wanted = ("wanted",) if config_file else ()
        shown = ("kind", "name", "package", "version", *wanted, "state")
        said = [row | {"wanted": "yes" if row["wanted"] else ""} for row in plain]
        print_objects(make_console(), [{key: row[key] for key in shown} for row in said])
    return int(any(row.wanted and row.state != GOOD for row in rows))
