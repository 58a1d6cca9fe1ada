"""``collector verdicts``."""

from __future__ import annotations

from pathlib import Path

import click

from collector.cli.options import Moment, data_folder, json_option, store_option
from collector.command_line import Whole

OUTCOMES = ("complete", "degraded", "incomplete", "unknown", "not_judged")


@click.command(
    epilog="""\b
Examples:
  collector verdicts --device core7 --since -1h --outcome incomplete
  collector verdicts --follow
"""
)
@click.option("--device", "devices", multiple=True, metavar="NAME", help="Only of this device.")
@click.option("--subscription", "names", multiple=True, metavar="NAME", help="Only of this one.")
@click.option("--since", type=Moment(), help="Periods from this time on: RFC 3339, today, -1h.")
@click.option("--until", type=Moment(), help="Periods before this time.")
@click.option(
    "--outcome", "outcomes", multiple=True, type=click.Choice(OUTCOMES, case_sensitive=False),
    help="Only this outcome; can be repeated.",
)  # fmt: skip
@click.option("--all", "amended", is_flag=True, help="First verdicts too, where they were amended.")
@click.option("--limit", type=Whole(1), default=1000, show_default=True, help="The newest so many.")
@click.option("--follow", is_flag=True, help="Wait for new verdicts of the running collector.")
@json_option
@store_option
def verdicts(
    folder: str | None, config_file: str | None, follow: bool, as_json: bool, **wanted: object
) -> None:
    """Show the verdicts, or follow new ones.

    Times are UTC. A verdict that was amended is shown as it is known now.
    """
    from collector.cli import verdict_rows
    from collector.errors import UsageError

    path: Path = data_folder(folder, config_file)
    selection = verdict_rows.Selection(**wanted)  # type: ignore[arg-type]  # click checked them
    if follow and selection.until is not None:
        raise UsageError("--follow has no end, so --until cannot be used with it")
    if follow:
        verdict_rows.follow(path, selection, as_json)
    else:
        verdict_rows.show(path, selection, as_json)
