"""What the engine is told: each record of the journal as one value, with its arrival and offset.

``offset`` is the record's place in the journal; ``arrival`` the collector's time of it.
"""

from __future__ import annotations

from msgspec import Struct

from collector.model.notifications import Notification, NotificationKind
from collector.model.subscriptions import SubscriptionTerms
from collector.model.times import CollectorTime, DeviceTime


class Update(Struct, frozen=True, gc=False):
    """One content notification on its way into the engine."""

    arrival: CollectorTime
    device: str
    source: str
    """Peer address."""
    port: int
    publisher_id: int | None
    """Header id; None where the transport has none."""
    message_id: int | None
    subscription_id: int | None
    generator: str | None
    """Originator id of the payload; None when only the header has one."""
    kind: NotificationKind
    event_time: DeviceTime | None
    observation_time: DeviceTime | None
    incomplete_update: bool
    offset: int
    """Journal offset."""


class StateChanged(Struct, frozen=True, gc=False):
    """A subscription state change notification."""

    arrival: CollectorTime
    device: str
    source: str
    port: int
    publisher_id: int | None
    message_id: int | None
    notification: Notification
    offset: int


class Established(Struct, frozen=True, gc=False):
    """A successful establish-subscription (or modify-subscription) reply with what was asked."""

    arrival: CollectorTime
    device: str
    name: str
    """``subscription_name`` of the configuration: the series key for people."""
    subscription_id: int
    terms: SubscriptionTerms
    generators: tuple[str, ...] | None
    offset: int
    expect: tuple[str, ...] | None = None
    """Generators that the operator configured for this subscription."""
    modified: bool = False
    """True for the reply to modify-subscription."""
    generator_leaf: str | None = None
    """As in ``StateChange``."""


class Ended(Struct, frozen=True, gc=False):
    """A subscription is over without a notification saying so: deleted, killed, session lost."""

    arrival: CollectorTime
    device: str
    subscription_id: int | None
    """None: every dynamic subscription of the device (its session ended)."""
    reason: str
    offset: int


class Unreassembled(Struct, frozen=True, gc=False):
    """A message is half built: a gap of one id, cause ``unreassembled``, at its first arrival."""

    arrival: CollectorTime
    device: str
    source: str
    port: int
    publisher_id: int
    message_id: int
    first_arrival: CollectorTime
    offset: int


class Rejected(Struct, frozen=True, gc=False):
    """A message with a good header whose payload was refused: its id stays a hole."""

    arrival: CollectorTime
    device: str
    source: str
    port: int
    publisher_id: int | None
    message_id: int | None
    reason: str
    offset: int


class Dropped(Struct, frozen=True, gc=False):
    """Our own side dropped messages between ``since`` and ``arrival``."""

    arrival: CollectorTime
    since: CollectorTime
    count: int
    offset: int


class Paused(Struct, frozen=True, gc=False):
    """Our disk was full between ``since`` and ``until``: streams were not read meanwhile.

    Datagrams waited in the kernel, which knows when they came, and follow with those times.
    """

    arrival: CollectorTime
    """Of the last record before it."""
    since: CollectorTime
    until: CollectorTime
    offset: int
    stamped: bool = True
    """Datagrams follow with the times at which they came."""


class StoodStill(Struct, frozen=True, gc=False):
    """We did nothing between ``since`` and ``until``; all that came meanwhile waits to be read."""

    arrival: CollectorTime
    """Of the last record before it."""
    since: CollectorTime
    until: CollectorTime
    offset: int
    stamped: bool = True
    """Datagrams follow with the times at which they came."""


class CollectorDown(Struct, frozen=True, gc=False):
    """We did not listen between ``since`` (last record) and ``arrival`` (start)."""

    arrival: CollectorTime
    since: CollectorTime
    offset: int
    clock_moved: bool = False
    """Our clock jumped: until a period later every publisher's clock looks moved."""


class CollectorStopped(Struct, frozen=True, gc=False):
    """An orderly stop: every open period is closed, COMPLETE or NOT_JUDGED(ended)."""

    arrival: CollectorTime
    offset: int


class Tick(Struct, frozen=True, gc=False):
    """Time passes: deadlines up to ``arrival`` are due."""

    arrival: CollectorTime
    offset: int


EngineInput = (
    Update
    | StateChanged
    | Established
    | Ended
    | Unreassembled
    | Rejected
    | Dropped
    | Paused
    | StoodStill
    | CollectorDown
    | CollectorStopped
    | Tick
)
"""What the engine is told."""
