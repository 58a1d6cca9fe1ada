"""Decomposition: a global subscription cut into component subscriptions, and who is told.

Does: shares, the list of generators, messages to the publishers. Does not: know who is there
(``membership``), or say anything to subscribers. Spec: draft-zhou-netconf-multi-stream-
originators-10 §4, §5: parts never overlap, their union is the whole, settings and id are those of
the global subscription.
"""

from __future__ import annotations

from publisher_sim.cards.channel import (
    ComponentSubscription,
    Destination,
    EndComponent,
    ResyncComponent,
)
from publisher_sim.cards.membership import Membership
from publisher_sim.data.entries import Node
from publisher_sim.master.ports import Action, TellAgent
from publisher_sim.master.timeline import Timeline
from publisher_sim.scenario import MASTER, Scenario
from publisher_sim.subscriptions.global_subscription import DEFAULT_ENCODING, GlobalSubscription

Shares = dict[str, tuple[Node, ...]]
"""publisher -> the nodes of its component subscription."""


class Decomposition:
    """How this device shares the work out."""

    def __init__(self, scenario: Scenario, members: Membership, timeline: Timeline) -> None:
        self._scenario = scenario
        self._members = members
        self._timeline = timeline

    def shares(self, one: GlobalSubscription) -> Shares:
        """Who would serve what, now; of an event stream nobody but the master anything."""
        if one.terms.stream is not None:
            return {}
        encoding = one.terms.encoding or DEFAULT_ENCODING
        return self._members.shares(one.selection, encoding, one.period, one.readable)

    def generators(self, one: GlobalSubscription) -> tuple[str, ...]:
        """Who serves it."""
        if one.terms.stream is not None:
            return (self._scenario.publisher(MASTER).generator,)
        return tuple(self._scenario.publisher(name).generator for name in one.shares)

    def listed(self, one: GlobalSubscription) -> tuple[str, ...] | None:
        """What replies and state changes say of them."""
        return self.generators(one) if self._scenario.lists and not one.unlisted else None

    def shown(self, one: GlobalSubscription) -> tuple[str, ...]:
        """What /subscriptions says of them, to who may see it."""
        return self.generators(one) if self._scenario.lists else ()

    def tell(self, one: GlobalSubscription, before: Shares, *, fresh: bool = False) -> list[Action]:
        """Component subscriptions to those whose share is new, ends to those without one.

        ``fresh``: the subscription begins, so that nothing can have been missed.
        """
        ends = [
            TellAgent(publisher, EndComponent(one.subscription_id))
            for publisher in before
            if publisher not in one.shares
        ]
        starts = [
            TellAgent(publisher, self.component(one, publisher, fresh=fresh))
            for publisher in one.shares
        ]
        return [*ends, *starts]

    def stop(self, one: GlobalSubscription, *, suspended: bool = False) -> list[Action]:
        """The component subscriptions end with their global one (base draft §5), or pause."""
        message = EndComponent(one.subscription_id, suspended)
        return [TellAgent(publisher, message) for publisher in one.shares]

    def resync(self, one: GlobalSubscription) -> list[Action]:
        """Everything of an on-change subscription once more, from each publisher."""
        message = ResyncComponent(one.subscription_id)
        return [TellAgent(publisher, message) for publisher in one.shares]

    def component(
        self,
        one: GlobalSubscription,
        publisher: str,
        to: Destination | None = None,
        *,
        fresh: bool = False,
    ) -> ComponentSubscription:
        """One publisher's part; ``to``: for this receiver alone."""
        return ComponentSubscription(
            subscription_id=one.subscription_id,
            period=one.terms.period or 0,
            anchor=one.anchor,
            encoding=one.terms.encoding or DEFAULT_ENCODING,
            nodes=one.shares.get(publisher, ()),
            selection=one.selection.wanted,
            receiver_transport=self._scenario.receiver.transport,
            receiver_address=self._scenario.receiver.address,
            receiver_port=self._scenario.receiver.port,
            timeline_start=self._timeline.start or 0,
            timeline_period=self._timeline.period,
            on_change=one.terms.on_change,
            resumed=one.terms.on_change is not None and not fresh,
            dscp=one.terms.dscp or 0,
            destinations=one.destinations if to is None else (to,),
        )
