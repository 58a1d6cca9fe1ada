"""``collector subscribe``."""

from __future__ import annotations

import click

from collector.cli.options import Length, json_option
from collector.cli.reaching import call_home_options, wait_option
from collector.cli.wanting import subscription_options
from collector.command_line import Whole


@click.command(
    epilog="""\b
Examples (the password is in the environment variable COLLECTOR_PASSWORD):
  collector subscribe 192.0.2.7 --user telemetry --xpath /ietf-interfaces:interfaces --period 10
  collector subscribe 192.0.2.7 --user telemetry --stream NETCONF --replay 1h
  collector subscribe core7 --user telemetry --call-home 4334 --host-key SHA256:.. --xpath /m:x
"""
)
@click.argument("host")
@subscription_options
@click.option(
    "--port", type=Whole(1, 65535),
    help="TCP port of NETCONF over SSH.  [default: 830]",
)  # fmt: skip
@click.option("--user", "username", envvar="COLLECTOR_USER", required=True, help="User name.")
@click.option(
    "--password-file", type=click.Path(dir_okay=False),
    help="File with the password; else the environment variable COLLECTOR_PASSWORD.",
)  # fmt: skip
@click.option("--key-file", type=click.Path(dir_okay=False), help="Private key.")
@click.option("--known-hosts", type=click.Path(dir_okay=False), help="Trusted host keys.")
@click.option(
    "--session", type=click.Choice(["asyncssh", "ncclient"]), default="asyncssh",
    show_default=True, help="Which client holds the session.",
)  # fmt: skip
@call_home_options
@wait_option
@click.option(
    "--source", "sources", multiple=True, metavar="ADDRESS",
    help="Address that line cards send from, where it is not that of HOST; can be repeated.",
)  # fmt: skip
@click.option(
    "--listen", default="0.0.0.0:10003", show_default=True, metavar="ADDRESS:PORT",
    help="Where UDP-notif is received.",
)  # fmt: skip
@click.option("--duration", type=Length(), help="Stop after so long; else Ctrl-C.")
@json_option
def subscribe(
    host: str,
    listen: str,
    wait: float | None,
    duration: float | None,
    as_json: bool,
    **settings: object,
) -> int:
    """Subscribe once to HOST and print the updates and verdicts that come.

    Nothing is kept: journal and store go to a temporary folder. The subscription is deleted at the
    end. Passwords come from a file or the environment, never from the command line. With
    --call-home HOST is only a name: it is to call, and --host-key says whose call is its.
    """
    from collector.cli.one_shot import one_shot_config
    from collector.service import subscribe_once

    config = one_shot_config(host=host, listen=listen, settings=settings)
    return subscribe_once(config, duration_seconds=duration, json_output=as_json, wait_seconds=wait)
