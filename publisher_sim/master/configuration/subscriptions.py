"""ConfiguredSubscriptions: the state machine of RFC 8639 §2.5.1 for subscriptions.

Does: valid, invalid and concluded; what running says becomes operational. Does not: edit
(``operations``), move receivers (``receivers``), carry out one subscription (``life_cycle``).

Rules: a change while suspended is told by subscription-modified when it is resumed (§2.5.3).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import structs

from collector.errors import ProtocolError
from collector.model import DeviceTime
from collector.wire.netconf.rpc import SubscriptionState
from collector.wire.subscriptions.config import Configuration, ConfiguredSubscription
from collector.wire.subscriptions.receiver_instances import ReceiverInstance
from publisher_sim.master.configuration.entries import (
    CONCLUDED,
    CONNECTING,
    DISCONNECTED,
    GONE,
    INVALID,
    VALID,
    Entry,
    is_running,
)
from publisher_sim.master.configuration.evaluation import Evaluated, evaluate
from publisher_sim.master.configuration.receivers import Receivers
from publisher_sim.master.decomposition import Decomposition
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.ports import Action
from publisher_sim.master.sending import Sending
from publisher_sim.scenario import Scenario
from publisher_sim.sources.events import Streams
from publisher_sim.subscriptions.named_filters import NamedFilters

_TERMINATED = frozenset(
    {"filter-unavailable", "stream-unavailable", "datastore-not-subscribable", GONE}
)
"""Reasons that subscription-terminated knows (RFC 8639 §2.7.3, RFC 8641 §4)."""


class ConfiguredSubscriptions:
    """All subscriptions of the running configuration, by id."""

    def __init__(
        self,
        scenario: Scenario,
        life_cycle: LifeCycle,
        decomposition: Decomposition,
        filters: NamedFilters,
        streams: Streams,
        sending: Sending,
    ) -> None:
        self._scenario = scenario
        self._filters = filters
        self._streams = streams
        self._life_cycle = life_cycle
        self._decomposition = decomposition
        self._entries: dict[int, Entry] = {}
        self._receivers = Receivers(scenario, life_cycle, decomposition, streams, sending)

    def __contains__(self, number: object) -> bool:
        return number in self._entries

    # ------------------------------------------------------------------ configuration
    def apply(
        self, configuration: Configuration, now: int, filters: Collection[str] = ()
    ) -> list[Action]:
        """Running is this now; ``filters``: names of those that have other contents."""
        instances = {one.name: one for one in configuration.instances}
        wanted = {one.id: one for one in configuration.subscriptions}
        actions: list[Action] = []
        for number in [number for number in self._entries if number not in wanted]:
            actions.extend(self._stop(self._entries.pop(number), GONE, now))
        for number, one in wanted.items():
            used = tuple(instances[receiver.instance or ""] for receiver in one.receivers)
            entry = self._entries.get(number)
            if entry is None:
                entry = self._entries[number] = Entry(one, used)
            elif (entry.wanted, entry.instances) == (one, used) and not _names(one, filters):
                continue
            entry.wanted, entry.instances = one, used
            actions.extend(self._evaluate(entry, instances, now))
        return actions

    def restart(self, now: int) -> list[Action]:
        """As after a reboot: none is there, and nobody is told."""
        entries = self._entries.values()
        running = [one.one for one in entries if is_running(one, self._life_cycle)]
        self._entries.clear()
        return [a for one in running if one for a in self._life_cycle.end(one, "restart", now)]

    def _evaluate(
        self, entry: Entry, instances: Mapping[str, ReceiverInstance], now: int
    ) -> list[Action]:
        """Created or modified: valid, or not (RFC 8639 figure 8)."""
        stop_time = entry.wanted.terms.stop_time
        if stop_time is not None and stop_time <= now:
            entry.state = CONCLUDED
            return self._stop(entry, GONE, now)
        try:
            if self._is_taken(entry):
                raise ProtocolError("another subscription has that id", tag="invalid-value")
            found = evaluate(
                entry.wanted, instances, self._scenario, self._filters, self._streams, now
            )
        except ProtocolError as error:
            entry.state = INVALID
            reason = error.identity if error.identity in _TERMINATED else GONE
            return self._stop(entry, reason, now)
        entry.state = VALID
        if is_running(entry, self._life_cycle):
            return self._modify(entry, found, now)
        entry.one, entry.receivers = found.one, {}
        return self._receivers.connect(entry, found.destinations, now)

    def _is_taken(self, entry: Entry) -> bool:
        other = self._life_cycle.get(entry.wanted.id)
        return other is not None and other is not entry.one

    def _stop(self, entry: Entry, reason: str, now: int) -> list[Action]:
        """subscription-terminated to those who were told of a start."""
        actions: list[Action] = []
        if is_running(entry, self._life_cycle):
            assert entry.one is not None
            actions = self._life_cycle.terminate(entry.one, reason, now)
        entry.one, entry.receivers = None, {}
        return actions

    def _modify(self, entry: Entry, found: Evaluated, now: int) -> list[Action]:
        one = entry.one
        assert one is not None
        gone = [
            name
            for name, receiver in entry.receivers.items()
            if found.destinations.get(name) != receiver.destination
        ]
        actions: list[Action] = []
        for name in gone:
            actions.extend(self._receivers.leave(entry, entry.receivers.pop(name), now))
        terms = found.one.terms
        if entry.wanted.terms.anchor_time is None and terms.period == one.terms.period:
            terms = structs.replace(terms, anchor_time=one.terms.anchor_time)
        if terms.replay_start_time is not None and one.terms.replay_start_time is not None:
            terms = structs.replace(terms, replay_start_time=one.terms.replay_start_time)
        passes = found.one.event_filter is one.event_filter
        one.meant, one.event_filter = found.one.meant, found.one.event_filter
        one.records_per_second = found.one.records_per_second
        changed = not passes or (terms, found.one.selection) != (one.terms, one.selection)
        if changed and is_running(entry, self._life_cycle):
            actions.extend(self._life_cycle.modify(one, terms, found.one.selection, now))
        elif changed:
            one.terms, one.selection = terms, found.one.selection
        if changed:  # what waits for those who were not reached says the old terms
            for receiver in entry.receivers.values():
                if receiver.state == CONNECTING:
                    actions.extend(self._receivers.greet(entry, receiver, now))
        new = {name: to for name, to in found.destinations.items() if name not in entry.receivers}
        return [*actions, *self._receivers.connect(entry, new, now)]

    def receiver_reached(
        self, transport: str, address: str, port: int, reached: bool, now: int
    ) -> list[Action]:
        """A connection is up and subscription-started was taken, or it cannot be made."""
        place = (transport, address, port)
        if not self._receivers.note(place, reached):
            return []
        valid = [entry for entry in self._entries.values() if entry.state == VALID]
        moves = (self._receivers.moved(entry, place, reached, now) for entry in valid)
        return [action for actions in moves for action in actions]

    def reset(self, number: int, name: str, now: int) -> tuple[DeviceTime, list[Action]]:
        """A receiver goes to connecting and is told of a start anew (RFC 8639 §2.5.5).

        Raises:
            ProtocolError: there is none, or its subscription is not valid.
        """
        entry = self._entries.get(number)
        receiver = None if entry is None else entry.receivers.get(name)
        if entry is None or receiver is None or self._state(entry) != VALID:
            raise ProtocolError(
                f"subscription {number} has no receiver {name} to reset", tag="data-missing",
                path="/subscriptions/subscription/receivers/receiver",
            )  # fmt: skip
        return DeviceTime(now), self._receivers.reset(entry, receiver, now)

    # ------------------------------------------------------------------ time
    def next_deadline(self) -> int | None:
        """When ``handle_timer`` has something to do, ns; None while there is nothing."""
        times = (self._receivers.next_deadline(entry) for entry in self._entries.values())
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now: int) -> None:
        """Give up receivers that were not reached in time (RFC 8639 figure 9), and see what the
        time has concluded; after whatever else is due."""
        for entry in self._entries.values():
            stop_time = entry.wanted.terms.stop_time
            if stop_time is not None and stop_time <= now and self._state(entry) == INVALID:
                entry.state = CONCLUDED
            self._receivers.handle_timer(entry, now)

    # ------------------------------------------------------------------ operational state
    def _state(self, entry: Entry) -> str:
        """A valid one that runs no more was given up by the device, unless it never began."""
        if entry.state != VALID or is_running(entry, self._life_cycle):
            return entry.state
        connects = any(one.state in (CONNECTING, DISCONNECTED) for one in entry.receivers.values())
        return VALID if connects else INVALID

    def states(self) -> tuple[SubscriptionState, ...]:
        """Entries of /subscriptions."""
        return tuple(self._operational(entry) for entry in self._entries.values())

    def _operational(self, entry: Entry) -> SubscriptionState:
        one, state = entry.one, self._state(entry)
        return SubscriptionState(
            entry.wanted.id,
            entry.wanted.terms if one is None else one.terms,
            self._decomposition.listed(one) if one is not None and state == VALID else None,
            state,
            self._receivers.states(entry) if state == VALID else (),
        )


def _names(one: ConfiguredSubscription, filters: Collection[str]) -> bool:
    """Does it refer to one of these?"""
    wanted = one.terms.selection_filter
    return wanted is not None and wanted.kind == "ref" and wanted.text in filters
