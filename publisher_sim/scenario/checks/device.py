"""Checks of the device as a whole: addresses, periods, numbers."""

from __future__ import annotations

import ipaddress

from publisher_sim.scenario.checks.checker import Checks
from publisher_sim.scenario.netconf import Netconf


def check_device(checks: Checks) -> None:
    """The device as a whole."""
    scenario = checks.scenario
    checks.named(scenario.name, "name")
    for key, address in (
        ("address", scenario.address),
        ("receiver.address", scenario.receiver.address),
    ):
        checks.require(_is_address(address), key, f"{address!r} is no address", "an IP address")
    checks.require(
        (":" in scenario.address) == (":" in scenario.receiver.address), "receiver.address",
        f"{scenario.receiver.address} cannot be reached from {scenario.address}",
        "IPv4 for both, or IPv6 for both",
    )  # fmt: skip
    _check_netconf(checks, scenario.netconf)
    checks.within(scenario.receiver.port, 1, 65_535, "receiver.port")
    checks.within(scenario.periods, 0, 10_000_000, "periods")
    checks.within(scenario.seed, 0, 2**63 - 1, "seed")
    push = scenario.push
    checks.within(push.updates_per_period, 1, 64, "push.updates_per_period")
    checks.within(push.max_segment_size, 64, 65_507, "push.max_segment_size")
    period = scenario.period
    checks.within(period.minimum_seconds, 0.01, 86_400, "period.minimum_seconds")
    checks.within(
        period.maximum_seconds, period.minimum_seconds, 86_400 * 366, "period.maximum_seconds"
    )
    checks.within(period.seconds, period.minimum_seconds, period.maximum_seconds, "period.seconds")
    if scenario.grace_seconds is not None:
        checks.within(scenario.grace_seconds, 0.01, 3600, "grace_seconds")


def _check_netconf(checks: Checks, netconf: Netconf) -> None:
    checks.within(netconf.port, 0, 65_535, "netconf.port")
    checks.require(
        netconf.listen or bool(netconf.call_home), "netconf.listen",
        "nobody could come, and it calls nobody", "true, or call_home",
    )  # fmt: skip
    checks.require(
        not netconf.call_home or _is_somebody(netconf), "netconf.call_home",
        f"{netconf.call_home!r} is nobody to call", "HOST, HOST:PORT or [ADDRESS]:PORT",
    )  # fmt: skip
    checks.within(netconf.call_home_period_seconds, 0, 86_400, "netconf.call_home_period_seconds")
    checks.within(netconf.call_home_idle_seconds, 0.01, 86_400, "netconf.call_home_idle_seconds")
    checks.within(netconf.call_home_retry_seconds, 0.01, 60, "netconf.call_home_retry_seconds")


def _is_somebody(netconf: Netconf) -> bool:
    try:
        return bool(netconf.collector)
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
