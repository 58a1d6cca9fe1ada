"""Configured subscriptions to event streams of a simulated device: replay, receivers, stop-time."""

from __future__ import annotations

from typing import Any

import pytest

from collector.model import DeviceTime, MediaType, NotificationKind, SelectionFilter
from collector.model import SubscriptionTerms as Terms
from collector.wire.netconf.rpc import EstablishSubscription, GetData, ResetReceiver
from collector.wire.notifications import notification
from collector.wire.subscriptions.config import ConfiguredReceiver, ConfiguredSubscription, Edit
from collector.wire.udp_notif.datagrams import decode_header
from collector.wire.values.names import NAMESPACES, SN
from publisher_sim.agent import AgentPublisher, Transmit
from publisher_sim.master import ports
from publisher_sim.scenario import MASTER, Fault, Stream
from tests.unit.test_sim_configuration import HTTPS, UDP, UDP2, Device
from tests.unit.test_sim_event_streams import ALARMS, BROKEN, PLAIN
from tests.unit.test_sim_master import NOW, SECOND

K = NotificationKind


def device(*faults: Fault) -> Device:
    return Device(*faults, stream=(ALARMS, PLAIN, Stream("fast", events_per_second=50.0)))


def configured(*receivers: str, replay: bool = False, **terms: Any) -> ConfiguredSubscription:
    usual = {"stream": "alarms", "encoding": "encode-json", "transport": "udp-notif"}
    asked = Terms(**(usual | terms))
    named = tuple(ConfiguredReceiver(f"to-{name}", name) for name in receivers)
    return ConfiguredSubscription(7, asked, named, replay=replay)


def said(one: Device) -> list[tuple[NotificationKind, str, int]]:
    """(kind, receiver, when it happened) of what is announced."""
    found = []
    for action in one.actions:
        if isinstance(action, ports.Announce):
            at = 0 if action.record is None else action.record.at
            found += [(action.kind, to.address, at) for to in action.component.goes_to]
    return found


@pytest.mark.clause("8639-2.6-c")
def test_records_go_where_the_data_of_the_subscription_goes() -> None:
    one = device()
    one.make(UDP, configured("R1"))
    assert [kind for kind, _, _ in said(one)] == [K.SUBSCRIPTION_STARTED]
    assert one.told() == {}
    assert one.noted() == []
    one.until(5)
    assert {(kind, to) for kind, to, _ in said(one)} == {(K.OTHER, "127.0.0.1")}
    assert len(said(one)) >= 8
    assert one.state() == ("valid", {"to-R1": "active"})


def test_on_the_wire_they_are_numbered_with_everything_else_of_the_master() -> None:
    one = device()
    one.make(UDP, configured("R1"))
    actions = list(one.actions)
    one.until(2)
    master = AgentPublisher(one.scenario, one.scenario.publisher(MASTER), "master/0")
    units = []
    for action in [*actions, *one.actions]:
        if isinstance(action, ports.Announce):
            sent = master.announce(action.component, action.kind, action.change, NOW, action.record)
            units += [unit.octets for unit in sent if isinstance(unit, Transmit)]
    headers = [decode_header(unit) for unit in units]
    assert [one.message_id - headers[0].message_id for one in headers] == list(range(len(units)))
    first, *records = [
        notification.decode(unit[header.header_length :], MediaType.YANG_DATA_JSON)
        for unit, header in zip(units, headers, strict=True)
    ]
    assert first.state_change is not None
    assert first.state_change.terms is not None
    assert first.state_change.terms.stream == "alarms"
    assert first.state_change.generators == ("1",)
    assert {record.kind for record in records} == {K.OTHER}
    assert all("hardware-state" in record.name for record in records)
    assert all((record.event_time or 0) > NOW for record in records)


@pytest.mark.clause("8639-2.5.6")
def test_a_replay_begins_with_the_device_or_says_what_came_before() -> None:
    one = device()
    one.now = NOW + 5 * SECOND
    one.make(UDP, configured("R1", replay=True))
    started, *past, completed = [a for a in one.actions if isinstance(a, ports.Announce)]
    assert started.change is not None
    assert started.change.terms is not None
    assert started.change.terms.replay_start_time == NOW
    assert started.change.replay_previous_event_time is None  # nothing was before
    assert 9 <= len(past) <= 10
    assert completed.kind is K.REPLAY_COMPLETED

    late = device()
    late.now = NOW + 500 * SECOND
    late.make(UDP, configured("R1", replay=True))
    started, *past, completed = [a for a in late.actions if isinstance(a, ports.Announce)]
    assert started.change is not None
    assert started.change.terms is not None
    begins = started.change.terms.replay_start_time
    previous = started.change.replay_previous_event_time
    assert previous is not None
    assert begins == previous + 1
    assert len(past) == ALARMS.replay_records


