"""``collector replay``."""

from __future__ import annotations

import click

from collector.cli.options import json_option


@click.command(
    epilog="Example: collector replay capture.pcap --period 1=60 --expect 1=101,102 --store judged"
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "-c", "--config", "config_file", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
    help="Names of devices, graces, terms; for a journal instead of what it remembers.",
)  # fmt: skip
@click.option(
    "--port", "ports", type=click.IntRange(1, 65535), multiple=True, metavar="N",
    help="Destination port of UDP-notif in a capture.  [default: found; repeatable]",
)  # fmt: skip
@click.option(
    "--period", "periods", multiple=True, metavar="[DEVICE/]ID=SECONDS",
    help="Period of a subscription that nobody names.  [repeatable]",
)  # fmt: skip
@click.option(
    "--expect", "expected", multiple=True, metavar="[DEVICE/]ID=GEN,GEN",
    help="Generators that must deliver in every period.  [repeatable]",
)  # fmt: skip
@click.option(
    "--store", "folder", type=click.Path(file_okay=False), metavar="DIR",
    help="Keep the rows (of a capture the journal too) in DIR, which must be empty.",
)  # fmt: skip
@click.option(
    "--fail-on", type=click.Choice(["incomplete", "degraded"]),
    help="Exit status 1 when a period is INCOMPLETE, or at least DEGRADED; and when none could be"
    " judged.",
)  # fmt: skip
@json_option
def replay(
    sources: tuple[str, ...],
    config_file: str | None,
    ports: tuple[int, ...],
    periods: tuple[str, ...],
    expected: tuple[str, ...],
    folder: str | None,
    fail_on: str | None,
    as_json: bool,
) -> int:
    """Judge captures, or a journal again.

    SOURCE is a capture file (pcap or pcapng, several are merged by time, - is standard input) or
    the data folder of a collector. Nothing that is read is changed. A capture is judged at the
    times of its stamps, every source address a device of its own unless -c names it; terms come
    from the state changes in it, else from -c, --period and --expect, else the period is learned.

    Prints a summary with a picture of the periods; with --json the verdicts, one object a line, in
    the order in which they were said.
    """
    from collector.cli.replaying import given_terms, judge_sources
    from collector.views.replaying import ReplayShow

    known = given_terms(periods, expected)
    show = ReplayShow(as_json)
    damage = judge_sources(sources, config_file, known, ports, folder, show)
    if damage:
        for sentence in damage:
            click.echo(f"collector: {sentence}", err=True)
        return 2
    if fail_on is None:
        return 0
    if not show.summary.judged:
        click.echo("collector: no period could be judged, so --fail-on cannot pass", err=True)
        return 1
    return 1 if show.summary.failed(fail_on) else 0
