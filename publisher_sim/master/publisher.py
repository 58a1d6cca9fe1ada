"""MasterPublisher: the door that subscribers, agents and the timer knock at.

Does: put the rooms together and hand every event to the one it concerns
(draft-zhou-netconf-multi-stream-originators-10 §5, §7). Does not: open sockets, read clocks, make
updates (its own share is served by an ``AgentPublisher``).

Rules: every verb returns actions, to be carried out in order, replies before what follows from
them (RFC 8639 §2.4: nothing under new terms before the reply). The end of a session ends its
subscriptions.
"""

from __future__ import annotations

from typing import Any

from collector.wire.netconf import rpc as netconf_rpc
from collector.wire.netconf.rpc import Rpc
from collector.wire.values import names
from publisher_sim.cards.channel import Count, Forward, FromAgent, Heartbeat, Register, Status
from publisher_sim.cards.membership import Membership
from publisher_sim.data.selection import select
from publisher_sim.master.acting import Acting
from publisher_sim.master.capacity import Capacity
from publisher_sim.master.configuration import (
    ConfiguredFilters,
    ConfiguredSubscriptions,
    Configuring,
)
from publisher_sim.master.configuration.operations import capabilities
from publisher_sim.master.decomposition import Decomposition
from publisher_sim.master.dispatch import Dispatcher
from publisher_sim.master.dynamic import DynamicSubscriptions
from publisher_sim.master.forwarding import Forwarding
from publisher_sim.master.killing import KillingSessions
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.manners import Manners
from publisher_sim.master.ports import Action, CloseSession
from publisher_sim.master.reading import Reading
from publisher_sim.master.references import References
from publisher_sim.master.retrieval import Retrieval
from publisher_sim.master.sending import Sending
from publisher_sim.master.sessions import SessionInfo, Sessions
from publisher_sim.master.timeline import Timeline
from publisher_sim.scenario import NETCONF_STREAM, Scenario
from publisher_sim.sources.events import EventRecord, Streams
from publisher_sim.subscriptions.global_subscription import GlobalSubscription, configured_terms
from publisher_sim.subscriptions.named_filters import NamedFilters
from publisher_sim.users.access import Access

_REASONS: dict[type, str] = {netconf_rpc.CloseSession: "closed", netconf_rpc.KillSession: "killed"}
"""What ends sessions -> termination-reason."""


