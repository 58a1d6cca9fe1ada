"""GPB of gRPC dial-out against octets written by hand from the field numbers.

A tag is field number * 8 + wire type; wire type 0 is a number of 7 bits an octet, little end first,
2 is a length and so many octets. Nothing here was written by an encoder.
"""

from __future__ import annotations

import pytest

from collector.errors import UsageError, WireError
from collector.model import MediaType, Notification, NotificationKind
from collector.wire.dialout import protobuf
from collector.wire.dialout.telemetry import subscription_number
from collector.wire.notifications.notification import decode, decode_contents, encode, encoding_of
from collector.wire.values import names

CISCO, HUAWEI = int(MediaType.CISCO_GPB), int(MediaType.HUAWEI_GPB)
MS = 1_000_000
UPDATE = "ietf-yang-push:push-update"

KEYS = bytes.fromhex(
    "7a 12"  # fields=15, 18 octets
    "12 04 6b657973"  # name=2 "keys"
    "7a 0a"  # fields=15: a key
    "12 04 6e616d65"  # name "name"
    "2a 02 6530"  # string_value=5 "e0"
)
CONTENT = bytes.fromhex(
    "7a 51"  # fields=15, 81 octets
    "12 07 636f6e74656e74"  # name "content"
    "7a 06 12 02 7570 30 01"  # "up" bool_value=6 true
    "7a 0c 12 02 6f63 40 ffffffffffff7f"  # "oc" uint64_value=8: 2^49 - 1
    "7a 07 12 03 6c6f77 48 05"  # "low" sint32_value=9: -3 (zigzag)
    "7a 0d 12 02 6477 59 000000000000f83f"  # "dw" double_value=11: 1.5
    "7a 09 12 02 666c 65 00002040"  # "fl" float_value=12: 2.5
    "7a 07 12 02 6279 22 01 ff"  # "by" bytes_value=4
    "7a 04 12 02 6e6f"  # "no": no value
)
ROW = KEYS + CONTENT
HEADER = bytes.fromhex(
    "0a 02 7231"  # node_id_str=1 "r1"
    "1a 04 53756233"  # subscription_id_str=3 "Sub3"
    "32 0a 6d3a746f702f6c697374"  # encoding_path=6 "m:top/list"
    "40 05"  # collection_id=8
    "48 80d095ffbc31"  # collection_start_time=9: 1700000000000
    "50 fbd095ffbc31"  # msg_timestamp=10: 1700000000123
)
MESSAGE = HEADER + bytes.fromhex("5a 6e 08 81d095ffbc31") + ROW  # data_gpbkv=11, timestamp=1
END = bytes.fromhex("68 fbd095ffbc31")  # collection_end_time=13


def test_the_lengths_written_above_are_right() -> None:
    assert len(KEYS) == 2 + 0x12
    assert CONTENT[1] == len(CONTENT) - 2
    assert MESSAGE[len(HEADER) + 1] == len(MESSAGE) - len(HEADER) - 2


def test_the_header_of_cisco() -> None:
    assert decode(MESSAGE + END, CISCO) == Notification(
        NotificationKind.PUSH_UPDATE, UPDATE, names.ROOT_CISCO,
        subscription_id=subscription_number("Sub3"), event_time=1_700_000_000_123 * MS,
        observation_time=1_700_000_000_000 * MS, generator="r1", hostname="r1",
    )  # fmt: skip


def test_rows_of_cisco() -> None:
    said = decode_contents(MESSAGE + END, CISCO)
    assert said[UPDATE] == {
        "id": subscription_number("Sub3"),
        "datastore-contents": {
            "m:top": {
                "list": [
                    {
                        "name": "e0",
                        "up": True,
                        "oc": 2**49 - 1,
                        "low": -3,
                        "dw": 1.5,
                        "fl": 2.5,
                        "by": "/w==",
                        "no": [None],
                    }
                ]
            }
        },
    }
    assert said[names.ROOT_CISCO] == {
        "node_id_str": "r1",
        "subscription_id_str": "Sub3",
        "encoding_path": "m:top/list",
        "collection_id": 5,
        "collection_start_time": 1_700_000_000_000,
        "msg_timestamp": 1_700_000_000_123,
        "collection_end_time": 1_700_000_000_123,
    }


