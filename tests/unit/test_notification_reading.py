"""Tolerant reading of notification messages: every wrapper, spelling and order that is sent."""

from __future__ import annotations

import json
from typing import Any

import cbor2
import pytest

from collector.errors import WireError
from collector.model import (
    MediaType,
    Notification,
    NotificationKind,
    OnChange,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.wire.encodings import json_updates
from collector.wire.notifications.notification import REASONS, decode, encoding_of
from collector.wire.values import names

K = NotificationKind
S = 1_000_000_000
T = "2025-03-15T03:25:38Z"
T_NS = 1742009138 * S
OBSERVED = "2025-03-15T03:25:37.5Z"
OBSERVED_NS = T_NS - S // 2


def from_json(message: Any, *, blanks: bool = False) -> Notification:
    """Decode both ways: compact (typed structs) and with blanks (plain values); they must agree."""
    compact = decode(json.dumps(message, separators=(",", ":")).encode(), MediaType.YANG_DATA_JSON)
    spaced = decode(json.dumps(message, indent=1).encode(), MediaType.YANG_DATA_JSON)
    assert compact == spaced
    cbor = decode(cbor2.dumps(message), MediaType.YANG_DATA_CBOR)
    assert cbor == compact
    return compact


def from_xml(text: str) -> Notification:
    return decode(text.encode(), MediaType.YANG_DATA_XML)


def refused(payload: bytes, media_type: int) -> str:
    with pytest.raises(WireError) as error:
        decode(payload, media_type)
    assert error.value.reason in REASONS
    return error.value.reason


def envelope(payload: Any, **header: Any) -> dict[str, Any]:
    return {
        "ietf-yp-notification:envelope": {
            "event-time": T,
            **{name.replace("_", "-"): value for name, value in header.items()},
            "contents": payload,
        }
    }


def update(**leaves: Any) -> dict[str, Any]:
    return {"ietf-yang-push:push-update": {"id": 7, "datastore-contents": {}, **leaves}}


BODY = {"ietf-yang-push:push-update": {"id": 7, "datastore-contents": {"a:b": {"c": [1, "x"]}}}}

ROOTS = [
    (envelope(BODY), names.ROOT_ENVELOPE),
    ({"ietf-yp-notification:envelope": {"notification-contents": BODY, "event-time": T}},
     names.ROOT_ENVELOPE),
    ({"envelope": {"event-time": T, "contents": BODY}}, names.ROOT_ENVELOPE),
    ({"ietf-notification:notification": {"eventTime": T, **BODY}}, names.ROOT_NOTIFICATION),
    ({"ietf-notification:notification": {**BODY, "eventTime": T}}, names.ROOT_NOTIFICATION),
    ({"ietf-notification:notification": {**BODY, "event-time": T}}, names.ROOT_NOTIFICATION),
    ({"notification": {"eventTime": T, **BODY}}, names.ROOT_NOTIFICATION),
    ({"ietf-restconf:notification": {"eventTime": T, **BODY}}, names.ROOT_RESTCONF),
    ({"ietf-https-notif:notification": {"eventTime": T, **BODY}}, names.ROOT_HTTPS),
    ({"ietf-yp-notification:notification": {"event-time": T, **BODY}}, names.ROOT_ARRCUS),
    ({"ietf-yp-notification:notification": {"event-time": T, "contents": BODY}},
     names.ROOT_ARRCUS),
]  # fmt: skip


@pytest.mark.parametrize(("message", "root"), ROOTS)
def test_every_root_form(message: Any, root: str) -> None:
    notification = from_json(message)
    assert notification == Notification(K.PUSH_UPDATE, "ietf-yang-push:push-update", root, 7, T_NS)
    assert root in names.ROOT_FORMS


def test_host_and_number_of_cisco_take_the_typed_way() -> None:
    header = {"ietf-notification:sysName": "r1", "ietf-notification:sequenceNumber": 5}
    message = {"ietf-notification:notification": {"eventTime": T, **header, **BODY}}
    typed = json_updates.read_typed(json.dumps(message, separators=(",", ":")).encode())
    assert typed == from_json(message)
    assert (typed.hostname, typed.sequence_number) == ("r1", 5)


def test_a_bare_notification_has_no_time() -> None:
    notification = from_json(BODY)
    assert notification.root == names.ROOT_BARE
    assert notification.event_time is None
    assert notification.subscription_id == 7


def test_a_change_update() -> None:
    body = {"ietf-yang-push:push-change-update": {"id": 9, "datastore-changes": {"yang-patch": 1}}}
    notification = from_json(envelope(body))
    assert notification.kind is K.PUSH_CHANGE_UPDATE
    assert notification.name == "ietf-yang-push:push-change-update"
    assert notification.subscription_id == 9


def test_unqualified_payload_name() -> None:
    notification = from_json(envelope({"push-change-update": {"id": 9}}))
    assert notification.kind is K.PUSH_CHANGE_UPDATE
    assert notification.name == "push-change-update"


@pytest.mark.parametrize(
    "spelling",
    [
        {"hostname": "r1", "sequence-number": 5},
        {"sysName": "r1", "sequenceNumber": 5},
        {"ietf-notification-sequencing:sysName": "r1",
         "ietf-notification-sequencing:sequenceNumber": 5},
        {"ietf-notification:sysName": " r1 ", "ietf-notification:sequenceNumber": "5"},
        {"ietf-yp-notification:hostname": "r1", "ietf-yp-notification:sequence-number": 5},
    ],
)  # fmt: skip
def test_host_and_number_in_every_spelling(spelling: dict[str, Any]) -> None:
    for message in (
        {"ietf-notification:notification": {"eventTime": T, **spelling, **BODY}},
        {"ietf-yp-notification:envelope": {**spelling, "event-time": T, "contents": BODY}},
    ):
        notification = from_json(message)
        assert (notification.hostname, notification.sequence_number) == ("r1", 5)


@pytest.mark.parametrize("module", ["", "ietf-distributed-notif:",
                                    "ietf-multiple-stream-originators:",
                                    "ietf-distributed-notifications:"])  # fmt: skip
@pytest.mark.parametrize("leaf", names.GENERATOR_LEAVES)
@pytest.mark.parametrize(
    ("value", "generator"),
    [
        (16974853, "16974853"),
        (0, "0"),
        ([42], "42"),
        ("07", "7"),
        ("000", "0"),
        (" linecard 1 ", "linecard 1"),
        (["1"], "1"),
        ([1, 2], None),  # cannot say which one
        ([], None),
    ],
)
def test_every_spelling_of_the_originator(
    module: str, leaf: str, value: Any, generator: str | None
) -> None:
    assert from_json(envelope(update(**{module + leaf: value}))).generator == generator


def test_an_originator_of_an_unknown_module_is_none() -> None:
    assert from_json(envelope(update(**{"example:message-publisher-id": 3}))).generator is None


def test_the_best_spelling_wins() -> None:
    leaves = {
        "ietf-multiple-stream-originators:message-generator-id": "linecard 1",
        "ietf-distributed-notif:message-publisher-id": 4,
    }
    assert from_json(envelope(update(**leaves))).generator == "4"


@pytest.mark.parametrize("value", [True, None, {}, "", "x" * 256, [None], -1, "\ud800"])
def test_what_is_no_originator_is_refused(value: Any) -> None:
    leaves = {"ietf-distributed-notif:message-publisher-id": value}
    message = json.dumps(envelope(update(**leaves)), separators=(",", ":")).encode()
    if value == -1:  # a string in the base document, so this is a name like any other
        assert decode(message, MediaType.YANG_DATA_JSON).generator == "-1"
    else:
        assert refused(message, MediaType.YANG_DATA_JSON) == "bad-value"


@pytest.mark.parametrize(
    "name",
    [
        "ietf-yp-observation:timestamp",
        "timestamp",
        "ietf-yang-push-netobs-timestamping:observation-time",
        "observation-time",
        "ietf-yang-push-netobs-timestamping:state-changed-observation-time",
    ],
)
def test_every_spelling_of_the_observation_time(name: str) -> None:
    notification = from_json(envelope(update(**{name: OBSERVED})))
    assert notification.observation_time == OBSERVED_NS
    assert notification.event_time == T_NS


def test_equal_times_are_both_there() -> None:
    notification = from_json(envelope(update(**{"ietf-yp-observation:timestamp": T})))
    assert notification.observation_time == notification.event_time == T_NS


def test_point_in_time_and_incomplete_update() -> None:
    leaves = {"ietf-yp-observation:point-in-time": "state-changed", "incomplete-update": [None]}
    notification = from_json(envelope(update(**leaves)))
    assert notification.point_in_time == "state-changed"
    assert notification.incomplete_update
    assert from_json(envelope(update(**{"incomplete-update": None}))).incomplete_update
    assert not from_json(envelope(update(**{"incomplete-update": False}))).incomplete_update


@pytest.mark.parametrize("value", [7, "7", " 7 ", "007"])
@pytest.mark.parametrize("name", ["id", "identifier", "ietf-yang-push:id"])
def test_subscription_id_as_number_or_text(name: str, value: Any) -> None:
    body = {"ietf-yang-push:push-update": {name: value}}
    assert from_json(envelope(body)).subscription_id == 7


@pytest.mark.parametrize("value", [-1, 1 << 32, 1.5, True, None, [7], "seven", "1" * 30, {}, "٣"])
def test_what_is_no_subscription_id_is_refused(value: Any) -> None:
    payload = json.dumps(envelope({"ietf-yang-push:push-update": {"id": value}})).encode()
    assert refused(payload, MediaType.YANG_DATA_JSON) == "bad-value"
    compact = payload.replace(b" ", b"")
    assert refused(compact, MediaType.YANG_DATA_JSON) == "bad-value"


def test_an_update_without_id_is_kept() -> None:
    assert from_json(envelope({"ietf-yang-push:push-update": {}})).subscription_id is None


@pytest.mark.parametrize("sequence_number", [-1, 1 << 32, "x", None, [1]])
def test_what_is_no_sequence_number_is_refused(sequence_number: Any) -> None:
    message = envelope(BODY, sequence_number=sequence_number)
    payload = json.dumps(message, separators=(",", ":")).encode()
    assert refused(payload, MediaType.YANG_DATA_JSON) == "bad-value"


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2025-13-01T00:00:00Z", "0000-01-01T00:00:00Z",
             "99999-12-31T23:59:59Z", "2025-03-15 03:25"]
)  # fmt: skip
def test_bad_times_are_refused(text: str) -> None:
    for message in (
        {"ietf-yp-notification:envelope": {"event-time": text, "contents": BODY}},
        envelope(update(**{"ietf-yp-observation:timestamp": text})),
    ):
        payload = json.dumps(message, separators=(",", ":")).encode()
        assert refused(payload, MediaType.YANG_DATA_JSON) == "bad-timestamp"


