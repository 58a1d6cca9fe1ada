"""What all parts of the engine share: settings, what was said, and the heap.

Does not: know a device. One per engine; never part of a snapshot.
"""

from __future__ import annotations

from collector.core.expectation.deadlines import Deadlines
from collector.core.memory.state import Hole, Run, Subscription
from collector.core.memory.state_parts import ListInForce
from collector.core.numbering.message_ids import Finding
from collector.core.on_change.sync_state import Filled, Missed
from collector.core.settings import EngineSettings
from collector.model import CENTISECOND, CollectorTime, Event, Fact, SubscriptionRow

Seen = tuple[Run, Finding, Hole | None]
"""What one book says of a message."""
_NEVER = (1 << 63) - 1
"""The last moment that can be kept stands for every later one: year 9999 means for good."""
LISTS_SHARED = 256
"""Different lists whose members are remembered so that equal ones can be shared (ours)."""


class Context:
    """Handed to every rule that says something or waits for something."""

    __slots__ = ("bundle", "deadlines", "dirty", "facts", "lists", "missed", "settings")

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self.facts: list[Fact] = []
        """Said since the caller last took them."""
        self.deadlines = Deadlines()
        self.dirty: dict[tuple[int, int], Subscription] = {}
        """(subscription id, period index) of one device to be judged again after this input."""
        self.missed: list[Missed | Filled] = []
        """Of on-change subscriptions, since the caller last took them."""
        self.bundle: list[Seen] | None = None
        """What the id of the message said whose notifications are taken, empty before its first;
        None unless there are several."""
        self.lists: dict[tuple[str, ...], tuple[tuple[str, ...], frozenset[str]]] = {}
        """Members of a list -> the same as they are kept: thousands of devices have equal ones."""

    def mark(self, subscription: Subscription, index: int) -> None:
        """A verdict may have changed."""
        self.dirty[subscription.id, index] = subscription

    def same(self, members: tuple[str, ...]) -> tuple[str, ...]:
        """The members as they are kept for an equal list."""
        kept = self.lists.get(members)
        return members if kept is None else kept[0]

    def share(self, one: ListInForce) -> None:
        """Equal lists keep the same members, 1.3 KB for eight of them otherwise."""
        if len(self.lists) >= LISTS_SHARED:
            self.lists.clear()
        kept = self.lists.setdefault(one.members, (one.members, one.allowed))
        one.members, one.allowed = kept

    def event(self, time: int, device: str, subject: str, kind: str, text: str) -> None:
        """Say an event."""
        self.facts.append(Event(CollectorTime(time), device, subject, kind, text))

    def say_subscription(self, subscription: Subscription, time: int) -> None:
        """Say the row of a subscription as it stands now."""
        terms = subscription.terms
        newest = subscription.lists[-1] if subscription.lists else None
        chosen, changes = terms.selection_filter, terms.on_change
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
                datastore=terms.datastore,
                stream=terms.stream,
                trigger=_trigger(subscription),
                filter_kind=None if chosen is None else chosen.kind,
                dampening_cs=(None if changes is None else changes.dampening_period // CENTISECOND),
                sync_on_start=None if changes is None else changes.sync_on_start,
                stop_time=None if terms.stop_time == _NEVER else terms.stop_time,
                replay_start_time=terms.replay_start_time,
                dscp=terms.dscp,
                transport=terms.transport,
            )
        )

    def take(self) -> list[Fact]:
        """What was said since the last call."""
        facts, self.facts = self.facts, []
        return facts


def _trigger(subscription: Subscription) -> str | None:
    """``update-trigger`` (RFC 8641 §4.2); a period that was learned or configured says it, too."""
    if subscription.terms.on_change is not None:
        return "on-change"
    return "periodic" if subscription.period else None
