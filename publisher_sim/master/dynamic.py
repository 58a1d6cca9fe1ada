"""DynamicSubscriptions: the rpcs of RFC 8639 §2.4 and RFC 8641 §4.4, answered.

Does: establish-, modify-, delete-, kill- and resync-subscription. Does not: carry out
(``life_cycle``) or judge terms (``global_subscription``). Rule: a subscription can be touched by
the session that established it alone, but for kill (RFC 8639 §2.4.3 to §2.4.5).
"""

from __future__ import annotations

from msgspec import structs

from collector.errors import ProtocolError
from collector.model import DeviceTime, OnChange, SubscriptionTerms
from collector.wire.netconf.rpc import (
    DeleteSubscription,
    EstablishOutput,
    EstablishSubscription,
    KillSubscription,
    ModifySubscription,
    Ok,
    ResyncSubscription,
    Rpc,
    refusal,
)
from publisher_sim.data.selection import EVERYTHING
from publisher_sim.master.capacity import Capacity
from publisher_sim.master.decomposition import Decomposition
from publisher_sim.master.dispatch import Answer
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.sending import Sending
from publisher_sim.master.sessions import SessionInfo
from publisher_sim.scenario import Scenario
from publisher_sim.sources.events import Streams
from publisher_sim.subscriptions.event_acceptance import accept_stream
from publisher_sim.subscriptions.global_subscription import GlobalSubscription, accept
from publisher_sim.subscriptions.module_versions import check_versions
from publisher_sim.subscriptions.named_filters import NamedFilters
from publisher_sim.subscriptions.notifiable import check_notifiable
from publisher_sim.users.access import sees_generators

_OF_STREAMS = ("selection_filter", "stop_time")
_OF_DATASTORES = ("datastore", "selection_filter", "period", "anchor_time", "stop_time")
"""What can be modified."""
_FILTERS = {
    ("ref", False): "selection-filter-ref",
    ("subtree", False): "datastore-subtree-filter",
    ("xpath", False): "datastore-xpath-filter",
    ("ref", True): "stream-filter-name",
    ("subtree", True): "stream-subtree-filter",
    ("xpath", True): "stream-xpath-filter",
}
"""(kind of filter, of a stream) -> its leaf."""
FIRST_ID = 2**31 + 1
"""Dynamic ids are recommended to be in the upper half (RFC 8639 §6)."""


