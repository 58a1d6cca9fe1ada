"""The table ``[changes]``: how the datastore changes beside its counters, at times of its own.

Every entry has times of its own, which follow from the seed, so that all processes of the device
know them. 0: it does not change.
"""

from __future__ import annotations

from publisher_sim.scenario.table import Table


class Changes(Table, frozen=True):
    """How often, in seconds. None of them changes who has to deliver."""

    status_seconds: float = 0.0
    """How often an interface goes down for a while: ``oper-status`` and ``last-change``. Every
    fourth time somebody has shut it, which ``admin-status`` says."""
    sensor_seconds: float = 0.0
    """How often a hardware component fails for a while: state, and what its sensor says of
    itself."""
    entry_seconds: float = 0.0
    """How often each of the interfaces named ``transient`` leaves the datastore for a while."""
