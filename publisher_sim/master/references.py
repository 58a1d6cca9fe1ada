"""References: named filters that change while subscriptions refer to them.

Does: keep the filters and tell those whose filter has other contents, or is gone. Does not: know
who changes them (the timeline, a configuration). Spec: RFC 8639 §2.7.2, §2.7.3.
"""

from __future__ import annotations

from collector.errors import ProtocolError
from collector.model import SelectionFilter
from publisher_sim.data.selection import FilterUnsupportedError, select
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.ports import Action
from publisher_sim.subscriptions.event_acceptance import event_filter
from publisher_sim.subscriptions.global_subscription import GlobalSubscription
from publisher_sim.subscriptions.named_filters import NamedFilters, kind_of


class References:
    """Who refers to which filter of the device."""

    def __init__(self, filters: NamedFilters, life_cycle: LifeCycle) -> None:
        self._filters = filters
        self._life_cycle = life_cycle

    def put(self, of: str, name: str, contents: SelectionFilter, now: int) -> list[Action]:
        """Add a filter (``of`` is ``datastore`` or ``stream``), or give it other contents. Where
        these cannot be evaluated what refers to it ends."""
        if self._filters.get(of, name) == contents:
            return []
        self._filters.put(of, name, contents)
        return [a for one in self._who(of, name) for a in self._refilter(one, contents, now)]

    def remove(self, of: str, name: str, now: int) -> list[Action]:
        """It is gone, and what refers to it ends."""
        self._filters.remove(of, name)
        return [a for one in self._who(of, name) for a in self._end(one, now)]

    def _who(self, of: str, name: str) -> list[GlobalSubscription]:
        found = []
        for one in self._life_cycle:
            wanted = one.terms.selection_filter
            if wanted is not None and (wanted.kind, wanted.text) == ("ref", name):
                found.append(one)
        return [one for one in found if kind_of(one.terms) == of]

    def _refilter(
        self, one: GlobalSubscription, contents: SelectionFilter, now: int
    ) -> list[Action]:
        selection, evaluated = one.selection, one.event_filter
        try:
            if one.terms.stream is None:
                selection = select(contents)
            else:
                evaluated = event_filter(contents)
        except (FilterUnsupportedError, ProtocolError):
            return self._end(one, now)
        one.meant, one.event_filter = contents, evaluated
        return self._life_cycle.change(one, one.terms, selection, now)

    def _end(self, one: GlobalSubscription, now: int) -> list[Action]:
        return self._life_cycle.terminate(one, "filter-unavailable", now)
