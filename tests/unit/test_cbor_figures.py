"""RFC 9254, figure by figure: octets typed from the RFC, in both ways of naming."""

from __future__ import annotations

import cbor2
import pytest

from collector.errors import UsageError, WireError
from collector.model import (
    NO_SIDS,
    MediaType,
    Notification,
    NotificationKind,
    SidTable,
    StateChange,
    SubscriptionTerms,
    TypedText,
)
from collector.wire.encodings.cbor_names import with_sids, with_tags
from collector.wire.encodings.yang_cbor import CborEncoding, parse_plain
from collector.wire.notifications.notification import decode, decode_contents, encode
from collector.wire.values import names
from tests.vectors.rfc9254 import ABSOLUTE, MESSAGES, SIDS, VALUES

CBOR = MediaType.YANG_DATA_CBOR


@pytest.mark.parametrize("clause", MESSAGES)
def test_both_ways_of_naming(clause: str) -> None:
    in_sids, in_names, plain = MESSAGES[clause]
    if in_names is not None:
        assert parse_plain(in_names) == plain
        assert cbor2.dumps(with_tags(plain)) == in_names
    if in_sids is not None:
        assert parse_plain(in_sids, SIDS) == plain
        assert cbor2.dumps(with_sids(with_tags(plain), SIDS)) == in_sids


def test_an_absolute_sid_below_an_anydata() -> None:
    plain = MESSAGES["4.5"][2]
    assert parse_plain(ABSOLUTE, SIDS) == plain
    assert cbor2.dumps(with_sids(with_tags(plain), SIDS, absolute=True)) == ABSOLUTE


@pytest.mark.parametrize("clause", VALUES)
def test_values(clause: str) -> None:
    octets, value = VALUES[clause]
    found = parse_plain(b"\xa1\x63a:b" + octets)["a:b"]
    assert found == value
    assert type(found) is type(value) or isinstance(found, TypedText)
    if clause.endswith("union"):
        assert found.type == ("bits" if "6.7" in clause else "enumeration")
    if clause not in ("6.11", "3.1 null"):
        assert cbor2.dumps(with_tags(found)) == octets


def test_the_rule_of_the_reference() -> None:
    """RFC 9254 §3.2: below a name it is 0 again; arrays in between change nothing."""
    sids = SidTable(
        {100: "/m:a", 101: "/m:a/b", 105: "/m:a/b/c", 99: "/m:a/d", 7: "/n:x", 9: "/n:x/y"}, {}
    )
    message = {100: {1: [{4: 1}, {4: 2}], -1: 5, "n:e": {7: {2: 3}}}}
    assert parse_plain(cbor2.dumps(message), sids) == {
        "m:a": {"b": [{"c": 1}, {"c": 2}], "d": 5, "n:e": {"x": {"y": 3}}}
    }


def test_a_node_of_another_module_is_qualified() -> None:
    sids = SidTable({10: "/m:a", 11: "/m:a/n:b", 12: "/m:a/n:b/c", 13: "/m:a/n:b/m:d"}, {})
    found = parse_plain(cbor2.dumps({10: {1: {1: 1, 2: 2}}}), sids)
    assert found == {"m:a": {"n:b": {"c": 1, "m:d": 2}}}
    assert cbor2.loads(cbor2.dumps(with_sids(found, sids))) == {10: {1: {1: 1, 2: 2}}}


def test_what_has_no_sid_keeps_its_name_and_what_is_unknown_gets_one() -> None:
    sids = SidTable({10: "/m:a", 12: "/m:a/c/d"}, {})
    octets = cbor2.dumps(with_sids({"m:a": {"b": 1, "c": {"d": 2}}}, sids))
    assert cbor2.loads(octets) == {10: {"b": 1, "c": {12: 2}}}
    assert parse_plain(octets, sids) == {"m:a": {"b": 1, "c": {"d": 2}}}
    assert parse_plain(octets) == {"sid-10": {"b": 1, "c": {"sid-12": 2}}}
    found = parse_plain(cbor2.dumps({10: {5: {1: 2}}}), sids)
    assert found == {"m:a": {"sid-15": {"sid-16": 2}}}


def test_a_name_and_its_sid_are_one_member() -> None:
    with pytest.raises(WireError) as refused:
        parse_plain(cbor2.dumps({10: {"c": 1, 1: 2}}), SidTable({10: "/m:a", 11: "/m:a/c"}, {}))
    assert refused.value.reason == "duplicate-member"


def test_tags_of_a_union() -> None:
    sids = SidTable({1741: "/s:system/contact"}, {1880: "m:i"})
    tagged = {
        "m:a": cbor2.CBORTag(45, 1880),
        "m:b": cbor2.CBORTag(45, "m:i"),
        "m:c": cbor2.CBORTag(46, 1741),
        "m:d": cbor2.CBORTag(46, [1741, "bob"]),
        "m:e": cbor2.CBORTag(46, "/s:system"),
        "m:f": cbor2.CBORTag(45, 5),
        "m:g": cbor2.CBORTag(46, [7]),
        "m:h": cbor2.CBORTag(47, 7),
    }
    found = parse_plain(cbor2.dumps(tagged), sids)
    assert found == {
        "m:a": "m:i",
        "m:b": "m:i",
        "m:c": "/s:system/contact",
        "m:d": "/s:system/contact[bob]",
        "m:e": "/s:system",
        "m:f": "sid-5",
        "m:g": "sid-7",
        "m:h": 7,
    }
    assert found["m:d"].raw == [1741, "bob"]
    del tagged["m:h"], found["m:h"]
    assert cbor2.dumps(with_tags(found)) == cbor2.dumps(tagged)


