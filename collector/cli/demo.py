"""``collector demo``."""

from __future__ import annotations

import click

from collector.cli.options import Length, json_option
from collector.command_line import Whole


@click.command(epilog="Example: collector demo --duration 60 --cards 8")
@click.option(
    "--duration",
    type=Length(),
    default="40",
    show_default=True,
    help="How long it runs, in seconds.",
)
@click.option("--cards", type=Whole(2, 64), default=4, show_default=True, help="Line cards.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed, the same run.")
@click.option(
    "--keep", "folder", type=click.Path(file_okay=False), metavar="DIR",
    help="Keep journal, store and logs in DIR, for queries afterwards.",
)  # fmt: skip
@json_option
def demo(duration: float, cards: int, seed: int, folder: str | None, as_json: bool) -> int:
    """Show all of it on this machine, no config needed.

    Starts a simulated device with line cards of its own, subscribes to it, pulls a card, silences
    another, drops datagrams, and shows the verdict of every period as it is said. At the end the
    verdicts are compared with what the simulator really sent; exit status 1 when one differs.
    """
    from collector.demo import run_demo

    return run_demo(
        duration_seconds=duration, cards=cards, seed=seed, folder=folder, json_output=as_json
    )
