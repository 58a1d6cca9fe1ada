"""The same data in JSON, XML, CBOR with names and with SIDs, key/value GPB: the same leaves."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial
from typing import Any

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import WireError
from collector.model import NO_SIDS, MediaType, Notification, NotificationKind, SidTable
from collector.schema.flatten import Leaves, flatten
from collector.schema.tree import NO_SCHEMA
from collector.wire.encodings.yang_cbor import parse_plain
from collector.wire.notifications.nodes import contents_of, guess_key, lists_marked
from collector.wire.notifications.notification import decode_contents, encode
from collector.wire.values import names
from tests.leaf_modules import SIDS, schema
from tests.reference.leaves import (
    BIT_POSITIONS,
    Typed,
    expected,
    in_cbor,
    in_gpb,
    in_json,
    in_xml,
    with_sids,
)

WORDS = st.text("abcXYZ019 -_.'äß<&", min_size=1, max_size=8).map(str.strip).filter(bool)
IDENTITIES = st.sampled_from(["test-base:copper", "test-base:coax", "test-more:fibre"])
STATES = st.sampled_from(["up", "down", "odd"])
FLAGS = st.sets(st.sampled_from(sorted(BIT_POSITIONS)))
PATHS = st.sampled_from(
    ["/test-base:top", "/test-base:top/entry[name='x']", "/test-more:elsewhere"]
)


def of(kind: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Typed]:
    return values.map(lambda value: Typed(kind, value))


def integers(kind: str) -> st.SearchStrategy[Typed]:
    bits = int(kind.lstrip("uint"))
    low, high = (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return of(kind, st.integers(low, high) | st.sampled_from([low, high]))


def decimals(digits: int) -> st.SearchStrategy[Decimal]:
    scaled = st.integers(-(2**63), 2**63 - 1)
    return scaled.map(lambda n: Decimal((n < 0, tuple(map(int, str(abs(n)))), -digits)))


PERCENT = st.integers(0, 10_000).map(lambda n: Decimal(n).scaleb(-2))
LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "tiny": integers("int8"), "small": integers("int16"), "middle": integers("int32"),
    "large": integers("int64"), "byte": integers("uint8"), "word": integers("uint16"),
    "double-word": integers("uint32"), "huge": integers("uint64"),
    "ratio": of("decimal64", PERCENT), "fine": of("decimal64", decimals(18)),
    "on": of("boolean", st.booleans()), "state": of("enumeration", STATES),
    "flags": of("bits", FLAGS), "kind": of("identityref", IDENTITIES),
    "key": of("binary", st.binary(max_size=6)), "there": of("empty", st.none()),
    "where": of("instance-identifier", PATHS), "peer": of("string", WORDS),
    "peer-slot": integers("uint8"),
    "either": st.one_of(
        of("union uint8", st.integers(1, 9)),
        of("union enumeration", STATES),
        of("union bits", FLAGS.filter(bool)),
        of("union identityref", IDENTITIES),
        of("union instance-identifier", PATHS),
        of("union boolean", st.booleans()),
        of("union decimal64", PERCENT.map(lambda n: n + 10)),
        of("union string", st.sampled_from(["free text", "zero one", "x:y", "2026-01-01"])),
    ),
    "tag": st.lists(of("string", WORDS), max_size=3, unique=True),
    "number": st.lists(integers("uint64"), max_size=3, unique=True),
    "deep": st.fixed_dictionaries({}, optional={"second": integers("uint32")}),
    "test-more:colour": of("enumeration", st.sampled_from(["red", "blue"])),
    "test-more:deep": st.fixed_dictionaries({"first": integers("uint64")}),
}  # fmt: skip
ENTRIES = st.fixed_dictionaries(
    {"name": of("string", WORDS), "slot": integers("uint8")}, optional=LEAVES
)
LOGS = st.fixed_dictionaries({"text": of("string", WORDS)}, optional={"at": integers("uint64")})
DATA = st.fixed_dictionaries(
    {
        "test-base:top": st.fixed_dictionaries(
            {},
            optional={
                "entry": st.lists(
                    ENTRIES, min_size=1, max_size=3,
                    unique_by=lambda one: (one["name"].value, one["slot"].value),
                ),
                "log": st.lists(LOGS, min_size=1, max_size=2),
            },
        )
    }
)  # fmt: skip
JSON, XML, CBOR = MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_XML, MediaType.YANG_DATA_CBOR
GPB = MediaType.CISCO_GPB
UPDATE = "ietf-yang-push:push-update"
DIALOUT = Notification(
    NotificationKind.PUSH_UPDATE, UPDATE, names.ROOT_CISCO, 1, 0, 0, generator="1"
)


def around(contents: Any) -> dict[str, Any]:
    return {UPDATE: {"id": 1, "datastore-contents": contents}}


def said(found: Leaves) -> dict[str, tuple[str, str]]:
    assert found.whole
    assert not any(leaf.guessed for leaf in found.leaves)
    told = {leaf.path: (leaf.type, leaf.text) for leaf in found.leaves}
    assert len(told) == len(found.leaves)
    return told


def read(octets: bytes, media_type: int, sids: SidTable = NO_SIDS) -> dict[str, tuple[str, str]]:
    return told_of(contents_of(decode_contents(octets, media_type, sids)), media_type, sids)


def told_of(contents: Any, media_type: int, sids: SidTable = NO_SIDS) -> dict[str, tuple[str, str]]:
    marked = lists_marked(media_type)
    guess = partial(guess_key, lists_marked=marked)
    return said(
        flatten(
            contents, schema(), guess_key=guess, sids=sids, typed=media_type != XML,
            lists_marked=marked,
        )
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(DATA)
def test_all_encodings_have_the_same_leaves(data: dict[str, Any]) -> None:
    wanted = expected(data)
    assert read(json.dumps(around(in_json(data))).encode(), JSON) == wanted
    xml = (
        '<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        "<eventTime>2026-01-01T00:00:00Z</eventTime>"
        '<push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>1</id>'
        f"<datastore-contents>{in_xml(data)}</datastore-contents></push-update></notification>"
    )
    assert read(xml.encode(), XML) == wanted
    assert read(cbor2.dumps(around(in_cbor(data))), CBOR) == wanted
    numbered = around(with_sids(in_cbor(data, SIDS), SIDS.sids))
    assert read(cbor2.dumps(numbered), CBOR, SIDS) == wanted
    assert read(encode(DIALOUT, in_gpb(data), GPB), GPB) == wanted


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)
NAMES = st.sampled_from(["name", "slot", "either", "flags", "where", "key", "kind", "tag", "deep"])
ODD = st.dictionaries(
    st.just("test-base:top"),
    st.dictionaries(
        st.sampled_from(["entry", "log", "any", "free"]),
        st.lists(st.dictionaries(NAMES, ANYTHING, max_size=5), max_size=3) | ANYTHING,
        max_size=3,
    ),
)


@settings(max_examples=150, deadline=None)
@given(ODD | ANYTHING, st.booleans(), st.booleans())
def test_whatever_comes_there_are_leaves_that_can_be_stored(
    contents: Any, known: bool, typed: bool
) -> None:
    guess = partial(guess_key, lists_marked=typed)
    found = flatten(
        contents,
        schema() if known else NO_SCHEMA,
        guess_key=guess,
        sids=SIDS,
        typed=typed,
        lists_marked=typed,
    )
    for leaf in found.leaves:
        for text in (leaf.path, leaf.node, leaf.text, leaf.type, *sum(leaf.keys, ())):
            text.encode()
        if leaf.number is not None:
            float(leaf.number)


KEYS = (
    st.integers(-300, 300)
    | st.text("ab:", max_size=3)
    | st.integers(0, 2**64 - 1).map(lambda sid: cbor2.CBORTag(47, sid))
)
TAGS = st.sampled_from([4, 43, 44, 45, 46, 47])
LISTS = st.lists(st.integers(0, 70_000) | st.text(max_size=2), max_size=3)
TAGGED = st.builds(cbor2.CBORTag, TAGS, st.integers() | st.text() | LISTS)
WIDE = st.integers(-(2**64), 2**64 - 1)


def maps_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Key as text -> key and value; the text only keeps keys apart."""
    pairs = st.lists(st.tuples(KEYS, inner), max_size=3)
    return pairs.map(lambda found: {repr(key): (key, member) for key, member in found})


ITEMS = st.recursive(
    WIDE | st.text(max_size=3) | st.none() | st.binary(max_size=3) | TAGGED,
    lambda inner: st.lists(inner, max_size=3) | maps_of(inner),
    max_leaves=15,
)


def octets_of(item: Any) -> bytes:
    """CBOR of anything, maps with any keys."""
    if isinstance(item, dict):
        body = b"".join(cbor2.dumps(key) + octets_of(member) for key, member in item.values())
        return bytes([0xA0 + len(item)]) + body
    if isinstance(item, list):
        return bytes([0x80 + len(item)]) + b"".join(map(octets_of, item))
    return cbor2.dumps(item)


@settings(max_examples=150, deadline=None)
@given(ITEMS, st.booleans())
def test_any_cbor_is_plain_values_or_refused(item: Any, known: bool) -> None:
    try:
        found = parse_plain(octets_of(item), SIDS if known else NO_SIDS)
    except WireError as error:
        if error.reason not in ("bad-cbor", "duplicate-member"):
            raise
        return
    left = [found]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            assert all(type(name) is str for name in one)
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
        else:
            assert isinstance(one, int | str | bytes | Decimal) or one is None