# --------------------------------------------------------------------------- the envelope
UPDATE = Notification(
    NotificationKind.PUSH_UPDATE, "ietf-yang-push:push-update", names.ROOT_ENVELOPE, 7,
    1_742_009_138_000_000_001, 1_742_009_137_000_000_000, "state-changed", "42", "core7", 3,
)  # fmt: skip
TABLE = SidTable(
    {
        100: "/ietf-yp-notification:envelope",
        101: "/ietf-yp-notification:envelope/contents",
        102: "/ietf-yp-notification:envelope/event-time",
        110: "/ietf-yang-push:push-update",
        111: "/ietf-yang-push:push-update/id",
        112: "/ietf-yang-push:push-update/datastore-contents",
        120: "/ietf-yang-push:push-update/ietf-yp-observation:point-in-time",
        130: "/ietf-subscribed-notifications:subscription-started",
        131: "/ietf-subscribed-notifications:subscription-started/encoding",
        132: "/ietf-subscribed-notifications:subscription-started/ietf-yang-push:datastore",
        133: "/ietf-subscribed-notifications:subscription-started/id",
        200: "/m:top",
        201: "/m:top/leaf",
    },
    {500: "ietf-datastores:operational"},
)


def test_an_envelope_with_sids() -> None:
    octets = encode(UPDATE, {"m:top": {"leaf": 5}}, CBOR, sids=TABLE)
    envelope = cbor2.loads(octets)[100]
    update = envelope[1][9]
    assert update == {
        1: 7, "ietf-distributed-notif:message-publisher-id": 42,
        "ietf-yp-observation:timestamp": "2025-03-15T03:25:37Z",
        10: 2,  # point-in-time: its enumeration's number
        2: {88: {1: 5}},
    }  # fmt: skip
    assert decode(octets, CBOR, TABLE) == UPDATE
    assert decode_contents(octets, CBOR, TABLE) == decode_contents(
        encode(UPDATE, {"m:top": {"leaf": 5}}, CBOR), CBOR
    )
    with pytest.raises(WireError) as refused:
        decode(octets, CBOR)
    assert refused.value.reason == "unknown-sid"


def test_identities_of_a_state_change_may_be_sids() -> None:
    started = {29: {3: 7, 1: "encode-json", 2: 500}}
    found = decode(cbor2.dumps({100: {2: "2025-03-15T03:25:37Z", 1: started}}), CBOR, TABLE)
    wanted = StateChange(terms=SubscriptionTerms(datastore="operational", encoding="encode-json"))
    assert found.state_change == wanted
    unknown = {29: {3: 7, 2: 501}}
    found = decode(cbor2.dumps({100: {2: "2025-03-15T03:25:37Z", 1: unknown}}), CBOR, TABLE)
    assert found.state_change is not None
    assert found.state_change.terms is not None
    assert found.state_change.terms.datastore == "sid-501"


def test_a_notification_that_nobody_knows_is_refused() -> None:
    for key in (30, cbor2.CBORTag(47, 131)):  # below contents, SID 101
        with pytest.raises(WireError) as refused:
            decode(
                cbor2.dumps({100: {1: {key: {3: 7}}}}),
                CBOR,
                SidTable(
                    {
                        100: "/ietf-yp-notification:envelope",
                        101: "/ietf-yp-notification:envelope/contents",
                    },
                    {},
                ),
            )
        assert (refused.value.reason, refused.value.field) == ("unknown-sid", "131")


def test_what_the_envelope_has_wrong_is_said_as_before() -> None:
    with pytest.raises(WireError) as refused:
        decode(cbor2.dumps({100: {2: "yesterday", 1: {9: {1: 7}}}}), CBOR, TABLE)
    assert refused.value.reason == "bad-timestamp"
    with pytest.raises(WireError) as refused:
        decode(cbor2.dumps({"a:b": 1}), CBOR, TABLE)
    assert refused.value.reason == "no-notification"


def test_what_cannot_be_written() -> None:
    with pytest.raises(UsageError):
        CborEncoding().encode(UPDATE, {"m:a": object()}, sids=TABLE)


def test_tables() -> None:
    assert not NO_SIDS
    assert TABLE
    assert TABLE != NO_SIDS
    assert TABLE != 1
    assert SidTable(TABLE.paths, TABLE.identities) == TABLE
    assert TABLE.nodes[120] == ("ietf-yp-observation", "point-in-time")
    assert TABLE.identity_sids == {"ietf-datastores:operational": 500}
