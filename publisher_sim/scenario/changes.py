"""The table ``[changes]``: how the datastore changes beside its counters, at times of its own, and
which subscriptions to these changes are taken.

Every entry has times of its own, which follow from the seed, so that all processes of the device
know them. 0: it does not change.
"""

from __future__ import annotations

from typing import Literal

from publisher_sim.scenario.table import Table


class Changes(Table, frozen=True):
    """How often, in seconds; nothing of it changes who has to deliver."""

    status_seconds: float = 0.0
    """How often an interface goes down for a while: ``oper-status`` and ``last-change``. Every
    fourth time somebody has shut it, which ``admin-status`` says."""
    sensor_seconds: float = 0.0
    """How often a hardware component fails for a while: state, and what its sensor says of
    itself."""
    entry_seconds: float = 0.0
    """How often each of the interfaces named ``transient`` leaves the datastore for a while."""
    on_change: bool = True
    """Whether on-change subscriptions are taken (RFC 8641 §4.2)."""
    sync_on_start: bool = True
    """Whether they may begin with a push-update; else ``on-change-sync-unsupported``."""
    excluded_change: bool = True
    """Whether kinds of changes may be excluded; else ``cant-exclude``."""
    simulated: Literal["periodic", "on-change", "both"] = "periodic"
    """What ``simulate`` subscribes to."""
    dampening_seconds: float = 0.0
    """Its dampening period."""
    minimum_dampening_seconds: float = 0.0
    """Shorter dampening periods get ``period-unsupported`` with this as hint."""
