"""ConfiguredSubscriptions: the state machines of RFC 8639 §2.5.1, subscriptions and receivers.

Does: valid, invalid and concluded; connecting, active, suspended and disconnected; what running
says becomes operational, who is told, the reset action. Does not: edit (``operations``), carry out
one subscription (``life_cycle``), connect (a shell says what it reached).

Rules: a receiver is active once it was sent subscription-started, which over UDP is at once;
records go to active receivers alone. A change while suspended is told by subscription-modified when
it is resumed (§2.5.3). The first active receiver begins the subscription, the last that goes ends
it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec import structs

from collector.errors import ProtocolError
from collector.model import SECOND, DeviceTime, NotificationKind, StateChange
from collector.wire.netconf_rpc import ReceiverState, SubscriptionState
from collector.wire.receiver_instances import ReceiverInstance
from collector.wire.subscription_config import Configuration, ConfiguredSubscription
from publisher_sim.cards.channel import Destination
from publisher_sim.master.configuration.entries import (
    ACTIVE,
    CONCLUDED,
    CONNECTING,
    DISCONNECTED,
    INVALID,
    SUSPENDED,
    VALID,
    Entry,
    Receiver,
    announce,
    place_of,
)
from publisher_sim.master.configuration.evaluation import Evaluated, evaluate
from publisher_sim.master.decomposition import Decomposition
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.ports import Action
from publisher_sim.master.sending import Sending
from publisher_sim.scenario import Scenario
from publisher_sim.sources.events import Streams
from publisher_sim.subscriptions.global_subscription import GlobalSubscription
from publisher_sim.subscriptions.named_filters import NamedFilters

_K = NotificationKind
_GONE = "no-such-subscription"
_TERMINATED = frozenset(
    {"filter-unavailable", "stream-unavailable", "datastore-not-subscribable", _GONE}
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
        self._sending = sending
        self._life_cycle = life_cycle
        self._decomposition = decomposition
        self._entries: dict[int, Entry] = {}
        self._reached: set[tuple[str, str, int]] = set()
        """Receivers over connections that are up."""

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
            actions.extend(self._stop(self._entries.pop(number), _GONE, now))
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

    def _evaluate(
        self, entry: Entry, instances: Mapping[str, ReceiverInstance], now: int
    ) -> list[Action]:
        """Created or modified: valid, or not (RFC 8639 figure 8)."""
        stop_time = entry.wanted.terms.stop_time
        if stop_time is not None and stop_time <= now:
            entry.state, entry.why = CONCLUDED, ""
            return self._stop(entry, _GONE, now)
        try:
            if self._is_taken(entry):
                raise ProtocolError("another subscription has that id", tag="invalid-value")
            found = evaluate(
                entry.wanted, instances, self._scenario, self._filters, self._streams, now
            )
        except ProtocolError as error:
            entry.state, entry.why = INVALID, str(error)
            reason = error.identity if error.identity in _TERMINATED else _GONE
            return self._stop(entry, reason, now)
        entry.state, entry.why = VALID, ""
        if self._running(entry):
            return self._modify(entry, found, now)
        entry.one, entry.receivers = found.one, {}
        return self._connect(entry, found.destinations, now)

    def _is_taken(self, entry: Entry) -> bool:
        other = self._life_cycle.get(entry.wanted.id)
        return other is not None and other is not entry.one

    def _running(self, entry: Entry) -> bool:
        return entry.one is not None and self._life_cycle.get(entry.wanted.id) is entry.one

    def _stop(self, entry: Entry, reason: str, now: int) -> list[Action]:
        """subscription-terminated to those who were told of a start."""
        actions: list[Action] = []
        if self._running(entry):
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
            actions.extend(self._leave(entry, entry.receivers.pop(name), now))
        terms = found.one.terms
        if entry.wanted.terms.anchor_time is None and terms.period == one.terms.period:
            terms = structs.replace(terms, anchor_time=one.terms.anchor_time)
        if terms.replay_start_time is not None and one.terms.replay_start_time is not None:
            terms = structs.replace(terms, replay_start_time=one.terms.replay_start_time)
        passes = found.one.event_filter is one.event_filter
        one.meant, one.event_filter = found.one.meant, found.one.event_filter
        one.records_per_second = found.one.records_per_second
        changed = not passes or (terms, found.one.selection) != (one.terms, one.selection)
        if changed and self._running(entry):
            actions.extend(self._life_cycle.modify(one, terms, found.one.selection, now))
        elif changed:
            one.terms, one.selection = terms, found.one.selection
        if changed:  # what waits for those who were not reached says the old terms
            for receiver in entry.receivers.values():
                if receiver.state == CONNECTING:
                    actions.extend(self._greet(entry, receiver, now))
        new = {name: to for name, to in found.destinations.items() if name not in entry.receivers}
        return [*actions, *self._connect(entry, new, now)]

    def _leave(self, entry: Entry, receiver: Receiver, now: int) -> list[Action]:
        """A receiver that is removed is told (RFC 8639 §2.5.3)."""
        one = entry.one
        assert one is not None
        if receiver.destination not in one.destinations:
            return []
        rest = tuple(to for to in one.destinations if to != receiver.destination)
        change = StateChange(reason=_GONE)
        if not rest:
            return self._life_cycle.terminate(one, _GONE, now)
        one.destinations = rest
        said = announce(one, _K.SUBSCRIPTION_TERMINATED, change, receiver.destination)
        return [said, *self._tell(one)]

    # ------------------------------------------------------------------ receivers
    def _connect(
        self, entry: Entry, destinations: Mapping[str, Destination], now: int
    ) -> list[Action]:
        """New receivers begin to connect; those that are reached at once are active."""
        actions: list[Action] = []
        for name, to in destinations.items():
            receiver = entry.receivers[name] = Receiver(to, CONNECTING, now)
            actions.extend(self._greet(entry, receiver, now))
        for name in destinations:
            if self._is_reached(entry.receivers[name].destination):
                actions.extend(self._activate(entry, entry.receivers[name], now))
        return actions

    def _is_reached(self, to: Destination) -> bool:
        return to.transport != "https-notif" or place_of(to) in self._reached

    def _greet(self, entry: Entry, receiver: Receiver, now: int) -> list[Action]:
        """subscription-started: over a connection it waits until there is one."""
        one = entry.one
        assert one is not None
        one.shares = one.shares or self._decomposition.shares(one)
        change = StateChange(terms=one.said_terms, generators=self._decomposition.listed(one))
        change = self._with_replay(change, one, now)
        return [announce(one, _K.SUBSCRIPTION_STARTED, change, receiver.destination)]

    def _with_replay(self, change: StateChange, one: GlobalSubscription, now: int) -> StateChange:
        """From when on is replayed, and when the record before happened (RFC 8639 §2.5.6)."""
        stream, start = self._streams.get(one.terms.stream or ""), one.terms.replay_start_time
        if stream is None or start is None or change.terms is None:
            return change
        begins = stream.begins(start, now)
        before = stream.last_before(begins)
        return structs.replace(
            change,
            terms=structs.replace(change.terms, replay_start_time=DeviceTime(begins)),
            replay_previous_event_time=None if before is None else DeviceTime(before),
        )

    def _activate(self, entry: Entry, receiver: Receiver, now: int) -> list[Action]:
        one = entry.one
        assert one is not None
        receiver.state = ACTIVE
        to = receiver.destination
        if not self._running(entry):
            one.causes, one.suspended_at, one.modified_meanwhile = (), None, False
            one.destinations = (to,)
            begun = self._life_cycle.begin(one, now)
        elif to in one.destinations:
            begun = self._from_the_start(one)
        else:
            one.destinations = (*one.destinations, to)
            begun = [*self._tell(one), *self._from_the_start(one)]
        return [*begun, *self._sending.replay(one, now, to=to)]

    def _from_the_start(self, one: GlobalSubscription) -> list[Action]:
        """A receiver that comes later has to know what the changes change (RFC 8641 §3.5)."""
        change = one.terms.on_change
        if change is None or not change.sync_on_start or one.suspended:
            return []
        return self._decomposition.resync(one)

    def _tell(self, one: GlobalSubscription) -> list[Action]:
        return [] if one.suspended else self._decomposition.tell(one, one.shares)

    def receiver_reached(
        self, transport: str, address: str, port: int, reached: bool, now: int
    ) -> list[Action]:
        """A connection is up and subscription-started was taken, or it cannot be made."""
        place = (transport, address, port)
        if reached == (place in self._reached):
            return []
        if reached:
            self._reached.add(place)
        else:
            self._reached.discard(place)
        actions: list[Action] = []
        for entry in self._entries.values():
            for receiver in entry.receivers.values():
                if place_of(receiver.destination) == place and entry.state == VALID:
                    actions.extend(self._moved(entry, receiver, reached, now))
        return actions

    def _moved(self, entry: Entry, receiver: Receiver, reached: bool, now: int) -> list[Action]:
        if reached and receiver.state == CONNECTING:
            return self._activate(entry, receiver, now)
        if reached or receiver.state != ACTIVE:
            return []
        receiver.state, receiver.since = CONNECTING, now  # transport loss
        return [*self._without(entry, receiver, now), *self._greet(entry, receiver, now)]

    def _without(self, entry: Entry, receiver: Receiver, now: int) -> list[Action]:
        """Records go to the others alone."""
        one = entry.one
        assert one is not None
        rest = tuple(to for to in one.destinations if to != receiver.destination)
        if not rest:
            return self._life_cycle.end(one, "transport-loss", now)
        one.destinations = rest
        return self._tell(one)

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
        receiver.state, receiver.since = CONNECTING, now
        actions = self._greet(entry, receiver, now)
        if self._is_reached(receiver.destination):
            actions.extend(self._activate(entry, receiver, now))
        return DeviceTime(now), actions

    # ------------------------------------------------------------------ time
    def next_deadline(self) -> int | None:
        """When ``handle_timer`` has something to do, ns; None while there is nothing."""
        return min((self._patience(one) for one in self._connecting()), default=None)

    def handle_timer(self, now: int) -> None:
        """Give up receivers that were not reached in time (RFC 8639 figure 9), and see what the
        time has concluded; after whatever else is due."""
        for entry in self._entries.values():
            stop_time = entry.wanted.terms.stop_time
            if stop_time is not None and stop_time <= now and self._state(entry) == INVALID:
                entry.state, entry.why = CONCLUDED, ""
        for receiver in list(self._connecting()):
            if self._patience(receiver) <= now:
                receiver.state = DISCONNECTED

    def _connecting(self) -> Iterable[Receiver]:
        return (
            receiver
            for entry in self._entries.values()
            for receiver in entry.receivers.values()
            if receiver.state == CONNECTING
        )

    def _patience(self, receiver: Receiver) -> int:
        assert self._scenario.configuration is not None
        return receiver.since + round(self._scenario.configuration.connect_seconds * SECOND)

    # ------------------------------------------------------------------ operational state
    def _state(self, entry: Entry) -> str:
        """A valid one that runs no more was given up by the device, unless it never began."""
        if entry.state != VALID or self._running(entry):
            return entry.state
        connects = any(one.state in (CONNECTING, DISCONNECTED) for one in entry.receivers.values())
        return VALID if connects else INVALID

    def states(self) -> tuple[SubscriptionState, ...]:
        """Entries of /subscriptions."""
        return tuple(self._operational(entry) for entry in self._entries.values())

    def why_invalid(self, number: int) -> str:
        """The reason, for people; empty: it is not invalid, or was given up."""
        return self._entries[number].why

    def _operational(self, entry: Entry) -> SubscriptionState:
        one, state = entry.one, self._state(entry)
        receivers = (
            ReceiverState(
                name,
                SUSPENDED if one.suspended and receiver.state == ACTIVE else receiver.state,
                one.sent,
                one.excluded,
            )
            for name, receiver in (entry.receivers if state == VALID else {}).items()
            if one is not None
        )
        return SubscriptionState(
            entry.wanted.id,
            entry.wanted.terms if one is None else one.terms,
            self._decomposition.listed(one) if one is not None and state == VALID else None,
            state,
            tuple(receivers),
        )


def _names(one: ConfiguredSubscription, filters: Collection[str]) -> bool:
    """Does it refer to one of these?"""
    wanted = one.terms.selection_filter
    return wanted is not None and wanted.kind == "ref" and wanted.text in filters
