"""What the simulated device says when it is asked for data, and to whom."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from collector.errors import ConfigError, ProtocolError
from collector.model import (
    DeviceTime,
    MediaType,
    NotificationKind,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.wire.netconf.capabilities import (
    PushCapabilities,
    TransportCapability,
    read_capabilities,
)
from collector.wire.netconf.config import GetConfig, GetData
from collector.wire.netconf.library import (
    library_filter,
    library_of,
    protocol_capabilities,
    read_library,
    read_streams,
)
from collector.wire.netconf.rpc import (
    DeleteSubscription,
    EditConfig,
    EstablishSubscription,
    Get,
    KillSubscription,
    Operation,
    RpcReply,
    decode_reply,
    decode_rpc,
    encode_rpc,
)
from collector.wire.netconf.schemas import ModuleId, decode_inventory
from collector.wire.notifications import notification
from collector.wire.values import xml
from publisher_sim.cards.channel import ComponentSubscription, Register
from publisher_sim.data.entries import Node, sample
from publisher_sim.data.module_library import modules_of
from publisher_sim.master import MasterPublisher, ports
from publisher_sim.master.retrieval import capabilities
from publisher_sim.master.retrieval.itself import Itself
from publisher_sim.scenario import (
    Changes,
    Configuration,
    Limits,
    NamedFilter,
    Netconf,
    Periods,
    Push,
    Receiver,
    Retrieval,
    Scenario,
    Stream,
    User,
    check,
    parse_scenario,
)
from publisher_sim.users.access import LIMITED, Access, permit
from tests.sim_scenarios import small

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND
IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
HW = "urn:ietf:params:xml:ns:yang:ietf-hardware"
ORIGIN = "urn:ietf:params:xml:ns:yang:ietf-origin"
SN = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
PERIODIC = SubscriptionTerms(
    datastore="operational",
    selection_filter=SelectionFilter("xpath", "/if:interfaces", {"if": IF}),
    period=SECOND,
    anchor_time=DeviceTime(NOW),
    encoding="encode-json",
)
GUEST = User("guest", password_env="NOWHERE")


def device_of(**more: Any) -> Scenario:
    return small(user=more.pop("user", (GUEST,)), **more)


class Device:
    """A master with two sessions of its operator and one of a guest."""

    def __init__(self, scenario: Scenario | None = None) -> None:
        self.scenario = scenario or device_of()
        self.master = MasterPublisher(self.scenario)
        for session, user in (("1", "collector"), ("2", "collector"), ("3", "guest")):
            self.master.session_opened(session, user, NOW)
        for card in self.scenario.card:
            self.master.agent_said(
                Register(card.name, f"{card.name}/0", ("encode-json",), 0, True), NOW
            )
        self.actions: list[ports.Action] = []

    def ask(self, operation: Operation, session: str = "1") -> RpcReply:
        rpc = decode_rpc(encode_rpc("9", operation))
        reply, *self.actions = self.master.rpc_received(session, rpc, NOW)
        assert isinstance(reply, ports.SendReply)
        self.octets = reply.message
        return decode_reply(reply.message)

    def data(self, operation: Operation, session: str = "1") -> xml.Element:
        reply = self.ask(operation, session)
        assert reply.error is None, reply.error
        assert reply.data is not None
        return reply.data

    def get(self, subtree: str, session: str = "1") -> xml.Element:
        return self.data(Get(None, SelectionFilter("subtree", subtree)), session)


def shape(element: xml.Element) -> Any:
    """Names and texts, the shortest way to say what is there."""
    if not element.children:
        return f"{element.name}={element.text}" if element.text else element.name
    return {element.name: [shape(child) for child in element.children]}


# --------------------------------------------------------------------------- filters
ETH = ["name=eth1/0", "oper-status=up"]


@pytest.mark.parametrize(
    ("subtree", "expected"),
    [
        (
            f'<interfaces xmlns="{IF}"><interface><name>eth1/0</name><oper-status/></interface>'
            "</interfaces>",
            [{"interfaces": [{"interface": ETH}]}],
        ),
        (
            f'<interfaces xmlns="{IF}"><interface><name>eth9</name></interface></interfaces>',
            [],
        ),
        (
            f'<interfaces xmlns="{IF}"><interface><name/></interface></interfaces>',
            [{"interfaces": [{"interface": [f"name=eth{n}/{m}"]} for n in (1, 2) for m in (0, 1)]}],
        ),
        (
            f'<hardware xmlns="{HW}"><component><class/></component></hardware>',
            [
                {
                    "hardware": [
                        {"component": [f"name=fpc{n}", "class=iana-hardware:sensor"]}
                        for n in (1, 2)
                    ]
                }
            ],
        ),
        ('<nothing xmlns="urn:x"/>', []),
        ("", []),
    ],
)
def test_subtree_filters(subtree: str, expected: list[Any]) -> None:
    assert [shape(top) for top in Device().get(subtree).children] == expected


@pytest.mark.parametrize(
    ("xpath", "expected"),
    [
        (
            "/if:interfaces/if:interface[if:name='eth1/0']/if:oper-status",
            [{"interfaces": [{"interface": ETH}]}],
        ),
        ("/if:interfaces/if:interface[if:name='eth9']", []),
        (
            "//ietf-hardware:class",
            [
                {
                    "hardware": [
                        {"component": [f"name=fpc{n}", "class=iana-hardware:sensor"]}
                        for n in (1, 2)
                    ]
                }
            ],
        ),
        (
            "/if:interfaces/if:interface[if:name='eth1/0']/if:oper-status | /if:nothing",
            [{"interfaces": [{"interface": ETH}]}],
        ),
    ],
)
def test_xpath_filters(xpath: str, expected: list[Any]) -> None:
    found = Device().data(Get(None, SelectionFilter("xpath", xpath, {"if": IF})))
    assert [shape(top) for top in found.children] == expected


def test_what_cannot_be_evaluated_is_refused() -> None:
    error = Device().ask(Get(None, SelectionFilter("xpath", "/if:interfaces[1", {"if": IF}))).error
    assert error is not None
    assert (error.tag, str(error).startswith("the filter:")) == (
        "operation-not-supported",
        True,
    )


def test_without_a_filter_there_is_everything() -> None:
    names = [top.name for top in Device().data(Get(None)).children]
    assert names == [
        "interfaces", "hardware", "yang-library", "netconf-state", "system-capabilities",
        "streams",
    ]  # fmt: skip


def test_identities_have_their_prefixes_declared() -> None:
    (hardware,) = (
        Device().get(f'<hardware xmlns="{HW}"><component><class/></component></hardware>').children
    )
    leaf = hardware.children[0].children[1]
    assert leaf.text == "iana-hardware:sensor"
    assert leaf.nsmap["iana-hardware"] == "urn:ietf:params:xml:ns:yang:iana-hardware"


# --------------------------------------------------------------------------- get-config, get-data
def test_the_configuration_of_its_data() -> None:
    found = Device().data(
        GetConfig("running", SelectionFilter("subtree", f'<interfaces xmlns="{IF}"/>'))
    )
    (interfaces,) = found.children
    assert shape(interfaces.children[0]) == {
        "interface": ["name=eth1/0", "type=iana-if-type:ethernetCsmacd"]
    }
    error = Device().ask(GetConfig("startup")).error
    assert error is not None
    assert error.tag == "invalid-value"


ONE = SelectionFilter(
    "subtree", f'<hardware xmlns="{HW}"><component><name>fpc1</name></component></hardware>'
)


def component(**asked: Any) -> Any:
    found = Device().data(GetData("operational", ONE, **asked))
    assert found.namespace == "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
    return [shape(one) for top in found.children for one in top.children]


def test_get_data_by_depth_and_kind() -> None:
    (whole,) = component()
    names = [
        one.split("=")[0] if isinstance(one, str) else next(iter(one)) for one in whole["component"]
    ]
    assert {"name", "class", "parent", "sensor-data", "state"} <= set(names)
    assert component(max_depth=1) == ["component"]
    (flat,) = component(max_depth=2)
    assert all(isinstance(one, str) for one in flat["component"]), (
        "leaves, and containers without inside"
    )
    (config,) = component(config_filter=True)
    assert [one.split("=")[0] for one in config["component"]] == [
        "name",
        "class",
        "parent",
        "parent-rel-pos",
    ]
    (state,) = component(config_filter=False)
    kept = [
        one.split("=")[0] if isinstance(one, str) else next(iter(one)) for one in state["component"]
    ]
    assert "name" in kept, "the key says whose state it is"
    assert not {"class", "parent", "parent-rel-pos"} & set(kept)
    assert {"sensor-data", "state"} <= set(kept)


def origins(found: xml.Element) -> list[str]:
    """``path=origin`` of what has an annotation of its own."""
    own = f"{ORIGIN} origin"
    below = [f"{found.name}/{one}" for child in found.children for one in origins(child)]
    return ([f"{found.name}={found.attributes[own]}"] if own in found.attributes else []) + below


@pytest.mark.parametrize("selection", [None, ONE])
def test_where_the_configuration_in_operational_is_from(selection: SelectionFilter | None) -> None:
    device = Device()
    data = device.data(GetData("operational", selection, with_origin=True))
    found = {one.removeprefix("data/") for one in origins(data)}
    assert "hardware/component=or:system" in found
    if selection is None:
        assert "interfaces/interface=or:system" in found
        assert not any(one.startswith(("yang-library", "netconf-state")) for one in found)
    else:
        assert found == {"hardware/component=or:system"}
    assert origins(device.data(GetData("operational", selection))) == []


def test_get_data_of_other_datastores() -> None:
    device = Device()
    assert [top.name for top in device.data(GetData("running")).children] == [
        "interfaces",
        "hardware",
    ]
    assert device.data(GetData("running", config_filter=False)).children == []
    error = device.ask(GetData("candidate")).error
    assert error is not None
    error = device.ask(GetData("running", with_origin=True)).error
    assert error is not None
    assert error.tag == "unknown-element"
    old = Device(device_of(retrieval=Retrieval(nmda=False)))
    error = old.ask(GetData("operational")).error
    assert error is not None
    assert error.tag == "operation-not-supported"


# --------------------------------------------------------------------------- what it says of itself
@pytest.mark.clause("8525-3")
@pytest.mark.clause("8639-2.9")
def test_its_yang_library() -> None:
    device = Device()
    data = device.get(library_filter(relevant=True))
    assert [top.name for top in data.children] == ["yang-library"]
    found = read_library(data.children[0])
    assert found.unusable == 0
    subscribed = found.module("ietf-subscribed-notifications")
    assert subscribed is not None
    assert subscribed.revision == "2019-09-09"
    assert {"xpath", "subtree", "encode-xml", "encode-json", "qos", "dscp", "replay"} <= set(
        subscribed.features
    )
    assert found.module("ietf-multiple-stream-originators") is not None
    assert found.module("ietf-distributed-notif") is None, "another control mode's"
    assert found.content_id == library_of(capabilities(device.scenario)).content_id
    whole = read_library(
        device.get(
            '<yang-library xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-library"/>'
        ).children[0]
    )
    assert whole.module("ietf-yang-types") is None, "it only lends its types"
    assert whole.datastores == ("running", "operational")


def test_the_library_changes_with_what_the_device_is() -> None:
    old = device_of(
        control_mode="distributed-notif-18", retrieval=Retrieval(yang_library="rfc7895")
    )
    device = Device(old)
    found = read_library(device.get(library_filter(relevant=True)).children[0])
    assert found.module("ietf-distributed-notif") is not None
    assert found.content_id != Itself(device_of()).content_id
    assert found.content_id == library_of(capabilities(old)).content_id
    none = Device(device_of(retrieval=Retrieval(yang_library="none", system_capabilities=False)))
    assert none.get(library_filter(relevant=True)).children == []
    tops = [top.name for top in none.data(Get(None)).children]
    assert "system-capabilities" not in tops


@pytest.mark.parametrize(
    ("spelling", "receivers", "told"),
    [
        (
            "new",
            {
                "ietf-subscribed-notif-receivers@2026-06-30",
                "ietf-udp-notif-transport@2026-07-29",
                "ietf-https-notif-transport@2026-06-30",
            },
            True,
        ),
        (
            "old",
            {
                "ietf-subscribed-notif-receivers@", "ietf-udp-notif@",
                "ietf-https-notif-transport@",
            },
            False,
        ),
    ],
)  # fmt: skip
def test_who_can_be_configured_names_the_modules_of_receivers(
    spelling: Any, receivers: set[str], told: bool
) -> None:
    """All that it implements; those that it has a text of are what get-schema gives."""
    scenario = device_of(configuration=Configuration(spelling=spelling, startup=True))
    device = Device(scenario)
    found = read_library(device.get(library_filter(relevant=False)).children[0])
    subscribed = found.module("ietf-subscribed-notifications")
    assert subscribed is not None
    assert "configured" in subscribed.features
    listed = {f"{one.name}@{one.revision}" for one in found.modules}
    assert receivers <= listed
    assert found.datastores == ("running", "candidate", "startup", "operational")
    told_in_hello = {
        f"{one.name}@{one.revision}" for one in library_of(capabilities(scenario)).modules
    }
    assert receivers <= told_in_hello
    assert not any("revision=&" in one or one.endswith("=") for one in capabilities(scenario))
    device.data(Get(("ietf-netconf-monitoring:netconf-state",)))
    given = {f"{one.name}@{one.revision}" for one in decode_inventory(device.octets).modules}
    assert (receivers & given) == (receivers if told else set())
    if told:
        assert listed <= given
    nobody = read_library(Device().get(library_filter(relevant=False)).children[0])
    assert not receivers & {f"{one.name}@{one.revision}" for one in nobody.modules}


def test_its_monitoring_data() -> None:
    device = Device()
    device.data(Get(("ietf-netconf-monitoring:netconf-state",)))
    listed = decode_inventory(device.octets)
    assert ModuleId("ietf-yp-observation", "2026-05-11") in listed.modules
    (state,) = device.get(
        '<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><sessions/>'
        "<capabilities/></netconf-state>"
    ).children
    assert [one.name for one in state.children] == ["capabilities", "sessions"]
    sessions = state.children[1].children
    assert [one.text_of("username") for one in sessions] == ["collector", "collector", "guest"]
    assert sessions[0].text_of("login-time") == "2027-01-15T08:00:00Z"


@pytest.mark.clause("9196-4.2-b")
def test_its_capabilities() -> None:
    scenario = device_of(
        limits=Limits(nodes_per_update=200),
        period=Periods(minimum_seconds=0.125),
        push=Push(encodings=("encode-json", "encode-cbor")),
    )
    (tree,) = Device(scenario).data(Get(("ietf-system-capabilities:system-capabilities",))).children
    found = read_capabilities(tree)
    assert found.unusable == 0
    assert found.system.minimum_update_period == 130_000_000, "rounded up to hundredths"
    assert found.system.max_nodes_per_update == 200
    assert found.system.periodic == found.system.on_change == ("config-changes", "state-changes")
    assert found.transports == (
        TransportCapability("udp-notif", (), ("encode-json", "encode-cbor")),
    )
    assert (found.envelope, found.sequence_number, found.observation_time) == (True, True, True)
    entries = [(one.datastore, one.capabilities.on_change) for one in found.nodes]
    assert entries == [("operational", ())] * 2
    paths = [one.paths for one in found.nodes]
    assert [str(path[0]) for path in paths if path] == [
        "/ietf-interfaces:interfaces/interface/statistics",
        "/ietf-hardware:hardware/component/sensor-data/value",
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (Changes(on_change=False), PushCapabilities()),
        (
            Changes(excluded_change=False, minimum_dampening_seconds=0.5),
            PushCapabilities(
                on_change=("config-changes", "state-changes"),
                minimum_dampening_period=SECOND // 2,
                excluded_changes=("none",),
            ),
        ),
    ],
)
def test_what_it_says_of_changes_is_what_it_does(
    changes: Changes, expected: PushCapabilities
) -> None:
    device = Device(device_of(changes=changes))
    (tree,) = device.data(Get(("ietf-system-capabilities:system-capabilities",))).children
    found = read_capabilities(tree)
    kept = ("on_change", "minimum_dampening_period", "excluded_changes")
    assert [getattr(found.system, name) for name in kept] == [
        getattr(expected, name) for name in kept
    ]
    assert bool(found.nodes) is changes.on_change
    library = read_library(device.get(library_filter(relevant=True)).children[0])
    push = library.module("ietf-yang-push")
    assert push is not None
    assert push.features == (("on-change",) if changes.on_change else ())


@pytest.mark.parametrize(
    ("transport", "expected"),
    [("dtls", ("udp-notif", ("dtls12",))), ("netconf", None)],
)
def test_transports_with_and_without_identity(transport: Any, expected: Any) -> None:
    encodings: Any = ("encode-xml",)
    scenario = Scenario(receiver=Receiver(transport=transport), push=Push(encodings=encodings))
    said = Itself(scenario).system_capabilities(NOW)
    push = said["ietf-notification-capabilities:subscription-capabilities"]
    listed = push.get("ietf-yp-transport-capabilities:transport-capabilities")
    if expected is None:
        assert listed is None
        return
    (one,) = listed["transport-capability"]
    assert one["transport-protocol"].endswith(expected[0])
    assert one["security-protocol"] == ["ietf-yp-transport-capabilities:dtls12"]


def test_its_streams_and_named_filters() -> None:
    device = Device(
        device_of(
            stream=(Stream("alarms", "what broke"), Stream("silent", replay_records=0)),
            filter=(
                NamedFilter("mine", xpath="/if:interfaces", namespaces={"if": IF}),
                NamedFilter("some", of="stream", subtree='<a xmlns="urn:a"/>'),
            ),
        )
    )
    streams = read_streams(device.get(f'<streams xmlns="{SN}"/>').children[0])
    assert [(one.name, one.replay) for one in streams] == [
        ("NETCONF", True), ("alarms", True), ("silent", False)
    ]  # fmt: skip
    assert streams[1].replay_since == "2027-01-15T08:00:00Z"
    (filters,) = device.get(f'<filters xmlns="{SN}"/>').children
    (selection,) = filters.find_all("selection-filter")
    (xpath,) = selection.find_all("datastore-xpath-filter")
    assert xpath.text == "/ietf-interfaces:interfaces"
    assert xpath.nsmap["ietf-interfaces"] == IF
    (subtree,) = next(filters.find_all("stream-filter")).find_all("stream-subtree-filter")
    assert (subtree.children[0].namespace, subtree.children[0].name) == ("urn:a", "a")


@pytest.mark.parametrize("modules", [True, False])
def test_its_hello(modules: bool) -> None:
    quirks = () if modules else ("no-modules-in-hello",)
    said = capabilities(device_of(behaves_like=quirks))
    assert protocol_capabilities(said) == ("xpath", "yang-library")
    listed = library_of(said)
    assert (listed.module("ietf-yang-push") is not None) is modules
    assert bool(listed.listed) is modules


# --------------------------------------------------------------------------- access
def established(device: Device, session: str) -> RpcReply:
    reply = device.ask(EstablishSubscription(PERIODIC), session)
    assert reply.error is None, reply.error
    return reply


@pytest.mark.clause("mso-13")
@pytest.mark.clause("8341-3.2.4")
def test_a_limited_user_sees_its_own_subscriptions_and_no_generators() -> None:
    device = Device()
    mine, theirs = established(device, "1"), established(device, "3")
    assert mine.generators == ("101", "102")
    assert theirs.generators is None
    assert theirs.subscription_id is not None
    seen = device.ask(Get(), "3").subscriptions
    assert seen is not None
    assert [(one.id, one.generators) for one in seen] == [(theirs.subscription_id, None)]
    everybody = device.ask(Get(), "2").subscriptions
    assert everybody is not None
    assert [one.id for one in everybody] == [mine.subscription_id, theirs.subscription_id]
    assert everybody[1].generators == ("101", "102"), "who may, sees them"


def test_no_filter_asks_behind_access_control() -> None:
    device = Device()
    mine = established(device, "1")
    subtree = (
        f'<subscriptions xmlns="{SN}"><subscription><id>{{}}</id></subscription></subscriptions>'
    )
    assert device.get(subtree.format(mine.subscription_id), "1").children
    assert device.get(subtree.format(mine.subscription_id), "3").children == []
    leaf = "//mso:message-generator-id[.='101']"
    prefixes = {"mso": "urn:ietf:params:xml:ns:yang:ietf-multiple-stream-originators"}
    established(device, "3")
    asked = GetData("operational", SelectionFilter("xpath", leaf, prefixes))
    assert device.data(asked, "3").children == []


def test_a_limited_user_is_not_told_of_another_decomposition_either() -> None:
    device = Device()
    own = established(device, "3")
    device.master.agent_lost("lc2", "lc2/0", NOW)
    actions = device.master.handle_timer(NOW + 5 * SECOND)
    said = [one.message for one in actions if isinstance(one, ports.SendNotification)]
    (change,) = [notification.decode(one, MediaType.YANG_DATA_XML) for one in said]
    assert change.kind is NotificationKind.SUBSCRIPTION_MODIFIED
    assert change.subscription_id == own.subscription_id
    assert change.state_change is not None
    assert change.state_change.generators is None


BLIND = User("guest", password_env="NOWHERE", reads=("ietf-interfaces",))


@pytest.mark.clause("8641-3.9-a", "8641-3.9-b")
def test_what_may_not_be_read_is_neither_shown_nor_pushed() -> None:
    """Silently: the subscription is taken, and the rest of it served."""
    device = Device(device_of(user=(BLIND,)))
    tops = [top.name for top in device.data(Get(None), "3").children]
    assert "interfaces" in tops
    assert "hardware" not in tops
    assert device.get(f'<hardware xmlns="{HW}"/>', "3").children == []
    everything = structs.replace(PERIODIC, selection_filter=None)
    both = {"ietf-interfaces", "ietf-hardware"}
    for session, modules in (("1", both), ("3", {"ietf-interfaces"})):
        assert device.ask(EstablishSubscription(everything), session).ok
        assert {node.module for one in told(device).values() for node in one} == modules
    hardware = SelectionFilter("xpath", "/hw:hardware", {"hw": HW})
    hidden = structs.replace(PERIODIC, selection_filter=hardware)
    assert device.ask(EstablishSubscription(hidden), "3").ok
    assert told(device) == {"master": ()}, "empty updates, so that nothing looks lost"


def told(device: Device) -> dict[str, tuple[Node, ...]]:
    """Publisher -> nodes of the component subscription that it was just told."""
    return {
        one.publisher: one.message.nodes
        for one in device.actions
        if isinstance(one, ports.TellAgent) and isinstance(one.message, ComponentSubscription)
    }


@pytest.mark.clause("8639-8-b")
@pytest.mark.clause("8341-3.4.4-a")
@pytest.mark.clause("8341-3.4.4-b")
def test_kill_and_edits_need_full_access() -> None:
    device = Device()
    mine = established(device, "1")
    assert mine.subscription_id is not None
    for operation in (KillSubscription(mine.subscription_id), EditConfig("running", "")):
        error = device.ask(operation, "3").error
        assert error is not None
        assert error.tag == "access-denied"
    assert device.actions == [], "and nothing has changed"
    assert device.ask(KillSubscription(mine.subscription_id), "2").ok
    theirs = established(device, "3")
    assert theirs.subscription_id is not None
    assert device.ask(DeleteSubscription(theirs.subscription_id), "3").ok, "its own it may end"


def test_levels() -> None:
    access = Access(device_of(netconf=Netconf(username="op", access="limited")))
    assert [access.level(user) for user in ("op", "guest", "nobody")] == [LIMITED] * 3
    full = Access(device_of(user=(structs.replace(GUEST, access="full"),)))
    assert [full.level(user) for user in ("collector", "guest")] == ["full"] * 2
    with pytest.raises(ProtocolError):
        permit(LIMITED, "ietf-netconf:commit")
    permit(LIMITED, "ietf-netconf:get")


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ('[[user]]\nname = "collector"\npassword_env = "X"', "is used twice"),
        ('[[user]]\nname = ""\npassword_env = "X"', "is no name"),
        ('[[user]]\nname = "a"', "a could not log in"),
        ('[[user]]\nname = "a"\npassword_env = "X"\naccess = "some"', "Invalid enum value"),
    ],
)
def test_users_that_cannot_be(user: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_scenario(user)


def test_a_good_user() -> None:
    check(device_of())


def test_all_modules_of_the_data_are_declared_with_their_features() -> None:
    """Found by validation: identities of a module that nobody named, leaves of features that the
    device had not, sensor-data where RFC 8348 has none."""
    library = read_library(Device().get(library_filter(relevant=False)).children[0])
    features: dict[str, set[str]] = {
        "iana-if-type": set(),
        "iana-hardware": set(),
        "ietf-interfaces": {"if-mib"},
        "ietf-hardware": {"hardware-sensor", "hardware-state"},
    }
    for name, needed in features.items():
        module = library.module(name)
        assert module is not None, name
        assert needed <= set(module.features)
        assert name in modules_of("mso")
    assert sample("ietf-hardware", "fan")["class"] == "iana-hardware:sensor"
