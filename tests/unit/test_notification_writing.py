"""Strict writing of notification messages: expected octets are typed here, and read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import cbor2
import pytest
from lxml import etree

from collector.errors import UsageError, WireError
from collector.model import (
    MediaType,
    Notification,
    NotificationKind,
    OnChange,
    SelectionFilter,
    StateChange,
    SubscriptionTerms,
)
from collector.wire.notifications.notification import decode, decode_contents, encode
from collector.wire.values import names

K = NotificationKind
S = 1_000_000_000
JSON, XML, CBOR = MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_XML, MediaType.YANG_DATA_CBOR
T_NS = 1742009138 * S + 500_000_000
T = "2025-03-15T03:25:38.5Z"
CONTENTS = {
    "ietf-interfaces:interfaces": {
        "interface": [
            {"name": "eth0", "type": "iana-if-type:ethernetCsmacd", "enabled": True},
            {"name": "eth1", "statistics": {"in-octets": "18446744073709551615"}},
        ]
    }
}


def push(**given: Any) -> Notification:
    fields: dict[str, Any] = {
        "kind": K.PUSH_UPDATE,
        "name": "ietf-yang-push:push-update",
        "root": names.ROOT_ENVELOPE,
        "subscription_id": 22,
        "event_time": T_NS,
    }
    return Notification(**{**fields, **given})


# --------------------------------------------------------------------------- updates
def test_envelope_in_json() -> None:
    notification = push(
        hostname="core7", sequence_number=9, generator="16974853",
        observation_time=T_NS, point_in_time="current-accounting", incomplete_update=True,
    )  # fmt: skip
    octets = encode(notification, {"a:b": {}}, JSON)
    assert octets == (
        b'{"ietf-yp-notification:envelope":{"event-time":"2025-03-15T03:25:38.5Z",'
        b'"hostname":"core7","sequence-number":9,"contents":{"ietf-yang-push:push-update":{"id":22,'
        b'"ietf-distributed-notif:message-publisher-id":16974853,'
        b'"ietf-yp-observation:timestamp":"2025-03-15T03:25:38.5Z",'
        b'"ietf-yp-observation:point-in-time":"current-accounting",'
        b'"datastore-contents":{"a:b":{}},"incomplete-update":[null]}}}}'
    )
    assert decode(octets, JSON) == notification


def test_rfc_5277_in_json() -> None:
    notification = push(root=names.ROOT_NOTIFICATION, hostname="core7", sequence_number=0)
    octets = encode(notification, {}, JSON)
    assert octets == (
        b'{"ietf-notification:notification":{"eventTime":"2025-03-15T03:25:38.5Z",'
        b'"ietf-notification-sequencing:sysName":"core7",'
        b'"ietf-notification-sequencing:sequenceNumber":0,'
        b'"ietf-yang-push:push-update":{"id":22,"datastore-contents":{}}}}'
    )
    assert decode(octets, JSON) == notification


XML_DECLARATION = b"<?xml version='1.0' encoding='UTF-8'?>\n"


def test_envelope_in_xml() -> None:
    notification = push(generator="7", incomplete_update=True)
    octets = encode(notification, CONTENTS, XML)
    assert octets == XML_DECLARATION + (
        b'<envelope xmlns="urn:ietf:params:xml:ns:yang:ietf-yp-notification">'
        b"<event-time>2025-03-15T03:25:38.5Z</event-time><contents>"
        b'<push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>22</id>'
        b'<message-publisher-id xmlns="urn:ietf:params:xml:ns:yang:ietf-distributed-notif">'
        b"7</message-publisher-id><datastore-contents>"
        b'<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">'
        b'<interface><name>eth0</name>'
        b'<type xmlns:ianaift="urn:ietf:params:xml:ns:yang:iana-if-type">'
        b"ianaift:ethernetCsmacd</type><enabled>true</enabled></interface>"
        b"<interface><name>eth1</name><statistics><in-octets>18446744073709551615</in-octets>"
        b"</statistics></interface></interfaces></datastore-contents><incomplete-update/>"
        b"</push-update></contents></envelope>"
    )  # fmt: skip
    assert decode(octets, XML) == notification


def test_rfc_5277_in_xml() -> None:
    notification = push(
        kind=K.PUSH_CHANGE_UPDATE, name="ietf-yang-push:push-change-update",
        root=names.ROOT_NOTIFICATION,
    )  # fmt: skip
    patch = {"yang-patch": {"patch-id": "0", "edit": [{"edit-id": "e", "operation": "delete"}]}}
    octets = encode(notification, patch, XML)
    assert octets == XML_DECLARATION + (
        b'<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        b"<eventTime>2025-03-15T03:25:38.5Z</eventTime>"
        b'<push-change-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>22</id>'
        b"<datastore-changes><yang-patch><patch-id>0</patch-id><edit><edit-id>e</edit-id>"
        b"<operation>delete</operation></edit></yang-patch></datastore-changes>"
        b"</push-change-update></notification>"
    )
    assert decode(octets, XML) == notification
    # RFC 5277 §4: eventTime is the first child
    assert etree.fromstring(octets)[0].tag.endswith("}eventTime")


def test_cbor_has_names_numbers_and_null() -> None:
    octets = encode(push(incomplete_update=True), {"a:b": {"c": [1 << 40]}}, CBOR)
    assert cbor2.loads(octets) == {
        "ietf-yp-notification:envelope": {
            "event-time": T,
            "contents": {
                "ietf-yang-push:push-update": {
                    "id": 22,
                    "datastore-contents": {"a:b": {"c": [1 << 40]}},
                    "incomplete-update": None,
                }
            },
        }
    }
    assert decode(octets, CBOR) == push(incomplete_update=True)


def contents_of(tree: Any) -> Iterator[Any]:
    """Every ``datastore-contents`` in a tree."""
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if name == "datastore-contents":
            yield value
        elif isinstance(value, dict | list):
            yield from contents_of(value)


@pytest.mark.parametrize("media_type", [JSON, XML, CBOR])
@pytest.mark.parametrize(
    "root",
    [names.ROOT_ENVELOPE, names.ROOT_NOTIFICATION, names.ROOT_MESSAGES, names.ROOT_BARE,
     names.ROOT_RESTCONF, names.ROOT_HTTPS],
)  # fmt: skip
def test_every_written_form_reads_back(media_type: int, root: str) -> None:
    named = root in (names.ROOT_ENVELOPE, names.ROOT_NOTIFICATION)
    notification = push(
        root=root,
        event_time=None if root == names.ROOT_BARE else T_NS,
        hostname="r" if named else None,
        sequence_number=3 if root not in (names.ROOT_BARE,) else None,
        generator="5",
        observation_time=T_NS + 1,
    )
    octets = encode(notification, CONTENTS, media_type)
    assert decode(octets, media_type) == notification
    (found,) = contents_of(decode_contents(octets, media_type))
    interfaces = found["ietf-interfaces:interfaces"]["interface"]
    names_found = [entry["name"] for entry in interfaces]
    assert names_found == ["eth0", "eth1"]


@pytest.mark.parametrize("media_type", [JSON, XML, CBOR])
def test_a_textual_originator_goes_into_the_header_of_the_dead_draft(media_type: int) -> None:
    notification = push(generator="linecard 1")
    octets = encode(notification, {}, media_type)
    read = decode(octets, media_type)
    assert read.root == names.ROOT_MESSAGES
    assert (read.generator, read.subscription_id, read.event_time) == ("linecard 1", 22, T_NS)
    if media_type == JSON:
        assert json.loads(octets) == {
            "ietf-notification-messages:message": {
                "message-header": {"message-time": T, "message-generator-id": "linecard 1"},
                "notifications": [
                    {
                        "notification-header": {"notification-time": T, "subscription-id": [22]},
                        "notification-contents": {
                            "ietf-yang-push:push-update": {"id": 22, "datastore-contents": {}}
                        },
                    }
                ],
            }
        }


def test_an_update_without_contents() -> None:
    octets = encode(push(), None, JSON)
    assert octets.endswith(b'{"ietf-yang-push:push-update":{"id":22}}}}')


def test_on_change_without_exclusions() -> None:
    terms = SubscriptionTerms(on_change=OnChange())
    octets = encode(changed(StateChange(terms=terms)), None, JSON)
    assert b'"ietf-yang-push:on-change":{"dampening-period":0,"sync-on-start":true}' in octets


def test_a_notification_of_another_module() -> None:
    notification = push(kind=K.OTHER, name="example:reboot", subscription_id=None)
    assert encode(notification, None, JSON).endswith(b'"contents":{"example:reboot":{}}}}')
    octets = encode(notification, {"why": "because"}, XML)
    assert b'<reboot xmlns="urn:ietf:params:xml:ns:yang:example"><why>because</why>' in octets
    assert decode(octets, XML).name == "example:reboot"
    in_messages = push(kind=K.OTHER, name="example:reboot", subscription_id=None,
                       root=names.ROOT_MESSAGES)  # fmt: skip
    assert b"subscription-id" not in encode(in_messages, None, JSON)


# --------------------------------------------------------------------------- state changes
TERMS = SubscriptionTerms(
    datastore="operational",
    selection_filter=SelectionFilter(
        "xpath", "/if:interfaces/if:interface[if:type='ianaift:ethernetCsmacd']",
        {"if": "urn:ietf:params:xml:ns:yang:ietf-interfaces",
         "ianaift": "urn:ietf:params:xml:ns:yang:iana-if-type"},
    ),
    period=60 * S,
    anchor_time=1735689630 * S,
    encoding="encode-cbor",
    transport="udp-notif",
    stop_time=1767225600 * S,
    dscp=16,
    weighting=3,
    dependency=9,
    module_versions=(("ietf-interfaces", "2018-02-20", "2.0.0"), ("ietf-ip", "2018-02-22", "")),
)  # fmt: skip
MODES = [
    ("mso", b'"ietf-multiple-stream-originators:message-generator-id":["1","2"]',
     b'<message-generator-id xmlns="urn:ietf:params:xml:ns:yang:ietf-multiple-stream-originators">'
     b"1</message-generator-id>"),
    ("distributed-notif-18", b'"ietf-distributed-notif:message-publisher-id":[1,2]',
     b'<message-publisher-id xmlns="urn:ietf:params:xml:ns:yang:ietf-distributed-notif">'
     b"1</message-publisher-id>"),
    ("distributed-notif-19", b'"ietf-distributed-notif:message-publisher-id":[1,2]',
     b'<message-publisher-id xmlns="urn:ietf:params:xml:ns:yang:ietf-distributed-notif">'
     b"1</message-publisher-id>"),
]  # fmt: skip


def changed(change: StateChange, kind: NotificationKind = K.SUBSCRIPTION_STARTED) -> Notification:
    return push(kind=kind, name=f"ietf-subscribed-notifications:{kind}", state_change=change)


@pytest.mark.parametrize(("mode", "in_json", "in_xml"), MODES)
@pytest.mark.parametrize("kind", [K.SUBSCRIPTION_STARTED, K.SUBSCRIPTION_MODIFIED])
def test_terms_and_lists_per_mode(
    mode: str, in_json: bytes, in_xml: bytes, kind: NotificationKind
) -> None:
    notification = changed(
        StateChange(
            terms=TERMS, generators=("1", "2"), yang_library_content_id="c1",
            generator_leaf=names.CONTROL_MODES[mode].leaf,
        ),
        kind,
    )  # fmt: skip
    octets = encode(notification, None, XML, mode=mode)
    assert in_xml in octets
    assert decode(octets, XML) == notification
    octets = encode(notification, None, JSON, mode=mode)
    assert in_json in octets
    for media_type in (JSON, CBOR):
        read = decode(encode(notification, None, media_type, mode=mode), media_type)
        assert read.state_change is not None
        assert read.state_change.generators == ("1", "2")
        assert read.state_change.generator_leaf == names.CONTROL_MODES[mode].leaf
        assert read.state_change.terms is not None
        # outside XML the prefixes are module names
        path = "/ietf-interfaces:interfaces/ietf-interfaces:interface"
        path += "[ietf-interfaces:type='iana-if-type:ethernetCsmacd']"
        assert read.state_change.terms.selection_filter == SelectionFilter(
            "xpath", path, {"iana-if-type": "iana-if-type", "ietf-interfaces": "ietf-interfaces"}
        )


def test_started_in_json_to_the_letter() -> None:
    notification = changed(StateChange(terms=TERMS, generators=()))
    found = json.loads(encode(notification, None, JSON))["ietf-yp-notification:envelope"]
    assert found["contents"]["ietf-subscribed-notifications:subscription-started"] == {
        "id": 22,
        "ietf-yang-push:datastore": "ietf-datastores:operational",
        "ietf-yang-push:datastore-xpath-filter": "/ietf-interfaces:interfaces/ietf-interfaces:"
        "interface[ietf-interfaces:type='iana-if-type:ethernetCsmacd']",
        "stop-time": "2026-01-01T00:00:00Z",
        "dscp": 16,
        "weighting": 3,
        "dependency": 9,
        "transport": "ietf-udp-notif-transport:udp-notif",
        "encoding": "ietf-udp-notif-transport:encode-cbor",
        "ietf-yang-push:periodic": {"period": 6000, "anchor-time": "2025-01-01T00:00:30Z"},
        "ietf-yang-push-revision:module-version": [
            {"name": "ietf-interfaces", "revision": "2018-02-20", "version": "2.0.0"},
            {"name": "ietf-ip", "revision": "2018-02-22"},
        ],
        "ietf-multiple-stream-originators:message-generator-id": [],
    }


def test_started_in_xml_to_the_letter() -> None:
    terms = SubscriptionTerms(
        stream="NETCONF", on_change=OnChange(10 * S, False, ("create", "move")),
        selection_filter=SelectionFilter("ref", "f1"), encoding="encode-json",
        replay_start_time=1735689630 * S, transport="https",
    )  # fmt: skip
    octets = encode(changed(StateChange(terms=terms)), None, XML)
    assert octets == XML_DECLARATION + (
        b'<envelope xmlns="urn:ietf:params:xml:ns:yang:ietf-yp-notification">'
        b"<event-time>2025-03-15T03:25:38.5Z</event-time><contents>"
        b'<subscription-started xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications">'
        b"<id>22</id><stream-filter-name>f1</stream-filter-name><stream>NETCONF</stream>"
        b"<replay-start-time>2025-01-01T00:00:30Z</replay-start-time>"
        b'<transport xmlns:hnt="urn:ietf:params:xml:ns:yang:ietf-https-notif-transport">'
        b"hnt:https</transport><encoding>encode-json</encoding>"
        b'<on-change xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push">'
        b"<dampening-period>1000</dampening-period><sync-on-start>false</sync-on-start>"
        b"<excluded-change>create</excluded-change><excluded-change>move</excluded-change>"
        b"</on-change></subscription-started></contents></envelope>"
    )
    read = decode(octets, XML)
    assert read.state_change == StateChange(terms=terms)


def test_module_names_do_for_prefixes() -> None:
    terms = SubscriptionTerms(
        datastore="operational",
        selection_filter=SelectionFilter("xpath", "/ietf-hardware:hardware"),
    )
    octets = encode(changed(StateChange(terms=terms)), None, XML)
    assert (
        b'xmlns:ietf-hardware="urn:ietf:params:xml:ns:yang:ietf-hardware">/ietf-hardware:' in octets
    )
    by_module = SelectionFilter("xpath", "/hw:hardware", {"hw": "ietf-hardware"})
    octets = encode(
        changed(StateChange(terms=SubscriptionTerms(selection_filter=by_module))), None, XML
    )
    assert b'xmlns:hw="urn:ietf:params:xml:ns:yang:ietf-hardware">/hw:hardware<' in octets


SUBTREE = (
    '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"><interface>'
    "<name>eth0</name></interface></interfaces>"
)


@pytest.mark.parametrize("media_type", [JSON, XML, CBOR])
@pytest.mark.parametrize("stream", [None, "NETCONF"])
def test_subtree_filters_in_every_encoding(media_type: int, stream: str | None) -> None:
    terms = SubscriptionTerms(stream=stream, selection_filter=SelectionFilter("subtree", SUBTREE))
    octets = encode(changed(StateChange(terms=terms)), None, media_type)
    read = decode(octets, media_type)
    assert read.state_change is not None
    assert read.state_change.terms == terms
    if media_type == JSON:
        assert b'{"ietf-interfaces:interfaces":{"interface":{"name":"eth0"}}}' in octets


@pytest.mark.parametrize("media_type", [JSON, XML, CBOR])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (K.SUBSCRIPTION_TERMINATED, "no-such-subscription"),
        (K.SUBSCRIPTION_TERMINATED, "unchanging-selection"),
        (K.SUBSCRIPTION_SUSPENDED, "insufficient-resources"),
        (K.SUBSCRIPTION_RESUMED, None),
        (K.SUBSCRIPTION_COMPLETED, None),
        (K.REPLAY_COMPLETED, None),
    ],
)
def test_the_other_state_changes(
    media_type: int, kind: NotificationKind, reason: str | None
) -> None:
    notification = changed(StateChange(reason=reason), kind)
    octets = encode(notification, None, media_type)
    assert decode(octets, media_type) == notification
    if reason == "unchanging-selection" and media_type == XML:
        assert b'<reason xmlns:yp="urn:ietf:params:xml:ns:yang:ietf-yang-push">yp:unch' in octets
    if reason == "unchanging-selection" and media_type == JSON:
        assert b'"reason":"ietf-yang-push:unchanging-selection"' in octets


# --------------------------------------------------------------------------- refusals
REFUSED: list[tuple[str, Notification, Any]] = [
    ("needs a subscription id", push(subscription_id=None), {}),
    ("needs an event time", push(event_time=None), {}),
    ("read, not written", push(root=names.ROOT_ARRCUS), {}),
    ("read, not written", push(root="nonsense"), {}),
    ("no message-publisher-id", push(generator="4294967296"), {}),
    ("needs a reason", changed(StateChange(), K.SUBSCRIPTION_TERMINATED), None),
    ("no kind of selection filter",
     changed(StateChange(terms=SubscriptionTerms(selection_filter=SelectionFilter("x", "y")))),
     None),
    ("not a number of centiseconds", changed(StateChange(terms=SubscriptionTerms(period=5))), None),
]  # fmt: skip


@pytest.mark.parametrize(("message", "notification", "contents"), REFUSED)
def test_what_cannot_be_written(message: str, notification: Notification, contents: Any) -> None:
    for media_type in (JSON, XML, CBOR):
        with pytest.raises(UsageError, match=message):
            encode(notification, contents, media_type)


def test_contents_that_an_encoding_cannot_carry() -> None:
    for media_type, contents in ((JSON, {"a:b": object()}), (XML, {"a b:c": "\x00"}),
                                 (XML, {"a:b": "\x00"}), (CBOR, {"a:b": object()})):  # fmt: skip
        with pytest.raises(UsageError, match="cannot be written"):
            encode(push(), contents, media_type)


@pytest.mark.parametrize("text", ["<a>", "</a>", "<a/></_><_>", "&x;", "<!DOCTYPE a><a/>"])
@pytest.mark.parametrize("media_type", [JSON, XML, CBOR])
def test_a_subtree_filter_that_is_no_xml(media_type: int, text: str) -> None:
    terms = SubscriptionTerms(selection_filter=SelectionFilter("subtree", text))
    with pytest.raises(UsageError):
        encode(changed(StateChange(terms=terms)), None, media_type)


def test_modes_are_checked() -> None:
    notification = changed(StateChange(terms=TERMS, generators=("linecard 1",)))
    assert encode(notification, None, JSON)
    with pytest.raises(UsageError, match="no message-publisher-id"):
        encode(notification, None, JSON, mode="distributed-notif-18")
    with pytest.raises(UsageError, match="no control mode; one of mso, "):
        encode(notification, None, JSON, mode="nonsense")
    with pytest.raises(WireError, match="media type 9"):
        encode(notification, None, 9)


def test_a_state_change_without_terms_is_still_one() -> None:
    notification = push(
        kind=K.SUBSCRIPTION_STARTED, name="ietf-subscribed-notifications:subscription-started"
    )
    read = decode(encode(notification, None, JSON), JSON)
    assert read.state_change == StateChange(terms=SubscriptionTerms())


def test_empty_values_in_xml() -> None:
    octets = encode(
        push(), {"ietf-x:c": {"e": [None], "n": None, "f": False, "l": [], "m": {}}}, XML
    )
    assert b"<e/><n/><f>false</f><m/></c>" in octets
    # text that only looks like an identity stays as it is
    octets = encode(push(), {"ietf-x:c": {"t": "a:b", "u": "ietf-ip:x:y", "v": "if/ietf-ip:z",
                                          "w": "ietf-x:own", "o": 5}}, XML)  # fmt: skip
    assert b"<t>a:b</t><u>ietf-ip:x:y</u><v>if/ietf-ip:z</v><w>ietf-x:own</w><o>5</o>" in octets
    octets = encode(push(), {"ietf-ip:c": {"t": "ietf-ip:own"}}, XML)
    assert b"<t>own</t>" in octets