@pytest.mark.clause("8639-2.5.1-a", "8639-2.5.6")
def test_a_receiver_that_is_reset_or_new_gets_the_replay_for_itself() -> None:
    one = device()
    one.now = NOW + 5 * SECOND
    one.make(UDP, UDP2, configured("R1", replay=True))
    assert {to for _, to, _ in said(one)} == {"127.0.0.1"}
    assert one.edit(Edit(configured("R1", replay=True), configured("R1", "R2", replay=True))).ok
    there = said(one)
    assert {to for _, to, _ in there} == {"127.0.0.2"}
    assert [there[0][0], there[-1][0]] == [K.SUBSCRIPTION_STARTED, K.REPLAY_COMPLETED]
    assert one.ask(ResetReceiver(7, "to-R1")).ok
    assert {to for _, to, _ in said(one)} == {"127.0.0.1"}
    assert said(one)[-1][0] is K.REPLAY_COMPLETED
    one.until(8)
    assert {to for _, to, _ in said(one)} == {"127.0.0.1", "127.0.0.2"}


def test_a_replay_takes_nothing_from_others() -> None:
    one = device()
    one.establish(Terms(stream="alarms"), "2")
    one.now = NOW + 3 * SECOND  # no timer ran
    one.make(UDP, configured("R1", replay=True))
    heard = one.said()
    one.actions = one.master.handle_timer(one.now)
    assert len(heard + one.said()) >= 5


def test_another_filter_is_a_modification_and_a_stop_time_completes() -> None:
    one = device()
    one.make(UDP, configured("R1"))
    stop = DeviceTime(NOW + 30 * SECOND)
    after = configured("R1", selection_filter=BROKEN, stop_time=stop)
    assert one.edit(Edit(configured("R1"), after)).ok
    assert [kind for kind, _, _ in said(one)] == [K.SUBSCRIPTION_MODIFIED]
    one.until(40)
    *records, completed = [a for a in one.actions if isinstance(a, ports.Announce)]
    assert completed.kind is K.SUBSCRIPTION_COMPLETED
    assert records
    for action in records:
        assert action.record is not None
        assert action.record.values["alarm-state"] == "major"
        assert action.record.at < stop
    assert one.state()[0] == "concluded"


@pytest.mark.parametrize(
    ("terms", "word"),
    [
        ({"stream": "weather"}, "weather"),
        ({"stream": "plain", "replay": True}, "no replay"),
        ({"encoding": "encode-gpb"}, "encode-gpb"),
        ({"selection_filter": SelectionFilter("ref", "nobody")}, "nobody"),
    ],
)
def test_what_is_invalid(terms: dict[str, Any], word: str) -> None:
    one = device()
    one.make(UDP, configured("R1", **terms))
    assert one.state()[0] == "invalid"
    assert word in one.why(configured("R1", **terms), UDP)
    assert said(one) == []


def test_a_code_point_goes_to_the_cards_whatever_the_transport() -> None:
    one = device()
    one.make(HTTPS, UDP, configured("H1", transport="https", dscp=16))
    assert one.state()[0] == "valid"
    after = configured("R1", dscp=8)
    assert one.edit(Edit(configured("H1", transport="https", dscp=16), after)).ok
    announced = [a for a in one.actions if isinstance(a, ports.Announce)]
    assert [a.component.dscp for a in announced] == [8]


@pytest.mark.clause("8639-2.5.1-b", "8639-2.5.1-c")
def test_while_it_is_suspended_nothing_is_sent() -> None:
    one = device(Fault("suspend", 6, 8))
    one.ask(EstablishSubscription(Terms(datastore="operational", period=SECOND)), "2")
    one.make(UDP, configured("R1"))
    one.until(20)
    kinds = [kind for kind, _, _ in said(one)]
    place = kinds.index(K.SUBSCRIPTION_SUSPENDED)
    assert kinds[place + 1] is K.SUBSCRIPTION_RESUMED


def test_where_a_subscription_is_from() -> None:
    """with-origin of get-data (RFC 8526 section 3.1.1, RFC 8342 section 5.3.4)."""
    one = device()
    one.ask(EstablishSubscription(Terms(datastore="operational", period=SECOND)), "2")
    one.make(UDP, configured("R1"))
    subscriptions = SelectionFilter("subtree", f'<subscriptions xmlns="{NAMESPACES[SN]}"/>')
    reply = one.ask(GetData("operational", subscriptions, with_origin=True))
    assert reply.data is not None
    entries = reply.data.children[0].find_all("subscription")
    origin = "urn:ietf:params:xml:ns:yang:ietf-origin origin"
    found = {one.text_of("id"): one.attributes[origin] for one in entries}
    assert found.pop("7") == "or:intended"
    assert list(found.values()) == ["or:learned"]