FAR_OFF = ["0001-01-01T00:00:00Z", "1677-09-21T00:12:43.145224191Z",
           "1677-09-21T00:12:43.145224192Z", "2262-04-11T23:47:16.854775808Z",
           "9999-12-31T23:59:59.999999999Z"]  # fmt: skip
"""Among them the first ns on either side that int64 cannot hold, and the one that columns keep
for "unknown"."""


@pytest.mark.parametrize("text", FAR_OFF)
@pytest.mark.parametrize("media_type", [MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_XML])
def test_a_message_survives_a_time_beyond_64_bits(text: str, media_type: MediaType) -> None:
    """A clock that was never set must not cost the contents."""
    header = f"<eventTime>{text}</eventTime>"
    update_ = '<push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>22</id>'
    xml = (
        '<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        f"{header}{update_}</push-update></notification>"
    ).encode()
    body = {"id": 22, "ietf-yp-observation:timestamp": text}
    message = {"ietf-yang-push:push-update": body, "eventTime": text}
    in_json = json.dumps({"ietf-notification:notification": message}, separators=(",", ":"))
    payload = in_json.encode() if media_type is MediaType.YANG_DATA_JSON else xml
    read = decode(payload, media_type)
    assert (read.kind, read.subscription_id) == (NotificationKind.PUSH_UPDATE, 22)
    assert (read.event_time, read.observation_time) == (None, None)
    spaced = in_json.replace(",", ", ").encode()  # the plain way
    assert decode(spaced, MediaType.YANG_DATA_JSON).event_time is None


