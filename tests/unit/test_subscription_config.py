"""Configured subscriptions: read as devices and drafts write them, edited to the letter."""

from __future__ import annotations

import pytest
from msgspec import structs

from collector.errors import UsageError, WireError
from collector.model import DeviceTime, OnChange, SelectionFilter, SubscriptionTerms
from collector.wire.subscriptions import config as subscription_config
from collector.wire.subscriptions.config import (
    Configuration,
    ConfiguredReceiver,
    ConfiguredSubscription,
    Edit,
    read_configuration,
    write_edits,
    write_subscription,
)
from collector.wire.subscriptions.receiver_instances import (
    ReceiverInstance,
    same_instance,
    write_instance,
)
from collector.wire.values import xml
from tests.vectors.netconf_config import DEPLOYED

S = 1_000_000_000
SN = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
YP = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
SNR = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notif-receivers"
UNT = "urn:ietf:params:xml:ns:yang:ietf-udp-notif-transport"
HNT = "urn:ietf:params:xml:ns:yang:ietf-https-notif-transport"
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"

R1 = ReceiverInstance(
    "R1", "udp-notif", "192.0.2.1", 10100, max_segment_size=1400, spelling="udp-notif-26"
)
TERMS = SubscriptionTerms(
    datastore="operational",
    selection_filter=SelectionFilter(
        "xpath",
        "/if:interfaces/if:interface",
        {"if": "urn:ietf:params:xml:ns:yang:ietf-interfaces"},
    ),
    period=60 * S,
    anchor_time=DeviceTime(1735689630 * S),
    encoding="encode-json",
    transport="udp-notif",
)
SUBSCRIPTION = ConfiguredSubscription(100, TERMS, (ConfiguredReceiver("R1", "R1"),))


def read(text: str) -> Configuration:
    return read_configuration(xml.fragment(text))


def instance(inner: str) -> ReceiverInstance:
    found = read(
        f'<subscriptions xmlns="{SN}"><receiver-instances xmlns="{SNR}"><receiver-instance>'
        f"<name>a</name>{inner}</receiver-instance></receiver-instances></subscriptions>"
    )
    assert found.unreadable == {}
    return found.instances[0]


@pytest.mark.clause("8639-2.5.2")
def test_what_devices_have_is_read() -> None:
    found = read(DEPLOYED + '<interfaces xmlns="x:y"/><subscriptions xmlns="x:y"/>')
    assert found == Configuration((R1,), (SUBSCRIPTION,))


def test_the_old_leaves_of_the_versioning_draft_are_read() -> None:
    """draft-ietf-netconf-yang-notifications-versioning-13 figure 4; the module of udp-notif-08."""
    leaves = (
        "<address>192.0.5.1</address><port>12345</port><enable-segmentation>false"
        "</enable-segmentation>"
    )
    printed = instance(f'<udp-notif-receiver xmlns="{UNT}">{leaves}</udp-notif-receiver>')
    older = instance(
        '<udp-notif-receiver xmlns="urn:ietf:params:xml:ns:yang:ietf-udp-notif">'
        f"{leaves}</udp-notif-receiver>"
    )
    assert printed == ReceiverInstance(
        "a", "udp-notif", "192.0.5.1", 12345, enable_segmentation=False, spelling="udp-notif-09"
    )
    assert older.spelling == "udp-notif-08"
    assert same_instance(printed, older)


@pytest.mark.parametrize(
    "one",
    [
        R1,
        structs.replace(R1, max_segment_size=None),
        structs.replace(R1, spelling="udp-notif-09", local_address="192.0.2.9"),
        structs.replace(R1, spelling="udp-notif-08", secure=True, tls='<x xmlns="a:b"/>'),
        ReceiverInstance("b", "https", "2001:db8::1", 8443, "/yang-push", True, '<x xmlns="a:b"/>',
                         spelling="https-notif-16"),
        ReceiverInstance("b", "https", "c.example", 80, spelling="https-notif-16"),
        ReceiverInstance("b", "https", "c.example", 443, "/p", True, spelling="https-notif-15"),
        ReceiverInstance("b", "https", "c.example", 8080, "/p", spelling="https-notif-15"),
    ],
)  # fmt: skip
def test_instances_read_back(one: ReceiverInstance) -> None:
    text = f'<receiver-instances xmlns="{SNR}">{write_instance(one)}</receiver-instances>'
    assert read(f'<subscriptions xmlns="{SN}">{text}</subscriptions>').instances == (one,)


