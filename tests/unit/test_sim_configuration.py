"""Configured subscriptions of a simulated device: rpcs in, states, state changes and shares out."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from collector.errors import ConfigError, ProtocolError
from collector.model import (
    DeviceTime,
    NotificationKind,
    OnChange,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.wire.netconf.rpc import (
    CANDIDATE,
    RUNNING,
    Commit,
    DiscardChanges,
    EditConfig,
    EstablishSubscription,
    Get,
    GetConfig,
    Lock,
    Operation,
    ResetReceiver,
    RpcReply,
    Unlock,
    Validate,
)
from collector.wire.subscriptions.config import (
    SUBSCRIPTIONS,
    ConfiguredReceiver,
    ConfiguredSubscription,
    Edit,
    read_configuration,
    write_edits,
)
from collector.wire.subscriptions.receiver_instances import ReceiverInstance
from collector.wire.values import names, xml
from publisher_sim.cards.channel import ComponentSubscription, ResyncComponent
from publisher_sim.master import ports
from publisher_sim.master.configuration.evaluation import evaluate
from publisher_sim.master.configuration.operations import capabilities
from publisher_sim.scenario import Configuration, Fault, Receiver, Tls
from publisher_sim.truth import accounts
from tests.unit.test_sim_master import NOW, SECOND, TERMS, Driver

_K = NotificationKind
UDP = ReceiverInstance("R1", "udp-notif", "127.0.0.1", 10003, max_segment_size=1200)
UDP2 = ReceiverInstance("R2", "udp-notif", "127.0.0.2", 10003)
HTTPS = ReceiverInstance("H1", "https", "127.0.0.1", 8443, "/here")
WANTED = SubscriptionTerms(
    datastore="operational",
    selection_filter=SelectionFilter("xpath", "/ietf-interfaces:interfaces"),
    period=SECOND,
    anchor_time=DeviceTime(NOW),
    encoding="encode-json",
    transport="udp-notif",
)


def wanted(*receivers: str, number: int = 7, **terms: Any) -> ConfiguredSubscription:
    asked = structs.replace(WANTED, **terms)
    return ConfiguredSubscription(
        number, asked, tuple(ConfiguredReceiver(f"to-{name}", name) for name in receivers)
    )


class Device(Driver):
    """A device that can be configured."""

    def __init__(self, *faults: Fault, **more: Any) -> None:
        super().__init__(*faults, **({"configuration": Configuration()} | more))

    def edit(self, *edits: Edit, target: str = RUNNING, session: str = "1") -> RpcReply:
        return self.ask(EditConfig(target, write_edits(edits)), session)

    def make(self, *entries: ReceiverInstance | ConfiguredSubscription) -> None:
        reply = self.edit(*(Edit(None, entry) for entry in entries))
        assert reply.ok, reply.error

    def announced(self) -> list[tuple[NotificationKind, str]]:
        """(kind, receiver's address) of the state changes of the last actions."""
        found = []
        for action in self.actions:
            if isinstance(action, ports.Announce):
                found += [(action.kind, to.address) for to in action.component.goes_to]
        return found

    def state(self, number: int = 7) -> tuple[str | None, dict[str, str | None]]:
        entries = {one.id: one for one in self.ask(Get()).subscriptions or ()}
        one = entries[number]
        return one.configured_state, {receiver.name: receiver.state for receiver in one.receivers}

    def why(self, one: ConfiguredSubscription, instance: ReceiverInstance) -> str:
        """Why it cannot be carried out."""
        master = self.master
        with pytest.raises(ProtocolError) as refused:
            evaluate(
                one, {instance.name: instance}, self.scenario, master.filters, master.streams, NOW
            )
        return str(refused.value)

    def reach(self, reached: bool = True) -> None:
        self.actions = self.master.receiver_reached(
            "https-notif", "127.0.0.1", 8443, reached, self.now
        )

    def resynced(self) -> set[str]:
        """Publishers that are to send everything once more."""
        return {
            action.publisher
            for action in self.actions
            if isinstance(action, ports.TellAgent) and isinstance(action.message, ResyncComponent)
        }

    def destinations(self) -> dict[str, list[str]]:
        """publisher -> addresses, of what was told last."""
        return {
            name: [to.address for to in told.goes_to]
            for name, told in self.told().items()
            if isinstance(told, ComponentSubscription)
        }


def tag(reply: RpcReply) -> str:
    assert reply.error is not None
    return reply.error.tag


# --------------------------------------------------------------------------- beginning
@pytest.mark.clause("8639-2.5.2", "8639-2.5.7")
def test_what_is_configured_is_told_and_pushed_at_once() -> None:
    """RFC 8639 figure 8 (1), figure 9 (a): subscription-started, then the records."""
    device = Device()
    device.make(UDP, wanted("R1"))
    assert device.announced() == [(_K.SUBSCRIPTION_STARTED, "127.0.0.1")]
    first = device.actions[0]
    assert isinstance(first, ports.Announce)
    assert first.component.goes_to[0].max_segment_size == 1200
    assert first.change is not None
    assert first.change.generators == ("1", "101", "102")
    assert set(device.destinations()) == {"master", "lc1", "lc2"}
    assert {fact.subscription_id for fact in device.noted()} == {7}
    assert device.state() == ("valid", {"to-R1": "active"})
    reply = device.ask(GetConfig(RUNNING, SUBSCRIPTIONS))
    assert reply.data is not None
    found = read_configuration(reply.data.children)
    assert found.instances == (structs.replace(UDP, spelling="udp-notif-26"),)
    assert [one.id for one in found.subscriptions] == [7]


def test_a_candidate_is_nothing_before_its_commit() -> None:
    device = Device()
    assert device.ask(Lock(CANDIDATE)).ok
    device.edit(Edit(None, UDP), Edit(None, wanted("R1")), target=CANDIDATE)
    assert device.actions == []
    assert device.ask(Validate(CANDIDATE)).ok
    assert tag(device.edit(Edit(None, UDP), target=CANDIDATE, session="2")) == "in-use"
    assert device.ask(Commit()).ok
    assert device.announced() == [(_K.SUBSCRIPTION_STARTED, "127.0.0.1")]
    assert device.ask(Unlock(CANDIDATE)).ok
    device.edit(Edit(wanted("R1"), None), target=CANDIDATE)
    assert device.ask(DiscardChanges()).ok
    device.ask(Commit())
    assert device.announced() == []
    device.ask(Lock(RUNNING))
    device.master.session_closed("1", NOW)
    device.master.session_opened("1", "collector", NOW)
    assert device.ask(Lock(RUNNING), "2").ok


def test_an_edit_that_is_only_tested() -> None:
    device = Device()
    operation = EditConfig(RUNNING, write_edits([Edit(None, UDP)]), test_option="test-only")
    assert device.ask(operation).ok
    subtree = f'<subscriptions xmlns="{names.NAMESPACES[names.SN]}"/>'
    reply = device.ask(GetConfig(RUNNING, SelectionFilter("subtree", subtree)))
    assert reply.data is not None
    assert reply.data.children == []


def test_get_config_selects() -> None:
    device = Device()
    device.make(UDP, UDP2, wanted("R1"))
    path = "/sn:subscriptions/snr:receiver-instances/snr:receiver-instance[snr:name='R2']/snr:name"
    scope = {"sn": names.NAMESPACES[names.SN], "snr": names.NAMESPACES[names.RECEIVERS]}
    reply = device.ask(GetConfig(RUNNING, SelectionFilter("xpath", path, scope)))
    assert reply.data is not None
    assert "R2" in xml.inner_text(reply.data)
    assert "R1" not in xml.inner_text(reply.data)
    nothing = device.ask(GetConfig(RUNNING, SelectionFilter("subtree", '<a xmlns="x:y"/>')))
    assert nothing.data is not None
    assert nothing.data.children == []
    odd = SelectionFilter("xpath", "/sn:subscriptions/unknown-axis::x", scope)
    assert tag(device.ask(GetConfig(RUNNING, odd))) == "operation-not-supported"


# --------------------------------------------------------------------------- invalid, concluded
@pytest.mark.parametrize(
    ("instance", "terms", "word"),
    [
        (UDP, {"period": SECOND // 100}, "period"),
        (UDP, {"encoding": "encode-gpb"}, "encode-gpb"),
        (UDP, {"datastore": "running"}, "running"),
        (UDP, {"transport": "https"}, "no receiver of https"),
        (UDP, {"module_versions": (("ietf-interfaces", "2014-05-08", ""),)}, "not 2014-05-08"),
        (structs.replace(UDP, address="c.example"), {}, "no address"),
        (structs.replace(UDP, address="2001:db8::1"), {}, "cannot be reached"),
        (structs.replace(UDP, port=0), {}, "no port"),
        (structs.replace(UDP, max_segment_size=10), {}, "64 to 65507"),
        (structs.replace(HTTPS, name="R1", secure=True), {"transport": "https"}, "certificates"),
        (structs.replace(UDP, secure=True), {}, "certificates"),
    ],
)
def test_what_cannot_be_done_is_invalid_and_nobody_is_told(
    instance: ReceiverInstance, terms: dict[str, Any], word: str
) -> None:
    device = Device()
    device.make(instance, wanted("R1", **terms))
    assert device.announced() == []
    assert device.told() == {}
    assert device.state() == ("invalid", {})
    assert word in device.why(wanted("R1", **terms), instance)


def test_the_versions_that_are_asked_for_are_told() -> None:
    """As module-version-subs in the configuration, as module-version in subscription-started."""
    device = Device()
    versions = (("ietf-interfaces", "2018-02-20", ""),)
    device.make(UDP, wanted("R1", module_versions=versions))
    first = device.actions[0]
    assert device.state() == ("valid", {"to-R1": "active"})
    reply = device.ask(GetConfig(RUNNING, SUBSCRIPTIONS))
    assert reply.data is not None
    assert "<module-version-subs " in xml.inner_text(reply.data)
    assert isinstance(first, ports.Announce)
    assert first.change is not None
    assert first.change.terms is not None
    assert first.change.terms.module_versions == versions


def test_a_device_that_does_tls_only() -> None:
    device = Device(receiver=Receiver(tls=Tls(ca="ca.pem")))
    device.make(HTTPS, wanted("H1", transport="https"))
    assert "TLS that" in device.why(wanted("H1", transport="https"), HTTPS)


def test_a_modification_that_fails_terminates_and_another_one_starts_anew() -> None:
    """RFC 8639 figure 8 (2)."""
    device = Device()
    good, bad = wanted("R1"), wanted("R1", period=SECOND // 100)
    device.make(UDP, good)
    device.edit(Edit(good, bad))
    assert device.announced() == [(_K.SUBSCRIPTION_TERMINATED, "127.0.0.1")]
    assert isinstance(device.noted()[0], accounts.Ended)
    assert device.state() == ("invalid", {})
    device.edit(Edit(bad, good))
    assert device.announced() == [(_K.SUBSCRIPTION_STARTED, "127.0.0.1")]
    assert device.state()[0] == "valid"


def test_what_the_device_gives_up_is_invalid() -> None:
    """RFC 8639 figure 8 (3)."""
    device = Device(Fault("terminate", at_period=6))
    device.make(UDP, wanted("R1"))
    device.until(8)
    assert device.announced() == [(_K.SUBSCRIPTION_TERMINATED, "127.0.0.1")]
    assert device.state() == ("invalid", {})


def test_a_stop_time_concludes() -> None:
    """RFC 8639 figure 8 (5); it stays in the configuration until it is deleted."""
    device = Device()
    device.make(UDP, wanted("R1", stop_time=NOW + 3 * SECOND))
    device.until(4)
    assert device.announced() == [(_K.SUBSCRIPTION_COMPLETED, "127.0.0.1")]
    assert device.state() == ("concluded", {})
    device.edit(Edit(wanted("R1"), None))
    assert device.announced() == []
    assert device.ask(Get()).subscriptions == ()
    device.make(wanted("R1", stop_time=NOW))
    assert device.announced() == []
    assert device.state() == ("concluded", {})


def test_deletion_is_told() -> None:
    """RFC 8639 §2.5.4."""
    device = Device()
    device.make(UDP, UDP2, wanted("R1", "R2"))
    assert tag(device.edit(Edit(UDP, None))) == "data-missing"
    device.edit(Edit(wanted("R1", "R2"), None), Edit(UDP, None), Edit(UDP2, None))
    assert device.announced() == [
        (_K.SUBSCRIPTION_TERMINATED, "127.0.0.1"), (_K.SUBSCRIPTION_TERMINATED, "127.0.0.2"),
    ]  # fmt: skip
    assert device.ask(Get()).subscriptions == ()


# --------------------------------------------------------------------------- modification
def test_other_terms_are_told_before_records_under_them() -> None:
    """RFC 8639 §2.5.3."""
    device = Device()
    device.make(UDP, wanted("R1"))
    device.edit(Edit(wanted("R1"), wanted("R1", period=2 * SECOND)))
    assert device.announced() == [(_K.SUBSCRIPTION_MODIFIED, "127.0.0.1")]
    assert isinstance(device.actions[0], ports.Announce)
    assert {told.period for told in device.told().values()} == {2 * SECOND}
    device.edit(Edit(None, UDP2))
    assert device.actions == []


def test_without_an_anchor_the_ticks_stay_where_they_were() -> None:
    device = Device()
    before, after = wanted("R1", anchor_time=None), wanted("R1", anchor_time=None, dscp=0)
    device.make(UDP, before)
    device.now += SECOND // 3
    device.edit(Edit(before, after))
    assert [kind for kind, _ in device.announced()] in ([], [_K.SUBSCRIPTION_MODIFIED])
    anchors = {told.anchor for told in device.told().values()}
    assert anchors <= {NOW + SECOND // 5}


@pytest.mark.clause("8639-2.5.1-b", "8639-2.5.1-c")
def test_a_change_while_suspended_is_told_when_it_goes_on() -> None:
    """RFC 8639 §2.5.3: subscription-modified, once, and no subscription-resumed."""
    device = Device(Fault("suspend", at_period=6, until_period=9))
    device.make(UDP, wanted("R1"))
    device.until(7)
    assert device.announced() == [(_K.SUBSCRIPTION_SUSPENDED, "127.0.0.1")]
    assert device.state() == ("valid", {"to-R1": "suspended"})
    device.edit(Edit(wanted("R1"), wanted("R1", period=2 * SECOND)))
    assert (device.announced(), device.told()) == ([], {})
    device.until(10)
    assert device.announced() == [(_K.SUBSCRIPTION_MODIFIED, "127.0.0.1")]
    assert {told.period for told in device.told().values()} == {2 * SECOND}
    assert device.state() == ("valid", {"to-R1": "active"})


def test_a_receiver_more_and_one_less() -> None:
    """RFC 8639 §2.5.3."""
    device = Device()
    device.make(UDP, UDP2, wanted("R1"))
    device.edit(Edit(wanted("R1"), wanted("R1", "R2")))
    assert device.announced() == [(_K.SUBSCRIPTION_STARTED, "127.0.0.2")]
    assert device.destinations()["lc1"] == ["127.0.0.1", "127.0.0.2"]
    assert device.state()[1] == {"to-R1": "active", "to-R2": "active"}
    device.edit(Edit(wanted("R1", "R2"), wanted("R2")))
    assert device.announced() == [(_K.SUBSCRIPTION_TERMINATED, "127.0.0.1")]
    assert device.destinations()["lc1"] == ["127.0.0.2"]
    moved = structs.replace(UDP2, address="127.0.0.3")
    device.edit(Edit(UDP2, moved))
    assert device.announced() == [
        (_K.SUBSCRIPTION_TERMINATED, "127.0.0.2"), (_K.SUBSCRIPTION_STARTED, "127.0.0.3"),
    ]  # fmt: skip
    assert device.destinations()["lc1"] == ["127.0.0.3"]


def test_a_receiver_that_comes_later_gets_all_of_what_changes() -> None:
    """RFC 8641 §3.5: sync-on-start; changes of something unknown tell nothing."""
    device = Device()
    terms: dict[str, Any] = {"period": None, "anchor_time": None, "on_change": OnChange()}
    device.make(UDP, UDP2, wanted("R1", **terms))
    assert not device.resynced()
    device.edit(Edit(wanted("R1", **terms), wanted("R1", "R2", **terms)))
    assert device.resynced() == {"master", "lc1", "lc2"}
    device.ask(ResetReceiver(7, "to-R1"))
    assert device.resynced() == {"master", "lc1", "lc2"}
    quiet = terms | {"on_change": OnChange(sync_on_start=False)}
    device.make(wanted("R1", number=8, **quiet))
    device.edit(Edit(wanted("R1", number=8, **quiet), wanted("R1", "R2", number=8, **quiet)))
    assert not device.resynced()


def test_what_the_device_was_given_at_the_factory() -> None:
    """It is there at its start as if somebody had configured it, and may be edited like that."""
    initial = write_edits([Edit(None, UDP), Edit(None, wanted("R1"))])
    device = Device(configuration=Configuration(initial=initial))
    device.actions = device.master.configure(NOW)
    assert device.announced() == [(_K.SUBSCRIPTION_STARTED, "127.0.0.1")]
    assert device.state() == ("valid", {"to-R1": "active"})
    device.edit(Edit(wanted("R1"), None))
    assert device.announced() == [(_K.SUBSCRIPTION_TERMINATED, "127.0.0.1")]
    assert Device().master.configure(NOW) == []


@pytest.mark.parametrize(
    "initial", ["<a>", '<a xmlns="x:y"/>', write_edits([Edit(None, wanted("R1"))])]
)
def test_what_is_no_initial_configuration(initial: str) -> None:
    device = Device(configuration=Configuration(initial=initial))
    with pytest.raises(ConfigError) as caught:
        device.master.configure(NOW)
    assert caught.value.key == "configuration.initial"


# --------------------------------------------------------------------------- receivers
def test_a_receiver_over_a_connection_is_active_once_it_was_told() -> None:
    """RFC 8639 figure 9 (a): records go to active receivers alone."""
    device = Device()
    device.make(HTTPS, wanted("H1", transport="https"))
    assert device.announced() == [(_K.SUBSCRIPTION_STARTED, "127.0.0.1")]
    assert device.told() == {}
    assert device.state() == ("valid", {"to-H1": "connecting"})
    device.reach()
    assert device.announced() == []
    assert set(device.destinations()) == {"master", "lc1", "lc2"}
    told = device.told()["lc1"]
    assert [(to.transport, to.path) for to in told.goes_to] == [("https-notif", "/here")]
    assert device.state()[1] == {"to-H1": "active"}
    device.reach()
    assert device.actions == []
    device.make(wanted("H1", number=8, transport="https"))
    assert device.state(8)[1] == {"to-H1": "active"}
    device.reach(False)
    assert {type(told).__name__ for told in device.told().values()} == {"EndComponent"}
    assert device.announced() == [(_K.SUBSCRIPTION_STARTED, "127.0.0.1")] * 2
    assert device.state()[1] == {"to-H1": "connecting"}
    device.reach()
    assert device.state()[1] == {"to-H1": "active"}


def test_who_is_not_reached_yet_will_hear_of_the_newest_terms() -> None:
    device = Device()
    before = wanted("H1", transport="https")
    device.make(HTTPS, before)
    device.edit(Edit(before, wanted("H1", transport="https", period=2 * SECOND)))
    (said,) = (action for action in device.actions if isinstance(action, ports.Announce))
    assert said.kind is _K.SUBSCRIPTION_STARTED
    assert said.change is not None
    assert said.change.terms is not None
    assert said.change.terms.period == 2 * SECOND


def test_one_of_two_receivers_is_lost_and_the_other_goes_on() -> None:
    device = Device()
    other = structs.replace(HTTPS, name="H2", port=9443)
    device.make(HTTPS, other, wanted("H1", "H2", transport="https"))
    device.reach()
    device.actions = device.master.receiver_reached("https-notif", "127.0.0.1", 9443, True, NOW)
    assert [to.port for to in device.told()["lc1"].goes_to] == [8443, 9443]
    device.reach(False)
    assert [to.port for to in device.told()["lc1"].goes_to] == [9443]
    assert device.state()[1] == {"to-H1": "connecting", "to-H2": "active"}


@pytest.mark.clause("8639-2.5.1-a")
def test_reset() -> None:
    """RFC 8639 §2.5.5: connecting, and a new subscription-started."""
    device = Device()
    device.make(HTTPS, wanted("H1", transport="https"))
    device.until(9)
    assert device.state()[1] == {"to-H1": "connecting"}
    device.until(11)
    assert device.state()[1] == {"to-H1": "disconnected"}
    device.reach()
    assert device.state()[1] == {"to-H1": "disconnected"}
    reply = device.ask(ResetReceiver(7, "to-H1"))
    assert reply.time == NOW + 11 * SECOND
    assert device.announced() == [(_K.SUBSCRIPTION_STARTED, "127.0.0.1")]
    assert device.state()[1] == {"to-H1": "active"}
    device.reach(False)
    device.ask(ResetReceiver(7, "to-H1"))
    assert device.state()[1] == {"to-H1": "connecting"}
    for operation in (ResetReceiver(7, "nobody"), ResetReceiver(8, "to-H1")):
        assert tag(device.ask(operation)) == "data-missing"


def test_a_reset_over_udp_is_a_start_and_nothing_else() -> None:
    device = Device()
    device.make(UDP, wanted("R1"))
    device.ask(ResetReceiver(7, "to-R1"))
    assert device.announced() == [(_K.SUBSCRIPTION_STARTED, "127.0.0.1")]
    assert device.told() == {}


# --------------------------------------------------------------------------- modes and rights
def test_distributed_notif_19_has_configured_subscriptions_only() -> None:
    device = Device(control_mode="distributed-notif-19")
    assert tag(device.ask(EstablishSubscription(TERMS))) == "operation-not-supported"
    device.make(UDP, wanted("R1"))
    assert device.state()[0] == "valid"


def test_a_dynamic_subscription_keeps_its_id() -> None:
    device = Device()
    number = device.establish()
    device.make(UDP, wanted("R1", number=number))
    assert device.state(number)[0] == "invalid"
    assert [one.is_configured for one in device.master.life_cycle] == [False]


@pytest.mark.clause("8639-7-c")
def test_who_may_not_do_everything_may_only_read() -> None:
    device = Device()
    device.master.sessions._access_of = lambda user: "limited"
    device.master.session_opened("1", "guest", NOW)
    assert tag(device.edit(Edit(None, UDP))) == "access-denied"
    assert device.ask(GetConfig()).ok


@pytest.mark.parametrize("operation", [Commit(), EditConfig(RUNNING, "")])
def test_a_device_without_the_table_has_no_configuration(operation: Operation) -> None:
    assert tag(Driver().ask(operation)) == "operation-not-supported"


def test_the_hello_says_what_can_be_edited() -> None:
    assert capabilities(None) == ()
    said = capabilities(Configuration(candidate=False))
    assert [uri.split(":")[5] for uri in said] == [
        "writable-running", "rollback-on-error", "validate", "xpath",
    ]  # fmt: skip
