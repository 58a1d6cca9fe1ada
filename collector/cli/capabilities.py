"""``collector capabilities``."""

from __future__ import annotations

import click

from collector.cli.options import json_option
from collector.cli.reaching import reach_options
from collector.command_line import complain


@click.command(
    epilog="""\b
Examples (a password is in a file or in the environment variable COLLECTOR_PASSWORD):
  collector capabilities core7 -c collector.toml
  collector capabilities 192.0.2.7 --user telemetry --json
  collector capabilities core9 --user telemetry --call-home 4334 --host-key SHA256:..
"""
)
@click.argument("target", metavar="DEVICE|HOST")
@reach_options
@json_option
def capabilities(target: str, config_file: str | None, as_json: bool, **options: object) -> int:
    """Ask a device what can be subscribed to, and how.

    Shows periods, on-change support, encodings, transports, originator extension and more, each
    with its source: the capabilities of RFC 9196, the YANG library, the hello, or nobody. DEVICE is
    one of the configuration; a HOST needs --user. One that calls home is asked through the
    collector that runs, else this waits for its call. Nothing of the device is changed. Exit status
    1 when it says that nothing can be subscribed to, 2 when it could not be asked.
    """
    import logging
    import sys

    from collector.cli.reaching import reach
    from collector.service.capabilities import read_capabilities
    from collector.subscriber.sessions.session import settings_from
    from collector.views.capabilities import capabilities_json, print_capabilities
    from collector.views.console import make_console

    logging.basicConfig(level="ERROR", format="%(message)s", stream=sys.stderr)
    _, device, ways = reach(target, config_file, options)
    assert device.netconf is not None
    settings = settings_from(device.netconf, device.name)
    found = read_capabilities(
        settings, session=device.netconf.session, device=device.name, ways=ways
    )
    for sentence in found.unanswered:
        complain(f"collector: {sentence}")
    if as_json:
        click.echo(capabilities_json(found.device, found.where, found.facts, found.nodes))
    else:
        print_capabilities(make_console(), found.facts, found.nodes)
    return 1 if found.nothing else 0
