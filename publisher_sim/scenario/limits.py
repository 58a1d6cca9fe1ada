"""The table ``[limits]``: what the device can afford.

Spec: RFC 8639 §2.4.6, §2.7.4, §8; RFC 8641 §3.11.2, §4.4.1.
"""

from __future__ import annotations

from publisher_sim.scenario.table import Table


class Limits(Table, frozen=True):
    """What passes a limit is refused when it is asked for. What passes it while it runs, for the
    nodes became more or a fault ``overload`` left less for each second, is suspended until it fits
    again. 0: no limit."""

    subscriptions: int = 64
    """Dynamic and configured ones, 1 to 10,000. More are refused: ``insufficient-resources``."""
    records_per_second: float = 0.0
    """Update and event records of all subscriptions together: ``insufficient-resources``."""
    kilobytes_per_second: float = 0.0
    """Octets of them, as estimated: refused for ``insufficient-resources``, suspended for
    ``unsupportable-volume``."""
    nodes_per_update: int = 0
    """List entries of one push-update of one publisher: ``update-too-big``."""
    kilobytes_per_update: float = 0.0
    """Octets of it, as estimated: ``update-too-big``."""
    nodes_per_sync: int = 0
    """List entries with which one publisher starts an on-change subscription: ``sync-too-big``."""
    kilobytes_per_sync: float = 0.0
    """Octets of them, as estimated: ``sync-too-big``."""
    suspension_timeout_seconds: float = 0.0
    """A subscription suspended for longer is terminated: ``suspension-timeout``."""
    dscp: tuple[int, ...] | None = None
    """Code points that can be set, 0 to 63; others are ``dscp-unavailable``. None: all."""

    @property
    def of_size(self) -> bool:
        """Is anything limited that depends on what a subscription selects?"""
        return any(getattr(self, name) for name in _OF_SIZE)


_OF_SIZE = (
    "records_per_second", "kilobytes_per_second", "nodes_per_update", "kilobytes_per_update",
    "nodes_per_sync", "kilobytes_per_sync",
)  # fmt: skip
