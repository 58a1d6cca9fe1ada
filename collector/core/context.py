"""What all parts of the engine share: settings, what was said, the heap, our own windows.

Does not: know a device. One per engine; snapshot as "the rest".
"""

from __future__ import annotations

from collector.core.deadlines import Deadlines
from collector.core.settings import EngineSettings
from collector.core.state import Subscription
from collector.model import CENTISECOND, CollectorTime, Event, Fact, SubscriptionRow

Window = tuple[int, int]
"""From, to; CollectorTime."""


class Context:
    """Handed to every rule that says something or waits for something."""

    __slots__ = ("deadlines", "dirty", "downs", "drops", "facts", "settings")

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self.facts: list[Fact] = []
        """Said since the caller last took them."""
        self.deadlines = Deadlines()
        self.dirty: dict[tuple[int, int], Subscription] = {}
        """(subscription id, period index) of one device to be judged again after this input."""
        self.drops: list[Window] = []
        """When our own kernel or queue dropped."""
        self.downs: list[Window] = []
        """When we did not listen."""

    def mark(self, subscription: Subscription, index: int) -> None:
        """A verdict may have changed."""
        self.dirty[subscription.id, index] = subscription

    def event(self, time: int, device: str, subject: str, kind: str, text: str) -> None:
        """Say an event."""
        self.facts.append(Event(CollectorTime(time), device, subject, kind, text))

    def say_subscription(self, subscription: Subscription, time: int) -> None:
        """Say the row of a subscription as it stands now."""
        terms = subscription.terms
        newest = subscription.lists[-1] if subscription.lists else None
        chosen = terms.selection_filter
        self.facts.append(
            SubscriptionRow(
                time=CollectorTime(time),
                device=subscription.device,
                name=subscription.name,
                id=subscription.id,
                revision=subscription.revision,
                origin=subscription.origin,
                mode=subscription.mode,
                period_cs=subscription.period // CENTISECOND or None,
                anchor=terms.anchor_time,
                filter=chosen.text if chosen is not None else "",
                encoding=terms.encoding or "",
                generators=newest.members if newest is not None else (),
                provenance=newest.provenance if newest is not None else None,
                state=subscription.state,
                reason=subscription.reason,
                from_time=CollectorTime(subscription.since),
                to_time=None if subscription.until is None else CollectorTime(subscription.until),
            )
        )

    def take(self) -> list[Fact]:
        """What was said since the last call."""
        facts, self.facts = self.facts, []
        return facts


def add_window(windows: list[Window], since: int, until: int, limit: int) -> None:
    """Remember a window; the oldest falls off."""
    windows.append((min(since, until), until))
    if len(windows) > limit:
        del windows[0]


def meets(windows: list[Window], start: int, end: int) -> bool:
    """Does one of the windows meet [start, end]?"""
    return any(since <= end and start <= until for since, until in windows)
