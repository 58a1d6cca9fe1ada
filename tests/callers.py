"""Simulated devices that call home."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import asyncssh

from publisher_sim.scenario import Scenario
from publisher_sim.scenario.file import parse_scenario


class Caller(NamedTuple):
    """A device that cannot be connected to: it calls home, each fifth of a second."""

    scenario: Scenario
    fingerprint: str
    """Of its host key."""


def caller(
    folder: Path,
    name: str,
    port: int,
    *,
    address: str = "127.0.4.7",
    cards: int = 1,
    head: str = "",
    receiver: str = 'transport = "netconf"',
) -> Caller:
    """One that calls ``port``, its key in ``folder``; ``head``: further lines of its scenario."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(folder / f"{name}.key")
    text = f"""\
name = "{name}"
address = "{address}"
periods = 0
{head}
[receiver]
{receiver}
[netconf]
listen = false
call_home = "127.0.0.1:{port}"
call_home_retry_seconds = 0.2
password_env = "LAB_PASSWORD"
host_key = "{folder / f"{name}.key"}"
"""
    for index in range(1, cards + 1):
        text += f"""
[[card]]
name = "linecard{index}"
publisher_id = {100 + index}
interfaces = ["eth{index}/0"]
"""
    return Caller(parse_scenario(text), key.get_fingerprint())