@pytest.mark.parametrize(
    ("text", "ns"),
    [("1677-09-21T00:12:43.145224193Z", -(1 << 63) + 1),
     ("2262-04-11T23:47:16.854775807Z", (1 << 63) - 1)],
)  # fmt: skip
def test_the_first_and_the_last_time_that_is_kept(text: str, ns: int) -> None:
    payload = json.dumps(envelope(BODY, **{"event-time": text}), separators=(",", ":")).encode()
    assert decode(payload, MediaType.YANG_DATA_JSON).event_time == ns


def test_terms_need_a_time_that_can_be_kept() -> None:
    """An anchor beyond 64 bits would be another grid than the device's."""
    periodic = {"period": 100, "anchor-time": FAR_OFF[0]}
    terms = {"id": 1, "ietf-yang-push:periodic": periodic}
    message = envelope({"ietf-subscribed-notifications:subscription-started": terms})
    assert refused(json.dumps(message).encode(), MediaType.YANG_DATA_JSON) == "bad-timestamp"


NOTHING: list[Any] = [
    {},
    {"foo": 1},
    {"foo": {}},
    {"a:b": 1},
    {"ietf-yp-notification:envelope": {}},
    {"ietf-yp-notification:envelope": {"event-time": T}},
    {"ietf-yp-notification:envelope": {"event-time": T, "contents": {}}},
    {"ietf-yp-notification:envelope": {"event-time": T, "contents": {"a:b": 5}}},
    {"ietf-notification:notification": {"eventTime": T}},
    {"ietf-notification:notification": None},
    {"ietf-notification-messages:message": {}},
    {"ietf-notification-messages:message": {"notifications": [{}]}},
    None,
]


