"""MasterPublisher: rpcs in, replies, notifications and component subscriptions out."""

from __future__ import annotations

from typing import Any

import pytest

from collector.errors import UsageError
from collector.model import (
    DeviceTime,
    MediaType,
    Notification,
    NotificationKind,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.wire.netconf.rpc import (
    CloseSession,
    DeleteSubscription,
    EstablishSubscription,
    Get,
    KillSession,
    KillSubscription,
    ModifySubscription,
    Operation,
    OtherOperation,
    ResyncSubscription,
    RpcReply,
    decode_reply,
    decode_rpc,
    encode_rpc,
)
from collector.wire.notifications import notification
from publisher_sim.cards.channel import (
    ComponentSubscription,
    EndComponent,
    Heartbeat,
    Register,
    Status,
)
from publisher_sim.master import MasterPublisher, ports
from publisher_sim.master.dynamic import FIRST_ID
from publisher_sim.scenario import Card, Fault, Master, Netconf, Push, Scenario
from publisher_sim.truth import accounts

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND
TERMS = SubscriptionTerms(
    datastore="operational", period=SECOND, anchor_time=DeviceTime(NOW), encoding="encode-json"
)
IF = {"if": "urn:ietf:params:xml:ns:yang:ietf-interfaces"}
ETH1 = SelectionFilter("xpath", "/if:interfaces/if:interface[name='eth1']", IF)


def scenario(*faults: Fault, **more: Any) -> Scenario:
    return Scenario(
        name="core7",
        master=Master(publisher_id=1, interfaces=("mgmt0",)),
        card=(
            Card("lc1", 101, interfaces=("eth1",), hardware=("fpc1",)),
            Card("lc2", 102, interfaces=("eth2",)),
            Card("lc3", 103, interfaces=("eth3",), external_connectivity=False),
        ),
        fault=faults,
        **more,
    )


class Driver:
    """A master, its agents registered, one subscriber."""

    def __init__(self, *faults: Fault, register: bool = True, **more: Any) -> None:
        self.scenario = scenario(*faults, **more)
        self.master = MasterPublisher(self.scenario)
        self.now = NOW
        self.actions: list[ports.Action] = []
        self.master.session_opened("1", "collector", NOW)
        self.master.session_opened("2", "collector", NOW)
        if register:
            for card in self.scenario.card:
                self.register(card.name)

    def register(self, card: str, run: str = "0", shortest: int = 0) -> None:
        reaches = card != "lc3"
        message = Register(card, f"{card}/{run}", ("encode-json",), shortest, reaches)
        self.actions = self.master.agent_said(message, self.now)

    def ask(self, operation: Operation, session: str = "1") -> RpcReply:
        """One rpc over the wire's own octets; the other actions stay in ``actions``."""
        rpc = decode_rpc(encode_rpc("9", operation))
        reply, *self.actions = self.master.rpc_received(session, rpc, self.now)
        assert isinstance(reply, ports.SendReply)
        assert reply.session_id == session
        return decode_reply(reply.message)

    def establish(self, terms: SubscriptionTerms = TERMS, session: str = "1") -> int:
        reply = self.ask(EstablishSubscription(terms), session)
        assert reply.subscription_id is not None
        return reply.subscription_id

    def until(self, seconds: float) -> None:
        """Let the timers run up to an instant after ``NOW``; all actions are collected."""
        self.actions = []
        end = NOW + round(seconds * SECOND)
        while (due := self.master.next_deadline()) is not None and due <= end:
            self.now = max(due, self.now)
            self.actions += self.master.handle_timer(self.now)
        self.now = end

    def said(self) -> list[Notification]:
        return [
            notification.decode(action.message, MediaType.YANG_DATA_XML)
            for action in self.actions
            if isinstance(action, ports.SendNotification)
        ]

    def told(self) -> dict[str, Any]:
        return {
            action.publisher: action.message
            for action in self.actions
            if isinstance(action, ports.TellAgent)
        }

    def noted(self) -> list[Any]:
        return [action.fact for action in self.actions if isinstance(action, ports.Note)]


def error_of(reply: RpcReply) -> tuple[str, str]:
    assert reply.error is not None
    return reply.error.tag, reply.error.identity


def nodes(component: Any) -> list[str]:
    assert isinstance(component, ComponentSubscription)
    return [node.key for node in component.nodes]


# --------------------------------------------------------------------------- establish
@pytest.mark.clause("mso-5-a", "mso-7-a")
def test_the_reply_lists_who_will_deliver_and_each_gets_its_part() -> None:
    driver = Driver()
    reply = driver.ask(EstablishSubscription(TERMS))
    assert reply.subscription_id == FIRST_ID
    assert reply.generators == ("1", "101", "102")
    told = driver.told()
    # base draft §5: lc3 cannot reach out, so the master keeps eth3
    assert nodes(told["master"]) == ["mgmt0", "eth3"]
    assert nodes(told["lc1"]) == ["eth1", "fpc1"]
    assert nodes(told["lc2"]) == ["eth2"]
    assert {one.subscription_id for one in told.values()} == {FIRST_ID}
    assert {one.period for one in told.values()} == {SECOND}
    assert {one.timeline_start for one in told.values()} == {NOW + SECOND}
    assert driver.noted() == [accounts.Established(NOW, FIRST_ID, SECOND, NOW, ("1", "101", "102"))]


def test_a_filter_decides_who_is_in_the_list() -> None:
    driver = Driver()
    reply = driver.ask(EstablishSubscription(TERMS_WITH_FILTER))
    assert reply.generators == ("101",)
    assert nodes(driver.told()["lc1"]) == ["eth1"]


TERMS_WITH_FILTER = SubscriptionTerms(
    datastore="operational", period=SECOND, selection_filter=ETH1, encoding="encode-json"
)


def test_nothing_selected_is_the_masters_to_say() -> None:
    nowhere = SelectionFilter("xpath", "/if:interfaces/if:interface[name='x']", IF)
    terms = SubscriptionTerms(datastore="operational", period=SECOND, selection_filter=nowhere)
    driver = Driver()
    assert driver.ask(EstablishSubscription(terms)).generators == ("1",)
    assert nodes(driver.told()["master"]) == []


@pytest.mark.clause("8639-2.4.2-a", "8641-4.2")
def test_what_was_not_said_is_filled_in() -> None:
    driver = Driver()
    driver.establish(SubscriptionTerms(datastore="operational", period=SECOND))
    (component,) = {one.encoding: one for one in driver.told().values()}.values()
    assert component.encoding == "encode-xml"  # RFC 8639 §2.4.2: that of the rpc
    assert component.anchor > NOW
    (state,) = driver.ask(Get()).subscriptions or ()
    assert state.terms.anchor_time == component.anchor
    # these agents announced JSON only, so the master keeps it all
    assert state.generators == ("1",)
    assert state.receivers[0].state == "active"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"datastore": "running"}, ("invalid-value", "datastore-not-subscribable")),
        ({"datastore": None, "stream": "NETCONF"}, ("invalid-value", "")),
        ({"period": None}, ("missing-element", "")),
        (
            {"replay_start_time": DeviceTime(NOW - SECOND)},
            ("operation-not-supported", "replay-unsupported"),
        ),
        ({"stop_time": DeviceTime(NOW - SECOND)}, ("invalid-value", "")),
        (
            {"selection_filter": SelectionFilter("xpath", "//*[1]", {})},
            ("invalid-value", "filter-unsupported"),
        ),
    ],
)
@pytest.mark.clause("8639-2.4.6-b")
def test_what_cannot_be_done_is_refused(change: dict[str, Any], error: tuple[str, str]) -> None:
    values = {name: getattr(TERMS, name) for name in TERMS.__struct_fields__} | change
    driver = Driver()
    assert error_of(driver.ask(EstablishSubscription(SubscriptionTerms(**values)))) == error
    assert driver.actions == []
    assert driver.ask(Get()).subscriptions == ()


