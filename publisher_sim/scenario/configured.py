"""The table ``[configured]``: a subscription of the device's own."""

from __future__ import annotations

from publisher_sim.scenario.table import Table


class Configured(Table, frozen=True):
    """A subscription that the device was configured with (RFC 8639 §2.5): it pushes from its start
    on, whoever listens, and nobody has to ask. State changes go where the data goes."""

    subscription_id: int = 100
    """uint32; the lower half is for configured ones (RFC 8639 §6)."""
    xpath: str = "/ietf-interfaces:interfaces"
    """What it selects, prefixes are module names."""
    on_change: bool = False
    """Whether it says what changes, from a first update of everything on, rather than everything
    each period; ``changes.dampening_seconds`` is its dampening period."""
    announce: bool = True
    """False: no state change is ever sent, as over dial-out, or to a collector that came later."""
    announce_list: bool = True
    """False: subscription-started and -modified come without the list of generators, as many
    devices do; an observer has to learn it."""
