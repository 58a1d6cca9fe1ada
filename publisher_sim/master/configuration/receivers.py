"""Receivers: those of the configured subscriptions, as the state machine of RFC 8639 §2.5.1.

Does: connecting, active, suspended and disconnected; who is told of what. Does not: know which
subscriptions are valid (``subscriptions``), carry out one of them (``life_cycle``), connect (a
shell says what it reached).

Rules: a receiver is active once it was sent subscription-started, which over UDP is at once;
records go to active receivers alone. The first active receiver begins the subscription, the last
that goes ends it.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from collector.model import SECOND, DeviceTime, NotificationKind, StateChange
from collector.wire.netconf.rpc import ReceiverState
from publisher_sim.cards.channel import Destination
from publisher_sim.master.configuration.entries import (
    ACTIVE,
    CONNECTING,
    DISCONNECTED,
    GONE,
    SUSPENDED,
    Entry,
    Receiver,
    announce,
    is_running,
    place_of,
)
from publisher_sim.master.decomposition import Decomposition
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.ports import Action
from publisher_sim.master.sending import Sending
from publisher_sim.scenario import Scenario
from publisher_sim.sources.events import Streams
from publisher_sim.subscriptions.global_subscription import GlobalSubscription

_K = NotificationKind


class Receivers:
    """What happens to the receivers of each subscription."""

    def __init__(
        self,
        scenario: Scenario,
        life_cycle: LifeCycle,
        decomposition: Decomposition,
        streams: Streams,
        sending: Sending,
    ) -> None:
        self._scenario = scenario
        self._life_cycle = life_cycle
        self._decomposition = decomposition
        self._streams = streams
        self._sending = sending
        self._reached: set[tuple[str, str, int]] = set()
        """Those over connections that are up."""

    # ------------------------------------------------------------------ come and go
    def connect(
        self, entry: Entry, destinations: Mapping[str, Destination], now: int
    ) -> list[Action]:
        """New receivers begin to connect; those that are reached at once are active."""
        actions: list[Action] = []
        for name, to in destinations.items():
            receiver = entry.receivers[name] = Receiver(to, CONNECTING, now)
            actions.extend(self.greet(entry, receiver, now))
        for name in destinations:
            if self._is_reached(entry.receivers[name].destination):
                actions.extend(self._activate(entry, entry.receivers[name], now))
        return actions

    def _is_reached(self, to: Destination) -> bool:
        return to.transport != "https-notif" or place_of(to) in self._reached

    def greet(self, entry: Entry, receiver: Receiver, now: int) -> list[Action]:
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
        if not is_running(entry, self._life_cycle):
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

    def leave(self, entry: Entry, receiver: Receiver, now: int) -> list[Action]:
        """A receiver that is removed is told (RFC 8639 §2.5.3)."""
        one = entry.one
        assert one is not None
        if receiver.destination not in one.destinations:
            return []
        rest = tuple(to for to in one.destinations if to != receiver.destination)
        change = StateChange(reason=GONE)
        if not rest:
            return self._life_cycle.terminate(one, GONE, now)
        one.destinations = rest
        said = announce(one, _K.SUBSCRIPTION_TERMINATED, change, receiver.destination)
        return [said, *self._tell(one)]

    # ------------------------------------------------------------------ connections
    def note(self, place: tuple[str, str, int], reached: bool) -> bool:
        """Note whether transport, address and port are reached; False: it was known."""
        if reached == (place in self._reached):
            return False
        if reached:
            self._reached.add(place)
        else:
            self._reached.discard(place)
        return True

    def moved(
        self, entry: Entry, place: tuple[str, str, int], reached: bool, now: int
    ) -> list[Action]:
        """What a connection that came or went means to a valid subscription."""
        there = (one for one in entry.receivers.values() if place_of(one.destination) == place)
        moves = (self._moved(entry, one, reached, now) for one in there)
        return [action for actions in moves for action in actions]

    def _moved(self, entry: Entry, receiver: Receiver, reached: bool, now: int) -> list[Action]:
        if reached and receiver.state == CONNECTING:
            return self._activate(entry, receiver, now)
        if reached or receiver.state != ACTIVE:
            return []
        receiver.state, receiver.since = CONNECTING, now  # transport loss
        return [*self._without(entry, receiver, now), *self.greet(entry, receiver, now)]

    def _without(self, entry: Entry, receiver: Receiver, now: int) -> list[Action]:
        """Records go to the others alone."""
        one = entry.one
        assert one is not None
        rest = tuple(to for to in one.destinations if to != receiver.destination)
        if not rest:
            return self._life_cycle.end(one, "transport-loss", now)
        one.destinations = rest
        return self._tell(one)

    def reset(self, entry: Entry, receiver: Receiver, now: int) -> list[Action]:
        """It goes to connecting and is told of a start anew (RFC 8639 §2.5.5)."""
        receiver.state, receiver.since = CONNECTING, now
        actions = self.greet(entry, receiver, now)
        if self._is_reached(receiver.destination):
            actions.extend(self._activate(entry, receiver, now))
        return actions

    # ------------------------------------------------------------------ time
    def next_deadline(self, entry: Entry) -> int | None:
        """When the next receiver is given up, ns since 1970; None while none connects."""
        return min((self._patience(one) for one in _connecting(entry)), default=None)

    def handle_timer(self, entry: Entry, now: int) -> None:
        """Give up those that were not reached in time (RFC 8639 figure 9)."""
        for receiver in _connecting(entry):
            if self._patience(receiver) <= now:
                receiver.state = DISCONNECTED

    def _patience(self, receiver: Receiver) -> int:
        assert self._scenario.configuration is not None
        return receiver.since + round(self._scenario.configuration.connect_seconds * SECOND)

    # ------------------------------------------------------------------ operational state
    def states(self, entry: Entry) -> tuple[ReceiverState, ...]:
        """Those of a subscription, as /subscriptions has them."""
        one = entry.one
        if one is None:
            return ()
        return tuple(
            ReceiverState(
                name,
                SUSPENDED if one.suspended and receiver.state == ACTIVE else receiver.state,
                one.sent,
                one.excluded,
            )
            for name, receiver in entry.receivers.items()
        )


def _connecting(entry: Entry) -> list[Receiver]:
    return [one for one in entry.receivers.values() if one.state == CONNECTING]
