"""Membership: which agents are there, what they can do, and the decomposition that follows.

Does not: talk to agents or subscribers. Rules: an agent counts from its registration until its
channel has been broken for ``loss_detection_seconds``; one that registers anew before is the same
card, with a new run. The nodes of a card that is not there are not in the datastore, unless the
timeline named an heir. A publisher gets a part only of what its component capability covers:
external connectivity, encoding, shortest period (draft-zhou-netconf-multi-stream-originators-10
§4, §5); the master serves the rest.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection

from collector.errors import UsageError
from collector.model import SECOND
from publisher_sim.cards.channel import Register
from publisher_sim.cards.resource_location import ResourceLocationTable, decompose
from publisher_sim.data.entries import HARDWARE, INTERFACES, Node
from publisher_sim.data.selection import Selection
from publisher_sim.scenario import MASTER, Fault, Scenario


class Membership:
    """The publishers of one device as its master knows them."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._table = ResourceLocationTable(_homes(scenario))
        self._there: dict[str, Register] = {}
        """card -> how it registered, until it is declared gone."""
        self._broken: list[tuple[int, str, str]] = []
        """Heap of (when to declare it gone, card, run) for channels that broke."""
        self._heirs: dict[str, str] = {}
        """card -> who takes its nodes over; empty: nobody."""
        for card in scenario.card:
            self._table.leave(card.name)

    def register(self, message: Register) -> bool:
        """An agent is there; True when its card was not.

        Raises:
            UsageError: the device has no such card.
        """
        if message.card not in {card.name for card in self._scenario.card}:
            raise UsageError(f"no card {message.card!r} in this device")
        new = message.card not in self._there
        self._there[message.card] = message
        if new:
            self._table.come_back(message.card)
        return new

    def lost(self, card: str, run: str, now: int) -> None:
        """The channel of an agent broke."""
        patience = round(self._scenario.master.loss_detection_seconds * SECOND)
        heapq.heappush(self._broken, (now + patience, card, run))

    def next_deadline(self) -> int | None:
        """When somebody is to be declared gone, ns."""
        return self._broken[0][0] if self._broken else None

    def declare_gone(self, now: int) -> bool:
        """Give up those whose time is over; True when somebody was."""
        changed = False
        while self._broken and self._broken[0][0] <= now:
            _, card, run = heapq.heappop(self._broken)
            known = self._there.get(card)
            if known is not None and known.run == run:
                del self._there[card]
                self._table.leave(card, self._heirs.get(card, ""))
                changed = True
        return changed

    def bequeath(self, card: str, heir: str) -> None:
        """Who is to take a card's nodes over once it is gone; empty: nobody."""
        self._heirs[card] = heir

    def move(self, fault: Fault, to: str) -> None:
        """Give the nodes of a ``move`` to a publisher; those not there stay away."""
        card = self._scenario.publisher(fault.card)
        nodes = [Node(INTERFACES, name) for name in fault.interfaces or card.all_interfaces]
        if not fault.interfaces:
            nodes.extend(Node(HARDWARE, name) for name in card.hardware)
        self._table.move(nodes, to)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All that is in the datastore now."""
        return tuple(self._table.owners)

    def shares(
        self,
        selection: Selection,
        encoding: str,
        period: int,
        readable: Collection[str] | None = None,
    ) -> dict[str, tuple[Node, ...]]:
        """publisher -> its part, in the order of the scenario.

        ``readable``: modules that the receiver may read, the others are silently left out
        (RFC 8641 §3.9); None: all.
        """
        able = [
            card.name
            for card in self._scenario.publishers
            if card.name == MASTER or self._is_able(card.name, encoding, period)
        ]
        owners = self._table.owners
        if readable is not None:
            owners = {node: owner for node, owner in owners.items() if node.module in readable}
        return decompose(owners, selection, able, MASTER)

    def _is_able(self, card: str, encoding: str, period: int) -> bool:
        known = self._there.get(card)
        return (
            known is not None
            and known.external_connectivity
            and encoding in known.encodings
            and period >= known.minimum_period
        )


def _homes(scenario: Scenario) -> dict[Node, str]:
    """node -> the publisher that the scenario gives it to."""
    homes: dict[Node, str] = {}
    for card in scenario.publishers:
        homes.update({Node(INTERFACES, name): card.name for name in card.all_interfaces})
        homes.update({Node(HARDWARE, name): card.name for name in card.hardware})
    return homes
