"""Writer: what one publisher says in each of its messages, before any transport has touched them.

Does: the push-update of a tick, the update record of an on-change subscription, a state change.
Does not: decide when, cut into units (``units``), or use numbers up (``publisher`` does).
"""

from __future__ import annotations

from typing import Any

from collector.model import NotificationKind, StateChange
from publisher_sim.agent.actions import Planned
from publisher_sim.agent.faults import Breaker
from publisher_sim.agent.numbering import Numbering
from publisher_sim.agent.on_change import Record
from publisher_sim.agent.units import Announcement, Update
from publisher_sim.cards.channel import ComponentSubscription, Destination
from publisher_sim.data.selection import select
from publisher_sim.scenario import Card, Scenario
from publisher_sim.sources.datastore import Datastore
from publisher_sim.sources.events import EventRecord


class Writer:
    """The messages of one publisher."""

    def __init__(
        self,
        scenario: Scenario,
        card: Card,
        datastore: Datastore,
        breaker: Breaker,
        numbering: Numbering,
    ) -> None:
        self._scenario = scenario
        self._card = card
        self._datastore = datastore
        self._breaker = breaker
        self._numbering = numbering
        self._behaviour = scenario.behaviour

    def update(
        self, component: ComponentSubscription, one: Planned, clock: int, to: Destination
    ) -> Update:
        """One push-update with its share of the nodes.

        Args:
            component: what it is of.
            one: which of the tick.
            clock: what the publisher's clock shows, ns since 1970.
            to: where it goes.
        """
        nodes = component.nodes[one.position :: one.count]
        incomplete = self._breaker.incomplete(tick_of(component, one.nominal))
        if incomplete:
            nodes = nodes[: len(nodes) // 2]
        return Update(
            **self._common(component, clock, to),
            nominal=one.nominal,
            position=one.position,
            count=one.count,
            contents=self._datastore.contents(nodes, one.nominal, select(component.selection)),
            incomplete=incomplete,
        )

    def record(
        self, component: ComponentSubscription, record: Record, clock: int, to: Destination
    ) -> Update:
        """One update record of an on-change subscription."""
        return Update(
            **self._common(component, clock, to),
            nominal=record.at,
            position=0,
            count=1,
            contents=record.contents,
            changes=record.patch_id is not None,
            incomplete=record.incomplete,
        )

    def announcement(
        self,
        component: ComponentSubscription,
        kind: NotificationKind,
        change: StateChange | None,
        record: EventRecord | None,
        clock: int,
        to: Destination,
    ) -> Announcement:
        """One state change, or the record of an event stream."""
        common = self._common(component, clock, to)
        return Announcement(**common, kind=kind, change=change, record=record)

    def _common(
        self, component: ComponentSubscription, clock: int, to: Destination
    ) -> dict[str, Any]:
        """What every message says; takes the next sequence number."""
        numbers = self._numbering.of(to, component.subscription_id)
        return {
            "transport": to.transport,
            "encoding": component.encoding,
            "header": self._scenario.push.header,
            "mode": self._scenario.control_mode,
            "device": self._scenario.name,
            "generator": self._card.generator,
            "publisher_id": self._card.publisher_id,
            "message_id": numbers.message_id,
            "sequence_number": numbers.next_sequence_number(component.subscription_id),
            "subscription_id": component.subscription_id,
            "clock": clock,
            "max_segment_size": to.max_segment_size or self._scenario.push.max_segment_size,
            "cbor_keys": self._scenario.push.cbor_keys,
            "behaviour": self._behaviour,
        }


def tick_of(component: ComponentSubscription, at: int) -> int:
    """Which tick of the timeline an instant belongs to."""
    return round((at - component.timeline_start) / component.timeline_period)
