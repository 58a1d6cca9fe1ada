"""Checks of a subscription of the device's own."""

from __future__ import annotations

from collector.errors import ConfigError
from collector.model import SelectionFilter
from collector.wire.values import names
from publisher_sim.data.selection import FilterUnsupportedError, select
from publisher_sim.scenario.checks.checker import Checks
from publisher_sim.scenario.faults import REASONS
from publisher_sim.scenario.transports import TRANSPORTS


def check_configured(checks: Checks) -> None:
    """A subscription of the device's own."""
    one, mode = checks.scenario.configured, checks.scenario.control_mode
    checks.require(
        one is not None or checks.scenario.configuration is not None or mode != names.MODE_DN_19,
        "control_mode", f"{mode} has no dynamic subscriptions",
        "another mode, or a table [configured] or [configuration]",
    )  # fmt: skip
    if one is None:
        return
    checks.within(one.subscription_id, 0, 2**32 - 1, "configured.subscription_id")
    checks.require(
        checks.scenario.receiver.transport != "netconf", "receiver.transport",
        "nobody's session is there to push on without being asked",
        ", ".join(name for name in TRANSPORTS if name != "netconf"),
    )  # fmt: skip
    checks.require(
        not one.on_change or checks.scenario.traits.notifications, "configured.on_change",
        f"{checks.scenario.receiver.transport} has updates of everything alone", "false",
    )  # fmt: skip
    try:
        select(SelectionFilter("xpath", one.xpath))
    except FilterUnsupportedError as error:
        raise ConfigError(str(error), file=checks.file, key="configured.xpath") from error
    for number, fault in enumerate(checks.scenario.fault):
        untold = fault.kind in REASONS and not checks.scenario.announces
        checks.require(
            not untold, f"fault[{number}].kind", f"nobody would be told of {fault.kind}",
            "any other kind, or state changes that are sent",
        )  # fmt: skip
