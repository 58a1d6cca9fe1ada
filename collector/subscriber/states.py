"""What has become of a device and of each subscription: for status views, and between the rooms.

What it does: values. What it does not: change (``dynamic.held``).
"""

from __future__ import annotations

import enum

from msgspec import Struct

from collector.model import CollectorTime, DeviceTime


class DevicePhase(enum.StrEnum):
    """Where a device stands."""

    IDLE = "idle"
    """Nothing is wanted of it."""
    CONNECTING = "connecting"
    AWAITED = "awaited"
    """It is to call us (RFC 8071)."""
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
    SUSPENDED = "suspended"
    """The publisher sends nothing for now and resumes by itself (RFC 8639 §2.7.4)."""
    TERMINATED = "terminated"
    """The publisher ended it (RFC 8639 §2.7.3); it is established anew at ``retry_at``."""
    COMPLETED = "completed"
    """Its stop-time has passed and it is not wanted for longer."""
    REFUSED = "refused"
    """Asking again cannot help."""


class SubscriptionState(Struct, frozen=True):
    """One subscription, for people."""

    name: str
    phase: SubscriptionPhase
    id: int | None
    """Subscription id of the device; None unless active or suspended."""
    reason: str
    """Why it is not active, or what of it is not as wanted; empty otherwise."""
    since: CollectorTime
    retry_at: CollectorTime | None
    stop_time: DeviceTime | None = None
    """When it ends unless it is prolonged; None: for good, or it is not there."""


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
    last_failure: str = ""
    """Why the last session ended or could not be opened, also while there is another one."""
