"""The table ``[[fault]]``: the timeline of what goes wrong."""

from __future__ import annotations

from typing import Literal

from publisher_sim.scenario.table import Table

FaultKind = Literal[
    "drop", "duplicate", "reorder", "delay", "corrupt", "clock_skew", "silent",
    "incomplete", "kill", "pull", "move", "suspend", "terminate", "overload", "cut",
    "restart",
]  # fmt: skip
MESSAGE_FAULTS = (
    "drop", "duplicate", "reorder", "delay", "corrupt", "clock_skew", "silent", "incomplete",
)  # fmt: skip
"""Faults that a publisher does to its own messages; the others are the master's to act out."""

REASONS = {
    "suspend": (
        "insufficient-resources", "unsupportable-volume", "period-unsupported", "update-too-big",
        "sync-too-big",
    ),
    "terminate": (
        "no-such-subscription", "filter-unavailable", "stream-unavailable", "suspension-timeout",
        "datastore-not-subscribable", "unchanging-selection",
    ),
}  # fmt: skip
"""kind of fault -> the reasons it may give (RFC 8639 §2.7, RFC 8641 §5)."""


class Fault(Table, frozen=True):
    """One entry of the timeline; periods count from 0 at the first subscription's first tick."""

    kind: FaultKind
    """``incomplete``: updates leave half of it out, and say so (RFC 8641 §3.11.1); ``cut``: all
    sessions are closed, and with them their subscriptions end (RFC 8639 §2.4); ``restart``: so they
    are, and the master begins anew with what is configured in startup, as after a reboot: what is
    not there is gone, and nobody is told."""
    at_period: int
    """First tick that is touched; what the master acts out happens a quarter period before it."""
    until_period: int | None = None
    """First tick that is no longer touched: a pulled or killed card is back, with other Message
    IDs. None: one tick for what touches messages, for good for the others."""
    card: str = ""
    """Whom it hits; empty: every publisher (only for what touches messages)."""
    probability: float = 1.0
    """Of each message (``drop`` with ``datagrams``: of each datagram)."""
    datagrams: bool = False
    """``drop``: single datagrams of a segmented message rather than whole ones."""
    seconds: float = 0.0
    """``delay``: how long; ``reorder``: how far back; ``clock_skew``: how far, either sign."""
    moves_to: str = ""
    """``pull``, ``kill``, ``move``: which publisher takes the nodes over; empty: they leave the
    datastore with the card."""
    interfaces: tuple[str, ...] = ()
    """``move``: which ones; empty: all that the card owns."""
    reason: str = ""
    """``suspend``, ``terminate``: identity without its module; empty: the first of ``REASONS``."""
    share: float = 0.5
    """``overload``: which part of what ``[limits]`` allows each second is left, 0 to 1; the
    subscriptions that no longer fit are suspended, those of least weighting first."""

    @property
    def until(self) -> int | None:
        """``until_period`` with its default filled in."""
        if self.until_period is None and self.kind in MESSAGE_FAULTS:
            return self.at_period + 1
        return self.until_period

    @property
    def said_reason(self) -> str:
        """``reason`` with its default filled in; empty for faults without one."""
        return self.reason or REASONS.get(self.kind, ("",))[0]
