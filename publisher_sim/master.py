"""MasterPublisher: whom subscribers talk to (distributed-notif-17 and later: Publisher Parent).

Does: establish-, modify-, delete-, kill-subscription and ``get`` of /subscriptions; keeps the
Resource-Location Table, cuts every global subscription into component subscriptions, tells the
publishers, and sends every state change notification itself
(draft-zhou-netconf-multi-stream-originators-10 §5, §7). Acts out its part of the scenario's
timeline. Does not: open sockets, read clocks, make updates (its own share is served by an
``AgentPublisher``).

Rules: every verb returns actions, to be carried out in order, replies before what follows from
them (RFC 8639 §2.4: nothing under new terms before the reply). A change of the decomposition is
always followed by subscription-modified with the whole new list. The end of a session ends its
subscriptions.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from collector.errors import ProtocolError
from collector.model import (
    NotificationKind,
    StateChange,
    SubscriptionTerms,
)
from collector.wire.netconf_rpc import (
    CloseSession as CloseSessionRpc,
)
from collector.wire.netconf_rpc import (
    DeleteSubscription,
    EstablishOutput,
    EstablishSubscription,
    Get,
    KillSubscription,
    ModifySubscription,
    Ok,
    Operation,
    ResyncSubscription,
    Rpc,
    Subscriptions,
    encode_reply,
    refusal,
)
from collector.wire.netconf_rpc import Result as RpcResult
from publisher_sim import accounts
from publisher_sim.channel import (
    ComponentSubscription,
    EndComponent,
    Forward,
    FromAgent,
    Heartbeat,
    Register,
    Status,
)
from publisher_sim.forwarding import Forwarding
from publisher_sim.global_subscription import (
    DEFAULT_ENCODING,
    GlobalSubscription,
    accept,
    configured_terms,
)
from publisher_sim.membership import Membership
from publisher_sim.ports import (
    Action,
    Announce,
    CloseSession,
    MasterPort,
    Note,
    SendNotification,
    SendReply,
    StartCard,
    StopCard,
    TellAgent,
)
from publisher_sim.resource_location import Node
from publisher_sim.saying import on_session, operational_state
from publisher_sim.scenario import MASTER, Scenario
from publisher_sim.selection import select
from publisher_sim.timeline import Deed, Timeline

__all__ = ["MasterPort", "MasterPublisher"]

MAX_SUBSCRIPTIONS = 64
"""More of them get ``insufficient-resources``; ours."""
FIRST_ID = 2**31 + 1
"""Dynamic ids are recommended to be in the upper half (RFC 8639 §6)."""
_K = NotificationKind


class MasterPublisher:
    """The master of one simulated device."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._sessions: dict[str, str] = {}
        """session id -> user."""
        self._subscriptions: dict[int, GlobalSubscription] = {}
        self._next_id = FIRST_ID
        self._members = Membership(scenario)
        self._timeline = Timeline(scenario.fault, scenario.periods)
        self._forwarding = Forwarding()
        self.finished = False
        """True once the scenario's run is over."""

    # ------------------------------------------------------------------ sessions
    def session_opened(self, session_id: str, user: str, now: int) -> list[Action]:
        """A subscriber is there."""
        del now
        self._sessions[session_id] = user
        return []

    def session_closed(self, session_id: str, now: int) -> list[Action]:
        """Its dynamic subscriptions end with it (RFC 8639 §2.4)."""
        self._sessions.pop(session_id, None)
        self._forwarding.ready(session_id)
        own = [one for one in self._subscriptions.values() if one.session_id == session_id]
        return [action for one in own for action in self._end(one, "session-closed", now)]

    def session_busy(self, session_id: str, busy: bool, now: int) -> list[Action]:
        """While its subscriber reads too slowly pieces wait; then what waited leaves."""
        if session_id not in self._sessions:
            return []
        if busy:
            self._forwarding.busy(session_id)
            return []
        waited = self._forwarding.ready(session_id)
        actions = [action for piece in waited for action in self._forward(piece, now)]
        for one in self._subscriptions.values():
            if one.session_id == session_id and one.congested:
                one.congested = False
                actions.extend(self._resume(one, now))
        return actions

    def rpc_received(self, session_id: str, rpc: Rpc, now: int) -> list[Action]:
        """Answer one request."""
        try:
            result, after = self._answer(session_id, rpc, now)
        except ProtocolError as error:
            result, after = error, []
        mode = self._scenario.control_mode
        reply = encode_reply(rpc.message_id, result, mode=mode, operation=rpc.operation)
        return [SendReply(session_id, reply), *after]

    def _answer(self, session_id: str, rpc: Rpc, now: int) -> tuple[RpcResult, list[Action]]:
        if rpc.error is not None:
            raise rpc.error
        operation: Operation = rpc.operation
        match operation:
            case EstablishSubscription():
                return self._establish(session_id, operation.terms, now)
            case ModifySubscription():
                return self._modify(session_id, operation, now)
            case DeleteSubscription():
                own = self._own(session_id, operation.id)
                return Ok(), self._end(own, "deleted", now)
            case KillSubscription():
                return self._kill(operation.id, now)
            case ResyncSubscription():
                raise refusal("no-such-subscription-resync", "no on-change subscription here")
            case Get():
                return self._get(operation), []
            case CloseSessionRpc():
                return Ok(), [CloseSession(session_id)]
            case _:
                raise ProtocolError(
                    f"{operation.name} is not supported", tag="operation-not-supported"
                )

    def _own(self, session_id: str, number: int) -> GlobalSubscription:
        """A subscription of this session: others cannot be touched (RFC 8639 §2.4.3, §2.4.4)."""
        found = self._subscriptions.get(number)
        if found is None or found.session_id != session_id:
            raise refusal("no-such-subscription", f"no subscription {number} in this session")
        return found

    def _get(self, operation: Get) -> Subscriptions:
        if not operation.subscriptions:
            return Subscriptions()
        states = (
            operational_state(one, self._generators(one)) for one in self._subscriptions.values()
        )
        return Subscriptions(tuple(states))

    # ------------------------------------------------------------------ life cycle
    def configure(self, now: int) -> list[Action]:
        """Begin the subscription that the scenario configured (RFC 8639 §2.5), if it has one.

        Before its data comes subscription-started (udp-notif-26 §3.3).
        """
        configured = self._scenario.configured
        if configured is None:
            return []
        terms = configured_terms(self._scenario, configured, now)
        selection = select(terms.selection_filter)
        one = GlobalSubscription(configured.subscription_id, "", terms, selection, {})
        fact = self._begin(one, now)
        change = StateChange(terms=terms, generators=self._listed(one))
        return [*self._say(one, _K.SUBSCRIPTION_STARTED, change, now), fact, *self._tell(one, {})]

    def _begin(self, one: GlobalSubscription, now: int) -> Note:
        one.shares = self._shares(one)
        self._subscriptions[one.subscription_id] = one
        self._timeline.begin(one.first_tick(now), one.period)
        return Note(
            accounts.Established(
                now, one.subscription_id, one.period, one.anchor, self._generators(one)
            )
        )

    def _establish(
        self, session_id: str, terms: SubscriptionTerms, now: int
    ) -> tuple[RpcResult, list[Action]]:
        granted, selection = accept(terms, self._scenario, now)
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            raise refusal("insufficient-resources", f"there are {MAX_SUBSCRIPTIONS} already")
        one = GlobalSubscription(self._next_id, session_id, granted, selection, {})
        self._next_id += 1
        fact = self._begin(one, now)
        output = EstablishOutput(one.subscription_id, self._generators(one))
        return output, [fact, *self._tell(one, {})]

    def _modify(
        self, session_id: str, operation: ModifySubscription, now: int
    ) -> tuple[RpcResult, list[Action]]:
        """Parameters not included stay as they are (RFC 8641 §4.4.2); failure changes nothing."""
        one = self._own(session_id, operation.id)
        wanted = {
            name: value
            for name in ("datastore", "selection_filter", "period", "anchor_time", "stop_time")
            if (value := getattr(operation.terms, name)) is not None
        }
        if "period" in wanted and "anchor_time" not in wanted:
            wanted["anchor_time"] = None
        merged = structs.replace(one.terms, **wanted)
        granted, selection = accept(merged, self._scenario, now)
        before = dict(one.shares)
        one.terms, one.selection, one.suspended = granted, selection, False
        one.shares = self._shares(one)
        fact = accounts.TermsChanged(
            now, one.subscription_id, one.period, one.anchor, self._generators(one)
        )
        return Ok(), [*self._modified(one, now), Note(fact), *self._tell(one, before)]

    def _kill(self, number: int, now: int) -> tuple[RpcResult, list[Action]]:
        """From any session, but only a dynamic one; its subscriber is told (RFC 8639 §2.4.5)."""
        one = self._subscriptions.get(number)
        if one is None or one.is_configured:
            raise refusal("no-such-subscription", f"no subscription {number}")
        return Ok(), self._terminate(one, "no-such-subscription", now)

    def _terminate(self, one: GlobalSubscription, reason: str, now: int) -> list[Action]:
        change = StateChange(reason=reason)
        said = self._say(one, _K.SUBSCRIPTION_TERMINATED, change, now)
        return [*self._end(one, reason, now), *said]

    def _end(self, one: GlobalSubscription, reason: str, now: int) -> list[Action]:
        """The component subscriptions end with their global one (base draft §5)."""
        del self._subscriptions[one.subscription_id]
        ends = self._stop(one)
        return [*ends, Note(accounts.Ended(now, one.subscription_id, reason))]

    def _stop(self, one: GlobalSubscription) -> list[Action]:
        self._forwarding.forget(one.subscription_id)
        message = EndComponent(one.subscription_id)
        return [TellAgent(publisher, message) for publisher in one.shares]

    def _suspend(self, one: GlobalSubscription, reason: str, now: int) -> list[Action]:
        if one.suspended:
            return []
        one.suspended = True
        change = StateChange(reason=reason)
        said = self._say(one, _K.SUBSCRIPTION_SUSPENDED, change, now)
        return [*self._stop(one), *said, Note(accounts.Suspended(now, one.subscription_id))]

    def _resume(self, one: GlobalSubscription, now: int) -> list[Action]:
        if not one.suspended:
            return []
        one.suspended = False
        said = self._say(one, _K.SUBSCRIPTION_RESUMED, None, now)
        fact = Note(accounts.Resumed(now, one.subscription_id))
        again = self._decompose_again(one, now)  # what changed meanwhile is said now
        return [*said, fact, *(again or self._tell(one, {}))]

    # ------------------------------------------------------------------ decomposition
    def _shares(self, one: GlobalSubscription) -> dict[str, tuple[Node, ...]]:
        encoding = one.terms.encoding or DEFAULT_ENCODING
        return self._members.shares(one.selection, encoding, one.period)

    def _listed(self, one: GlobalSubscription) -> tuple[str, ...] | None:
        """What state changes say of them."""
        return self._generators(one) if self._scenario.lists else None

    def _generators(self, one: GlobalSubscription) -> tuple[str, ...]:
        return tuple(self._scenario.publisher(name).generator for name in one.shares)

    def _decompose_again(self, one: GlobalSubscription, now: int) -> list[Action]:
        """Who serves what may have changed: subscription-modified MUST say the new list (§7)."""
        if one.suspended:
            return []
        before, one.shares = one.shares, self._shares(one)
        if before == one.shares:
            return []
        said = [*self._tell(one, before), *self._modified(one, now)]
        if self._scenario.lists:  # else nobody can know
            fact = accounts.ListChanged(now, one.subscription_id, self._generators(one))
            said.append(Note(fact))
        return said

    def _tell(self, one: GlobalSubscription, before: dict[str, tuple[Node, ...]]) -> list[Action]:
        """Component subscriptions to those whose share is new, ends to those without one."""
        actions: list[Action] = [
            TellAgent(publisher, EndComponent(one.subscription_id))
            for publisher in before
            if publisher not in one.shares
        ]
        starts = [TellAgent(publisher, self._component(one, publisher)) for publisher in one.shares]
        return [*actions, *starts]

    def _component(self, one: GlobalSubscription, publisher: str) -> ComponentSubscription:
        """Settings are those of the global subscription, its id among them (base draft §5)."""
        assert self._timeline.start is not None
        return ComponentSubscription(
            subscription_id=one.subscription_id,
            period=one.period,
            anchor=one.anchor,
            encoding=one.terms.encoding or DEFAULT_ENCODING,
            nodes=one.shares.get(publisher, ()),
            selection=one.selection,
            receiver_transport=self._scenario.receiver.transport,
            receiver_address=self._scenario.receiver.address,
            receiver_port=self._scenario.receiver.port,
            timeline_start=self._timeline.start,
            timeline_period=self._timeline.period,
        )

    # ------------------------------------------------------------------ notifications
    def _modified(self, one: GlobalSubscription, now: int) -> list[Action]:
        change = StateChange(terms=one.terms, generators=self._listed(one))
        return self._say(one, _K.SUBSCRIPTION_MODIFIED, change, now)

    def _say(
        self, one: GlobalSubscription, kind: NotificationKind, change: StateChange | None, now: int
    ) -> list[Action]:
        """In the RFC 5277 form, on the session that established it (RFC 8640 §6); of a configured
        one where its data goes and as its data, by the master's own publisher."""
        if one.is_configured:
            if not self._scenario.announces:
                return []
            return [Announce(self._component(one, MASTER), kind, change)]
        return [on_session(one, kind, change, self._scenario.control_mode, now)]

    # ------------------------------------------------------------------ agents
    def agent_said(self, message: FromAgent, now: int) -> list[Action]:
        """Take what an agent says over its channel."""
        match message:
            case Register():
                return self._registered(message, now)
            case Forward():
                return self._forward(message, now)
            case Status() | Heartbeat():
                return []

    def _forward(self, piece: Forward, now: int) -> list[Action]:
        """A piece for the session that subscribed (RFC 8640 §6); none once it is suspended.

        A session that takes no more, until no more can wait either, suspends the subscription
        (RFC 8639 §2.7.4).
        """
        one = self._subscriptions.get(piece.subscription_id)
        if one is None or one.suspended:
            return []
        if not self._forwarding.passes(one.session_id):
            if self._forwarding.hold(one.session_id, piece):
                return []
            one.congested = True
            return self._suspend(one, "insufficient-resources", now)
        fact = accounts.OnWire(piece.run, piece.message_id, piece.number, piece.due, now)
        return [Note(fact), SendNotification(one.session_id, piece.octets)]

    def _registered(self, message: Register, now: int) -> list[Action]:
        if self._members.register(message):
            return self._everything_again(now)
        card = message.card  # a new process before the old one was missed: it knows nothing
        return [
            TellAgent(card, self._component(one, card))
            for one in self._subscriptions.values()
            if card in one.shares and not one.suspended
        ]

    def agent_lost(self, card: str, run: str, now: int) -> list[Action]:
        """Its channel broke. It is declared gone after ``loss_detection_seconds``."""
        self._members.lost(card, run, now)
        return []

    def _everything_again(self, now: int) -> list[Action]:
        subscriptions = list(self._subscriptions.values())
        return [action for one in subscriptions for action in self._decompose_again(one, now)]

    # ------------------------------------------------------------------ time
    def next_deadline(self) -> int | None:
        """When ``handle_timer`` has something to do, ns; None while there is nothing."""
        stops = [one.terms.stop_time for one in self._subscriptions.values()]
        deadlines = [
            self._members.next_deadline(),
            self._timeline.next_deadline(),
            *stops,
        ]
        return min((one for one in deadlines if one is not None), default=None)

    def handle_timer(self, now: int) -> list[Action]:
        """Do what is due."""
        actions: list[Action] = []
        for deed in self._timeline.due(now):
            actions.extend(self._act(deed, now))
        if self._members.declare_gone(now):
            actions.extend(self._everything_again(now))
        for one in list(self._subscriptions.values()):
            if one.terms.stop_time is not None and one.terms.stop_time <= now:
                said = self._say(one, _K.SUBSCRIPTION_COMPLETED, None, now)
                actions.extend([*self._end(one, "stop-time", now), *said])
        return actions

    def stop(self, now: int) -> list[Action]:
        """The device goes down: every subscription is terminated."""
        self.finished = True
        subscriptions = list(self._subscriptions.values())
        reason = "no-such-subscription"
        return [action for one in subscriptions for action in self._terminate(one, reason, now)]

    def _act(self, deed: Deed, now: int) -> Iterable[Action]:
        fault = deed.fault
        if fault is None:
            return self.stop(now)
        subscriptions = list(self._subscriptions.values())
        said = fault.said_reason
        match deed.what:
            case "stop":
                self._members.bequeath(fault.card, fault.moves_to)
                generator = self._scenario.publisher(fault.card).generator
                return [Note(accounts.Killed(now, generator)), StopCard(fault.card)]
            case "start":
                return [StartCard(fault.card)]
            case "move":
                self._members.move(fault, fault.moves_to)
                return self._everything_again(now)
            case "move_back":
                self._members.move(fault, fault.card)
                return self._everything_again(now)
            case "suspend":
                return [a for one in subscriptions for a in self._suspend(one, said, now)]
            case "resume":
                return [a for one in subscriptions for a in self._resume(one, now)]
            case _:
                return [a for one in subscriptions for a in self._terminate(one, said, now)]
