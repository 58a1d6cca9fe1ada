"""``/filters`` of a simulated device as it is edited, and who is told (RFC 8639 §2.7.2)."""

from __future__ import annotations

from typing import Any

import pytest

from collector.model import NotificationKind, SelectionFilter
from collector.model import SubscriptionTerms as Terms
from collector.wire.netconf.rpc import (
    CANDIDATE,
    RUNNING,
    Commit,
    EditConfig,
    EstablishSubscription,
    Get,
    GetConfig,
    RpcReply,
)
from publisher_sim.master import ports
from publisher_sim.scenario import NamedFilter
from tests.unit.test_sim_configuration import UDP, Device, wanted
from tests.unit.test_sim_event_streams import ALARMS
from tests.unit.test_sim_master import SECOND

SN = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
YP = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
HW = "urn:ietf:params:xml:ns:yang:ietf-hardware"
K = NotificationKind
REF = SelectionFilter("ref", "ports")


def selection(path: str, operation: str = "merge") -> str:
    return (
        f'<filters xmlns="{SN}"><selection-filter xmlns="{YP}" xmlns:nc="{NC}"'
        f' nc:operation="{operation}"><filter-id>ports</filter-id>'
        f'<datastore-xpath-filter xmlns:if="{IF}">{path}</datastore-xpath-filter>'
        "</selection-filter></filters>"
    )


def stream_filter(name: str) -> str:
    return (
        f'<filters xmlns="{SN}"><stream-filter><name>kind</name><stream-subtree-filter>'
        f'<{name} xmlns="{HW}"/></stream-subtree-filter></stream-filter></filters>'
    )


PORT = "/if:interfaces/if:interface"
REMOVAL = (
    f'<filters xmlns="{SN}"><selection-filter xmlns="{YP}" xmlns:nc="{NC}"'
    ' nc:operation="delete"><filter-id>ports</filter-id></selection-filter></filters>'
)


def device(**more: Any) -> Device:
    return Device(**({"stream": (ALARMS,)} | more))


def edit(one: Device, config: str, target: str = RUNNING) -> RpcReply:
    return one.ask(EditConfig(target, config))


def periodic() -> EstablishSubscription:
    return EstablishSubscription(
        Terms(
            datastore="operational", period=SECOND, encoding="encode-json", selection_filter=REF
        )
    )  # fmt: skip


@pytest.mark.clause("8639-2.7.2")
def test_a_filter_that_is_edited_changes_who_delivers_and_is_told() -> None:
    one = device()
    assert not one.ask(periodic()).ok  # nobody knows it yet
    assert edit(one, selection(f"{PORT}[if:name='eth1']")).ok
    assert one.ask(periodic()).generators == ("101",)
    assert edit(one, selection(f"{PORT}[if:name='eth2']")).ok
    (said,) = one.said()
    assert said.kind is K.SUBSCRIPTION_MODIFIED
    assert said.state_change is not None
    assert said.state_change.generators == ("102",)
    assert said.state_change.terms is not None
    told = said.state_change.terms.selection_filter
    assert told is not None
    assert (told.text, told.namespaces) == (f"{PORT}[if:name='eth2']", {"if": IF})
    assert edit(one, selection(f"{PORT}[if:name='eth2']")).ok
    assert one.said() == []  # as it was


@pytest.mark.clause("8639-2.7.3")
def test_a_filter_that_is_removed_ends_what_refers_to_it() -> None:
    one = device()
    edit(one, selection(PORT))
    one.ask(periodic())
    assert edit(one, REMOVAL).ok
    (said,) = one.said()
    assert said.kind is K.SUBSCRIPTION_TERMINATED
    assert said.state_change is not None
    assert said.state_change.reason == "filter-unavailable"
    assert one.ask(Get()).subscriptions == ()


