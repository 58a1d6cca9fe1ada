"""The table ``[retrieval]``: what the device says of itself when it is asked."""

from __future__ import annotations

from typing import Literal

from publisher_sim.scenario.table import Table


class Retrieval(Table, frozen=True):
    """Where a subscriber can find out what the device is able to do."""

    yang_library: Literal["rfc8525", "rfc7895", "none"] = "rfc8525"
    """Which YANG library there is."""
    system_capabilities: bool = True
    """Whether there is the tree of RFC 9196."""
    nmda: bool = True
    """Whether there is get-data (RFC 8526)."""
