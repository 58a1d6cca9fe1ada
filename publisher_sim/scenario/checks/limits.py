"""Checks of what the device can afford."""

from __future__ import annotations

from publisher_sim.scenario.checks.checker import Checks

MOST = 10_000_000.0


def check_limits(checks: Checks) -> None:
    """Every limit, and that an overload has one to pass."""
    limits = checks.scenario.limits
    checks.within(limits.subscriptions, 1, 10_000, "limits.subscriptions")
    for name in (
        "records_per_second", "kilobytes_per_second", "nodes_per_update", "kilobytes_per_update",
        "nodes_per_sync", "kilobytes_per_sync", "suspension_timeout_seconds",
    ):  # fmt: skip
        checks.within(getattr(limits, name), 0, MOST, f"limits.{name}")
    for point in limits.dscp or ():
        checks.within(point, 0, 63, "limits.dscp")
    overloads = any(fault.kind == "overload" for fault in checks.scenario.fault)
    checks.require(
        bool(limits.records_per_second or limits.kilobytes_per_second) or not overloads,
        "fault.kind", "overload passes no limit",
        "one of [limits] for each second that is not 0",
    )  # fmt: skip
