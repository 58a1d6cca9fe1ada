"""``collector replay``."""

from __future__ import annotations

import click

from collector.cli.capture_options import capture_options
from collector.cli.options import json_option
from collector.command_line import complain


@click.command(
    epilog="Example: collector replay capture.pcap --period 1=60 --expect 1=101,102 --store judged"
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@capture_options
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
            complain(f"collector: {sentence}")
        return 2
    if fail_on is None:
        return 0
    if not show.summary.judged:
        complain("collector: no period could be judged, so --fail-on cannot pass")
        return 1
    return 1 if show.summary.failed(fail_on) else 0
