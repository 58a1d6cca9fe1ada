"""Checks of a scenario's values, one file per theme.

A new table: its values in a file beside ``whole``, its check here, one line in ``CHECKS``.
"""

from __future__ import annotations

from collections.abc import Callable

from publisher_sim.scenario.checks.behaviour import check_behaviour
from publisher_sim.scenario.checks.changes import check_changes
from publisher_sim.scenario.checks.checker import Checks
from publisher_sim.scenario.checks.configuration import check_configuration
from publisher_sim.scenario.checks.configured import check_configured
from publisher_sim.scenario.checks.device import check_device
from publisher_sim.scenario.checks.faults import check_faults
from publisher_sim.scenario.checks.limits import check_limits
from publisher_sim.scenario.checks.publishers import check_publishers
from publisher_sim.scenario.checks.streams import check_streams
from publisher_sim.scenario.checks.transport import check_transport
from publisher_sim.scenario.checks.users import check_users
from publisher_sim.scenario.whole import Scenario

CHECKS: tuple[Callable[[Checks], None], ...] = (
    check_behaviour,
    check_device,
    check_users,
    check_transport,
    check_publishers,
    check_faults,
    check_configured,
    check_configuration,
    check_limits,
    check_changes,
    check_streams,
)
"""In this order: a later one may rely on what an earlier one made sure of."""


def check(scenario: Scenario, *, file: str = "") -> None:
    """Raise ConfigError for the first value that cannot be used."""
    checks = Checks(scenario, file)
    for one in CHECKS:
        one(checks)
