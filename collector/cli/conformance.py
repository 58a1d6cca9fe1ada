"""``collector conformance``."""

from __future__ import annotations

import click

from collector.cli.options import json_option, store_option
from collector.command_line import Whole, complain


@click.command(
    epilog="""\b
Examples:
  collector conformance capture.pcap --fail-on must
  collector conformance core7 --store yang-push-data
  collector conformance --list-rules
"""
)
@click.argument("sources", nargs=-1, type=click.Path(), metavar="FILE...|DEVICE")
@click.option(
    "--device", "--source", "devices", multiple=True, metavar="NAME",
    help="Of a capture only this device or source address.  [repeatable]",
)  # fmt: skip
@click.option(
    "--port", "ports", type=Whole(1, 65535), multiple=True, metavar="N",
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
    "--max-segment-size", type=Whole(17, 65535), metavar="OCTETS",
    help="What the publisher is configured with; no datagram may be longer.",
)  # fmt: skip
@click.option(
    "--fail-on", type=click.Choice(["must", "should"]),
    help="Exit status 1 when a MUST is broken, or at least a SHOULD; and when nothing was checked.",
)  # fmt: skip
@click.option("--all", "every", is_flag=True, help="The rules that are kept one by one, too.")
@click.option("--list-rules", is_flag=True, help="Print all rules with their clauses, and leave.")
@json_option
@store_option
def conformance(
    sources: tuple[str, ...],
    devices: tuple[str, ...],
    config_file: str | None,
    folder: str | None,
    ports: tuple[int, ...],
    periods: tuple[str, ...],
    expected: tuple[str, ...],
    max_segment_size: int | None,
    fail_on: str | None,
    every: bool,
    list_rules: bool,
    as_json: bool,
) -> int:
    """Say which rules of the standards a publisher keeps and breaks.

    FILE is a capture (pcap or pcapng, - is standard input); DEVICE a device of a collector, whose
    journal is read. Each rule is named with its clause, how often it was checked and broken, and
    the first example. What the network can do is not blamed on the publisher.
    """
    from collector.cli import checking
    from collector.cli.replaying import given_terms
    from collector.errors import UsageError
    from collector.views.conformance import print_report, print_rules

    if list_rules:
        print_rules(as_json=as_json)
        return 0
    if not sources:
        raise UsageError("name a capture, or a device of a collector")
    known = given_terms(periods, expected)
    asked = checking.Asked(devices, config_file, folder, ports, known, max_segment_size)
    report, damage = checking.check(sources, asked)
    if report.devices:
        print_report(report, as_json=as_json, every=every)
    for sentence in damage:
        complain(f"collector: {sentence}")
    if damage:
        return 2
    return int(fail_on is not None and checking.fails(report, fail_on))