def test_https_instances_to_the_letter() -> None:
    one = ReceiverInstance("b", "https", "192.0.2.1", 8443, "/yang-push/", True)
    uri = "https://192.0.2.1:8443/yang-push"
    assert write_instance(one) == (
        f'<receiver-instance xmlns="{SNR}"><name>b</name><https-receiver xmlns="{HNT}">'
        f"<capabilities-endpoint><uri>{uri}/capabilities</uri></capabilities-endpoint>"
        f"<relay-notification-endpoint><uri>{uri}/relay-notification</uri>"
        "</relay-notification-endpoint></https-receiver></receiver-instance>"
    )
    endpoint = "<relay-notification-endpoint><uri>{}</uri></relay-notification-endpoint>"
    holder = f'<https-receiver xmlns="{HNT}">{{}}</https-receiver>'
    plain = instance(holder.format(endpoint.format("http://h/relay-notification")))
    assert (plain.port, plain.path, plain.secure) == (80, "", False)
    secure = instance(holder.format(endpoint.format("https://h/p/relay-notification")))
    assert (secure.port, secure.path, secure.secure) == (443, "/p", True)
    assert same_instance(
        structs.replace(secure, name="x", path="/p/", spelling="https-notif-15"), secure
    )
    assert instance(holder.format("")) == ReceiverInstance(
        "a", "https", port=80, spelling="https-notif-15"
    )


def test_other_transports_keep_their_name() -> None:
    assert instance('<kafka-receiver xmlns="x:y"/>') == ReceiverInstance("a")


@pytest.mark.parametrize(
    "one", [ReceiverInstance("a"), structs.replace(R1, spelling="https-notif-16")]
)
def test_what_cannot_be_written(one: ReceiverInstance) -> None:
    with pytest.raises(UsageError):
        write_instance(one)


def test_entries_that_cannot_be_read_are_named() -> None:
    bad = (
        f'<subscriptions xmlns="{SN}"><subscription><id>7</id><encoding><x/></encoding>'
        f'</subscription><receiver-instances xmlns="{SNR}">'
        + "".join(
            f"<receiver-instance><name>{name}</name>{inner}</receiver-instance>"
            for name, inner in (
                ("a", f'<udp-notif-receiver xmlns="{UNT}"><remote-port>x</remote-port>'
                      "</udp-notif-receiver>"),
                ("b", f'<https-receiver xmlns="{HNT}"><relay-notification-endpoint>'
                      "<uri>ftp://h/</uri></relay-notification-endpoint></https-receiver>"),
                ("c", f'<https-receiver xmlns="{HNT}"><relay-notification-endpoint>'
                      "<uri>http://h:x/</uri></relay-notification-endpoint></https-receiver>"),
            )
        )
        + "</receiver-instances></subscriptions>"
    )  # fmt: skip
    found = read(bad)
    assert list(found.unreadable) == [
        "subscription 7", "receiver-instance a", "receiver-instance b", "receiver-instance c",
    ]  # fmt: skip
    assert (found.subscriptions, found.instances) == ((), ())


def test_a_configuration_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription_config, "MAX_SUBSCRIPTIONS", 1)
    with pytest.raises(WireError, match="more than 1"):
        read(DEPLOYED)


# --------------------------------------------------------------------------- writing
def test_a_subscription_to_the_letter() -> None:
    one = structs.replace(SUBSCRIPTION, purpose="collector: x")
    assert write_subscription(one) == (
        f'<subscription xmlns="{SN}"><id>100</id><datastore xmlns="{YP}" '
        'xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">ds:operational</datastore>'
        f'<datastore-xpath-filter xmlns="{YP}" '
        'xmlns:if="urn:ietf:params:xml:ns:yang:ietf-interfaces">/if:interfaces/if:interface'
        f'</datastore-xpath-filter><transport xmlns:unt="{UNT}">unt:udp-notif</transport>'
        f'<encoding>encode-json</encoding><periodic xmlns="{YP}"><period>6000</period>'
        "<anchor-time>2025-01-01T00:00:30Z</anchor-time></periodic>"
        "<purpose>collector: x</purpose><receivers><receiver><name>R1</name>"
        f'<receiver-instance-ref xmlns="{SNR}">R1</receiver-instance-ref></receiver></receivers>'
        "</subscription>"
    )
    assert read(f'<subscriptions xmlns="{SN}">{write_subscription(one)}</subscriptions>') == (
        Configuration((), (one,))
    )


def test_a_configured_replay() -> None:
    """RFC 8639 §4: a leaf without a value."""
    terms = SubscriptionTerms(stream="NETCONF", encoding="encode-json", transport="udp-notif")
    one = ConfiguredSubscription(7, terms, (ConfiguredReceiver("R1", "R1"),), replay=True)
    text = write_subscription(one)
    assert "<configured-replay/>" in text
    (element,) = xml.fragment(text)
    assert subscription_config.read_subscription(element) == one
    gone = operations(write_edits([Edit(one, structs.replace(one, replay=False))]))
    assert gone == [("configured-replay", "remove")]