class MasterPublisher:
    """The master of one simulated device."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._members = Membership(scenario)
        self._timeline = Timeline(scenario.fault, scenario.periods)
        self._forwarding = Forwarding()
        access = Access(scenario)
        self.sessions = Sessions(access.level, access.reads)
        self.capacity = Capacity(scenario)
        self.streams = Streams(scenario)
        self.filters = NamedFilters(scenario.filter)
        self.decomposition = Decomposition(scenario, self._members, self._timeline)
        self.life_cycle = LifeCycle(
            scenario, self.decomposition, self._timeline, self._forwarding, self.capacity
        )
        self.sending = Sending(self.life_cycle, self._forwarding, self.streams, self.decomposition)
        self.references = References(self.filters, self.life_cycle)
        self._acting = Acting(
            scenario, self._members, self.life_cycle, self.capacity, self.sessions
        )
        self.configured = ConfiguredSubscriptions(
            scenario, self.life_cycle, self.decomposition, self.filters, self.streams, self.sending
        )
        self._manners = Manners(scenario)
        self.dispatcher = Dispatcher(scenario.control_mode, self._manners.refuse)
        self.dispatcher.add(KillingSessions(self.sessions))
        if scenario.control_mode != names.MODE_DN_19:  # which has configured ones only
            self.dispatcher.add(
                DynamicSubscriptions(
                    scenario, self.life_cycle, self.decomposition, self.capacity, self.sending,
                    self.streams, self.filters,
                )
            )  # fmt: skip
        self.configuring: Configuring | None = None
        """The configuration datastores; None: the device has none that others may see."""
        if scenario.configuration is not None:
            filters = ConfiguredFilters(self.filters, self.references)
            self.configuring = Configuring(
                scenario.configuration, self.configured, filters, self._happened
            )
            self.dispatcher.add(self.configuring)
        self.retrieval = Retrieval(
            scenario,
            self._members,
            self.sessions,
            self.life_cycle,
            Reading(self.life_cycle, self.decomposition, self.configured),
            self.streams,
            self.filters,
            self.configuring,
            capabilities(scenario.configuration),
        )
        self.dispatcher.add(self.retrieval.answers)
        self._ending: dict[str, str] = {}
        """session id -> why it is about to end."""
        self.finished = False
        """True once the scenario's run is over."""

    # ------------------------------------------------------------------ sessions
    def session_opened(self, session_id: str, user: str, now: int) -> list[Action]:
        """A subscriber is there."""
        self.streams.begin(now)
        session = self.sessions.opened(session_id, user, now)
        return self._happened("netconf-session-start", session, now)

    def _happened(
        self, name: str, session: SessionInfo | None, now: int, /, **more: Any
    ) -> list[Action]:
        """RFC 6470 §2, into the stream that every publisher has."""
        values: dict[str, Any] = {} if session is None else {"username": session.user}
        if session is not None and session.session_id.isdecimal():
            values["session-id"] = int(session.session_id)
        if session is not None and name == "netconf-session-end":
            values["termination-reason"] = self._ending.pop(session.session_id, "dropped")
        if name == "netconf-config-change":
            values = {"changed-by": values or {"server": [None]}, "datastore": "running"}
        values |= {leaf.replace("_", "-"): value for leaf, value in more.items()}
        record = EventRecord(now, f"ietf-netconf-notifications:{name}", values)
        return self.sending.add(NETCONF_STREAM, record, now)

    def session_closing(self, session_id: str, reason: str) -> None:
        """Why it ends (RFC 6470 §2.1); without a word of it a session was dropped."""
        if session_id in self.sessions:
            self._ending.setdefault(session_id, reason)

    def session_closed(self, session_id: str, now: int) -> list[Action]:
        """Its dynamic subscriptions end with it (RFC 8639 §2.4)."""
        session = self.sessions.get(session_id)
        self.sessions.closed(session_id)
        ends = self.life_cycle.session_closed(session_id, now)
        if self.configuring is not None:
            ends = [*ends, *self.configuring.session_closed(session, now)]
        said = self._happened("netconf-session-end", session, now)
        return [*ends, *self.life_cycle.settle(now), *said]

    def session_busy(self, session_id: str, busy: bool, now: int) -> list[Action]:
        """While its subscriber reads too slowly pieces wait; then what waited leaves."""
        if session_id not in self.sessions:
            return []
        if busy:
            self._forwarding.busy(session_id)
            return []
        return self.sending.session_ready(session_id, now)

    def rpc_received(self, session_id: str, rpc: Rpc, now: int) -> list[Action]:
        """Answer one request."""
        actions = self.dispatcher.answer(self.sessions.get(session_id), rpc, now)
        reason = _REASONS.get(type(rpc.operation), "other")
        for action in actions:
            if isinstance(action, CloseSession):
                self.session_closing(action.session_id, reason)
        actions = self._manners.answer(rpc, actions, now)
        return [*actions, *self.life_cycle.settle(now)]

    # ------------------------------------------------------------------ configuration
    def configure(self, now: int) -> list[Action]:
        """The device is switched on: its streams begin, and what the scenario configured
        (RFC 8639 §2.5). Raises ConfigError."""
        self.streams.begin(now)
        initial: list[Action] = []
        if self.configuring is not None and self._scenario.configuration is not None:
            initial = self.configuring.load(self._scenario.configuration.initial, now)
        configured = self._scenario.configured
        if configured is None:
            return initial
        terms = configured_terms(self._scenario, configured, now)
        selection = select(terms.selection_filter)
        one = GlobalSubscription(configured.subscription_id, "", terms, selection, {})
        return [*initial, *self.life_cycle.start(one, now)]

    def receiver_reached(
        self, transport: str, address: str, port: int, reached: bool, now: int
    ) -> list[Action]:
        """A connection to a receiver is there and took something, or cannot be made."""
        return self.configured.receiver_reached(transport, address, port, reached, now)

    # ------------------------------------------------------------------ agents
    def agent_said(self, message: FromAgent, now: int) -> list[Action]:
        """Take what an agent says over its channel."""
        match message:
            case Register():
                if self._members.register(message):
                    changed = self.life_cycle.membership_changed(now)
                    return [*changed, *self.life_cycle.settle(now)]
                # a new process before the old one was missed
                return self.life_cycle.tell_again(message.card)
            case Forward():
                return self.sending.forward(message, now)
            case Count():
                self.sending.count(message)
                return []
            case Status() | Heartbeat():
                return []

    def agent_lost(self, card: str, run: str, now: int) -> list[Action]:
        """Its channel broke. It is declared gone after ``loss_detection_seconds``."""
        self._members.lost(card, run, now)
        return []

    # ------------------------------------------------------------------ time
    def next_deadline(self) -> int | None:
        """When ``handle_timer`` has something to do, ns; None while there is nothing."""
        deadlines = [
            self._members.next_deadline(),
            self._timeline.next_deadline(),
            self.sending.next_deadline(),
            self.configured.next_deadline(),
            None if self.configuring is None else self.configuring.next_deadline(),
            self._manners.next_deadline(),
            *(self.life_cycle.deadline(one) for one in self.life_cycle),
        ]
        return min((one for one in deadlines if one is not None), default=None)

    def handle_timer(self, now: int) -> list[Action]:
        """Do what is due."""
        actions: list[Action] = []
        for deed in self._timeline.due(now):
            if deed.fault is None:
                actions.extend(self.stop(now))
            elif deed.what == "restart":
                actions.extend(self._restart(now))
            else:
                actions.extend(self._acting.act(deed.what, deed.fault, now))
        if self._members.declare_gone(now):
            actions.extend(self.life_cycle.membership_changed(now))
        actions.extend(self.sending.happen(now))
        for one in self.life_cycle:
            actions.extend(self.life_cycle.in_time(one, now))
        self.configured.handle_timer(now)
        if self.configuring is not None:
            actions.extend(self.configuring.handle_timer(now))
        actions.extend(self._manners.handle_timer(now))
        return [*actions, *self.life_cycle.settle(now)]

    def _restart(self, now: int) -> list[Action]:
        """As after a reboot: no session, and what is configured in startup."""
        assert self.configuring is not None, "it was checked"
        cut = [CloseSession(one.session_id) for one in self.sessions]
        return [*cut, *self.configuring.restart(now)]

    def stop(self, now: int) -> list[Action]:
        """The device goes down: every subscription is terminated."""
        self.finished = True
        reason = "no-such-subscription"
        return [a for one in self.life_cycle for a in self.life_cycle.terminate(one, reason, now)]
