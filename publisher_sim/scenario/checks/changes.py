"""Checks of the table ``[changes]``."""

from __future__ import annotations

from publisher_sim.scenario.checks.checker import Checks

SHORTEST_SECONDS = 0.05
LONGEST_SECONDS = 86_400.0
"""Ours."""


def check_changes(checks: Checks) -> None:
    """How often things change."""
    changes = checks.scenario.changes
    for name in ("status_seconds", "sensor_seconds", "entry_seconds"):
        seconds = getattr(changes, name)
        if seconds:
            checks.within(seconds, SHORTEST_SECONDS, LONGEST_SECONDS, f"changes.{name}")
    for name in ("dampening_seconds", "minimum_dampening_seconds"):
        checks.within(getattr(changes, name), 0, LONGEST_SECONDS, f"changes.{name}")
