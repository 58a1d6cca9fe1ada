"""Devices that are no longer in the configuration: nobody is to be blamed for their silence.

Their messages come from unknown sources from now on (or go to another lane), so their
subscriptions end here. One that comes back goes on with its next message, on the last known terms.
"""

from __future__ import annotations

from collector.core.engine import Engine
from collector.core.inventory import Inventory
from collector.model import CollectorTime, Ended, Fact
from collector.pipeline.settings import JournalledConfig

REASON = "not-configured"


def departures(
    engine: Engine,
    config: JournalledConfig,
    inventory: Inventory,
    now: CollectorTime,
    offset: int,
) -> list[Fact]:
    """End what still runs of devices that neither ``config`` nor ``inventory`` (of a replay with
    another configuration) names."""
    if config.each_source:  # of a capture: devices are what sends
        return []
    named = {*inventory.devices(), *(device.name for device in config.devices)}
    facts: list[Fact] = []
    for name in engine.devices():
        if name not in named:
            for one in sorted({state.subscription_id for state in engine.states(name)}):
                facts += engine.receive(Ended(now, name, one, REASON, offset), now)
    return facts
