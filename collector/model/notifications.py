"""A notification message: which kind it is, and its envelope with the contents left undecoded.

Spec: RFC 8639 §2.7, RFC 8641 §3.7, RFC 5277 §4, draft-ietf-netconf-notif-envelope.
"""

from __future__ import annotations

import enum

from msgspec import Struct

from collector.model.subscriptions import StateChange
from collector.model.times import DeviceTime


class NotificationKind(enum.StrEnum):
    """Local name of the notification inside its wrapper (RFC 8639 §2.7, RFC 8641 §3.7)."""

    PUSH_UPDATE = "push-update"
    PUSH_CHANGE_UPDATE = "push-change-update"
    SUBSCRIPTION_STARTED = "subscription-started"
    SUBSCRIPTION_MODIFIED = "subscription-modified"
    SUBSCRIPTION_SUSPENDED = "subscription-suspended"
    SUBSCRIPTION_RESUMED = "subscription-resumed"
    SUBSCRIPTION_TERMINATED = "subscription-terminated"
    SUBSCRIPTION_COMPLETED = "subscription-completed"
    REPLAY_COMPLETED = "replay-completed"
    OTHER = "other"
    """A notification of another module: kept, counted, not judged."""


class Notification(Struct, frozen=True, gc=False):
    """The envelope of one notification message, contents left undecoded."""

    kind: NotificationKind
    name: str
    """As read, ``module:local-name`` where the module is known, else the local name."""
    root: str
    """Which wrapper it came in: ``wire.values.names.ROOT_FORMS``."""
    subscription_id: int | None = None
    event_time: DeviceTime | None = None
    """None as well where what was said lies beyond 64-bit ns (years 1678 to 2261)."""
    observation_time: DeviceTime | None = None
    """``ietf-yp-observation:timestamp`` or the older ``observation-time``; None as above."""
    point_in_time: str | None = None
    generator: str | None = None
    """Originator id found in the payload, any spelling; decimal ids without leading zeros."""
    hostname: str | None = None
    sequence_number: int | None = None
    incomplete_update: bool = False
    state_change: StateChange | None = None
    bundled: tuple[Notification, ...] = ()
    """The other notifications of the same message, in their order; of the first one only
    (draft-ietf-netconf-notification-messages-08, bundled messages)."""