def test_without_a_start_the_first_row_says_when() -> None:
    later = MESSAGE.replace(bytes.fromhex("48 80d095ffbc31"), b"")
    assert decode(later, CISCO).observation_time == 1_700_000_000_001 * MS
    compact = bytes.fromhex("0a 02 7231 62 09 0a 07 08 82d095ffbc31")  # data_gpb=12, row=1
    said = decode(compact, CISCO)
    assert (said.observation_time, said.event_time) == (1_700_000_000_002 * MS, None)
    assert decode(bytes.fromhex("0a 02 7231"), CISCO).observation_time is None


def test_a_number_in_the_place_of_the_subscriptions_name() -> None:
    octets = bytes.fromhex("0a 02 7231 20 d00f")  # subscription_id=4: 2000
    assert decode(octets, CISCO).subscription_id == 2000
    assert decode_contents(octets, CISCO)[UPDATE]["id"] == 2000
    assert decode(bytes.fromhex("1a 04 32303030"), CISCO).subscription_id == 2000
    assert decode(bytes.fromhex("0a 02 7231"), CISCO).subscription_id is None


def test_compact_rows_stay_opaque() -> None:
    octets = bytes.fromhex(
        "0a 02 7231 32 05 6d3a612f62"  # encoding_path "m:a/b"
        "62 0c 0a 0a 52 02 0801 5a 04 08011002"  # row: keys=10, content=11
    )
    tree = decode_contents(octets, CISCO)[UPDATE]["datastore-contents"]
    assert tree == {"m:a": {"b": [{"keys": "CAE=", "content": "CAEQAg=="}]}}


# --------------------------------------------------------------------------- Huawei
HUAWEI_MESSAGE = bytes.fromhex(
    "0a 06 485541574549"  # node_id_str=1 "HUAWEI"
    "12 02 7334"  # subscription_id_str=2 "s4"
    "1a 05 6d3a612f62"  # sensor_path=3 "m:a/b"
    "20 2e"  # collection_id=4: 46
    "28 9b9189c38e2c"  # collection_start_time=5: 1515727243419
    "30 fa9189c38e2c"  # msg_timestamp=6: 1515727243514
    "3a 18"  # data_gpb=7
    "0a 0b 08 9b9189c38e2c 5a 02 0801"  # row=1: timestamp=1, content=11
    "1a 09 08 aa06 10 ffffffff0f"  # generator=3: generator_id=1 810, generator_sn=2 2^32 - 1
    "40 9b9189c38e2c"  # collection_end_time=8
    "48 904e"  # current_period=9: 10000
    "52 02 4f4b"  # except_desc=10 "OK"
)


def test_the_header_of_huawei() -> None:
    assert decode(HUAWEI_MESSAGE, HUAWEI) == Notification(
        NotificationKind.PUSH_UPDATE, UPDATE, names.ROOT_HUAWEI,
        subscription_id=subscription_number("s4"), event_time=1_515_727_243_514 * MS,
        observation_time=1_515_727_243_419 * MS, generator="810", hostname="HUAWEI",
        sequence_number=0xFFFFFFFF,
    )  # fmt: skip


def test_contents_of_huawei() -> None:
    said = decode_contents(HUAWEI_MESSAGE, HUAWEI)
    assert said[UPDATE]["datastore-contents"] == {"m:a": {"b": "CAE="}}
    header = said[names.ROOT_HUAWEI]
    assert header["generator"] == {"generator_id": 810, "generator_sn": 0xFFFFFFFF}
    assert (header["current_period"], header["except_desc"]) == (10_000, "OK")


def test_huawei_without_a_generator() -> None:
    octets = bytes.fromhex(
        "0a 01 68 12 01 37 3a 0b 0a 09 08 9b9189c38e2c 5a 00"  # no start: the row's time
    )
    said = decode(octets, HUAWEI)
    assert (said.generator, said.sequence_number, said.subscription_id) == ("h", None, 7)
    assert said.observation_time == 1_515_727_243_419 * MS
    assert "generator" not in decode_contents(octets, HUAWEI)[names.ROOT_HUAWEI]


