"""JSON of gRPC dial-out, in the forms that devices send."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.errors import UsageError, WireError
from collector.model import MediaType, Notification, NotificationKind
from collector.wire.dialout import telemetry
from collector.wire.dialout.telemetry import Row, subscription_number
from collector.wire.encodings.dialout_json import HuaweiJsonEncoding
from collector.wire.notifications.notification import decode, decode_contents, encode
from collector.wire.values import names

CISCO, HUAWEI = int(MediaType.CISCO_JSON), int(MediaType.HUAWEI_JSON)
MS = 1_000_000
UPDATE = "ietf-yang-push:push-update"

XR = b"""{"node_id_str":"r1","subscription_id_str":"Sub3","encoding_path":"m:top/list",
"collection_id":"5","collection_start_time":"1700000000000","msg_timestamp":"1700000000123",
"data_json":[{"timestamp":"1700000000001","keys":[{"name":"e0"}],"content":{"up":true}},
{"timestamp":"1700000000002","keys":[{"name":"e1"}],"content":{"up":false}}],
"collection_end_time":"1700000000123"}"""
VRP = b"""{"node_id_str":"HUAWEI","subscription_id_str":"s4","sensor_path":"m:a/b",
"collection_id":46,"collection_start_time":"2018/1/12 11:20:43.419",
"msg_timestamp":"2018/1/12 11:20:43.514","data_gpb":{"row":[{"timestamp":"2018/1/12 11:20:43.419",
"content":{"b":{"c":[{"ifIndex":2}]}}},{"content":{"b":{"c":[{"ifIndex":3}],"d":1}}}],
"generator":{"generator_id":"810","generator_sn":7}},"current_period":10000,"except_desc":"OK"}"""


def message(**members: Any) -> bytes:
    return msgspec.json.encode({"node_id_str": "r1"} | members)


def test_the_header_of_cisco() -> None:
    assert decode(XR, CISCO) == Notification(
        NotificationKind.PUSH_UPDATE, UPDATE, names.ROOT_CISCO,
        subscription_id=subscription_number("Sub3"), event_time=1_700_000_000_123 * MS,
        observation_time=1_700_000_000_000 * MS, generator="r1", hostname="r1",
    )  # fmt: skip


def test_rows_of_cisco() -> None:
    said = decode_contents(XR, CISCO)
    assert said[UPDATE]["datastore-contents"] == {
        "m:top": {"list": [{"name": "e0", "up": True}, {"name": "e1", "up": False}]}
    }
    assert said[UPDATE]["id"] == subscription_number("Sub3")
    assert said[names.ROOT_CISCO]["collection_id"] == "5"
    assert "data_json" not in said[names.ROOT_CISCO]


@pytest.mark.parametrize(
    ("rows", "tree"),
    [
        ([{"content": {"up": 1}}], {"m:top": {"list": {"up": 1}}}),
        ([{"keys": {"name": "e0"}}], {"m:top": {"list": [{"name": "e0"}]}}),
        ([{"keys": [], "content": "text"}], {"m:top": {"list": "text"}}),
        ([{"keys": {"k": 1}, "content": 3}], {"m:top": {"list": [{"k": 1, "content": 3}]}}),
        ([{"up": 1}], {"m:top": {"list": {"up": 1}}}),
        ([], {"m:top": {"list": []}}),
    ],
)
def test_rows_in_other_forms(rows: list[Any], tree: Any) -> None:
    octets = message(encoding_path="m:top/list", data_json=rows)
    assert decode_contents(octets, CISCO)[UPDATE]["datastore-contents"] == tree


def test_a_key_in_the_path_may_hold_a_slash() -> None:
    tree = telemetry.tree_of("/m:a[name='e0/1']/b", [Row({}, {"c": 1})])
    assert tree == {"m:a[name='e0/1']": {"b": {"c": 1}}}


def test_without_a_path_members_of_all_rows_stand_side_by_side() -> None:
    rows = [Row({}, {"a:x": {"l": [1], "v": 1}}), Row({}, {"a:x": {"l": [2], "v": 2}}), Row({}, 5)]
    assert telemetry.tree_of("", rows) == {"a:x": {"l": [1, 2], "v": 2}, "content": 5}
    assert telemetry.tree_of("", []) == {}


def test_the_first_row_says_when_no_start_does() -> None:
    rows = [{"timestamp": 1_700_000_000_005}, {"timestamp": 9}]
    assert decode(message(data_json=rows), CISCO).observation_time == 1_700_000_000_005 * MS
    assert decode(message(data_json=[]), CISCO).observation_time is None
    assert decode(message(data_json={"odd": 1}), CISCO).observation_time is None
    assert decode(message(), CISCO).observation_time is None


# --------------------------------------------------------------------------- Huawei
def test_the_header_of_huawei() -> None:
    # day and time are those of the device's own zone, which nobody says: read as UTC
    at = 1_515_756_043_419 * MS
    assert decode(VRP, HUAWEI) == Notification(
        NotificationKind.PUSH_UPDATE, UPDATE, names.ROOT_HUAWEI,
        subscription_id=subscription_number("s4"), event_time=at + 95 * MS, observation_time=at,
        generator="810", hostname="HUAWEI", sequence_number=7,
    )  # fmt: skip


def test_contents_of_huawei() -> None:
    said = decode_contents(VRP, HUAWEI)
    assert said[UPDATE]["datastore-contents"] == {
        "m:a": {"b": {"c": [{"ifIndex": 2}, {"ifIndex": 3}], "d": 1}}
    }
    assert said[names.ROOT_HUAWEI]["generator"] == {"generator_id": "810", "generator_sn": 7}


@pytest.mark.parametrize(
    ("members", "tree"),
    [
        ({"data_str": '{"m:a":{"b":1}}'}, {"m:a": {"b": 1}}),
        ({"data_gpb": {"row": [{"content": '{"b":1}'}]}}, {"m:a": {"b": 1}}),
        ({"data_gpb": {"row": {"content": "CAE="}}}, {"m:a": "CAE="}),
        ({"data_gpb": {"row": [{"content": "x"}, {"content": "y"}]}}, {"m:a": "y"}),
        ({}, {"m:a": {}}),
    ],
)
def test_rows_of_huawei_in_other_forms(members: dict[str, Any], tree: Any) -> None:
    octets = message(sensor_path="m:a", **members)
    said = decode_contents(octets, HUAWEI)
    assert said[UPDATE]["datastore-contents"] == tree
    assert "generator" not in said[names.ROOT_HUAWEI]


def test_a_generator_beside_the_rows() -> None:
    said = decode(message(generator={"generator_id": 5}), HUAWEI)
    assert (said.generator, said.sequence_number) == ("5", 0)
    rows = {"row": [{"timestamp": "1700000000005", "content": {}}]}
    assert decode(message(data_gpb=rows), HUAWEI).observation_time == 1_700_000_000_005 * MS


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:01Z", 1000),
        ("1970/1/1 0:00:01", 1000),
        ("1970/1/1 00:00:01.5", 1500),
        (" 1970-01-01 00:00:01.123456 ", 1123),
        ("1000", 1000),
        ("", 0),
    ],
)
def test_times(text: str, ms: int) -> None:
    found = decode(message(msg_timestamp=text), HUAWEI).event_time
    assert found == (ms * MS or None)


@pytest.mark.parametrize(
    "text", ["1970/13/1 00:00:01", "now", "1970/1/1", "1" * 50 + "x", "-5", "1970/2/30 00:00:00"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(WireError) as refused:
        decode(message(msg_timestamp=text), HUAWEI)
    assert refused.value.reason == "bad-timestamp"


# --------------------------------------------------------------------------- hostile
@pytest.mark.parametrize("media_type", [CISCO, HUAWEI])
@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "bad-json"),
        (b"{", "bad-json"),
        (b"\xff", "bad-json"),
        (b'{"node_id_str":"\xff"}', "bad-json"),
        (b'{"node_id_str":5}', "bad-value"),
        (b'{"node_id_str":"\\ud800"}', "bad-json"),
        (b"[]", "bad-value"),
        (b"{}", "no-telemetry"),
        (b'{"x":' + b"[" * 500 + b"]" * 500 + b"}", "too-deep"),
        (b'{"node_id_str":"r","msg_timestamp":-1}', "bad-value"),
        (b'{"node_id_str":"r","msg_timestamp":18446744073709551616}', "bad-value"),
        (b'{"node_id_str":"r","msg_timestamp":1e3}', "bad-value"),
    ],
)
def test_what_is_refused(media_type: int, octets: bytes, reason: str) -> None:
    with pytest.raises(WireError) as refused:
        decode(octets, media_type)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "octets",
    [
        message(generator={"generator_id": "x"}),
        message(generator={"generator_id": 1, "generator_sn": 2**32}),
        message(data_gpb={"generator": {"generator_id": 2**64}}),
        message(data_gpb=[]),
    ],
)
def test_a_generator_that_is_none(octets: bytes) -> None:
    with pytest.raises(WireError) as refused:
        decode(octets, HUAWEI)
    assert refused.value.reason == "bad-value"


@pytest.mark.parametrize(
    ("media_type", "octets", "reason"),
    [
        (CISCO, b"[1]", "bad-value"),
        (CISCO, message(data_json=[5]), "bad-value"),
        (CISCO, message(data_json=[{"keys": [5]}]), "bad-value"),
        (CISCO, message(encoding_path=[]), "bad-value"),
        (HUAWEI, message(data_str="{"), "bad-json"),
        (HUAWEI, message(data_gpb={"row": [{"content": "{"}]}), "bad-json"),
        (HUAWEI, message(data_gpb={"row": [7]}), "bad-value"),
    ],
)
def test_contents_that_are_refused(media_type: int, octets: bytes, reason: str) -> None:
    with pytest.raises(WireError) as refused:
        decode_contents(octets, media_type)
    assert refused.value.reason == reason


# --------------------------------------------------------------------------- both ways
SAID = Notification(
    NotificationKind.PUSH_UPDATE, UPDATE, names.ROOT_CISCO, 7, 1_700_000_000_123 * MS,
    1_700_000_000_000 * MS, None, "r1", "r1",
)  # fmt: skip
CONTENTS = {"ietf-interfaces:interfaces": {"interface": [{"name": "e0", "mtu": 1500}]}}


def test_cisco_both_ways() -> None:
    octets = encode(SAID, CONTENTS, CISCO)
    assert decode(octets, CISCO) == SAID
    assert decode_contents(octets, CISCO)[UPDATE]["datastore-contents"] == CONTENTS


def test_huawei_both_ways() -> None:
    said = msgspec.structs.replace(
        SAID, root=names.ROOT_HUAWEI, generator="101", hostname="r1", sequence_number=5
    )
    octets = encode(said, CONTENTS, HUAWEI)
    assert decode(octets, HUAWEI) == said
    assert decode_contents(octets, HUAWEI)[UPDATE]["datastore-contents"] == CONTENTS
    bare = msgspec.structs.replace(said, generator=None, subscription_id=None, sequence_number=None)
    read = decode(HuaweiJsonEncoding().encode(bare), HUAWEI)
    assert (read.generator, read.subscription_id, read.sequence_number) == ("r1", None, None)


def test_what_cannot_be_written() -> None:
    with pytest.raises(UsageError):
        encode(SAID, {"a:b": object()}, CISCO)
