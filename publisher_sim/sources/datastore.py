"""The simulated operational datastore: its list entries at an instant, and when they change.

Does not: know owners, or keep what it could not work out anew. Everything follows from scenario and
time (``flaps``, ``entries``), so that all processes of a device see the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from msgspec import Struct

from publisher_sim.data.entries import INTERFACES, SECOND, TREES, UP, Node, State, entry, notifiable
from publisher_sim.data.selection import EVERYTHING, Selection
from publisher_sim.scenario import Scenario
from publisher_sim.sources.flaps import Flap

SHUT_EVERY = 4
"""So many times more seldom than it goes down an interface is shut; ours."""


class _Life(Struct, frozen=True):
    """How one list entry changes."""

    flaps: tuple[Flap, Flap, Flap]
    """Its presence, its state, its configuration."""

    def state(self, at: int) -> State:
        presence, status, admin = self.flaps
        sinces = [one for one in (status.since(at), admin.since(at)) if one is not None]
        since = max(sinces, default=None)
        return State(presence.is_away(at), status.is_away(at), admin.is_away(at), since)

    def next_change(self, after: int) -> int | None:
        changes = (one.next_change(after) for one in self.flaps)
        return min((one for one in changes if one is not None), default=None)


class Datastore:
    """That of one device."""

    def __init__(self, scenario: Scenario) -> None:
        self._seed = scenario.seed
        self._changes = scenario.changes
        self._transient = {name for card in scenario.publishers for name in card.transient}
        slots = (scenario.changes.status_seconds, scenario.changes.sensor_seconds)
        self._still = not any(slots) and not (scenario.changes.entry_seconds and self._transient)
        """Nothing but counters ever changes."""
        self._known: dict[Node, tuple[int, int | None, State]] = {}
        """entry -> (from when, until when, its state): worked out once for each change."""

    def contents(
        self, nodes: Iterable[Node], at: int, selection: Selection = EVERYTHING
    ) -> dict[str, Any]:
        """The selected part of some list entries at an instant, with RFC 7951 names.

        Each entry has one owner, so two updates never overlap. Empty when nothing is selected.
        """
        found: dict[str, Any] = {}
        for node in nodes:
            state = self._state(node, at)
            if state.away:
                continue
            values = entry(self._seed, node.module, node.key, at, state)
            selected = selection.of(node.module, node.key, values)
            if selected is not None:
                add(found, node, selected)
        return found

    def notifiable(self, node: Node, at: int, selection: Selection) -> dict[str, Any] | None:
        """What of an entry is said on-change and selected; None when nothing is.

        Predicates see these members alone, whose changes are known.
        """
        state = self._state(node, at)
        if state.away:
            return None
        values = notifiable(self._seed, node.module, node.key, state)
        return selection.of(node.module, node.key, values)

    def next_change(self, node: Node, after: int) -> int | None:
        """When the entry comes, goes or changes next, counters left aside; None for never."""
        return None if self._still else self._at(node, after)[1]

    def _state(self, node: Node, at: int) -> State:
        return UP if self._still else self._at(node, at)[2]

    def _at(self, node: Node, at: int) -> tuple[int, int | None, State]:
        """The stretch of time without a change that an instant is in, as of ``_known``."""
        known = self._known.get(node)
        if known is not None and known[0] <= at and (known[1] is None or at < known[1]):
            return known
        life = self._life(node)
        known = self._known[node] = (at, life.next_change(at), life.state(at))
        return known

    def _life(self, node: Node) -> _Life:
        changes = self._changes
        if node.module != INTERFACES:
            return _life(self._seed, node, 0.0, changes.sensor_seconds, 0.0)
        presence = changes.entry_seconds if node.key in self._transient else 0.0
        status = changes.status_seconds
        return _life(self._seed, node, presence, status, SHUT_EVERY * status)


@lru_cache(maxsize=65_536)
def _life(seed: int, node: Node, presence: float, status: float, admin: float) -> _Life:
    def flap(what: str, seconds: float) -> Flap:
        return Flap(f"{seed}/{what}/{node.module}/{node.key}", round(seconds * SECOND))

    return _Life((flap("presence", presence), flap("status", status), flap("admin", admin)))


def add(contents: dict[str, Any], node: Node, values: dict[str, Any]) -> None:
    """Add a list entry to contents."""
    container, name = TREES[node.module]
    contents.setdefault(f"{node.module}:{container}", {name: []})[name].append(values)