@pytest.mark.parametrize("message", NOTHING)
def test_without_a_notification(message: Any) -> None:
    payload = json.dumps(message).encode()
    assert refused(payload, MediaType.YANG_DATA_JSON) == "no-notification"
    payload = json.dumps(message, separators=(",", ":")).encode()
    assert refused(payload, MediaType.YANG_DATA_JSON) == "no-notification"
    assert refused(cbor2.dumps(message), MediaType.YANG_DATA_CBOR) == "no-notification"


@pytest.mark.parametrize(
    "message",
    [
        [],
        7,
        "text",
        {"ietf-yp-notification:envelope": 5},
        {"ietf-yp-notification:envelope": {"contents": [1]}},
        envelope({"ietf-yang-push:push-update": 5}),
        envelope({"ietf-yang-push:push-update": [{"id": 1}]}),
        envelope(BODY, hostname=["r1"]),
        envelope(BODY, hostname="\ud800"),
        envelope({"\ud800:reboot": {}}),
        {"ietf-notification-messages:message": {"message-header": 5, "notifications": [{}]}},
    ],
)
def test_values_of_another_shape_are_refused(message: Any) -> None:
    assert refused(json.dumps(message).encode(), MediaType.YANG_DATA_JSON) == "bad-value"


def test_non_ascii_host_names_are_kept() -> None:
    assert from_json(envelope(BODY, hostname="zürich")).hostname == "zürich"
    message = json.dumps(envelope(BODY, hostname="zürich"), ensure_ascii=False).encode()
    assert decode(message, MediaType.YANG_DATA_JSON).hostname == "zürich"