class DynamicSubscriptions:
    """What subscribers may ask of their own subscriptions."""

    operations = (
        "ietf-subscribed-notifications:establish-subscription",
        "ietf-subscribed-notifications:modify-subscription",
        "ietf-subscribed-notifications:delete-subscription",
        "ietf-subscribed-notifications:kill-subscription",
        "ietf-yang-push:resync-subscription",
    )

    def __init__(
        self,
        scenario: Scenario,
        life_cycle: LifeCycle,
        decomposition: Decomposition,
        capacity: Capacity,
        sending: Sending,
        streams: Streams,
        filters: NamedFilters,
    ) -> None:
        self._scenario = scenario
        self._life_cycle = life_cycle
        self._decomposition = decomposition
        self._capacity = capacity
        self._sending = sending
        self._streams = streams
        self._filters = filters
        self._next_id = FIRST_ID

    def answer(self, session: SessionInfo, rpc: Rpc, now: int) -> Answer:
        """One of ``operations``. Raises ProtocolError: it is refused, nothing has changed."""
        match rpc.operation:
            case EstablishSubscription():
                return self._establish(session, rpc.operation, now)
            case ModifySubscription():
                return self._modify_or_refuse(session, rpc.operation, now)
            case DeleteSubscription(number):
                own = self._own(session, number)
                return Ok(), self._life_cycle.end(own, "deleted", now)
            case KillSubscription(number):
                return self._kill(number, now)
            case ResyncSubscription(number):
                return self._resync(session, number)
            case _:
                raise AssertionError(rpc.operation)

    def _own(self, session: SessionInfo, number: int) -> GlobalSubscription:
        found = self._life_cycle.get(number)
        if found is None or found.session_id != session.session_id:
            raise refusal("no-such-subscription", f"no subscription {number} in this session")
        return found

    def _establish(
        self, session: SessionInfo, operation: EstablishSubscription, now: int
    ) -> Answer:
        terms = self._without_unknown_dependency(session, operation.terms)
        while self._life_cycle.get(self._next_id) is not None:  # a configured one has it
            self._next_id += 1
        one = GlobalSubscription(self._next_id, session.session_id, terms, EVERYTHING, {})
        one.unlisted, one.readable = not sees_generators(session.access), session.reads
        revised = self._grant(one, terms, now)
        one.shares = self._decomposition.shares(one)
        self._check_notifiable(one)
        self._check_marking(one)
        self._capacity.admit(one, self._life_cycle)
        self._next_id += 1
        follows = [*self._life_cycle.begin(one, now), *self._sending.replay(one, now)]
        generators = self._decomposition.listed(one)
        return EstablishOutput(one.subscription_id, generators, revised), follows

    def _grant(
        self, one: GlobalSubscription, terms: SubscriptionTerms, now: int
    ) -> DeviceTime | None:
        """Fill in what the terms come to, and say when a replay begins if not when asked for."""
        check_versions(terms)
        meant = self._filters.meant(terms)
        named = terms.selection_filter is not None and terms.selection_filter.kind == "ref"
        one.meant = meant if named else None
        if terms.stream is None:
            one.terms, one.selection = accept(terms, self._scenario, now, self._filters)
            return None
        granted = accept_stream(terms, meant, self._streams, self._scenario, now)
        one.terms, one.event_filter = granted.terms, granted.event_filter
        stream = self._streams.get(terms.stream)
        one.records_per_second = 0.0 if stream is None else stream.pace
        return granted.revised

    def _without_unknown_dependency(
        self, session: SessionInfo, terms: SubscriptionTerms
    ) -> SubscriptionTerms:
        """One that is not there, or not this subscriber's, is silently removed (RFC 8639 §2.3)."""
        if terms.dependency is None:
            return terms
        parent = self._life_cycle.get(terms.dependency)
        if parent is not None and parent.session_id in ("", session.session_id):
            return terms
        return structs.replace(terms, dependency=None)

    def _check_notifiable(self, one: GlobalSubscription) -> None:
        """An on-change subscription has to be about something (RFC 8641 §4.4.1)."""
        if one.terms.on_change is not None:
            transient = {name for card in self._scenario.card for name in card.transient}
            nodes = (node for part in one.shares.values() for node in part)
            check_notifiable(one.selection, nodes, transient)

    def _check_marking(self, one: GlobalSubscription) -> None:
        """A session has one code point for all that is sent over it (RFC 8639 §2.3)."""
        if not self._life_cycle.shares_session(one):
            return
        for other in self._life_cycle:
            same = other.session_id == one.session_id and self._life_cycle.shares_session(other)
            if same and (other.terms.dscp or 0) != (one.terms.dscp or 0):
                message = f"this session is marked {other.terms.dscp or 0}"
                raise refusal("dscp-unavailable", message)

    def _modify_or_refuse(
        self, session: SessionInfo, operation: ModifySubscription, now: int
    ) -> Answer:
        """What judges terms names the places of establish-subscription; here they are others."""
        try:
            return self._modify(session, operation, now)
        except ProtocolError as error:
            error.path = error.path.replace("/establish-", "/modify-", 1)
            raise

    def _modify(self, session: SessionInfo, operation: ModifySubscription, now: int) -> Answer:
        """Parameters not included stay as they are (RFC 8641 §4.4.2); failure changes nothing."""
        one = self._own(session, operation.id)
        _check_filter(one.terms, operation)
        names = _OF_STREAMS if one.terms.stream is not None else _OF_DATASTORES
        wanted = {
            name: value
            for name in _OF_DATASTORES
            if (value := getattr(operation.terms, name)) is not None
        }
        wrong = [name for name in wanted if name not in names]
        if wrong:
            raise ProtocolError(f"a stream has no {wrong[0]}", tag="invalid-value")
        if operation.terms.on_change is not None:
            wanted["on_change"] = _dampened(one.terms, operation)
        if "period" in wanted and "anchor_time" not in wanted:
            wanted["anchor_time"] = None
        candidate = structs.replace(one, causes=(), suspended_at=None)
        start = one.terms.replay_start_time
        merged = structs.replace(one.terms, **wanted, replay_start_time=None)
        self._grant(candidate, merged, now)
        # a replay is said, but happens once
        candidate.terms = structs.replace(candidate.terms, replay_start_time=start)
        candidate.shares = self._decomposition.shares(candidate)
        self._check_notifiable(candidate)
        others = [other for other in self._life_cycle if other is not one]
        self._capacity.admit(candidate, others)
        one.meant, one.event_filter = candidate.meant, candidate.event_filter
        return Ok(), self._life_cycle.change(one, candidate.terms, candidate.selection, now)

    def _resync(self, session: SessionInfo, number: int) -> Answer:
        """Of on-change subscriptions that may begin with a push-update: without sync-on-start none
        MUST be sent (RFC 8641 §5)."""
        one = self._life_cycle.get(number)
        own = one is not None and one.session_id == session.session_id
        if one is None or not own or one.terms.on_change is None:
            message = f"no on-change subscription {number} in this session"
            raise refusal("no-such-subscription-resync", message)
        if not one.terms.on_change.sync_on_start:
            message = f"subscription {number} is without sync-on-start"
            raise refusal("no-such-subscription-resync", message)
        self._capacity.check_size(one)
        if one.suspended:  # they forget what was said, and begin with everything
            return Ok(), self._decomposition.stop(one)
        return Ok(), self._decomposition.resync(one)

    def _kill(self, number: int, now: int) -> Answer:
        """From any session, but only a dynamic one; its subscriber is told (RFC 8639 §2.4.5)."""
        one = self._life_cycle.get(number)
        if one is None or one.is_configured:
            raise refusal("no-such-subscription", f"no subscription {number}")
        return Ok(), self._life_cycle.terminate(one, "no-such-subscription", now)


def _check_filter(terms: SubscriptionTerms, operation: ModifySubscription) -> None:
    """Filters of streams and of datastores are two choices of the module; each goes with its own
    kind of subscription (RFC 8641 §4.4.2)."""
    of_stream = terms.stream is not None
    if operation.terms.selection_filter is None or operation.stream_filter == of_stream:
        return
    wrong = _FILTERS[operation.terms.selection_filter.kind, operation.stream_filter]
    raise ProtocolError(
        f"{wrong} is not for a subscription to a {'stream' if of_stream else 'datastore'}",
        tag="bad-element", path="/modify-subscription", hints={"bad-element": wrong},
    )  # fmt: skip


def _dampened(terms: SubscriptionTerms, operation: ModifySubscription) -> OnChange:
    """Of an on-change trigger the dampening-period alone can be modified (RFC 8641 §4.4.2)."""
    if terms.on_change is None or operation.terms.on_change is None:
        raise ProtocolError("a periodic subscription stays one", tag="bad-element")
    if not operation.dampening:
        return terms.on_change
    wanted = operation.terms.on_change.dampening_period
    return structs.replace(terms.on_change, dampening_period=wanted)
