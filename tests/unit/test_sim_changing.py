"""On-change subscriptions at the publisher and at the master, and what the truth says of them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from collector.errors import ProtocolError
from collector.model import NotificationKind, OnChange, SelectionFilter, SubscriptionTerms
from collector.wire.netconf.rpc import (
    DeleteSubscription,
    EstablishSubscription,
    ModifySubscription,
    ResyncSubscription,
    decode_rpc,
)
from collector.wire.notifications import notification
from collector.wire.notifications.yang_patch import YangPatch, read_patch
from publisher_sim.agent import Account, AgentAction, AgentPublisher, Transmit
from publisher_sim.cards.channel import (
    ComponentSubscription,
    Destination,
    EndComponent,
    ResyncComponent,
    Status,
)
from publisher_sim.data.cbor_values import sids_for
from publisher_sim.data.entries import Node
from publisher_sim.device.simulate import Simulation
from publisher_sim.scenario import Card, Changes, Configured, Fault, Push, Receiver, Scenario
from publisher_sim.subscriptions.global_subscription import accept
from publisher_sim.truth import Truth, accounts
from publisher_sim.truth import file as truth_file
from publisher_sim.truth.accounts import Recorded
from tests.unit.test_sim_agent import play
from tests.unit.test_sim_master import NOW, SECOND, Driver, error_of

START = 1_800_000_000 * SECOND
CHANGES = Changes(status_seconds=4, sensor_seconds=4, entry_seconds=4)
CARD = Card("lc1", 101, ("eth1",), transient=("eth2",))
COMPONENT = ComponentSubscription(
    subscription_id=7,
    period=SECOND,
    anchor=0,
    encoding="encode-json",
    nodes=(Node("ietf-interfaces", "eth1"), Node("ietf-interfaces", "eth2")),
    selection=None,
    receiver_transport="udp-notif",
    receiver_address="192.0.2.1",
    receiver_port=10003,
    timeline_start=START,
    timeline_period=SECOND,
    on_change=OnChange(),
)
TERMS = SubscriptionTerms(datastore="operational", on_change=OnChange(), encoding="encode-json")


def agent(*faults: Fault) -> AgentPublisher:
    push = Push(max_segment_size=9000)
    scenario = Scenario(name="core7", push=push, card=(CARD,), fault=faults, changes=CHANGES)
    return AgentPublisher(scenario, CARD, "lc1/0")


def recorded(actions: list[tuple[int, AgentAction]]) -> list[tuple[int, Recorded]]:
    return [
        (at, action.fact)
        for at, action in actions
        if isinstance(action, Account) and isinstance(action.fact, Recorded)
    ]


def served(component: ComponentSubscription, *faults: Fault) -> list[tuple[int, AgentAction]]:
    """All actions of 30 s."""
    one = agent(*faults)
    first = [(START, action) for action in one.receive(component, START)]
    return [*first, *play(one, START + 30 * SECOND)]


# --------------------------------------------------------------------------- the publisher
@pytest.mark.parametrize("encoding", ["encode-json", "encode-xml", "encode-cbor"])
def test_what_is_accounted_for_is_what_is_sent(encoding: str) -> None:
    done = served(structs.replace(COMPONENT, encoding=encoding))
    said = recorded(done)
    assert [one.patch_id for _, one in said] == [None, *range(len(said) - 1)]
    assert len(said) > 10
    media = {"encode-json": 1, "encode-xml": 2, "encode-cbor": 3}[encoding]
    sent = [action.octets for _, action in done if isinstance(action, Transmit)]
    patches: list[YangPatch | None] = [read_patch(octets[12:], media) for octets in sent]
    assert patches[0] is None
    for (_, one), patch in zip(said[1:], patches[1:], strict=True):
        assert patch is not None
        assert patch.patch_id == str(one.patch_id)
        assert len(patch.edits) == one.edits


def test_a_message_is_made_when_something_changes() -> None:
    done = served(COMPONENT)
    for (at, one), (due, action) in zip(
        recorded(done), [pair for pair in done if isinstance(pair[1], Transmit)], strict=True
    ):
        assert at == one.planned == due
        assert isinstance(action, Transmit)
        envelope = json.loads(action.octets[12:])["ietf-yp-notification:envelope"]
        (kind,) = envelope["contents"]
        assert kind.endswith("push-update" if one.patch_id is None else "push-change-update")


def test_resync_and_end() -> None:
    one = agent()
    one.receive(COMPONENT, START)
    play(one, START + 10 * SECOND)
    now = START + 10 * SECOND
    ((_, again),) = recorded([(0, action) for action in one.receive(ResyncComponent(7), now)])
    assert again.patch_id is None
    after = recorded(play(one, now + 10 * SECOND))
    assert [fact.patch_id for _, fact in after] == list(range(len(after)))
    assert one.receive(ResyncComponent(8), now) == []
    one.receive(EndComponent(7), now)
    assert one.receive(ResyncComponent(7), now) == []
    assert play(one, now + 60 * SECOND) == []


@pytest.mark.clause("8641-3.11.1-d")
def test_after_a_suspension_it_goes_on_with_all_that_changed() -> None:
    one = agent()
    one.receive(COMPONENT, START)
    before = recorded(play(one, START + 10 * SECOND))
    one.receive(EndComponent(7, suspended=True), START + 10 * SECOND)
    assert play(one, START + 30 * SECOND) == []
    again = structs.replace(COMPONENT, resumed=True)
    actions = [(0, action) for action in one.receive(again, START + 30 * SECOND)]
    ((_, patch),) = recorded(actions)
    assert patch.patch_id == len(before)
    assert patch.edits >= 2
    assert not patch.incomplete
    # ended for good, or under other terms, nothing is left of it
    for end in (EndComponent(7), EndComponent(8, suspended=True)):
        one.receive(EndComponent(7, suspended=True), START + 31 * SECOND)
        one.receive(end, START + 31 * SECOND)
        other = structs.replace(again, on_change=OnChange(dampening_period=end.subscription_id))
        actions = [(0, action) for action in one.receive(other, START + 32 * SECOND)]
        ((_, whole),) = recorded(actions)
        assert whole.patch_id is None


def test_what_could_not_leave_before_a_suspension_is_not_gone_on_from() -> None:
    one = agent(Fault("delay", 6, 20, seconds=5))
    one.receive(COMPONENT, START)
    play(one, START + 10 * SECOND)
    one.receive(EndComponent(7, suspended=True), START + 10 * SECOND)
    again = structs.replace(COMPONENT, resumed=True)
    actions = [(0, action) for action in one.receive(again, START + 30 * SECOND)]
    ((_, whole),) = recorded(actions)
    assert whole.patch_id is None


def test_pieces_that_the_master_throws_away_are_not_gone_on_from() -> None:
    faults = Fault("suspend", 6, 8)
    driver = Driver(faults, changes=CHANGES, receiver=Receiver("netconf"))
    driver.establish(structs.replace(TERMS, encoding="encode-xml"))
    driver.until(7)
    assert {message.suspended for message in driver.told().values()} == {False}


def test_told_the_same_again_it_goes_on_and_told_other_terms_it_begins_anew() -> None:
    one = agent()
    one.receive(COMPONENT, START)
    same = structs.replace(COMPONENT, resumed=True)
    assert one.receive(same, START + SECOND) == [Status("lc1", 7, "active")]
    other = structs.replace(COMPONENT, on_change=OnChange(dampening_period=SECOND), resumed=True)
    said = recorded([(0, action) for action in one.receive(other, START + 2 * SECOND)])
    assert [fact.patch_id for _, fact in said] == [None]
    times = [fact.planned for _, fact in recorded(play(one, START + 30 * SECOND))]
    assert min(b - a for a, b in pairwise(times)) >= SECOND
    fewer = structs.replace(other, nodes=COMPONENT.nodes[:1])
    ((_, whole),) = recorded([(0, action) for action in one.receive(fewer, START + 40 * SECOND)])
    assert whole.patch_id is None


def test_while_it_is_silent_changes_pile_up() -> None:
    told = [one for _, one in recorded(served(COMPONENT, Fault("silent", 10, 20)))]
    assert not [one for one in told if 9.5 <= (one.planned - START) / SECOND < 19.5]
    assert [one.patch_id for one in told] == [None, *range(len(told) - 1)]
    late = next(one for one in told if one.planned >= START + 19 * SECOND)
    assert late.edits > 2


@pytest.mark.clause("8641-3.11.1-b")
def test_updates_that_leave_something_out_say_so() -> None:
    fault = Fault("incomplete", 10, 20)
    told = recorded(served(COMPONENT, fault))
    flags = {(one.planned - START) // SECOND: one.incomplete for _, one in told}
    assert {second for second, flag in flags.items() if flag} <= set(range(9, 20))
    assert any(flags.values())
    periodic = served(structs.replace(COMPONENT, on_change=None), fault)
    made = [
        action.fact
        for _, action in periodic
        if isinstance(action, Account) and isinstance(action.fact, accounts.Produced)
    ]
    assert [one.nominal // SECOND % 100 for one in made if one.incomplete] == list(range(10, 20))
    texts = [action.octets for _, action in periodic if isinstance(action, Transmit)]
    assert [b"incomplete-update" in text for text in texts] == [one.incomplete for one in made]


def test_further_destinations_get_copies_with_numbers_of_their_own() -> None:
    two = (Destination("udp-notif", "192.0.2.1", 1), Destination("udp-notif", "192.0.2.2", 2))
    done = served(structs.replace(COMPONENT, destinations=two), Fault("drop", 10, 20))
    sent = [action for _, action in done if isinstance(action, Transmit)]
    there, copies = ([one for one in sent if one.port == port] for port in (1, 2))
    assert len(there) < len(copies) == len(recorded(done))
    numbers = [int.from_bytes(one.octets[8:12], "big") for one in copies]
    assert [(b - a) % 2**32 for a, b in pairwise(numbers)] == [1] * (len(numbers) - 1)


def test_woken_late_it_numbers_what_it_says_in_order() -> None:
    """Whichever subscription a message is of (udp-notif-26 §3.2)."""
    one = agent()
    one.receive(COMPONENT, START)
    one.receive(structs.replace(COMPONENT, subscription_id=8, on_change=None), START)
    late = one.handle_timer(START + 30 * SECOND)
    sent = [action.octets for action in late if isinstance(action, Transmit)]
    numbers = [int.from_bytes(octets[8:12], "big") for octets in sent]
    assert len(numbers) > 40
    assert {(b - a) % 2**32 for a, b in pairwise(numbers)} == {1}


def test_faults_hit_records_of_one_second_one_by_one() -> None:
    fault = Fault("drop", 6, 28, probability=0.5)
    done = served(COMPONENT, fault)
    made, sent = len(recorded(done)), sum(isinstance(action, Transmit) for _, action in done)
    assert 0.2 * made < made - sent < 0.8 * made


# --------------------------------------------------------------------------- the master
def device(**more: Any) -> Driver:
    return Driver(changes=Changes(**more))


@pytest.mark.parametrize(
    ("changes", "trigger", "error"),
    [
        ({"on_change": False}, OnChange(), ("operation-not-supported", "on-change-unsupported")),
        (
            {"sync_on_start": False},
            OnChange(),
            ("operation-not-supported", "on-change-sync-unsupported"),
        ),
        (
            {"excluded_change": False},
            OnChange(excluded_change=("delete",)),
            ("operation-not-supported", "cant-exclude"),
        ),
        (
            {"minimum_dampening_seconds": 0.5},
            OnChange(dampening_period=SECOND // 4),
            ("invalid-value", "period-unsupported"),
        ),
    ],
)
def test_what_is_not_done_on_change_is_refused(
    changes: dict[str, Any], trigger: OnChange, error: tuple[str, str]
) -> None:
    driver = device(**changes)
    reply = driver.ask(EstablishSubscription(structs.replace(TERMS, on_change=trigger)))
    assert error_of(reply) == error
    if error[1] == "period-unsupported":
        assert reply.error is not None
        assert reply.error.hints == {"period-hint": "50"}


def test_both_triggers_at_once_are_refused_and_dial_out_has_no_changes() -> None:
    with pytest.raises(ProtocolError) as refused:
        accept(structs.replace(TERMS, period=SECOND), Scenario(), START)
    assert refused.value.tag == "bad-element"
    vendor = Driver(receiver=Receiver("grpc-cisco"), push=Push(header="envelope"))
    terms = structs.replace(TERMS, encoding="encode-json")
    assert error_of(vendor.ask(EstablishSubscription(terms)))[1] == "on-change-unsupported"


def test_every_publisher_with_a_part_is_told_the_trigger() -> None:
    driver = device()
    trigger = OnChange(5 * SECOND, True, ("create",))
    driver.establish(structs.replace(TERMS, on_change=trigger))
    told = driver.told()
    assert set(told) == {"master", "lc1", "lc2"}
    assert {component.on_change for component in told.values()} == {trigger}
    assert {component.resumed for component in told.values()} == {False}


def test_resync_reaches_all_of_them() -> None:
    driver = device()
    number = driver.establish(TERMS)
    assert driver.ask(ResyncSubscription(number)).ok
    assert driver.told() == dict.fromkeys(("master", "lc1", "lc2"), ResyncComponent(number))


@pytest.mark.clause("8641-4.4.4", "8640-5-b")
@pytest.mark.parametrize("case", ["unknown", "other session", "periodic", "without sync", "ended"])
def test_what_cannot_be_resynced(case: str) -> None:
    driver = device()
    terms = {
        "periodic": SubscriptionTerms("operational", period=SECOND, encoding="encode-json"),
        "without sync": structs.replace(TERMS, on_change=OnChange(sync_on_start=False)),
    }.get(case, TERMS)
    number = driver.establish(terms)
    if case == "ended":
        driver.ask(DeleteSubscription(number))
    session = "2" if case == "other session" else "1"
    asked = number + 9 if case == "unknown" else number
    reply = driver.ask(ResyncSubscription(asked), session)
    assert error_of(reply) == ("invalid-value", "no-such-subscription-resync")
    assert driver.actions == []


def test_modify_changes_dampening_and_filter_and_nothing_else() -> None:
    driver = device()
    number = driver.establish(structs.replace(TERMS, on_change=OnChange(0, True, ("delete",))))
    eth1 = SelectionFilter("xpath", "/ietf-interfaces:interfaces/interface[name='eth1']")
    wanted = SubscriptionTerms("operational", None, eth1, on_change=OnChange(2 * SECOND))
    assert driver.ask(ModifySubscription(number, wanted)).ok
    told = driver.told()
    assert isinstance(told["lc2"], EndComponent)
    assert told["lc1"].on_change == OnChange(2 * SECOND, True, ("delete",))
    assert told["lc1"].resumed
    periodic = SubscriptionTerms("operational", period=SECOND)
    assert error_of(driver.ask(ModifySubscription(number, periodic)))[0] == "bad-element"
    other = driver.establish(structs.replace(TERMS, on_change=None, period=SECOND))
    assert error_of(driver.ask(ModifySubscription(other, wanted)))[0] == "bad-element"


def test_suspended_it_ends_at_its_publishers_and_resumed_it_says_that_it_is_older() -> None:
    driver = Driver(Fault("suspend", 6, 8), changes=CHANGES)
    driver.establish(TERMS)
    driver.until(7)
    (one,) = driver.master.life_cycle
    number = one.subscription_id
    assert set(driver.told().values()) == {EndComponent(number, suspended=True)}
    assert driver.ask(ResyncSubscription(number)).ok
    assert set(driver.told().values()) == {EndComponent(number)}  # and begin anew, later
    driver.until(9)
    assert all(component.resumed for component in driver.told().values())


# --------------------------------------------------------------------------- the truth
def test_the_truth_tells_what_became_of_each_record(tmp_path: Path) -> None:
    truth = Truth()
    for number, patch_id in enumerate((None, 0, 1, 2)):
        truth.note(Recorded("101", "r", number, 7, number * 10, 2, patch_id, number))
        units = range({1: 0, 2: 1}.get(number, 2))
        for unit in units:
            truth.note(accounts.OnWire("r", number, unit, 0, 0, number == 3))
    records = truth_file.record_lines("core7", truth.records(25))
    assert [(one.patch_id, one.fate) for one in records] == [
        (None, "good"), (0, "lost"), (1, "unreassembled"),
    ]  # fmt: skip
    assert [one.fate for one in truth.records(100)][-1] == "rejected"
    path = tmp_path / "truth.jsonl"
    truth_file.write(path, truth_file.Header("core7", 1, None, 25, "x"), [], records)
    assert truth_file.read(path) == (truth_file.Header("core7", 1, None, 25, "x", records=3), [])
    assert len(path.read_bytes().splitlines()) == 1 + len(records)


def test_periodic_and_on_change_side_by_side() -> None:
    changes = structs.replace(CHANGES, simulated="both", dampening_seconds=1)
    fault = Fault("incomplete", 8, card="lc1")
    scenario = Scenario(name="core7", periods=20, card=(CARD,), changes=changes, fault=(fault,))
    simulation = Simulation(scenario)
    kinds = [one.kind for one in simulation.run()]
    assert kinds.count("reply") == 2
    _, rows = simulation.truth()
    degraded = {blame.cause for row in rows for blame in row.last.degraded}
    assert degraded == {"incomplete_update"}
    assert [row.number for row in rows if row.last.outcome == "DEGRADED"] == [8]
    records = simulation.records()
    assert {one.generator for one in records} == {"101"}
    assert {one.fate for one in records} == {"good"}
    times = [one.time for one in records]
    assert min(b - a for a, b in pairwise(times)) >= SECOND
    assert {record.subscription_id for record in records} != {row.subscription_id for row in rows}


def test_two_runs_are_the_same_octets() -> None:
    changes = structs.replace(CHANGES, simulated="on-change")
    scenario = Scenario(periods=10, card=(CARD,), changes=changes)
    assert list(Simulation(scenario).run()) == list(Simulation(scenario).run())


def test_configured_on_change() -> None:
    """RFC 8639 §2.5: subscription-started comes first and says the trigger."""
    configured = Configured(xpath="/", on_change=True)
    changes = structs.replace(CHANGES, dampening_seconds=1)
    scenario = Scenario(periods=10, card=(CARD,), configured=configured, changes=changes)
    simulation = Simulation(scenario)
    first, *_ = (one.octets[12:] for one in simulation.run())
    started = notification.decode(first, 1).state_change
    assert started is not None
    assert started.terms is not None
    assert started.terms.on_change == OnChange(SECOND)
    assert started.terms.period is None
    patches = [one.patch_id for one in simulation.records()]
    assert patches == [None, *range(len(patches) - 1)]
    assert len(patches) > 4


WAYS = [
    ("udp-notif", "encode-json", "envelope", "name"),
    ("udp-notif", "encode-xml", "rfc5277", "name"),
    ("udp-notif", "encode-cbor", "envelope", "name"),
    ("udp-notif", "encode-cbor", "envelope", "sid"),
    ("dtls", "encode-json", "notification-messages", "name"),
    ("https-notif", "encode-json", "rfc5277", "name"),
    ("https-notif", "encode-xml", "envelope", "name"),
    ("netconf", "encode-xml", "rfc5277", "name"),
    ("netconf", "encode-xml", "notification-messages", "name"),
]


@pytest.mark.parametrize(("transport", "encoding", "header", "keys"), WAYS)
@pytest.mark.clause("8641-4.3.2")
def test_over_every_transport_and_in_every_encoding(
    transport: Any, encoding: Any, header: Any, keys: Any
) -> None:
    changes = structs.replace(CHANGES, simulated="on-change")
    scenario = Scenario(
        periods=8,
        receiver=Receiver(transport),
        push=Push(encoding=encoding, header=header, cbor_keys=keys, max_segment_size=65_000),
        card=(CARD,),
        changes=changes,
    )
    simulation = Simulation(scenario)
    beside = {"reply"} if transport == "netconf" else {"reply", "notification"}
    said = [one for one in simulation.run() if one.kind not in beside]
    media_type = scenario.traits.media_types[encoding]
    start = 12 if scenario.traits.segments else 0
    sids = sids_for(keys)
    found = []
    for one in said:
        heard = notification.decode(one.octets[start:], media_type, sids)
        if heard.kind in (NotificationKind.PUSH_UPDATE, NotificationKind.PUSH_CHANGE_UPDATE):
            assert heard.subscription_id is not None
            patch = read_patch(one.octets[start:], media_type, 0, sids)
            found.append((None, 0) if patch is None else (int(patch.patch_id), len(patch.edits)))
    assert found == [(one.patch_id, one.edits) for one in simulation.records()]
    assert len(found) > 3


@pytest.mark.parametrize(
    ("inside", "cs"), [("", 200), ("<dampening-period>0</dampening-period>", 0)]
)
@pytest.mark.clause("8641-4.4.2-a")
def test_modify_keeps_the_dampening_that_it_does_not_say(inside: str, cs: int) -> None:
    driver = device()
    number = driver.establish(structs.replace(TERMS, on_change=OnChange(2 * SECOND)))
    octets = (
        '<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="9"><modify-subscription '
        'xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications">'
        f'<id>{number}</id><on-change xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push">'
        f"{inside}</on-change></modify-subscription></rpc>"
    )
    driver.master.rpc_received("1", decode_rpc(octets.encode()), NOW)
    (one,) = driver.master.life_cycle
    assert one.terms.on_change is not None
    assert one.terms.on_change.dampening_period == cs * SECOND // 100