def test_other_notifications_are_kept_by_name() -> None:
    notification = from_json(envelope({"example:link-down": {"id": "not ours", "if": "eth0"}}))
    assert notification.kind is K.OTHER
    assert notification.name == "example:link-down"
    assert notification.subscription_id is None
    for empty in (None, [None], {}):
        assert from_json(envelope({"example:reboot": empty})).name == "example:reboot"
    assert from_json({"example:reboot": {}}).root == names.ROOT_BARE
    assert from_json(envelope({"other:push-update": {}})).kind is K.OTHER


def test_ours_comes_before_another_module() -> None:
    assert from_json(envelope({"example:extra": {}, **BODY})).kind is K.PUSH_UPDATE
    two = {"example:one": {}, "example:two": {}}
    assert from_json(envelope(two)).name == "example:one"


def test_an_update_and_a_change_in_one_message_is_the_first() -> None:
    both = {"ietf-yang-push:push-change-update": {"id": 1}, "ietf-yang-push:push-update": {"id": 2}}
    assert from_json(envelope(both)).subscription_id == 1
    assert from_json(envelope(dict(reversed(both.items())))).subscription_id == 2


# --------------------------------------------------------------------------- dead draft
def test_notification_messages() -> None:
    message = {
        "ietf-notification-messages:message": {
            "message-header": {
                "message-time": "2025-03-15T03:25:40Z",
                "message-id": 12,
                "message-generator-id": "linecard 1",
                "notification-count": 2,
            },
            "notifications": [
                {
                    "notification-header": {"notification-time": T, "subscription-id": [22]},
                    "notification-contents": {"ietf-yang-push:push-update": {}},
                },
                {"notification-contents": {"ietf-yang-push:push-update": {"id": 23}}},
            ],
        }
    }
    notification = from_json(message)
    assert notification == Notification(
        K.PUSH_UPDATE, "ietf-yang-push:push-update", names.ROOT_MESSAGES, 22, T_NS,
        generator="linecard 1", sequence_number=12,
        bundled=(
            Notification(
                K.PUSH_UPDATE, "ietf-yang-push:push-update", names.ROOT_MESSAGES, 23,
                T_NS + 2 * S,
                generator="linecard 1", sequence_number=12,
            ),
        ),
    )  # fmt: skip


def test_notification_messages_as_single_object_with_own_ids() -> None:
    notifications = {
        "notification-header": {"subscription-id": [1, 2]},
        "notification-contents": update(**{"ietf-distributed-notif:message-publisher-id": 5}),
    }
    message = {
        "message": {
            "message-header": {"message-time": T, "message-generator-id": "9"},
            "notifications": notifications,
        }
    }
    notification = from_json(message)
    assert notification.event_time == T_NS
    assert notification.generator == "5"
    assert notification.subscription_id == 7


# --------------------------------------------------------------------------- state changes
def test_started_with_every_leaf() -> None:
    started = {
        "id": 100,
        "ietf-yang-push:datastore": "ietf-datastores:operational",
        "ietf-yang-push:datastore-xpath-filter": "/ietf-interfaces:interfaces/interface",
        "stop-time": "9999-12-31T23:59:59Z",
        "dscp": 16,
        "weighting": 255,
        "dependency": 99,
        "transport": "ietf-udp-notif-transport:udp-notif",
        "encoding": "ietf-subscribed-notifications:encode-json",
        "purpose": "anything",
        "replay-start-time": T,
        "ietf-yang-push:periodic": {"period": 6000, "anchor-time": "2025-01-01T00:00:30Z"},
        "ietf-distributed-notif:message-publisher-ids": [2, "1", 2],
        "ietf-multiple-stream-originators:message-generator-id": ["linecard 1", "01"],
        "ietf-yang-push-revision:module-version": [
            {"name": "ietf-interfaces", "revision": "2018-02-20", "version": "2.0.0"},
            {"module-name": "ietf-ip", "revision-label": "1.0.0"},
        ],
        "ietf-yang-push-revision:yang-library-content-id": "3625735881",
        "example:unknown": {"deep": [1]},
    }
    change = from_json(envelope({"ietf-subscribed-notifications:subscription-started": started}))
    assert change.subscription_id == 100
    assert change.state_change is not None
    assert change.state_change.terms == SubscriptionTerms(
        datastore="operational",
        selection_filter=SelectionFilter(
            "xpath", "/ietf-interfaces:interfaces/interface",
            {"ietf-interfaces": "ietf-interfaces"},
        ),
        period=60 * S,
        anchor_time=1735689630 * S,
        encoding="encode-json",
        transport="udp-notif",
        stop_time=(1 << 63) - 1,
        dscp=16,
        weighting=255,
        dependency=99,
        replay_start_time=T_NS,
        module_versions=(
            ("ietf-interfaces", "2018-02-20", "2.0.0"), ("ietf-ip", "", "1.0.0"),
        ),
    )  # fmt: skip
    assert change.state_change.generators == ("2", "1", "linecard 1")
    assert change.state_change.yang_library_content_id == "3625735881"
    assert change.state_change.reason is None


