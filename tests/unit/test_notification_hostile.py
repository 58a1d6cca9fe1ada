"""Hostile notification messages: each is refused with its reason, in bounded time and memory."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from collector.errors import WireError
from collector.model import MediaType
from collector.wire.encodings import cbor_items, json_text, yang_cbor
from collector.wire.notifications.notification import decode, decode_contents
from collector.wire.values import xml

JSON, XML, CBOR = MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_XML, MediaType.YANG_DATA_CBOR
T = "2025-03-15T03:25:38Z"


def reason(payload: bytes, media_type: int) -> str:
    with pytest.raises(WireError) as refused:
        decode(payload, media_type)
    assert str(refused.value)
    assert len(str(refused.value)) < 400
    return refused.value.reason


def contents_reason(payload: bytes, media_type: int) -> str:
    with pytest.raises(WireError) as refused:
        decode_contents(payload, media_type)
    return refused.value.reason


def around(contents: str) -> bytes:
    return (
        '{"ietf-yp-notification:envelope":{"event-time":"' + T + '","contents":'
        '{"ietf-yang-push:push-update":{"id":1,"datastore-contents":' + contents + "}}}}"
    ).encode()


# --------------------------------------------------------------------------- JSON
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe{",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"a":1}{"a":1}',
        b'{"a":01}',
        b'{"a":"\n"}',
        b'{"a":1,}',
        b'{"a":' + b"9" * 5000 + b"}",
        around("NaN"),
        around('"\xff"').replace(b"\xc3\xbf", b"\xff"),
        around("[1,]"),
        around("{} "),
    ],
)
def test_bad_json(payload: bytes) -> None:
    if payload == around("{} "):  # a blank is no fault
        assert decode(payload, JSON).subscription_id == 1
        return
    assert reason(payload, JSON) == "bad-json"
    assert contents_reason(payload, JSON) == "bad-json"


def test_json_offset_of_the_fault() -> None:
    with pytest.raises(WireError) as refused:
        decode(b'{"a":1,}', JSON)
    assert refused.value.offset == 7
    with pytest.raises(WireError) as refused:
        decode(b'{"a":"\xff"}', JSON)
    assert refused.value.offset == 6


@pytest.mark.parametrize("opener", ["[", '{"a":', '[{"a":'])
@pytest.mark.parametrize("blank", ["", " "])
def test_deep_json(opener: str, blank: str) -> None:
    closer = {"[": "]", '{"a":': "}", '[{"a":': "}]"}[opener]

    def nested(depth: int) -> bytes:
        return around((opener + blank) * (depth // each) + "1" + closer * (depth // each))

    each = len(closer)
    taken = json_text.MAX_DEPTH - 4  # root, envelope, contents and push-update are above
    assert decode(nested(taken), JSON).subscription_id == 1
    decode_contents(nested(taken), JSON)
    for depth in (taken + each, 1000, 100_000):
        assert reason(nested(depth), JSON) == "too-deep"
        assert contents_reason(nested(depth), JSON) == "too-deep"
    # never closed, so also no JSON
    assert reason(around((opener + blank) * 100_000), JSON) == "too-deep"


def test_brackets_in_texts_have_no_depth() -> None:
    text = json.dumps("[" * 500 + '"' + "\\" + '\\"' + "{" * 500)
    payload = around(text)
    assert decode(payload, JSON).subscription_id == 1
    assert decode_contents(payload, JSON)
    # closers in texts do not hide depth
    hidden = '["]",' * 200 + "1" + "]" * 200
    assert reason(around(hidden), JSON) == "too-deep"
    hidden = '["\\"]",' * 200 + "1" + "]" * 200
    assert reason(around(hidden), JSON) == "too-deep"


def test_many_siblings_are_not_deep() -> None:
    wide = "[" + ",".join(['{"a":[{}]}'] * 3000) + "]"
    assert decode(around(wide), JSON).subscription_id == 1


def test_brackets_that_do_not_match_are_no_json() -> None:
    assert reason(b"[" * 100 + b"{" * 50 + b"]" * 100, JSON) == "bad-json"
    assert reason(b"[{" * 60 + b"]}" * 60, JSON) == "bad-json"
    assert reason(b"]" * 90 + b"[" * 90, JSON) in ("bad-json", "too-deep")


ENVELOPE = '{"ietf-yp-notification:envelope":{"event-time":"' + T + '","contents":%s}}'
UPDATE = '{"ietf-yang-push:push-update":{"id":1%s}}'
EMPTY = UPDATE % ""
DUPLICATES = [
    ENVELOPE % UPDATE % ',"id":2',
    ENVELOPE % UPDATE % ',"\\u0069d":2',
    ENVELOPE % UPDATE % ',"ietf-yang-push:id":1',
    ENVELOPE % UPDATE % ',"datastore-contents":1,"datastore-contents":2',
    ENVELOPE % '{"ietf-yang-push:push-update":{"id":1},"ietf-yang-push:push-update":{"id":2}}',
    '{"ietf-yp-notification:envelope":{"event-time":"1","event-time":"2","contents":{}}}',
    '{"ietf-yp-notification:envelope":{"contents":{"a:b":{}},"notification-contents":{"a:b":{}}}}',
    '{"ietf-yp-notification:envelope":{"hostname":"a","x:hostname":"b","contents":{"a:b":{}}}}',
    '{"ietf-yp-notification:envelope":{},"ietf-yp-notification:envelope":{}}',
    ENVELOPE % (EMPTY + ',"notification-contents":' + EMPTY),
    '{"ietf-yp-notification:envelope":{"contents":' + EMPTY + "},"
    '"ietf-notification:notification":' + EMPTY + "}",
    '{"ietf-notification:notification":{"ietf-notification-sequencing:sysName":"a",'
    '"ietf-notification:sysName":"a",' + EMPTY[1:] + "}",
    ENVELOPE % '{"ietf-subscribed-notifications:subscription-started":'
    '{"id":1,"ietf-yang-push:periodic":{"period":1,"period":2}}}',
    # as long as what is read of it, written again, would be
    ENVELOPE % UPDATE % ',"id":1',
]


@pytest.mark.parametrize("text", DUPLICATES)
def test_a_member_that_comes_twice(text: str) -> None:
    assert reason(text.encode(), JSON) == "duplicate-member"
    assert reason(text.replace(":{", ": {").encode(), JSON) == "duplicate-member"


def test_messages_about_long_names_stay_short() -> None:
    name = "n" * 60_000
    for body in (f',"{name}":1,"{name}":2', f',"{name}":1,"ietf-ip:{name}":2'):
        assert reason((ENVELOPE % UPDATE % body).encode(), JSON) == "duplicate-member"
    assert contents_reason(around(f'{{"{name}":1,"{name}":2}}'), JSON) == "duplicate-member"
    assert reason(around("1").replace(b'"id":1', b'"id":"%s"' % (b"9" * 60_000)), JSON) == (
        "bad-value"
    )


def test_duplicates_inside_the_contents_are_found_with_the_contents() -> None:
    payload = around('{"a:b":{"c":1,"c":2}}')
    assert decode(payload, JSON).subscription_id == 1
    assert decode(payload.replace(b",", b" ,"), JSON).subscription_id == 1
    assert contents_reason(payload, JSON) == "duplicate-member"


# --------------------------------------------------------------------------- XML
NOTIFICATION = (
    '<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
    f"<eventTime>{T}</eventTime>%s</notification>"
)
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(2, 10)).replace(
        "&lol1;", "&lol;"
    )
    + "]>"
    + NOTIFICATION % "<a>&lol9;</a>"
)
EXTERNAL = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + NOTIFICATION % "<a>&x;</a>"
BAD_XML = [
    "",
    " ",
    "<",
    "<a>",
    "<a></b>",
    "text",
    "<a/><b/>",
    "<a b='1' b='2'/>",
    "<p:a/>",
    NOTIFICATION % "&undefined;",
    NOTIFICATION % "\x00",
    BOMB,
    EXTERNAL,
    '<!DOCTYPE a SYSTEM "http://example.com/x.dtd"><a/>',
    "<!DOCTYPE a><a/>",
]


@pytest.mark.parametrize("text", BAD_XML, ids=range(len(BAD_XML)))
def test_bad_xml(text: str) -> None:
    assert reason(text.encode(), XML) == "bad-xml"
    assert contents_reason(text.encode(), XML) == "bad-xml"


def test_an_entity_bomb_costs_nothing() -> None:
    tracemalloc.start()
    assert reason(BOMB.encode(), XML) == "bad-xml"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(
    "payload",
    [
        (NOTIFICATION % "<a/>").encode("utf-16"),
        ('<?xml version="1.0" encoding="latin-1"?>' + NOTIFICATION % "<a>\xe9</a>").encode(
            "latin-1"
        ),
        (NOTIFICATION % "<a>").encode() + b"\xff\xff</a></notification>",
    ],
)
def test_xml_is_utf_8(payload: bytes) -> None:
    assert reason(payload, XML) == "bad-xml"


def test_deep_xml() -> None:
    def nested(depth: int, name: str) -> bytes:
        return (NOTIFICATION % (f"<{name}>" * depth + f"</{name}>" * depth)).encode()

    taken = xml.MAX_DEPTH - 1
    for name in ("a", "datastore-contents"):
        with pytest.raises(WireError):  # deep enough, but empty in the end
            decode_contents(nested(taken + 1, name), XML)
        decode_contents(nested(taken, name), XML)
        for depth in (taken + 1, 100_000):
            assert reason(nested(depth, name), XML) == "too-deep"


def test_undeclared_prefixes_inside_skipped_contents_are_refused() -> None:
    push = (
        '<push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>1</id>'
        "<datastore-contents>%s</datastore-contents></push-update>"
    )
    assert reason((NOTIFICATION % push % "<p:a/>").encode(), XML) == "bad-xml"
    inside = '<p:a xmlns:p="urn:p"><p:b/></p:a>'
    assert decode((NOTIFICATION % push % inside).encode(), XML).subscription_id == 1


# --------------------------------------------------------------------------- CBOR
ROOT = b"\xa1\x67a:b    "  # a map of one whose key has seven octets
CBOR_CASES = [
    (b"", "bad-cbor"),
    (b"\xff", "bad-cbor"),
    (b"\x1c", "bad-cbor"),  # reserved additional information
    (b"\x1f", "bad-cbor"),  # indefinite number
    (b"\xa1", "bad-cbor"),  # ends too early
    (b"\xa0\x00", "bad-cbor"),  # octets behind
    (b"\x18", "bad-cbor"),
    (b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff", "bad-cbor"),  # text of 2^64-1 octets
    (b"\x5a\xff\xff\xff\xff", "bad-cbor"),
    (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "bad-cbor"),  # array of 2^64-1 entries
    (b"\xbb\x00\x00\x00\xff\xff\xff\xff\xff", "bad-cbor"),
    (b"\x9a\x00\x0f\xff\xff\x00", "bad-cbor"),
    (b"\x81" * 100_000 + b"\x00", "too-deep"),
    (b"\x9f" * 100_000, "too-deep"),
    (b"\xa1\x61a" * 1000 + b"\x00", "too-deep"),
    (b"\xd8\x2f" * 200 + b"\x00", "too-deep"),  # tags nest, too
    (b"\xa1\x20\x02", "bad-cbor"),  # SID -1
    (b"\xa1\x00\x02", "bad-cbor"),  # SID 0
    (b"\xa1\x1b\x80\x00\x00\x00\x00\x00\x00\x00\x02", "bad-cbor"),  # SID 2^63
    (b"\xa1\x01\xa1\x20\x02", "bad-cbor"),  # SID 1 - 1
    (b"\xa1\xd8\x2f\x00\x02", "bad-cbor"),  # absolute SID 0
    (b"\xa1\xd8\x2f\x20\x02", "bad-cbor"),  # absolute SID -1
    (b"\xa1\xd8\x2f\xd8\x2f\x01\x02", "bad-cbor"),  # a tag in a tag
    (b"\xa1\xd8\x2c\x61a\x02", "bad-cbor"),  # tag 44 on a key
    (b"\xa2\x01\x02\x18\x01\x02", "duplicate-member"),  # SID 1 in two spellings
    (b"\xa2\x01\x02\xd8\x2f\x01\x02", "duplicate-member"),  # as delta and absolute
    (b"\xa2\xd8\x2f\x01\x02\xd8\x2f\x01\x02", "duplicate-member"),
    (b"\xa1\x61a\xd8\x2c\x01", "bad-cbor"),  # an enumeration tag on a number
    (b"\xa1\x61a\xd8\x2b\x41a", "bad-cbor"),  # a bits tag on octets
    (b"\xa1\x61a\xd8\x2e\x80", "bad-cbor"),  # an instance-identifier of nothing
    (b"\xa1\x61a\xd8\x2d\xf5", "bad-cbor"),  # an identity that is true
    (b"\xa1\x61a\xf7", "bad-cbor"),  # undefined
    (b"\xa1\x61a\xe5", "bad-cbor"),  # a simple value that nobody defined
    (b"\xa1\x61a\xc4\x82\x01\x02", "bad-cbor"),  # 20 as 2 * 10: no decimal64
    (b"\xa1\x61a\xc4\x82\x32\x02", "bad-cbor"),  # nineteen fraction digits
    (b"\xa1\x61a\xc4\x82\x1a\x7f\xff\xff\xff\x01", "bad-cbor"),  # 1 * 10^(2^31 - 1)
    (b"\xa1\x41a\x02", "bad-cbor"),  # a key of octets
    (b"\xa1\x7f\x61a\xff\x02", "bad-cbor"),  # a key in chunks
    (b"\xa1\x81\x01\x02", "bad-cbor"),  # a list as a key
    (b"\xa2\x61a\x01\x61a\x02", "duplicate-member"),
    (b"\xa1\x62\xff\xff\x01", "bad-cbor"),  # a key that is not UTF-8
    (b"\xa1\x61a\x62\xff\xff", "bad-cbor"),
    (b"\xa1\x61a\xc0\x61a", "bad-cbor"),  # tag 0, a date: not of RFC 9254
    (b"\xa1\x61a\xd8\x23\x61(", "bad-cbor"),  # tag 35, a regular expression
    (b"\xa1\x61a\xd8\x1c\x81\xd8\x1d\x00", "bad-cbor"),  # tags 28, 29: a list inside itself
    (b"\xa1\x61a\xc4\x82\x1b\xff\xff\xff\xff\xff\xff\xff\xff\x01", "bad-cbor"),  # 1 * 10^(2^64)
    (b"\xa1\x61a\xc4\x01", "bad-cbor"),  # a decimal64 that is no pair
    (b"\xa1\x61a\x5f\x61b\xff", "bad-cbor"),  # text as a chunk of octets
    (b"\xa1\x61a\x5f\x5f\xff\xff", "bad-cbor"),  # chunks inside chunks
    (b"\xa1\x61a\x5f\x00\xff", "bad-cbor"),
    (b"\xbf\x61a", "bad-cbor"),
    (b"\xbf\x61a\xff", "bad-cbor"),  # a key without a value
]


@pytest.mark.parametrize(("payload", "expected"), CBOR_CASES, ids=range(len(CBOR_CASES)))
def test_bad_cbor(payload: bytes, expected: str) -> None:
    tracemalloc.start()
    assert reason(payload, CBOR) == expected
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < (1 << 20) + 20 * len(payload)
    assert contents_reason(payload, CBOR) == expected


def test_all_kinds_of_items_are_walked() -> None:
    payload = bytes.fromhex(
        "bf"  # a map without length
        "6161" "9f01 20 ff"  # a: [1, -1]
        "6162" "5f 4101 4102 ff"  # b: octets in chunks
        "6163" "7f 6178 6179 ff"  # c: text in chunks
        "6164" "f9 3c00"  # d: 1.0 in two octets
        "6165" "fb 3ff0000000000000"  # e: 1.0 in eight
        "6166" "f6"  # f: null
        "6167" "c4 82 21 19 6ab3"  # g: 273.15
        "6168" "1b 0000000100000000"  # h: 2^32
        "6169" "a0"  # i: {}
        "616a" "80"  # j: []
        "616b" "f5"  # k: true
        "616c" "d8 2c 6162"  # l: tag 44
        "ff"
    )  # fmt: skip
    found = yang_cbor.parse_plain(payload)
    assert list(found) == list("abcdefghijkl")
    assert (found["a"], found["b"], found["c"]) == ([1, -1], b"\x01\x02", "xy")
    assert (found["d"], found["f"], str(found["g"]), found["h"]) == (1.0, None, "273.15", 1 << 32)


def test_long_keys() -> None:
    assert yang_cbor.parse_plain(b"\xa1\x79\x01\x2c" + b"k" * 300 + b"\x01") == {"k" * 300: 1}
    assert yang_cbor.parse_plain(b"\xa1\x78\x64" + b"k" * 100 + b"\x01") == {"k" * 100: 1}
    assert reason(b"\xa1\x79\x01\x2c" + b"k" * 299, CBOR) == "bad-cbor"
    assert reason(b"\xa1\x78\x64" + b"k" * 99, CBOR) == "bad-cbor"


def test_cbor_items_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cbor_items, "MAX_ITEMS", 1000)
    assert yang_cbor.parse_plain(b"\x99\x03\xe7" + b"\x00" * 999)
    for payload in (b"\x99\x03\xe8" + b"\x00" * 1000, b"\x9f" + b"\x80" * 1001 + b"\xff"):
        with pytest.raises(WireError) as refused:
            yang_cbor.parse_plain(payload)
        assert refused.value.reason == "too-many-items"


def test_cbor_depth_limit_is_exact() -> None:
    taken = yang_cbor.MAX_DEPTH
    assert yang_cbor.parse_plain(b"\x81" * (taken - 1) + b"\x80")
    with pytest.raises(WireError):
        yang_cbor.parse_plain(b"\x81" * taken + b"\x80")
