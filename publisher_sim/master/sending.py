"""Sending: what goes to subscribers on their sessions: pieces of the agents, records of streams.

Does: hand pieces and records on, replay, hold while a session reads too slowly, count. Does not:
decide about a subscription (``life_cycle`` does), but for one whose session takes no more.

Rules: an event stream is the master's alone, no card takes part in it: its order is that of the
stream (RFC 8639 §2.1), which no two publishers could keep together, and to serve everything itself
is the master's right (base draft §5). A dynamic one is sent on its session whatever the data of
others goes over (RFC 8640 §6); a configured one where its data goes. Only what its filter passes is
sent, as a whole; the rest is counted as excluded. What happens while it is suspended is lost.
"""

from __future__ import annotations

from collections.abc import Iterable

from collector.model import NotificationKind
from publisher_sim.cards.channel import Count, Destination, Forward
from publisher_sim.data.filters import tree_of
from publisher_sim.master.capacity import weight
from publisher_sim.master.decomposition import Decomposition
from publisher_sim.master.forwarding import EventPiece, Forwarding, Qos
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.ports import Action, Announce, Note, SendNotification
from publisher_sim.master.saying import event_octets
from publisher_sim.scenario import MASTER
from publisher_sim.sources.events import EventRecord, Streams
from publisher_sim.subscriptions.global_subscription import BY_SESSION, GlobalSubscription
from publisher_sim.truth import accounts
from publisher_sim.users.access import EVERY_MODULE


class Sending:
    """The way out of the master."""

    def __init__(
        self,
        life_cycle: LifeCycle,
        forwarding: Forwarding,
        streams: Streams,
        decomposition: Decomposition,
    ) -> None:
        self._life_cycle = life_cycle
        self._forwarding = forwarding
        self._streams = streams
        self._decomposition = decomposition

    # ------------------------------------------------------------------ pieces of agents
    def forward(self, piece: Forward | EventPiece, now: int) -> list[Action]:
        """A piece for the session that subscribed (RFC 8640 §6); none once it is suspended.

        A session that takes no more, until no more can wait either, suspends the subscription
        (RFC 8639 §2.7.4).
        """
        one = self._life_cycle.get(piece.subscription_id)
        must = isinstance(piece, EventPiece) and piece.must
        if one is None or (one.suspended and not must):
            return []
        if not self._forwarding.passes(one.session_id):
            if self._forwarding.hold(one.session_id, piece):
                return []
            return self._life_cycle.suspend(one, BY_SESSION, "insufficient-resources", now)
        sent = SendNotification(one.session_id, piece.octets)
        if isinstance(piece, EventPiece):
            return [sent]
        fact = accounts.OnWire(piece.run, piece.message_id, piece.number, piece.due, now)
        return [Note(fact), sent]

    def session_ready(self, session_id: str, now: int) -> list[Action]:
        """Its subscriber reads again: what waited leaves, what it had suspended goes on."""
        own = [one for one in self._life_cycle if one.session_id == session_id]
        waited = self._forwarding.ready(session_id, _qos(own))
        actions = [action for piece in waited for action in self.forward(piece, now)]
        for one in own:
            actions.extend(self._life_cycle.resume(one, BY_SESSION, now))
        return actions

    def count(self, message: Count) -> None:
        """What a publisher made; late counts of a subscription that ended are nobody's."""
        one = self._life_cycle.get(message.subscription_id)
        if one is not None:
            one.sent += message.sent
            one.excluded += message.excluded

    # ------------------------------------------------------------------ event records
    def next_deadline(self) -> int | None:
        """When the next alarm is due that somebody waits for, ns since 1970."""
        streams = (self._streams.get(name) for name in self._wanted())
        times = [stream.next_at for stream in streams if stream is not None]
        return min((time for time in times if time is not None), default=None)

    def _wanted(self) -> dict[str, int]:
        """stream -> when the first who waits for it began, ns since 1970."""
        found: dict[str, int] = {}
        for one in self._life_cycle:
            if one.terms.stream is not None:
                found.setdefault(one.terms.stream, one.began)
        return found

    def happen(self, now: int) -> list[Action]:
        """The alarms that are due, to everybody who waits for them."""
        due: list[tuple[int, str, EventRecord]] = []
        for name, since in self._wanted().items():
            stream = self._streams.get(name)
            if stream is not None:
                due.extend((record.at, name, record) for record in stream.take(now, since))
        due.sort(key=lambda entry: entry[0])
        return [a for _, name, record in due for a in self._to_all(name, record, now)]

    def add(self, stream: str, record: EventRecord, now: int) -> list[Action]:
        """Something happened now: into the log of its stream, and to everybody."""
        found = self._streams.get(stream)
        if found is None:
            return []
        before = self.happen(now)  # order is that in which they happened
        found.add(record)
        return [*before, *self._to_all(stream, record, now)]

    def _to_all(self, stream: str, record: EventRecord, now: int) -> Iterable[Action]:
        for one in self._life_cycle:
            listens = one.terms.stream == stream and not one.suspended
            if listens and _in_time(one, record):
                yield from self._to_one(one, record, now)

    def _to_one(
        self,
        one: GlobalSubscription,
        record: EventRecord,
        now: int,
        to: Destination | None = None,
    ) -> list[Action]:
        if not _is_readable(one, record) or not _passes(one, record):
            one.excluded += 1
            return []
        one.sent += 1
        if one.is_configured:
            component = self._decomposition.component(one, MASTER, to)
            return [Announce(component, NotificationKind.OTHER, None, record)]
        return self.forward(EventPiece(one.subscription_id, event_octets(record)), now)

    def replay(
        self, one: GlobalSubscription, now: int, to: Destination | None = None
    ) -> list[Action]:
        """What its stream has kept of the time asked for, then replay-completed at once
        (RFC 8639 §2.4.2.1, §2.5.6, §2.7.7); nothing for a subscription without replay.

        Args:
            one: which.
            now: ns since 1970.
            to: the one receiver of a configured subscription that became active; None: all.
        """
        stream = self._streams.get(one.terms.stream or "")
        start = one.terms.replay_start_time
        if stream is None or start is None:
            return []
        past = stream.past(start, one.terms.stop_time, now)
        actions = [action for record in past for action in self._to_one(one, record, now, to)]
        return [*actions, *self._life_cycle.replayed(one, now, to)]


def _is_readable(one: GlobalSubscription, record: EventRecord) -> bool:
    """What its subscriber may not read does not reach its filter (RFC 8639 §2.1)."""
    module = record.name.partition(":")[0]
    return one.readable is None or module not in EVERY_MODULE or module in one.readable


def _passes(one: GlobalSubscription, record: EventRecord) -> bool:
    return one.event_filter is None or one.event_filter.matches(tree_of(record.tree))


def _in_time(one: GlobalSubscription, record: EventRecord) -> bool:
    """Nothing from before its time, nor from its stop-time on."""
    stop = one.terms.stop_time
    return record.at >= one.began and (stop is None or record.at < stop)


def _qos(subscriptions: list[GlobalSubscription]) -> dict[int, Qos]:
    """How those of a session share it; empty when no one asked for anything."""
    asked = any(
        one.terms.weighting is not None or one.terms.dependency is not None for one in subscriptions
    )
    if not asked:
        return {}
    return {one.subscription_id: Qos(weight(one), one.terms.dependency) for one in subscriptions}
