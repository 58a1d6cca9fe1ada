"""The configuration of a collector that subscribes to every device of a fleet, as TOML.

Does: write it, and the line of known_hosts that stands for all devices. Does not: know how a
collector reads it; only the names of its keys.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
from collections.abc import Iterator, Sequence

from publisher_sim.scenario import Scenario
from publisher_sim.scenario.netconf import Netconf

XPATH = "/ietf-interfaces:interfaces"
NOBODY = ipaddress.IPv4Address("127.254.0.1")
"""The first of addresses from which nothing comes."""
_SECTIONS = {
    "udp-notif": "udp_notif",
    "dtls": "dtls",
    "https-notif": "https_notif",
    "grpc-cisco": "grpc_dialout",
    "grpc-huawei": "grpc_dialout",
}
"""transport -> the collector's section about its receiver."""


def collector_config(scenarios: Sequence[Scenario], port: int, known_hosts: str) -> str:
    """The whole file.

    Args:
        scenarios: of the devices.
        port: where their NETCONF servers listen.
        known_hosts: path of the file with the line of ``known_hosts_line``.
    """
    return "\n".join(_lines(scenarios, port, known_hosts)) + "\n"


def _lines(scenarios: Sequence[Scenario], port: int, known_hosts: str) -> Iterator[str]:
    first = scenarios[0]
    receiver = first.receiver
    names = f"{_text(first.name)} to {_text(scenarios[-1].name)}"
    yield f"# Collects {names}: collector run -c THIS_FILE"
    yield "[collector]"
    yield 'data_dir = "fleet-data"'
    if section := _SECTIONS.get(receiver.transport):
        yield ""
        yield f"[{section}]"
        yield f"address = {_text(receiver.address)}"
        yield f"port = {receiver.port}"
    if first.configured is None:
        yield ""
        yield "[[subscription]]"
        yield 'name = "fleet"'
        yield f"xpath = {_text(XPATH)}"
        yield f"period_seconds = {first.period.seconds:g}"
        yield f"encoding = {_text(first.encoding)}"
        if receiver.transport == "netconf":
            yield 'transport = "netconf"'
        if first.grace_seconds is not None:
            yield f"grace_seconds = {first.grace_seconds:g}"
    shared = len({one.address for one in scenarios}) < len(scenarios)
    for number, one in enumerate(scenarios):
        yield ""
        yield "[[device]]"
        yield f"name = {_text(one.name)}"
        # behind a shared port nothing is sent from anywhere but the sessions, yet an address that
        # stands for several devices is refused
        source = str(NOBODY + number) if shared else one.address
        yield f"sources = [{_text(source)}]"
        if one.configured is None:
            yield from _session(one, port, known_hosts)


def _session(one: Scenario, port: int, known_hosts: str) -> Iterator[str]:
    netconf = one.netconf
    yield "[device.netconf]"
    yield f"host = {_text(one.address)}"
    yield f"port = {port}"
    yield f"username = {_text(netconf.username)}"
    yield from _secret(netconf)
    yield f"known_hosts = {_text(known_hosts)}"


def _secret(netconf: Netconf) -> Iterator[str]:
    """Where the password is, never the password."""
    if netconf.password_file:
        yield f"password_file = {_text(netconf.password_file)}"
    else:
        yield f"password_env = {_text(netconf.password_env)}"


def known_hosts_line(scenarios: Sequence[Scenario], port: int, public_key: str) -> str:
    """One line for all devices, which share a host key; their addresses are one pattern."""
    first, last = (scenarios[number].address.split(".") for number in (0, -1))
    alike = [one for one, other in itertools.takewhile(_are_equal, zip(first, last, strict=True))]
    pattern = ".".join(alike if len(alike) == len(first) else [*alike, "*"])
    return f"[{pattern}]:{port} {public_key}\n"


def _are_equal(pair: tuple[str, str]) -> bool:
    return pair[0] == pair[1]


def _text(value: str) -> str:
    return json.dumps(value)
