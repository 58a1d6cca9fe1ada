"""The state machine of RFC 8639 §2.4.1, whatever subscribers ask and whatever goes wrong.

A device is driven at random. What leaves each session is read as a subscriber reads it: only what
its state allows may come. What each publisher was told is kept: active subscriptions are served
whole and by nobody twice, others by nobody.
"""

from __future__ import annotations

import re

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec import structs

from collector.model import (
    DeviceTime,
    MediaType,
    NotificationKind,
    OnChange,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.wire.netconf.rpc import (
    DeleteSubscription,
    EstablishSubscription,
    KillSubscription,
    ModifySubscription,
    Operation,
    ResyncSubscription,
    RpcReply,
    decode_reply,
    decode_rpc,
    encode_rpc,
)
from collector.wire.notifications import notification
from publisher_sim.cards.channel import ComponentSubscription, EndComponent, Forward, Register
from publisher_sim.master import MasterPublisher, ports
from publisher_sim.scenario import (
    Card,
    Fault,
    Limits,
    Master,
    NamedFilter,
    Receiver,
    Scenario,
    Stream,
)

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND
K = NotificationKind
PORT = "/ietf-interfaces:interfaces/interface"
SCENARIO = Scenario(
    name="core7",
    periods=0,
    receiver=Receiver(transport="netconf"),
    master=Master(interfaces=("mgmt0",), hardware=("fan1",)),
    card=(
        Card("lc1", 101, interfaces=("eth1", "eth2")),
        Card("lc2", 102, interfaces=("eth3",)),
    ),
    fault=(
        Fault("overload", 1, 3, share=0.3),
        Fault("suspend", 2, 4),
        Fault("move", 4, 7, "lc1", moves_to="lc2"),
        Fault("overload", 6, 12, share=0.1),
        Fault("terminate", 15),
    ),
    limits=Limits(records_per_second=12, nodes_per_update=3, suspension_timeout_seconds=6),
    stream=(Stream("alarms", events_per_second=3.0, replay_records=10),),
    filter=(NamedFilter("ports", xpath=PORT), NamedFilter("any", "stream", xpath="/*")),
)
XML = SubscriptionTerms(datastore="operational", period=SECOND, encoding="encode-xml")
REF = SelectionFilter("ref", "ports")
WANTED = (
    XML,
    structs.replace(XML, selection_filter=REF, weighting=99),
    structs.replace(XML, period=2 * SECOND, weighting=1),
    structs.replace(XML, period=None, on_change=OnChange()),
    SubscriptionTerms(stream="alarms"),
    SubscriptionTerms(stream="alarms", selection_filter=SelectionFilter("ref", "any")),
)
SESSIONS = ("1", "2")
PUBLISHERS = ("master", "lc1", "lc2")
_ID = re.compile(rb'<piece of="(\d+)"/>')


class DeviceMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.master = MasterPublisher(SCENARIO)
        self.now = NOW
        self.seen: dict[int, str] = {}
        """subscription id -> active, suspended or over, as its session was told."""
        self.whose: dict[int, str] = {}
        self.serving: dict[str, dict[int, ComponentSubscription]] = {p: {} for p in PUBLISHERS}
        self.open: set[str] = set()
        self.there: set[str] = set()
        self.lives: dict[str, int] = {}
        for session in SESSIONS:
            self.opens(session)
        for card in ("lc1", "lc2"):
            self.comes(card)

    # ------------------------------------------------------------------ what comes out
    def carry_out(self, actions: list[ports.Action]) -> None:
        for action in actions:
            match action:
                case ports.TellAgent(publisher, _) if publisher not in {"master", *self.there}:
                    pass  # nobody is there to hear it
                case ports.TellAgent(publisher, ComponentSubscription() as component):
                    self.serving[publisher][component.subscription_id] = component
                case ports.TellAgent(publisher, EndComponent(number)):
                    self.serving[publisher].pop(number, None)
                case ports.SendNotification(session, message):
                    self.hear(session, message)
                case ports.CloseSession(session):
                    self.closes(session)
                case _:
                    pass

    def hear(self, session: str, message: bytes) -> None:
        """Only what its state allows comes, on the session of the subscription."""
        assert session in self.open
        piece = _ID.fullmatch(message)
        if piece is not None:
            number = int(piece[1])
            assert self.seen[number] == "active", "a record while it is not active"
            assert self.whose[number] == session
            return
        said = notification.decode(message, MediaType.YANG_DATA_XML)
        if said.kind is K.OTHER:
            mine = [n for n, whose in self.whose.items() if whose == session]
            assert any(self.seen[number] == "active" for number in mine)
            return
        number = said.subscription_id or 0
        assert self.whose[number] == session
        before = self.seen[number]
        assert before != "over", f"{said.kind} after the end"
        match said.kind:
            case K.SUBSCRIPTION_SUSPENDED:
                assert before == "active"
                assert said.state_change is not None
                assert said.state_change.reason
                self.seen[number] = "suspended"
            case K.SUBSCRIPTION_RESUMED:
                assert before == "suspended"
                self.seen[number] = "active"
            case K.SUBSCRIPTION_MODIFIED:
                assert said.state_change is not None
                assert said.state_change.generators is not None
                self.seen[number] = "active"
            case K.SUBSCRIPTION_TERMINATED:
                assert said.state_change is not None
                assert said.state_change.reason
                self.seen[number] = "over"
            case K.SUBSCRIPTION_COMPLETED:
                self.seen[number] = "over"
            case kind:
                assert kind is K.REPLAY_COMPLETED
                assert before == "active"

    def ask(self, session: str, operation: Operation) -> RpcReply:
        rpc = decode_rpc(encode_rpc("1", operation))
        first, *actions = self.master.rpc_received(session, rpc, self.now)
        assert isinstance(first, ports.SendReply)  # RFC 8639 §2.4: the reply goes first
        reply = decode_reply(first.message)
        if isinstance(operation, EstablishSubscription) and reply.subscription_id is not None:
            self.seen[reply.subscription_id] = "active"
            self.whose[reply.subscription_id] = session
        if isinstance(operation, DeleteSubscription) and reply.ok:
            self.seen[operation.id] = "over"
        self.carry_out(actions)
        return reply

    # ------------------------------------------------------------------ what subscribers do
    @rule(session=st.sampled_from(SESSIONS))
    def opens(self, session: str) -> None:
        if session not in self.open:
            self.open.add(session)
            self.carry_out(self.master.session_opened(session, "collector", self.now))

    @precondition(lambda self: len(self.seen) > 3)
    @rule(session=st.sampled_from(SESSIONS))
    def somebody_leaves(self, session: str) -> None:
        self.closes(session)

    def closes(self, session: str) -> None:
        if session in self.open:
            self.open.remove(session)
            for number, whose in self.whose.items():
                if whose == session:
                    self.seen[number] = "over"
            self.carry_out(self.master.session_closed(session, self.now))

    @rule(
        session=st.sampled_from(SESSIONS),
        terms=st.sampled_from(WANTED),
        more=st.sampled_from(("", "replay", "stop", "dependency")),
    )
    def establishes(self, session: str, terms: SubscriptionTerms, more: str) -> None:
        if session not in self.open:
            return
        if more == "replay" and terms.stream is not None:
            terms = structs.replace(terms, replay_start_time=DeviceTime(self.now - 5 * SECOND))
        elif more == "stop":
            terms = structs.replace(terms, stop_time=DeviceTime(self.now + 4 * SECOND))
        elif more == "dependency":
            terms = structs.replace(terms, dependency=max(self.seen, default=7))
        reply = self.ask(session, EstablishSubscription(terms))
        assert reply.ok or reply.error is not None

    def pick(self, number: int) -> tuple[int, str, bool]:
        """A subscription, one that is over where none is left; its session; is it there?"""
        alive = sorted(one.subscription_id for one in self.master.life_cycle)
        known = alive or sorted(self.seen)
        found = known[number % len(known)]
        return found, self.whose[found], found in alive

    @precondition(lambda self: self.seen)
    @rule(number=st.integers(0, 5), terms=st.sampled_from(WANTED))
    def modifies(self, number: int, terms: SubscriptionTerms) -> None:
        one, session, there = self.pick(number)
        if session in self.open:
            changed = structs.replace(terms, stream=None, encoding=None, weighting=None)
            reply = self.ask(session, ModifySubscription(one, changed))
            assert there or not reply.ok

    @precondition(lambda self: self.seen)
    @rule(number=st.integers(0, 5))
    def resyncs(self, number: int) -> None:
        one, session, there = self.pick(number)
        if session in self.open:
            reply = self.ask(session, ResyncSubscription(one))
            assert there or not reply.ok

    @precondition(lambda self: self.seen)
    @rule(number=st.integers(0, 5), session=st.sampled_from(SESSIONS))
    def deletes(self, number: int, session: str) -> None:
        one, owner, there = self.pick(number)
        if session in self.open:
            mine = there and owner == session
            assert self.ask(session, DeleteSubscription(one)).ok is mine

    @precondition(lambda self: self.seen)
    @rule(number=st.integers(0, 5), session=st.sampled_from(SESSIONS))
    def kills(self, number: int, session: str) -> None:
        one, _, there = self.pick(number)
        if session in self.open:
            assert self.ask(session, KillSubscription(one)).ok is there

    @rule(session=st.sampled_from(SESSIONS), busy=st.booleans())
    def reads_slowly(self, session: str, busy: bool) -> None:
        if session in self.open:
            self.carry_out(self.master.session_busy(session, busy, self.now))

    # ------------------------------------------------------------------ what the device does
    @rule(seconds=st.sampled_from((0.1, 1.0, 3.0, 5.0)))
    def time_passes(self, seconds: float) -> None:
        end = self.now + round(seconds * SECOND)
        while (due := self.master.next_deadline()) is not None and due <= end:
            self.now = max(due, self.now)
            self.carry_out(self.master.handle_timer(self.now))
        self.now = end

    @rule(publisher=st.sampled_from(PUBLISHERS), late=st.booleans())
    def pushes(self, publisher: str, late: bool) -> None:
        """A record of each subscription that it serves; or of one that it no longer serves."""
        numbers = list(self.serving[publisher]) if not late else list(self.seen)
        for number in numbers:
            octets = f'<piece of="{number}"/>'.encode()
            piece = Forward(publisher, number, "run", 1, 0, self.now, octets)
            self.carry_out(self.master.agent_said(piece, self.now))

    @rule(card=st.sampled_from(("lc1", "lc2")))
    def goes(self, card: str) -> None:
        if card in self.there:
            self.there.remove(card)
            self.serving[card] = {}
            run = f"{card}/{self.lives[card]}"
            self.carry_out(self.master.agent_lost(card, run, self.now))
            self.time_passes(1.5)

    @rule(card=st.sampled_from(("lc1", "lc2")))
    def comes(self, card: str) -> None:
        if card not in self.there:
            self.there.add(card)
            self.lives[card] = self.lives.get(card, 0) + 1
            register = Register(card, f"{card}/{self.lives[card]}", ("encode-xml",), 0, True)
            self.carry_out(self.master.agent_said(register, self.now))

    @rule(path=st.sampled_from((PORT, f"{PORT}[name='eth1']", f"{PORT}/oper-status", "///", "")))
    def somebody_changes_a_filter(self, path: str) -> None:
        references = self.master.references
        if not path:
            self.carry_out(references.remove("datastore", "ports", self.now))
        else:
            contents = SelectionFilter("xpath", path)
            self.carry_out(references.put("datastore", "ports", contents, self.now))

    # ------------------------------------------------------------------ what holds
    @invariant()
    def the_active_ones_are_served_whole_and_once(self) -> None:
        alive = {one.subscription_id: one for one in self.master.life_cycle}
        for publisher in PUBLISHERS:
            for number in self.serving[publisher]:
                assert number in alive, "served after its end"
                assert not alive[number].suspended, "served while suspended"
        for number, one in alive.items():
            if one.suspended or one.terms.stream is not None:
                continue
            parts = {
                p: self.serving[p][number].nodes for p in PUBLISHERS if number in self.serving[p]
            }
            nodes = [node for part in parts.values() for node in part]
            assert len(nodes) == len(set(nodes)), "component subscriptions overlap"
            gone = {"lc1", "lc2"} - self.there
            assert {p: part for p, part in one.shares.items() if p not in gone} == parts

    @invariant()
    def who_is_over_is_forgotten(self) -> None:
        for one in self.master.life_cycle:
            assert self.whose[one.subscription_id] in self.open
        if not any(self.master._forwarding.waiting(session) for session in SESSIONS):
            for one in self.master.life_cycle:
                told = self.seen[one.subscription_id]
                assert told == ("suspended" if one.suspended else "active")


DeviceMachine.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestStateMachine = DeviceMachine.TestCase
