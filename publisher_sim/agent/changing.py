"""The on-change subscriptions of one publisher: which shares it has, and when to look at them.

Does not: number, break or send records (``publisher`` does), or know what changes (``on_change``).
"""

from __future__ import annotations

from msgspec import structs

from publisher_sim.agent.on_change import OnChangeShare, Record
from publisher_sim.cards.channel import ComponentSubscription
from publisher_sim.data.selection import select
from publisher_sim.sources.datastore import Datastore


class Changing:
    """The shares of one publisher, by subscription id."""

    def __init__(self, datastore: Datastore, patch_ids: str) -> None:
        """It serves nothing yet; ``patch_ids``: as ``Behaviour`` has it."""
        self._datastore = datastore
        self._patch_ids = patch_ids
        self._shares: dict[int, OnChangeShare] = {}
        self._terms: dict[int, ComponentSubscription] = {}
        """As it was told, the nodes aside."""
        self._paused: set[int] = set()

    def serve(self, component: ComponentSubscription, at: int) -> Record | None:
        """A share, new or changed; the record that follows at once, if there is one."""
        assert component.on_change is not None
        number = component.subscription_id
        terms = structs.replace(component, nodes=(), resumed=False)
        if self._terms.get(number) == terms:
            share = self._shares[number]
            if number not in self._paused:
                return share.serve(component.nodes, at)
            self._paused.remove(number)
            return share.resume(component.nodes, at)
        self._paused.discard(number)
        self._terms[number] = terms
        share = self._shares[number] = OnChangeShare(
            self._datastore,
            component.nodes,
            select(component.selection),
            component.on_change,
            self._patch_ids,
        )
        return share.begin(at, resumed=component.resumed)

    def end(self, number: int, *, keep: bool) -> None:
        """That subscription is not served any more; ``keep``: it may go on where it stopped."""
        if keep and number in self._shares:
            self._paused.add(number)
            return
        self._paused.discard(number)
        self._shares.pop(number, None)
        self._terms.pop(number, None)

    def resync(self, number: int, at: int) -> Record | None:
        """All of a share once more, where it is served."""
        share = self._shares.get(number)
        return None if share is None else share.resync(at)

    def excluded(self) -> dict[int, int]:
        """Records kept back since the last call, by subscription id."""
        found = {number: share.excluded for number, share in self._shares.items()}
        for share in self._shares.values():
            share.excluded = 0
        return {number: count for number, count in found.items() if count}

    def next_deadline(self, number: int) -> int | None:
        """When ``handle_timer`` has something to do for that subscription, ns since 1970."""
        return self._shares[number].next_deadline()

    def handle_timer(self, number: int, at: int, *, lacking: bool) -> Record | None:
        """See ``OnChangeShare.handle_timer``."""
        return self._shares[number].handle_timer(at, lacking=lacking)