def state(name: str, **leaves: Any) -> Any:
    body = {leaf.replace("_", "-"): value for leaf, value in leaves.items()}
    change = from_json(envelope({f"ietf-subscribed-notifications:{name}": body})).state_change
    assert change is not None
    return change


def test_started_on_change() -> None:
    excluded = ["create", "move"]
    trigger = {"dampening-period": 5000, "sync-on-start": False, "excluded-change": excluded}
    change = state("subscription-started", id=1, on_change=trigger)
    assert change.terms.on_change == OnChange(50 * S, False, ("create", "move"))
    assert change.generators is None
    for empty in (None, [None], {}):
        assert state("subscription-started", on_change=empty).terms.on_change == OnChange()
    one = state("subscription-started", on_change={"excluded-change": "create"})
    assert one.terms.on_change.excluded_change == ("create",)


def test_arrcus_nests_the_target() -> None:
    change = state(
        "subscription-started", id=3,
        target={"ietf-yang-push:datastore": "ietf-datastores:running",
                "ietf-yang-push:datastore-xpath-filter": "/a:b"},
        **{"ietf-yp-versioning:module-version": {"module-name": "a", "revision": "2020-01-01"}},
    )  # fmt: skip
    assert change.terms.datastore == "running"
    assert change.terms.selection_filter.text == "/a:b"
    assert change.terms.module_versions == (("a", "2020-01-01", ""),)


def test_stream_as_printed_by_rfc_8650() -> None:
    change = state("subscription-modified", stream={"ietf-netconf": "NETCONF"})
    assert change.terms.stream == "NETCONF"


def test_filters_by_reference_and_subtree() -> None:
    by_name = state("subscription-started", selection_filter_ref="f1").terms.selection_filter
    assert by_name == SelectionFilter("ref", "f1")
    stream = state("subscription-started", stream_filter_name="f2").terms.selection_filter
    assert stream == SelectionFilter("ref", "f2")
    subtree = {"ietf-interfaces:interfaces": {"interface": {"name": "eth0"}}}
    read = state("subscription-started", datastore_subtree_filter=subtree).terms.selection_filter
    assert read == SelectionFilter(
        "subtree",
        '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">'
        "<interface><name>eth0</name></interface></interfaces>",
    )
    several = {"ietf-ip:a": [{"b": [None], "c": "iana-if-type:x<"}, {"ietf-ip:d": 1}], "e": False}
    read = state("subscription-started", datastore_subtree_filter=several).terms.selection_filter
    assert read.text == (
        '<a xmlns="urn:ietf:params:xml:ns:yang:ietf-ip"><b/><c>iana-if-type:x&lt;</c></a>'
        '<a xmlns="urn:ietf:params:xml:ns:yang:ietf-ip">'
        '<d xmlns="urn:ietf:params:xml:ns:yang:ietf-ip">1</d></a><e>false</e>'
    )
    identity = {"ietf-interfaces:type": "iana-if-type:ethernetCsmacd"}
    read = state("subscription-started", datastore_subtree_filter=identity).terms.selection_filter
    assert read.text == (
        '<type xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces" '
        'xmlns:ianaift="urn:ietf:params:xml:ns:yang:iana-if-type">ianaift:ethernetCsmacd</type>'
    )
    text = state("subscription-started", stream_subtree_filter=" <a/> ").terms.selection_filter
    assert text == SelectionFilter("subtree", "<a/>")
    assert state("subscription-started", id=1).terms.selection_filter is None


