"""``collector decode``."""

from __future__ import annotations

import click

from collector.cli.capture_options import capture_options
from collector.cli.options import json_option
from collector.command_line import Whole, complain

KINDS = (
    "push-update", "push-change-update", "subscription-started", "subscription-modified",
    "subscription-suspended", "subscription-resumed", "subscription-terminated",
    "subscription-completed", "replay-completed", "other", "refused", "half-built",
)  # fmt: skip


@click.command(
    epilog="""\b
Examples:
  collector decode capture.pcap --kind subscription-started --contents
  tcpdump -w - udp port 10003 | collector decode - --json
"""
)
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")
@click.option(
    "--device", "--source", "devices", multiple=True, metavar="NAME",
    help="Only of this device or source address; can be repeated, as the next ones.",
)  # fmt: skip
@click.option(
    "--subscription", "subscriptions", multiple=True, type=Whole(0, 2**32 - 1),
    metavar="ID", help="Only of this subscription id.",
)  # fmt: skip
@click.option(
    "--generator", "generators", multiple=True, metavar="ID", help="Only of this originator."
)
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(KINDS), metavar="KIND",
    help="Only this kind, as push-update, subscription-started, refused, half-built.",
)  # fmt: skip
@click.option("--limit", type=Whole(1), metavar="N", help="Stop after so many messages.")
@click.option("--contents", is_flag=True, help="What is in the messages, too.")
@click.option("--verdicts", is_flag=True, help="Judge the periods, too, as replay does.")
@capture_options
@json_option
def decode(
    files: tuple[str, ...],
    config_file: str | None,
    ports: tuple[int, ...],
    periods: tuple[str, ...],
    expected: tuple[str, ...],
    verdicts: bool,
    contents: bool,
    as_json: bool,
    **wanted: object,
) -> int:
    """Show the messages of captures.

    FILE is a capture (pcap or pcapng, several are merged by time, - is standard input). Segments
    and IP fragments are put together; what was refused or stayed half built has a line of its own.
    At the end: what came of each originator, and which Message IDs are missing or came twice.
    """
    from collector.cli.decoding import decode_captures
    from collector.cli.replaying import given_terms
    from collector.views.decoding import DecodeShow, Wanted

    chosen = {name: value for name, value in wanted.items() if name != "limit"}
    selection = Wanted(
        **{name: frozenset(value) for name, value in chosen.items()},  # type: ignore[call-overload]  # click checked them
        limit=wanted["limit"],  # type: ignore[arg-type]  # likewise
    )
    show = DecodeShow(selection, as_json=as_json, contents=contents, verdicts=verdicts)
    damage = decode_captures(files, config_file, given_terms(periods, expected), ports, show)
    for sentence in damage:
        complain(f"collector: {sentence}")
    return 2 if damage else 0
