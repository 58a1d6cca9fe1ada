"""Notification messages as the documents print them (``tests/vectors/notification``).

Expected values are read off the figures; times are those of ``date -u -d ... +%s``.
"""

from __future__ import annotations

from pathlib import Path

import cbor2
import pytest

from collector.errors import WireError
from collector.model import (
    MediaType,
    NotificationKind,
    SelectionFilter,
    SidTable,
    StateChange,
    SubscriptionTerms,
)
from collector.wire.notifications.notification import decode, decode_contents
from collector.wire.values import names

VECTORS = Path(__file__).parent.parent / "vectors" / "notification"
S = 1_000_000_000
K = NotificationKind
BASE_FILTER = SelectionFilter("xpath", "/ex:foo", {"ex": "https://example.com/sample-data/1.0"})
TIME_2007 = 1188640800 * S  # 2007-09-01T10:00:00Z


def octets(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def media_type(name: str) -> int:
    return MediaType.YANG_DATA_JSON if name.endswith(".json") else MediaType.YANG_DATA_XML


# name, kind, root, id, event time, observation time, point in time, host, sequence number
UPDATES = [
    ("rfc8641-figure-1.xml", K.PUSH_UPDATE, names.ROOT_NOTIFICATION, 1011,
     1508918411_220000000, None, None, None, None),
    ("rfc8641-figure-2.xml", K.PUSH_CHANGE_UPDATE, names.ROOT_NOTIFICATION, 89,
     1508919753_440000000, None, None, None, None),
    ("envelope-figure-1.xml", K.PUSH_UPDATE, names.ROOT_ENVELOPE, 1011,
     1728557995_320000000, None, None, None, None),
    ("envelope-figure-2.json", K.PUSH_UPDATE, names.ROOT_ENVELOPE, 1011,
     1728547211_220000000, None, None, None, None),
    ("envelope-figure-5.json", K.PUSH_UPDATE, names.ROOT_ENVELOPE, 6666,
     1679733011_220000000, None, None, "example-router.example.com", 1),
    ("envelope-figure-7.json", K.PUSH_UPDATE, names.ROOT_ENVELOPE, 6666,
     1742891411_220000000, 1742891370_220000000, "initial-state",
     "example-router.example.com", 1),
    ("envelope-figure-8.json", K.PUSH_CHANGE_UPDATE, names.ROOT_ENVELOPE, 2222,
     1742891712_220000000, 1742891645_220000000, "state-changed",
     "example-router.example.com", 1),
    ("envelope-figure-10.json", K.PUSH_UPDATE, names.ROOT_ENVELOPE, 6666,
     1679733012_250000000, 1679733000_000000000, "current-accounting",
     "example-router.example.com", 1),
    ("udp-notif-26-figure-5.json", K.PUSH_UPDATE, names.ROOT_NOTIFICATION, 1011,
     1707552011_220000000, None, None, None, None),
]  # fmt: skip


@pytest.mark.parametrize("case", UPDATES, ids=lambda case: case[0])
def test_updates(case: tuple[object, ...]) -> None:
    name = str(case[0])
    notification = decode(octets(name), media_type(name))
    assert (
        name,
        notification.kind,
        notification.root,
        notification.subscription_id,
        notification.event_time,
        notification.observation_time,
        notification.point_in_time,
        notification.hostname,
        notification.sequence_number,
    ) == case
    assert notification.name == f"ietf-yang-push:{notification.kind}"
    assert notification.generator is None
    assert notification.state_change is None
    assert not notification.incomplete_update


def terms(**given: object) -> SubscriptionTerms:
    return SubscriptionTerms(**given)  # type: ignore[arg-type]  # the fields of one struct


EVENT_FILTER = SelectionFilter("xpath", "/ex:foo", {"ex": "https://example.com/events"})
BASE_TERMS = terms(datastore="operational", selection_filter=BASE_FILTER, period=2_500_000_000)
STATE_CHANGES = [
    ("base-figure-7.xml", K.SUBSCRIPTION_MODIFIED, 22, TIME_2007, StateChange(
        terms=terms(
            datastore="operational", period=2_500_000_000,
            selection_filter=SelectionFilter(
                "xpath", "/ex:bar", {"ex": "https://example.com/sample-data/1.0"}),
        ),
        generators=("1",), generator_leaf="message-generator-id")),
    ("base-figure-9.xml", K.SUBSCRIPTION_STARTED, 39, TIME_2007,
     StateChange(
         terms=BASE_TERMS, generators=("1", "2"), generator_leaf="message-generator-id")),
    ("distributed-notif-18-figure-7.xml", K.SUBSCRIPTION_MODIFIED, 22, TIME_2007, StateChange(
        terms=terms(
            datastore="operational", period=2_500_000_000,
            selection_filter=SelectionFilter(
                "xpath", "/ex:bar", {"ex": "https://example.com/sample-data/1.0"}),
        ),
        generators=("1",), generator_leaf="message-publisher-id")),
    ("distributed-notif-19-figure-4.xml", K.SUBSCRIPTION_STARTED, 39, TIME_2007,
     StateChange(
         terms=BASE_TERMS, generators=("1", "2"), generator_leaf="message-publisher-id")),
    ("rfc8640-figure-11.xml", K.SUBSCRIPTION_MODIFIED, 39, TIME_2007,
     StateChange(terms=terms(stream="NETCONF", selection_filter=EVENT_FILTER))),
    ("rfc8640-figure-12.xml", K.SUBSCRIPTION_RESUMED, 39, TIME_2007, StateChange()),
    ("rfc8640-figure-13.xml", K.SUBSCRIPTION_TERMINATED, 39, TIME_2007,
     StateChange(reason="suspension-timeout")),
    ("versioning-13-figure-5.xml", K.SUBSCRIPTION_MODIFIED, 101, 1672740000 * S, StateChange(
        terms=terms(
            stream="NETCONF",
            selection_filter=SelectionFilter("xpath", "/if:interfaces", {
                "if": "urn:ietf:params:xml:ns:yang:ietf-interfaces"}),
            module_versions=(("ietf-interfaces", "2018-02-20", "2.0.0"),),
        ),
        yang_library_content_id="1")),
    ("versioning-13-figure-6.json", K.SUBSCRIPTION_MODIFIED, 101, 1672740000 * S, StateChange(
        terms=terms(
            stream="NETCONF",
            selection_filter=SelectionFilter("xpath", "/ietf-interfaces:interfaces", {
                "ietf-interfaces": "ietf-interfaces"}),
            module_versions=(("ietf-interfaces", "2018-02-20", "2.0.0"),),
        ),
        yang_library_content_id="1")),
]  # fmt: skip


@pytest.mark.parametrize("case", STATE_CHANGES, ids=lambda case: case[0])
def test_state_changes(case: tuple[str, NotificationKind, int, int, StateChange]) -> None:
    name, kind, subscription_id, event_time, change = case
    notification = decode(octets(name), media_type(name))
    assert notification.kind is kind
    assert notification.name == f"ietf-subscribed-notifications:{kind}"
    assert notification.root == names.ROOT_NOTIFICATION
    assert notification.subscription_id == subscription_id
    assert notification.event_time == event_time
    assert notification.state_change == change
    assert notification.generator is None


def test_a_notification_of_another_module_is_kept() -> None:
    notification = decode(octets("rfc8640-figure-14.xml"), MediaType.YANG_DATA_XML)
    assert notification.kind is K.OTHER
    assert notification.name == "ietf-vrrp:vrrp-protocol-error-event"
    assert notification.event_time == 1536913353_440000000
    assert notification.subscription_id is None
    assert notification.state_change is None


def test_the_figure_as_printed_is_no_xml() -> None:
    with pytest.raises(WireError, match="no well-formed XML") as refused:
        decode(octets("base-figure-9-as-printed.xml"), MediaType.YANG_DATA_XML)
    assert refused.value.reason == "bad-xml"
    assert refused.value.offset > 600  # behind the attribute without its quote


def test_a_figure_that_names_a_leaf_twice_has_an_envelope_but_no_contents() -> None:
    octets_ = octets("envelope-figure-10.json")
    with pytest.raises(WireError) as refused:
        decode_contents(octets_, MediaType.YANG_DATA_JSON)
    assert refused.value.reason == "duplicate-member"


# draft-ietf-netconf-notif-envelope-04, Figure 4, typed from its diagnostic notation:
#   2957: {2: "2024-10-10T08:00:11.22Z", 1: {"ietf-yang-push:push-update": {"id": 1011}}}
ENVELOPE_FIGURE_4 = bytes.fromhex(
    "a1"  # map of 1
    "190b8d"  # 2957 = 0x0b8d, SID of the envelope
    "a2"  # map of 2
    "02"  # event-time, 2959 - 2957
    "77"  # text of 23 octets
    "323032342d31302d31305430383a30303a31312e32325a"
    "01"  # contents, 2958 - 2957
    "a1"  # map of 1
    "781a"  # text of 26 octets
    "696574662d79616e672d707573683a707573682d757064617465"
    "a1"  # map of 1
    "62"  # text of 2 octets
    "6964"
    "1903f3"  # 1011
)


def test_a_sid_that_nobody_knows_is_refused_with_its_own_reason() -> None:
    with pytest.raises(WireError) as refused:
        decode(ENVELOPE_FIGURE_4, MediaType.YANG_DATA_CBOR)
    assert refused.value.reason == "unknown-sid"
    assert refused.value.field == "2957"
    assert cbor2.loads(ENVELOPE_FIGURE_4)[2957][2] == "2024-10-10T08:00:11.22Z"


# draft-ietf-netconf-notif-envelope-04, Figure 11, as far as Figure 4 needs it
ENVELOPE_SIDS = SidTable(
    {
        2957: "/ietf-yp-notification:envelope",
        2958: "/ietf-yp-notification:envelope/contents",
        2959: "/ietf-yp-notification:envelope/event-time",
        2960: "/ietf-yp-notification:envelope/hostname",
        2961: "/ietf-yp-notification:envelope/sequence-number",
    },
    {},
)


def test_cbor_with_sids() -> None:
    notification = decode(ENVELOPE_FIGURE_4, MediaType.YANG_DATA_CBOR, ENVELOPE_SIDS)
    assert notification == decode(ENVELOPE_FIGURE_3, MediaType.YANG_DATA_CBOR)
    assert decode_contents(
        ENVELOPE_FIGURE_4, MediaType.YANG_DATA_CBOR, ENVELOPE_SIDS
    ) == decode_contents(ENVELOPE_FIGURE_3, MediaType.YANG_DATA_CBOR)


# the same with names (Figure 3), shortened to the envelope
ENVELOPE_FIGURE_3 = bytes.fromhex(
    "a1"
    "781d"  # text of 29 octets: ietf-yp-notification:envelope
    "696574662d79702d6e6f74696669636174696f6e3a656e76656c6f7065"
    "a2"
    "6a"  # text of 10 octets: event-time
    "6576656e742d74696d65"
    "77"
    "323032342d31302d31305430383a30303a31312e32325a"
    "68"  # text of 8 octets: contents
    "636f6e74656e7473"
    "a1"
    "781a"  # text of 26 octets: ietf-yang-push:push-update
    "696574662d79616e672d707573683a707573682d757064617465"
    "a1"
    "62"
    "6964"
    "1903f3"  # 1011
)


def test_cbor_with_names() -> None:
    notification = decode(ENVELOPE_FIGURE_3, MediaType.YANG_DATA_CBOR)
    assert notification.kind is K.PUSH_UPDATE
    assert notification.root == names.ROOT_ENVELOPE
    assert notification.subscription_id == 1011
    assert notification.event_time == 1728547211_220000000


@pytest.mark.parametrize("name", sorted(path.name for path in VECTORS.iterdir()))
def test_every_vector_has_contents_or_a_reason(name: str) -> None:
    if name.endswith("as-printed.xml") or name == "envelope-figure-10.json":
        return
    message = decode_contents(octets(name), media_type(name))
    assert len(message) == 1


def test_contents_of_the_figures_by_name() -> None:
    message = decode_contents(octets("envelope-figure-1.xml"), MediaType.YANG_DATA_XML)
    update = message["ietf-yp-notification:envelope"]["contents"]["ietf-yang-push:push-update"]
    interface = update["datastore-contents"]["ietf-interfaces:interfaces"]["interface"]
    assert interface["name"] == "eth0"
    assert interface["statistics"]["discontinuity-time"] == "2013-04-01T03:00:00+00:00"
    in_json = decode_contents(octets("envelope-figure-2.json"), MediaType.YANG_DATA_JSON)
    update = in_json["ietf-yp-notification:envelope"]["contents"]["ietf-yang-push:push-update"]
    (entry,) = update["datastore-contents"]["ietf-interfaces:interfaces"]["interface"]
    assert entry.keys() == interface.keys()
