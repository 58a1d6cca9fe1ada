"""What an operator may say to the completeness engine, and the engine's limits.

Frozen values without behaviour, except for the look-ups by device. Times are ns.
"""

from __future__ import annotations

from msgspec import Struct

from collector.model import SECOND, SubscriptionTerms

ANY_DEVICE = "*"
DAY = 86_400 * SECOND


class NamedSubscription(Struct, frozen=True):
    """What the operator says about a subscription, found by its name."""

    grace: int | None = None
    """ns; None for the default rule."""
    expect: tuple[str, ...] | None = None
    """Generators that must deliver; None when the device's list counts."""
    period: int | None = None
    """ns; used where neither the reply nor a notification names one."""


class KnownSubscription(Struct, frozen=True):
    """A subscription id whose terms the operator gives (captures, configured subscriptions)."""

    name: str = ""
    terms: SubscriptionTerms | None = None
    expect: tuple[str, ...] | None = None


class Limits(Struct, frozen=True):
    """Bounds of every table; what falls off is counted."""

    subscriptions_per_device: int = 256
    originators_per_subscription: int = 1024
    counters_per_device: int = 1024
    keys_per_counter: int = 256
    """Subscriptions behind one header id that are followed with a run of their own."""
    open_holes: int = 64
    """Runs of missing ids that one counter keeps open."""
    suspects: int = 512
    """(originator, period) pairs that one hole may be blamed on."""
    held_messages: int = 64
    """Messages of an unknown subscription."""
    lists: int = 64
    """Changes of the list that are remembered."""
    windows: int = 256
    """Windows of our own drops that are remembered."""


class EngineSettings(Struct, frozen=True):
    """Everything the engine is configured with."""

    grace: int | None = None
    """ns to wait after the expected arrival, None for the default rule."""
    named: dict[tuple[str, str], NamedSubscription] = {}
    """(device or ``*``, subscription name) -> what the operator says."""
    known: dict[tuple[str, int], KnownSubscription] = {}
    """(device or ``*``, subscription id) -> its name and terms."""
    generators: dict[str, dict[str, str]] = {}
    """device -> header id or peer address as text -> generator name."""
    per_subscription: dict[str, bool] = {}
    """device -> whether Message IDs count for each subscription alone; the others find out."""
    forget_after: int = DAY
    """ns after which a learned generator that stays away is no longer required."""
    limits: Limits = Limits()

    def for_name(self, device: str, name: str) -> NamedSubscription:
        """What the operator says about a subscription by name."""
        found = self.named.get((device, name)) or self.named.get((ANY_DEVICE, name))
        return found or NamedSubscription()

    def for_id(self, device: str, subscription_id: int) -> KnownSubscription | None:
        """What the operator says about a subscription by id."""
        one = self.known.get((device, subscription_id))
        return one or self.known.get((ANY_DEVICE, subscription_id))