@pytest.mark.clause("8641-4.4.1")
def test_hints_come_with_the_refusal() -> None:
    driver = Driver()
    for period, hint in ((SECOND // 100, "10"), (86_401 * SECOND, "8640000")):
        terms = SubscriptionTerms(datastore="operational", period=period)
        error = driver.ask(EstablishSubscription(terms)).error
        assert error is not None
        assert (error.tag, error.identity) == ("invalid-value", "period-unsupported")
        assert error.hints == {"period-hint": hint}  # centiseconds, RFC 8641 §4.4.1
    odd = SelectionFilter("xpath", "/if:interfaces/@state", IF)
    terms = SubscriptionTerms(datastore="operational", period=SECOND, selection_filter=odd)
    error = driver.ask(EstablishSubscription(terms)).error
    assert error is not None
    assert "attribute" in error.hints["filter-failure-hint"]


@pytest.mark.clause("8639-8-a")
def test_encodings_and_resources_have_limits() -> None:
    driver = Driver(push=Push(encodings=("encode-json",)))
    terms = SubscriptionTerms(datastore="operational", period=SECOND, encoding="encode-cbor")
    assert error_of(driver.ask(EstablishSubscription(terms)))[1] == "encoding-unsupported"
    for _ in range(driver.scenario.limits.subscriptions):
        driver.establish()
    error = error_of(driver.ask(EstablishSubscription(TERMS)))
    assert error == ("resource-denied", "insufficient-resources")


def test_other_operations() -> None:
    driver = Driver()
    assert error_of(driver.ask(OtherOperation("ietf-netconf:delete-config")))[0] == (
        "operation-not-supported"
    )
    assert error_of(driver.ask(ResyncSubscription(5)))[1] == "no-such-subscription-resync"
    assert driver.ask(Get(("ietf-interfaces:interfaces",))).subscriptions == ()
    assert driver.ask(CloseSession()).ok
    assert driver.actions == [ports.CloseSession("1")]
    missing = b'<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1">' \
              b'<delete-subscription xmlns="urn:ietf:params:xml:ns:yang:' \
              b'ietf-subscribed-notifications"/></rpc>'  # fmt: skip
    (reply,) = driver.master.rpc_received("1", decode_rpc(missing), NOW)
    assert isinstance(reply, ports.SendReply)
    assert error_of(decode_reply(reply.message))[0] == "missing-element"


# --------------------------------------------------------------------------- life cycle
@pytest.mark.clause("8641-4.4.2-a", "mso-7-b", "mso-7-d")
def test_modify_changes_what_it_names_and_says_the_whole_list() -> None:
    driver = Driver()
    number = driver.establish()
    terms = SubscriptionTerms(datastore="operational", period=2 * SECOND, selection_filter=ETH1)
    assert driver.ask(ModifySubscription(number, terms)).ok
    (said,) = driver.said()
    assert said.kind is NotificationKind.SUBSCRIPTION_MODIFIED
    assert said.state_change is not None
    assert said.state_change.generators == ("101",)
    assert said.state_change.terms is not None
    assert said.state_change.terms.period == 2 * SECOND
    assert said.state_change.terms.encoding == "encode-json"  # not named, so as before
    told = driver.told()
    assert isinstance(told["lc2"], EndComponent)
    assert isinstance(told["master"], EndComponent)
    assert told["lc1"].period == 2 * SECOND
    assert [type(fact).__name__ for fact in driver.noted()] == ["TermsChanged"]


@pytest.mark.clause("8639-2.4.3-a", "8641-4.4.2-b", "8639-2.4.6-c")
def test_a_refused_modify_changes_nothing() -> None:
    driver = Driver()
    number = driver.establish()
    before = driver.ask(Get()).subscriptions
    terms = SubscriptionTerms(datastore="operational", period=10_000_000)
    assert error_of(driver.ask(ModifySubscription(number, terms)))[1] == "period-unsupported"
    assert driver.ask(Get()).subscriptions == before


@pytest.mark.parametrize("operation", [ModifySubscription, DeleteSubscription])
@pytest.mark.clause("8640-5-b", "8639-2.4.6-d")
def test_only_its_own_session_may_touch_it(operation: Any) -> None:
    driver = Driver()
    number = driver.establish()
    for session, wrong in (("2", number), ("1", 4711)):
        asked = operation(wrong, TERMS) if operation is ModifySubscription else operation(wrong)
        assert error_of(driver.ask(asked, session)) == ("invalid-value", "no-such-subscription")


@pytest.mark.clause("8640-5-a")
def test_delete_and_the_end_of_a_session_stop_the_components() -> None:
    for end in ("delete", "session"):
        driver = Driver()
        number = driver.establish()
        if end == "delete":
            assert driver.ask(DeleteSubscription(number)).ok
        else:
            driver.actions = driver.master.session_closed("1", NOW)
        assert set(driver.told().values()) == {EndComponent(number)}
        assert driver.said() == []
        assert [type(fact).__name__ for fact in driver.noted()] == ["Ended"]
        assert driver.ask(Get(), "2").subscriptions == ()


@pytest.mark.clause("8639-2.4.5-a", "8639-2.7.3")
def test_another_session_kills_and_the_owner_is_told() -> None:
    driver = Driver()
    number = driver.establish()
    assert driver.ask(KillSubscription(number), "2").ok
    (said,) = driver.said()
    assert said.kind is NotificationKind.SUBSCRIPTION_TERMINATED
    assert said.state_change is not None
    assert said.state_change.reason == "no-such-subscription"
    to = [a.session_id for a in driver.actions if isinstance(a, ports.SendNotification)]
    assert to == ["1"]
    assert error_of(driver.ask(KillSubscription(number), "2"))[1] == "no-such-subscription"


def test_stop_time() -> None:
    driver = Driver()
    driver.establish(SubscriptionTerms(
        datastore="operational", period=SECOND, stop_time=DeviceTime(NOW + 3 * SECOND),
    ))  # fmt: skip
    driver.until(2.9)
    assert driver.actions == []
    driver.until(3)
    assert [one.kind for one in driver.said()] == [NotificationKind.SUBSCRIPTION_COMPLETED]


# --------------------------------------------------------------------------- agents
@pytest.mark.clause("mso-7-d")
def test_a_lost_agent_is_declared_gone_and_the_list_said_anew() -> None:
    driver = Driver()
    number = driver.establish()
    assert driver.master.agent_lost("lc1", "lc1/0", NOW) == []
    driver.until(0.9)
    assert driver.actions == []
    driver.until(1.0)
    (said,) = driver.said()
    assert said.state_change is not None
    assert said.state_change.generators == ("1", "102")
    assert said.subscription_id == number
    assert driver.noted() == [accounts.ListChanged(driver.now, number, ("1", "102"))]
    assert isinstance(driver.told()["lc1"], EndComponent)
    # its nodes are not in the datastore any more, so nobody else got them
    assert nodes(driver.told()["master"]) == ["mgmt0", "eth3"]

    driver.register("lc1", "1")
    (said,) = driver.said()
    assert said.state_change is not None
    assert said.state_change.generators == ("1", "101", "102")
    assert nodes(driver.told()["lc1"]) == ["eth1", "fpc1"]


def test_back_before_it_was_missed_is_no_change() -> None:
    driver = Driver()
    driver.establish()
    driver.master.agent_lost("lc1", "lc1/0", NOW)
    driver.register("lc1", "1")
    assert driver.said() == []
    assert list(driver.told()) == ["lc1"]
    driver.until(5)
    assert driver.said() == []


def test_who_is_not_there_yet_has_no_nodes() -> None:
    driver = Driver(register=False)
    assert driver.ask(EstablishSubscription(TERMS)).generators == ("1",)
    assert nodes(driver.told()["master"]) == ["mgmt0"]
    driver.register("lc2")
    (said,) = driver.said()
    assert said.state_change is not None
    assert said.state_change.generators == ("1", "102")


def test_who_is_not_able_to_gets_no_part() -> None:
    driver = Driver(register=False)
    driver.register("lc1", shortest=2 * SECOND)
    driver.register("lc2")
    assert driver.ask(EstablishSubscription(TERMS)).generators == ("1", "102")
    assert nodes(driver.told()["master"]) == ["mgmt0", "eth1", "fpc1"]


def test_status_and_heartbeats_change_nothing_and_strangers_are_refused() -> None:
    driver = Driver()
    assert driver.master.agent_said(Status("lc1", 1, "active"), NOW) == []
    assert driver.master.agent_said(Heartbeat("lc1"), NOW) == []
    with pytest.raises(UsageError, match="lc9"):
        driver.register("lc9")


# --------------------------------------------------------------------------- timeline
def test_pull_with_an_heir() -> None:
    driver = Driver(Fault("pull", 10, 20, "lc1", moves_to="lc2"))
    driver.establish()
    driver.until(10.74)
    assert driver.actions == []
    driver.until(10.75)  # a quarter period before tick 10, which is at 11 s
    assert driver.actions == [
        ports.Note(accounts.Killed(driver.now, "101")), ports.StopCard("lc1"),
    ]  # fmt: skip
    driver.master.agent_lost("lc1", "lc1/0", driver.now)
    driver.until(12)
    assert nodes(driver.told()["lc2"]) == ["eth1", "fpc1", "eth2"]
    (said,) = driver.said()
    assert said.state_change is not None
    assert said.state_change.generators == ("1", "102")
    driver.until(20.75)
    assert driver.actions == [ports.StartCard("lc1")]
    driver.register("lc1", "1")
    assert nodes(driver.told()["lc2"]) == ["eth2"]


@pytest.mark.clause("mso-7-d")
def test_move_and_move_back() -> None:
    driver = Driver(Fault("move", 10, 12, "lc1", moves_to="lc2", interfaces=("eth1",)))
    driver.establish()
    driver.until(10.75)
    told = driver.told()
    assert nodes(told["lc1"]) == ["fpc1"]
    assert nodes(told["lc2"]) == ["eth1", "eth2"]
    (said,) = driver.said()  # the decomposition changed, so it is said, though the list did not
    assert said.state_change is not None
    assert said.state_change.generators == ("1", "101", "102")
    driver.until(12.75)
    assert nodes(driver.told()["lc1"]) == ["eth1", "fpc1"]


@pytest.mark.clause("8641-A.2")
def test_suspend_and_resume() -> None:
    driver = Driver(Fault("suspend", 10, 12))
    driver.establish()
    driver.until(10.75)
    (said,) = driver.said()
    assert said.kind is NotificationKind.SUBSCRIPTION_SUSPENDED
    assert said.state_change is not None
    assert said.state_change.reason == "insufficient-resources"
    assert {type(one) for one in driver.told().values()} == {EndComponent}
    (state,) = driver.ask(Get()).subscriptions or ()
    assert state.receivers[0].state == "suspended"
    driver.until(12.75)
    assert [one.kind for one in driver.said()] == [NotificationKind.SUBSCRIPTION_RESUMED]
    assert set(driver.told()) == {"master", "lc1", "lc2"}
    names = [type(fact).__name__ for fact in driver.noted()]
    assert names == ["Resumed"]


def test_modify_resumes() -> None:
    driver = Driver(Fault("suspend", 10))
    number = driver.establish()
    driver.until(10.75)
    assert driver.ask(ModifySubscription(number, TERMS)).ok
    (state,) = driver.ask(Get()).subscriptions or ()
    assert state.receivers[0].state == "active"


def test_a_card_that_goes_while_suspended_is_missing_afterwards() -> None:
    driver = Driver(Fault("suspend", 10, 15))
    number = driver.establish()
    driver.until(10.75)
    driver.master.agent_lost("lc2", "lc2/0", driver.now)
    driver.until(14)
    assert driver.said() == []
    driver.until(15.75)
    resumed, modified = driver.said()
    assert resumed.kind is NotificationKind.SUBSCRIPTION_RESUMED
    assert modified.state_change is not None
    assert modified.state_change.generators == ("1", "101")
    assert driver.noted()[-1] == accounts.ListChanged(driver.now, number, ("1", "101"))


@pytest.mark.clause("8641-A.2")
def test_terminate_and_the_end_of_the_run() -> None:
    driver = Driver(Fault("terminate", 10, reason="filter-unavailable"), periods=20)
    driver.establish()
    driver.until(10.75)
    (said,) = driver.said()
    assert said.state_change is not None
    assert said.state_change.reason == "filter-unavailable"
    driver.establish()
    driver.until(20.75)
    assert [one.kind for one in driver.said()] == [NotificationKind.SUBSCRIPTION_TERMINATED]
    assert driver.master.finished


def test_another_session_is_killed_with_all_that_hangs_on_it() -> None:
    driver = Driver()
    number = driver.establish(session="2")
    assert driver.ask(KillSession(2)).ok
    assert driver.actions == [ports.CloseSession("2")]
    driver.master.session_closed("2", NOW)
    assert driver.master.life_cycle.get(number) is None
    for one in (1, 2, 77):  # its own, one that is gone, one that never was
        assert error_of(driver.ask(KillSession(one))) == ("invalid-value", "")
        assert driver.actions == []


def test_who_may_do_little_kills_no_session() -> None:
    driver = Driver(netconf=Netconf(access="limited"))
    assert error_of(driver.ask(KillSession(2))) == ("access-denied", "")