def test_what_the_device_has_by_itself_is_back_once_the_configured_one_is_gone() -> None:
    own = NamedFilter("ports", xpath="/ietf-interfaces:interfaces/interface[name='eth1']")
    one = device(filter=(own,))
    assert one.ask(periodic()).generators == ("101",)
    for config, generators in (
        (selection(PORT), ("1", "101", "102")),
        (REMOVAL, ("101",)),
    ):
        assert edit(one, config).ok
        (said,) = one.said()
        assert said.state_change is not None
        assert said.state_change.generators == generators


def test_a_filter_of_a_stream_as_a_subtree_out_of_the_candidate() -> None:
    one = device()
    assert edit(one, stream_filter("hardware-state-oper-enabled"), CANDIDATE).ok
    asked = Terms(stream="alarms", selection_filter=SelectionFilter("ref", "kind"))
    assert not one.ask(EstablishSubscription(asked)).ok
    assert one.ask(Commit()).ok
    assert one.ask(EstablishSubscription(asked)).ok
    one.until(20)
    assert {said.name.partition(":")[2] for said in one.said()} == {"hardware-state-oper-enabled"}
    filters = SelectionFilter("subtree", f'<filters xmlns="{SN}"/>')
    for datastore in (RUNNING, CANDIDATE):
        reply = one.ask(GetConfig(datastore, filters))
        assert reply.data is not None
        (listed,) = reply.data.children[0].children
        assert listed.text_of("name") == "kind"


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (selection("///"), "ports"),
        (f'<filters xmlns="{SN}"><other-filter/></filters>', "other-filter"),
        (
            f'<filters xmlns="{SN}">'
            + "".join(
                f"<stream-filter><name>f{n}</name><stream-subtree-filter><a/>"
                "</stream-subtree-filter></stream-filter>"
                for n in range(65)
            )
            + "</filters>",
            "64",
        ),
    ],
)
def test_an_edit_that_is_refused_changes_nothing(config: str, word: str) -> None:
    one = device()
    reply = edit(one, config)
    assert reply.error is not None
    assert word in str(reply.error)
    assert list(one.master.filters) == []


def test_one_without_contents_is_as_if_it_was_not_there() -> None:
    one = device()
    config = f'<filters xmlns="{SN}"><stream-filter><name>f</name></stream-filter></filters>'
    assert edit(one, config).ok
    assert list(one.master.filters) == []


def test_a_change_of_the_configuration_is_an_event() -> None:
    one = device()
    one.establish(Terms(stream="NETCONF"), "2")
    edit(one, selection(PORT), CANDIDATE)
    assert one.said() == []
    assert one.ask(Commit()).ok
    edit(one, REMOVAL)
    assert not edit(one, REMOVAL).ok  # it is gone already
    assert one.said() == []
    one.ask(EditConfig(RUNNING, selection(PORT)))
    (said,) = one.said()
    assert said.name == "ietf-netconf-notifications:netconf-config-change"
    (sent,) = [a for a in one.actions if isinstance(a, ports.SendNotification)]
    assert sent.session_id == "2"
    assert b"<session-id>1</session-id>" in sent.message
    assert b"<datastore>running</datastore>" in sent.message


@pytest.mark.clause("8639-2.7.2", "8639-2.7.3")
def test_configured_subscriptions_follow_their_filter() -> None:
    one = device()
    edit(one, selection(f"{PORT}[if:name='eth1']"))
    one.make(UDP, wanted("R1", selection_filter=REF))
    assert set(one.destinations()) == {"lc1"}
    assert edit(one, selection(f"{PORT}[if:name='eth2']")).ok
    assert one.announced() == [(K.SUBSCRIPTION_MODIFIED, "127.0.0.1")]
    assert edit(one, REMOVAL).ok
    assert one.announced() == [(K.SUBSCRIPTION_TERMINATED, "127.0.0.1")]
    assert one.state()[0] == "invalid"
    assert edit(one, selection(PORT)).ok  # and it is valid again
    assert one.announced() == [(K.SUBSCRIPTION_STARTED, "127.0.0.1")]
    assert one.state() == ("valid", {"to-R1": "active"})
    assert not [a for a in one.actions if isinstance(a, ports.CloseSession)]