@pytest.mark.parametrize("name", ["subscription-terminated", "subscription-suspended"])
@pytest.mark.parametrize(
    ("leaf", "reason", "expected"),
    [
        ("reason", "no-such-subscription", "no-such-subscription"),
        ("reason", "ietf-yang-push:unchanging-selection", "unchanging-selection"),
        ("reason", "yp:sync-too-big ", "sync-too-big"),
        ("error-id", "suspension-timeout", "suspension-timeout"),
    ],
)
def test_reasons(name: str, leaf: str, reason: str, expected: str) -> None:
    change = state(name, id=1, **{leaf: reason})
    assert change.reason == expected
    assert change.terms is None
    assert state(name, id=1).reason is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("subscription-resumed", K.SUBSCRIPTION_RESUMED),
        ("subscription-completed", K.SUBSCRIPTION_COMPLETED),
        ("replay-completed", K.REPLAY_COMPLETED),
        ("replay-complete", K.REPLAY_COMPLETED),  # as RFC 8640 §A.3.2 spells it once
    ],
)
def test_state_changes_with_an_id_only(name: str, kind: NotificationKind) -> None:
    message = envelope({f"ietf-subscribed-notifications:{name}": {"id": 4}})
    notification = from_json(message)
    assert (notification.kind, notification.subscription_id) == (kind, 4)
    assert notification.generator is None


@pytest.mark.parametrize(
    "leaves",
    [
        {"dscp": 64},
        {"weighting": 256},
        {"dependency": -1},
        {"periodic": {"period": 1 << 32}},
        {"periodic": 5},
        {"on-change": {"sync-on-start": "perhaps"}},
        {"on-change": {"sync-on-start": 1}},
        {"encoding": {}},
        {"stream": ["a"]},
        {"datastore-xpath-filter": 5.5},
        {"datastore-subtree-filter": [5]},
        {"datastore-subtree-filter": {"a b": 1}},
        {"datastore-subtree-filter": {"a": {"": 1}}},
        {"module-version": ["x"]},
        {"message-publisher-id": [""]},
    ],
)
def test_terms_that_cannot_be_read(leaves: dict[str, Any]) -> None:
    message = envelope({"ietf-subscribed-notifications:subscription-started": leaves})
    assert refused(json.dumps(message).encode(), MediaType.YANG_DATA_JSON) == "bad-value"


# --------------------------------------------------------------------------- XML
def test_xml_update_with_every_leaf_and_white_space() -> None:
    notification = from_xml(f"""<?xml version="1.0" encoding="UTF-8"?>
      <!-- a comment --><?pi ?>
      <n:notification xmlns:n="urn:ietf:params:xml:ns:netconf:notification:1.0">
        <n:eventTime> {T} </n:eventTime>
        <sysName xmlns="urn:ietf:params:xml:ns:yang:ietf-notification-sequencing"> r1 </sysName>
        <sequenceNumber xmlns="urn:ietf:params:xml:ns:yang:ietf-notification-sequencing">
          5</sequenceNumber>
        <yp:push-update xmlns:yp="urn:ietf:params:xml:ns:yang:ietf-yang-push">
          <yp:datastore-contents>text<id>9</id><a><id>8</id></a></yp:datastore-contents>
          <yp:id> 7 </yp:id>
          <message-publisher-id xmlns="urn:ietf:params:xml:ns:yang:ietf-distributed-notif">
            07
          </message-publisher-id>
          <timestamp xmlns="urn:ietf:params:xml:ns:yang:ietf-yp-observation">{OBSERVED}</timestamp>
          <yp:incomplete-update/>
        </yp:push-update>
      </n:notification>""")
    assert notification == Notification(
        K.PUSH_UPDATE, "ietf-yang-push:push-update", names.ROOT_NOTIFICATION, 7, T_NS,
        OBSERVED_NS, None, "7", "r1", 5, True,
    )  # fmt: skip


