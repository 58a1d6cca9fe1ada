"""What has become of a device and of each subscription: for status views, and between the rooms.

What it does: values and the small state of one subscription. What it does not: act on it
(``runner``).
"""

from __future__ import annotations

import enum

from msgspec import Struct

from collector.model import CollectorTime
from collector.subscriber.backoff import Backoff
from collector.subscriber.wanted import WantedSubscription


class DevicePhase(enum.StrEnum):
    """Where a device stands."""

    IDLE = "idle"
    """Nothing is wanted of it."""
    CONNECTING = "connecting"
    UP = "up"
    WAITING = "waiting"
    """The last try failed or the session was lost; the next try has a time."""
    REFUSED = "refused"
    """Trying again cannot help: host key, password, configuration."""
    STOPPED = "stopped"


class SubscriptionPhase(enum.StrEnum):
    """Where a subscription stands on the present session."""

    PENDING = "pending"
    """To be established, now or at ``retry_at``."""
    ACTIVE = "active"
    REFUSED = "refused"
    """Asking again cannot help."""


class SubscriptionState(Struct, frozen=True):
    """One subscription, for people."""

    name: str
    phase: SubscriptionPhase
    id: int | None
    """Subscription id of the device; None unless active."""
    reason: str
    """Why it is not active; empty otherwise."""
    since: CollectorTime
    retry_at: CollectorTime | None


class DeviceState(Struct, frozen=True):
    """One device, for people."""

    name: str
    phase: DevicePhase
    reason: str
    """A sentence, where there is something to explain."""
    since: CollectorTime
    """When ``phase`` began."""
    next_try: CollectorTime | None
    peer: str
    """Address, while there is a session."""
    session_id: int
    """NETCONF session-id; 0 without a session."""
    subscriptions: tuple[SubscriptionState, ...]


class Subscription:
    """One wanted subscription and what became of it; belongs to one ``DeviceRunner``."""

    __slots__ = ("backoff", "id", "phase", "reason", "retry_at", "since", "wanted")

    def __init__(self, wanted: WantedSubscription, backoff: Backoff, now: CollectorTime) -> None:
        self.wanted = wanted
        self.backoff = backoff
        self.phase = SubscriptionPhase.PENDING
        self.id: int | None = None
        self.reason = ""
        self.since = now
        self.retry_at: CollectorTime | None = None

    def become(
        self,
        phase: SubscriptionPhase,
        now: CollectorTime,
        *,
        subscription_id: int | None = None,
        reason: str = "",
        retry_at: int | None = None,
    ) -> None:
        """Enter a phase."""
        self.phase = phase
        self.since = now
        self.id = subscription_id
        self.reason = reason
        self.retry_at = None if retry_at is None else CollectorTime(retry_at)

    def is_due(self, now: CollectorTime) -> bool:
        """True when it should be asked for now."""
        return self.phase is SubscriptionPhase.PENDING and (
            self.retry_at is None or self.retry_at <= now
        )

    def state(self) -> SubscriptionState:
        """For people."""
        return SubscriptionState(
            self.wanted.name, self.phase, self.id, self.reason, self.since, self.retry_at
        )