def test_rows_of_huawei_as_json() -> None:
    def with_rows(text: bytes) -> bytes:  # encoding=12 JSON, data_str=14
        return bytes.fromhex("0a 01 68 1a 05 6d3a612f62 60 01 72") + bytes([len(text)]) + text

    said = decode_contents(with_rows(b'{"b":[{"id":1}]}'), HUAWEI)
    assert said[UPDATE]["datastore-contents"] == {"m:a": {"b": [{"id": 1}]}}
    said = decode_contents(with_rows(b'{"m:a":{}}'), HUAWEI)
    assert said[UPDATE]["datastore-contents"] == {"m:a": {}}
    with pytest.raises(WireError) as refused:
        decode_contents(with_rows(b"{"), HUAWEI)
    assert refused.value.reason == "bad-json"


# --------------------------------------------------------------------------- names and numbers
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", None),
        ("7", 7),
        ("007", 7),
        ("4294967295", 0xFFFFFFFF),
    ],
)
def test_numbers_stand_for_themselves(text: str, number: int | None) -> None:
    assert subscription_number(text) == number


@pytest.mark.parametrize("text", ["4294967296", "99999999999", "1.5", "-1", "Sub3", "\u0663"])
def test_anything_else_is_a_name(text: str) -> None:
    assert (subscription_number(text) or 0) >= 0x80000000


def test_a_name_has_a_number_that_stays() -> None:
    # the CRC-32 of "The quick brown fox jumps over the lazy dog" is known to be 0x414FA339
    assert subscription_number("The quick brown fox jumps over the lazy dog") == 0xC14FA339
    assert subscription_number("²") == subscription_number("²") != 2


def test_times_that_do_not_fit_are_not_said() -> None:
    far = bytes.fromhex("0a 01 68 50 ffffffffffffffffff01")
    assert decode(far, CISCO).event_time is None


# --------------------------------------------------------------------------- hostile
@pytest.mark.parametrize("media_type", [CISCO, HUAWEI])
@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "no-telemetry"),
        (b"\x00", "bad-gpb"),
        (b"\x0a\xff\xff\xff\xff\x0f", "bad-gpb"),  # a length of 4 GiB
        (b"\x0a\x05abc", "bad-gpb"),
        (b"\x0a\x02\xff\xff", "bad-gpb"),  # not UTF-8
        (b"\x0b" * 5000, "bad-gpb"),  # groups within groups
        (b"\x08" + b"\xff" * 20, "bad-gpb"),  # a number that does not end
        (bytes.fromhex("20 05"), "no-telemetry"),
    ],
)
def test_what_is_no_telemetry(media_type: int, octets: bytes, reason: str) -> None:
    if media_type == CISCO and octets == bytes.fromhex("20 05"):
        octets = bytes.fromhex("40 05")
    with pytest.raises(WireError) as refused:
        decode(octets, media_type)
    assert refused.value.reason == reason


@pytest.mark.parametrize("media_type", [CISCO, HUAWEI])
@pytest.mark.parametrize(
    "octets",
    [
        b"\x0a\x05abc",
        b"\x0a\x02\xff\xff",
        b"\x0b\x0c",
        b"\x0d\x00",
        b"\x09\x00\x00",
        b"\x08\xff",
        b"\x3a\x03\x0a\x05a",
        b"\x5a\x03\x7a\x05a",
    ],
)
def test_contents_that_cannot_be_read(media_type: int, octets: bytes) -> None:
    if octets[0] == (0x3A if media_type == CISCO else 0x5A):
        return  # an unknown field of that message
    with pytest.raises(WireError) as refused:
        decode_contents(octets, media_type)
    assert refused.value.reason == "bad-gpb"


def nested(levels: int) -> bytes:
    inner = b""
    for _ in range(levels):
        head, length = b"\x7a", len(inner)
        while length > 127:
            head += bytes([length & 127 | 128])
            length >>= 7
        inner = head + bytes([length]) + inner
    return inner


def test_depth_is_bounded() -> None:
    def message(levels: int) -> bytes:
        row = nested(levels)
        assert len(row) < 1 << 14
        length = bytes([len(row) & 127 | 128, len(row) >> 7])
        return b"\x0a\x01r\x5a" + length + row

    decode_contents(message(protobuf.MAX_DEPTH - 1), CISCO)
    for levels in (protobuf.MAX_DEPTH, 3000):
        with pytest.raises(WireError) as refused:
            decode_contents(message(levels), CISCO)
        assert refused.value.reason == "too-deep"
        decode(message(levels), CISCO)  # the header is not concerned