def test_xml_with_the_misprinted_namespace() -> None:
    notification = from_xml(
        '<notification xmlns="urn:ietf:params:netconf:capability:notification:1.0">'
        f"<eventTime>{T}</eventTime>"
        '<link-failure xmlns="http://acme.example.com/system"><if-name>so-1</if-name>'
        "</link-failure></notification>"
    )
    assert notification.root == names.ROOT_NOTIFICATION
    assert notification.name == "system:link-failure"
    assert notification.event_time == T_NS


def test_xml_notification_messages() -> None:
    notification = from_xml(
        '<message xmlns="urn:ietf:params:xml:ns:yang:ietf-notification-messages">'
        f"<message-header><message-time>{T}</message-time>"
        "<message-generator-id>linecard 1</message-generator-id></message-header>"
        "<notifications><notification-contents>"
        '<push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>3</id></push-update>'
        "</notification-contents></notifications></message>"
    )
    assert notification.root == names.ROOT_MESSAGES
    assert (notification.generator, notification.subscription_id) == ("linecard 1", 3)


def test_xml_subtree_filter_keeps_its_namespaces() -> None:
    notification = from_xml(
        '<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        f"<eventTime>{T}</eventTime>"
        '<subscription-started xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"'
        ' xmlns:yp="urn:ietf:params:xml:ns:yang:ietf-yang-push"'
        ' xmlns:ianaift="urn:ietf:params:xml:ns:yang:iana-if-type"'
        ' xmlns:x="urn:x">'
        "<yp:datastore-subtree-filter>"
        '<i:interfaces xmlns:i="urn:ietf:params:xml:ns:yang:ietf-interfaces">'
        '<i:interface a="1" x:b="x:y"><i:type>ianaift:ethernetCsmacd</i:type></i:interface>'
        "<x:c>1 &lt; 2</x:c></i:interfaces>"
        "</yp:datastore-subtree-filter></subscription-started></notification>"
    )
    assert notification.state_change is not None
    assert notification.state_change.terms is not None
    selection = notification.state_change.terms.selection_filter
    assert selection == SelectionFilter(
        "subtree",
        '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">'
        '<interface xmlns:x="urn:x" a="1" xmlns:attribute1="urn:x" attribute1:b="x:y">'
        '<type xmlns:ianaift="urn:ietf:params:xml:ns:yang:iana-if-type">'
        "ianaift:ethernetCsmacd</type></interface>"
        '<c xmlns="urn:x">1 &lt; 2</c></interfaces>',
    )


def test_a_repeated_leaf_is_refused() -> None:
    assert refused(
        b'<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        b'<push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>1</id><id>2</id>'
        b"<id>3</id></push-update></notification>",
        MediaType.YANG_DATA_XML,
    ) == "bad-value"  # fmt: skip


def test_namespaces_that_only_look_like_ours_are_not() -> None:
    notification = from_xml('<push-update xmlns="urn:evil:ietf-yang-push"><id>1</id></push-update>')
    assert notification.kind is K.OTHER
    assert notification.name == "urn:evil:ietf-yang-push:push-update"
    assert names.module_of("http://cisco.com/ns/yang/Cisco-IOS-XR-x") == "Cisco-IOS-XR-x"
    assert names.module_of("urn:huawei:yang:huawei-ifm") == "huawei-ifm"
    assert names.module_of("urn:x:") == "urn:x:"
    assert names.namespace_of("huawei-ifm") == "urn:ietf:params:xml:ns:yang:huawei-ifm"
    assert names.namespace_of("http://a/b") == "http://a/b"


# --------------------------------------------------------------------------- media types
@pytest.mark.parametrize("media_type", [0, 4, 15, -1])
def test_unknown_media_types(media_type: int) -> None:
    assert refused(b"{}", media_type) == "unknown-media-type"
    with pytest.raises(WireError):
        encoding_of(media_type)
