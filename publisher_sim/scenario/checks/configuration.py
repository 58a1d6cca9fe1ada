"""Checks of what subscribers may configure."""

from __future__ import annotations

from publisher_sim.scenario.checks.checker import Checks

TRANSPORTS = ("udp-notif", "dtls", "https-notif")
"""Over these a configured subscription can be pushed."""


def check_configuration(checks: Checks) -> None:
    """The table ``[configuration]``."""
    one = checks.scenario.configuration
    if one is None:
        return
    checks.require(
        one.candidate or one.writable_running, "configuration.writable_running",
        "no datastore could be edited", "candidate or writable_running true",
    )  # fmt: skip
    checks.require(
        checks.scenario.receiver.transport in TRANSPORTS, "receiver.transport",
        "has no place for the state changes of configured subscriptions", ", ".join(TRANSPORTS),
    )  # fmt: skip
    checks.within(one.connect_seconds, 0.1, 3600, "configuration.connect_seconds")