def test_fields_are_counted_before_anything_is_built() -> None:
    rows = b"\x5a\x00" * (protobuf.MAX_FIELDS + 1)
    with pytest.raises(WireError) as refused:
        decode_contents(b"\x0a\x01r" + rows, CISCO)
    assert refused.value.reason == "too-many-items"


def test_a_time_of_rows_that_hides_is_not_looked_for_long() -> None:
    assert protobuf.first_number(b"\x10\x00" * 65 + b"\x08\x05", 1) == 0
    assert protobuf.first_number(b"\x10\x00" * 63 + b"\x08\x05", 1) == 5
    assert protobuf.first_number(b"\x0a\x02\x10\x01", 1, 1) == 0
    assert protobuf.first_number(b"\x08\x05") == 0
    with pytest.raises(WireError):
        protobuf.first_number(b"\x0a\x05\x10", 1, 1)


# --------------------------------------------------------------------------- both ways
SAID = Notification(
    NotificationKind.PUSH_UPDATE, UPDATE, names.ROOT_CISCO, 7, 1_700_000_000_123 * MS,
    1_700_000_000_000 * MS, None, "r1", "r1",
)  # fmt: skip
INTERFACES = {
    "ietf-interfaces:interfaces": {
        "interface": [
            {"name": "e0", "enabled": True, "statistics": {"in-octets": "18446744073709551615"}},
            {
                "name": "e1",
                "mtu": 1500,
                "x:list": [{"id": -4}, {"id": 1.5}, {"id": 0}],
                "x:none": [None],
            },
        ]
    }
}


def test_what_we_write_is_what_we_read() -> None:
    octets = encode(SAID, INTERFACES, CISCO)
    assert decode(octets, CISCO) == SAID
    assert decode_contents(octets, CISCO)[UPDATE]["datastore-contents"] == INTERFACES


@pytest.mark.parametrize(
    "contents", [{}, {"a:x": {"y": 1}, "b:z": {"w": {"v": "t"}}}, {"a:x": {"list": [{"odd": 1}]}}]
)
def test_other_contents_are_one_row(contents: dict[str, object]) -> None:
    octets = encode(SAID, contents, CISCO)
    tree = decode_contents(octets, CISCO)[UPDATE]["datastore-contents"]
    if "list" in str(contents):
        assert tree == {"a:x": {"list": {"odd": 1}}}, "a list of one entry looks like the entry"
    else:
        assert tree == contents


def test_huawei_both_ways() -> None:
    said = Notification(
        NotificationKind.PUSH_UPDATE, UPDATE, names.ROOT_HUAWEI, 7, 1_700_000_000_123 * MS,
        1_700_000_000_000 * MS, None, "101", "r1", 5,
    )  # fmt: skip
    octets = encode(said, INTERFACES, HUAWEI)
    assert decode(octets, HUAWEI) == said
    assert decode_contents(octets, HUAWEI)[UPDATE]["datastore-contents"] == INTERFACES
    assert decode_contents(encode(said, None, HUAWEI), HUAWEI)[UPDATE]["datastore-contents"] == {}


def test_numbers_that_json_does_not_have() -> None:
    octets = encode(SAID, {"a:b": {"c": float("inf")}}, CISCO)
    assert decode_contents(octets, CISCO)[UPDATE]["datastore-contents"] == {"a:b": {"c": "inf"}}


def test_huawei_without_a_generator_is_written_too() -> None:
    said = Notification(NotificationKind.PUSH_UPDATE, UPDATE, names.ROOT_HUAWEI, 7, hostname="r1")
    assert decode(encode(said, None, HUAWEI), HUAWEI).sequence_number is None


def test_what_cannot_be_written() -> None:
    other = Notification(NotificationKind.SUBSCRIPTION_STARTED, "x", names.ROOT_CISCO)
    for media_type in (256, 257, 258, 259):
        with pytest.raises(UsageError):
            encode(other, None, media_type)
    with pytest.raises(UsageError):
        encode(SAID, {"a:b": {"c": 2**64}}, CISCO)
    with pytest.raises(UsageError):
        encode(SAID, {"a:b": {"c": b"x"}}, CISCO)
    with pytest.raises(UsageError):
        encode(SAID, None, HUAWEI)  # "r1" is no number
    with pytest.raises(WireError):
        encoding_of(260)