def test_identities_of_the_old_module() -> None:
    cbor = structs.replace(
        SUBSCRIPTION,
        terms=structs.replace(TERMS, encoding="encode-cbor"),
        receivers=(ConfiguredReceiver("only-a-name"),),
    )
    text = write_subscription(cbor, "ietf-udp-notif")
    old = 'xmlns:un="urn:ietf:params:xml:ns:yang:ietf-udp-notif"'
    assert f"<transport {old}>un:udp-notif</transport>" in text
    assert f"<encoding {old}>un:encode-cbor</encoding>" in text
    assert "un:encode-json" not in write_subscription(SUBSCRIPTION, "ietf-udp-notif")
    (element,) = xml.fragment(text)
    assert subscription_config.read_subscription(element) == cbor


# --------------------------------------------------------------------------- edits
def operations(text: str) -> list[tuple[str, str]]:
    """(element, operation) of everything that has one."""
    found = []
    waiting = list(reversed(xml.fragment(text)))
    while waiting:
        element = waiting.pop()
        if f"{BASE} operation" in element.attributes:
            found.append((element.name, element.attributes[f"{BASE} operation"]))
        waiting.extend(reversed(element.children))
    return found


def test_nothing_to_do_is_nothing_to_send() -> None:
    assert write_edits([]) == ""
    assert write_edits([Edit(None, None)]) == ""


def test_what_is_made_must_not_be_there() -> None:
    text = write_edits([Edit(None, R1), Edit(None, SUBSCRIPTION)])
    assert operations(text) == [("subscription", "create"), ("receiver-instance", "create")]
    assert read(text) == Configuration((R1,), (SUBSCRIPTION,))


def test_removals_are_keys_alone() -> None:
    assert write_edits([Edit(SUBSCRIPTION, None), Edit(R1, None)]) == (
        f'<subscriptions xmlns="{SN}"><subscription xmlns="{SN}" xmlns:attribute0="{BASE}" '
        'attribute0:operation="delete"><id>100</id></subscription>'
        f'<receiver-instances xmlns="{SNR}"><receiver-instance xmlns="{SNR}" '
        f'xmlns:attribute0="{BASE}" attribute0:operation="delete"><name>R1</name>'
        "</receiver-instance></receiver-instances></subscriptions>"
    )


def test_an_instance_is_replaced() -> None:
    text = write_edits([Edit(R1, structs.replace(R1, port=1))])
    assert operations(text) == [("receiver-instance", "replace")]


def test_a_change_takes_away_only_what_is_known() -> None:
    """The other case of a choice goes by itself; what the module does not model stays."""
    before = ConfiguredSubscription(
        100,
        structs.replace(
            TERMS,
            dscp=8,
            stop_time=1767225600 * S,
            module_versions=(("a", "2020-01-01", ""), ("b", "2020-01-01", "")),
        ),
        (ConfiguredReceiver("R1", "R1"), ConfiguredReceiver("R2", "R2")),
        "collector: x",
    )
    after = ConfiguredSubscription(
        100,
        structs.replace(
            TERMS,
            period=None,
            anchor_time=None,
            on_change=OnChange(excluded_change=("move",)),
            selection_filter=SelectionFilter("subtree", '<a xmlns="x:y"/>'),
            module_versions=(("a", "2020-01-01", ""),),
        ),
        (ConfiguredReceiver("R1", "R1"),),
    )
    text = write_edits([Edit(before, after)])
    assert sorted(operations(text)) == [
        ("dscp", "remove"),
        ("module-version-subs", "remove"),
        ("on-change", "replace"),
        ("purpose", "remove"),
        ("receiver", "remove"),
        ("stop-time", "remove"),
    ]
    assert "<name>b</name></module-version-subs>" in text
    assert "datastore-xpath-filter" not in text


def test_module_versions_to_the_letter() -> None:
    """draft-ietf-netconf-yang-notifications-versioning-13 §5.3: in the configuration they stand
    under the name that requests have; revision and version are one choice."""
    versions = (("a", "2020-01-01", "2.0.0"), ("b", "", "1.0.0"))
    one = structs.replace(SUBSCRIPTION, terms=structs.replace(TERMS, module_versions=versions))
    text = write_subscription(one)
    space = 'xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push-revision"'
    assert (
        f"<module-version-subs {space}><name>a</name><revision>2020-01-01</revision>"
        f"</module-version-subs><module-version-subs {space}><name>b</name>"
        "<version>1.0.0</version></module-version-subs>"
    ) in text


def test_a_filter_that_is_no_longer_wanted_goes() -> None:
    after = structs.replace(SUBSCRIPTION, terms=structs.replace(TERMS, selection_filter=None))
    assert ("datastore-xpath-filter", "remove") in operations(
        write_edits([Edit(SUBSCRIPTION, after)])
    )
