"""Leaves of contents: paths, keys, what a schema knows and what is guessed without one."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from collector.model import TypedText
from collector.schema import flatten as flattening
from collector.schema.flatten import Leaf, Leaves, flatten
from collector.schema.tree import NO_SCHEMA, Schema
from collector.wire.notifications.nodes import contents_of, guess_key
from collector.wire.notifications.notification import decode_contents
from tests.leaf_modules import SIDS, schema

GUESS = {typed: partial(guess_key, lists_marked=typed) for typed in (True, False)}


def leaves(contents: Any, known: Schema | None = None, *, typed: bool = True) -> Leaves:
    known = schema() if known is None else known
    return flatten(
        contents, known, guess_key=GUESS[typed], sids=SIDS, typed=typed, lists_marked=typed
    )


def paths(contents: Any, known: Schema | None = None, *, typed: bool = True) -> list[str]:
    return [leaf.path for leaf in leaves(contents, known, typed=typed).leaves]


def entry(**members: Any) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in members.items()}
    return {"test-base:top": {"entry": [{"name": "a", "slot": 1, **named}]}}


A = "/test-base:top/entry[name='a'][slot='1']"


def test_a_leaf_of_a_list() -> None:
    found = leaves(entry(huge="7", **{"test-more:colour": "red"})).leaves
    assert found == (
        Leaf(f"{A}/name", "/test-base:top/entry/name", (("name", "a"), ("slot", "1")),
             "string", "a", False),
        Leaf(f"{A}/slot", "/test-base:top/entry/slot", (("name", "a"), ("slot", "1")),
             "uint8", 1, False),
        Leaf(f"{A}/huge", "/test-base:top/entry/huge", (("name", "a"), ("slot", "1")),
             "uint64", 7, False),
        Leaf(f"{A}/test-more:colour", "/test-base:top/entry/test-more:colour",
             (("name", "a"), ("slot", "1")), "enumeration", "red", False),
    )  # fmt: skip
    assert [leaf.number for leaf in found] == [None, 1, 7, None]
    assert [leaf.text for leaf in found] == ["a", "1", "7", "red"]


def test_keys_are_canonical_and_quoted() -> None:
    contents = {"test-base:top": {"entry": [{"name": "it's", "slot": "0x10", "on": True}]}}
    assert paths(contents)[2] == "/test-base:top/entry[name=\"it's\"][slot='16']/on"


@pytest.mark.parametrize("members", [{"name": "a"}, {}, {"slot": 1}])
def test_an_entry_without_its_keys_has_a_position(members: dict[str, Any]) -> None:
    contents = {"test-base:top": {"entry": [{**members, "on": True}, {**members, "on": False}]}}
    found = [leaf for leaf in leaves(contents).leaves if leaf.node.endswith("/on")]
    assert [leaf.path for leaf in found] == [
        "/test-base:top/entry[1]/on", "/test-base:top/entry[2]/on",
    ]  # fmt: skip
    assert [leaf.keys for leaf in found] == [(("", "1"),), (("", "2"),)]


def test_a_list_without_keys() -> None:
    contents = {"test-base:top": {"log": [{"text": "x"}, {"text": "y", "at": "5"}]}}
    assert paths(contents) == [
        "/test-base:top/log[1]/text", "/test-base:top/log[2]/text", "/test-base:top/log[2]/at",
    ]  # fmt: skip


def test_a_leaf_list() -> None:
    found = leaves(entry(tag=["x", "y"], number=["5"])).leaves[2:]
    assert [(leaf.path, leaf.value) for leaf in found] == [
        (f"{A}/tag[.='x']", "x"), (f"{A}/tag[.='y']", "y"), (f"{A}/number[.='5']", 5),
    ]  # fmt: skip
    assert leaves(entry(tag="x")).leaves[2].path == f"{A}/tag[.='x']", "as in XML"


def test_choices_are_not_there_and_equal_names_stay_apart() -> None:
    found = leaves(
        entry(deep={"first": "1", "second": 2}, **{"test-more:deep": {"first": "3"}})
    ).leaves[2:]
    assert [(leaf.path.removeprefix(A), leaf.type, leaf.value) for leaf in found] == [
        ("/deep/first", "string", "1"),
        ("/deep/second", "uint32", 2),
        ("/test-more:deep/first", "uint64", 3),
    ]


def test_module_names_are_forgiven() -> None:
    entries = {"test-base:entry": {"tb:name": "a", "slot": 1, "colour": "red"}}
    assert paths({"urn:test:base-leaves:top": entries}) == paths({"base-leaves:top": entries})
    renamed = {"base-leaves:top": entries}
    found = leaves(renamed).leaves
    assert [leaf.path for leaf in found][-1].endswith("/test-more:colour")
    assert not any(leaf.guessed for leaf in found)


def test_lists_and_containers_may_be_written_wrong() -> None:
    as_object = {"test-base:top": {"entry": {"name": "a", "slot": 1, "on": True}}}
    as_array = {"test-base:top": [{"entry": [{"name": "a", "slot": 1, "on": True}]}]}
    assert paths(as_object) == paths(as_array) == [f"{A}/name", f"{A}/slot", f"{A}/on"]
    two = {"test-base:top": [{"free": 1}, {"free": 2}]}
    assert paths(two) == ["/test-base:top[1]/free", "/test-base:top[2]/free"]


def test_what_holds_nothing_has_no_leaf() -> None:
    assert paths({"test-base:top": {}}) == []
    assert paths({"test-base:top": ""}) == []
    assert paths({"test-base:top": {"entry": [], "log": ["x"]}}) == []
    assert leaves(None) == leaves([]) == leaves("x") == Leaves(())


def test_a_value_that_does_not_fit_keeps_its_text() -> None:
    found = leaves(entry(tiny=1000, state="sideways", flags=b"\xff")).leaves[2:]
    assert [(leaf.type, leaf.value, leaf.guessed) for leaf in found] == [
        ("", "1000", False), ("", "sideways", False), ("", "b'\\xff'", False),
    ]  # fmt: skip


def test_anydata_starts_at_the_top_again() -> None:
    contents = {"test-base:top": {"any": {"test-more:elsewhere": {"x": "5"}, "vendor:y": "6"}}}
    known, unknown = leaves(contents).leaves
    assert (known.path, known.value) == ("/test-base:top/any/test-more:elsewhere/x", 5)
    assert not known.guessed
    assert (unknown.path, unknown.value) == ("/test-base:top/any/vendor:y", "6")
    assert unknown.guessed
    assert paths({"test-base:top": {"free": [True, None]}}) == [
        "/test-base:top/free[.='true']", "/test-base:top/free[.='']",
    ]  # fmt: skip


def test_a_notification_has_leaves_too() -> None:
    (found,) = leaves({"test-base:alarm": {"text": "fire"}}).leaves
    assert (found.path, found.type) == ("/test-base:alarm/text", "string")


# --------------------------------------------------------------------------- without a schema
def test_without_a_schema_all_is_guessed() -> None:
    contents = {
        "m:top": {
            "list": [{"id": 5, "x": "1", "n:y": 2.5}, {"id": 6, "z": [None], "b": True}],
            "values": ["p", 7],
        }
    }
    found = leaves(contents, NO_SCHEMA).leaves
    assert all(leaf.guessed for leaf in found)
    assert [(leaf.path, leaf.type, leaf.value) for leaf in found] == [
        ("/m:top/list[id='5']/id", "number", 5),
        ("/m:top/list[id='5']/x", "string", "1"),
        ("/m:top/list[id='5']/n:y", "number", Decimal("2.5")),
        ("/m:top/list[id='6']/id", "number", 6),
        ("/m:top/list[id='6']/z", "empty", None),
        ("/m:top/list[id='6']/b", "boolean", True),
        ("/m:top/values[.='p']", "string", "p"),
        ("/m:top/values[.='7']", "number", 7),
    ]


def test_what_cbor_adds_without_a_schema() -> None:
    contents = {
        "m:top": {
            "octets": b"\x00", "exact": Decimal("2.57"), "tagged": TypedText("up", "enumeration"),
            "nothing": None, "odd": math.nan, "far": math.inf,
        }
    }  # fmt: skip
    found = leaves(contents, NO_SCHEMA).leaves
    assert [(leaf.type, leaf.text) for leaf in found] == [
        ("binary", "AA=="), ("number", "2.57"), ("enumeration", "up"), ("empty", ""),
        ("number", "NaN"), ("number", "Infinity"),
    ]  # fmt: skip


def test_keys_that_do_not_tell_entries_apart_are_positions() -> None:
    contents = {"m:top": {"list": [{"name": "a", "x": 1}, {"name": "a", "x": 2}, {"x": []}]}}
    assert paths(contents, NO_SCHEMA) == [
        "/m:top/list[1]/name", "/m:top/list[1]/x", "/m:top/list[2]/name", "/m:top/list[2]/x",
    ]  # fmt: skip


def test_xml_without_a_schema_is_text_and_shows_few_lists() -> None:
    octets = (
        b'<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        b"<eventTime>2026-01-01T00:00:00Z</eventTime>"
        b'<push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>1</id>'
        b'<datastore-contents><top xmlns="urn:test:base-leaves">'
        b"<entry><name>a</name><slot>1</slot><on>true</on><tag>x</tag><tag>y</tag></entry>"
        b"<deep><second>5</second></deep></top></datastore-contents></push-update></notification>"
    )
    contents = contents_of(decode_contents(octets, 2))
    found = leaves(contents, NO_SCHEMA, typed=False).leaves
    assert {leaf.type for leaf in found} == {"text"}
    assert [leaf.path for leaf in found] == [
        "/base-leaves:top/entry[name='a']/name",
        "/base-leaves:top/entry[name='a']/slot",
        "/base-leaves:top/entry[name='a']/on",
        "/base-leaves:top/entry[name='a']/tag[.='x']",
        "/base-leaves:top/entry[name='a']/tag[.='y']",
        "/base-leaves:top/deep/second",
    ]
    known = leaves(contents, typed=False).leaves
    assert known[2] == Leaf(f"{A}/on", "/test-base:top/entry/on", (("name", "a"), ("slot", "1")),
                            "boolean", True, False)  # fmt: skip
    assert known[3].path == f"{A}/tag[.='x']"


# --------------------------------------------------------------------------- bounds
def test_depth_is_bounded() -> None:
    contents: dict[str, Any] = {"m:x": 1}
    for _ in range(flattening.MAX_DEPTH + 5):
        contents = {"m:d": contents}
    assert leaves(contents, NO_SCHEMA) == Leaves((), whole=False)


def test_length_of_a_path_is_bounded() -> None:
    found = leaves({"m:" + "x" * 5000: 1, "m:y": 2, "m:" + "z" * 5000: {"a": 1}}, NO_SCHEMA)
    assert [leaf.path for leaf in found.leaves] == ["/m:y"]
    assert not found.whole


def test_leaves_and_their_text_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flattening, "MAX_LEAVES", 3)
    found = leaves({"m:top": {f"x{number}": number for number in range(5)}}, NO_SCHEMA)
    assert (len(found.leaves), found.whole) == (3, False)
    monkeypatch.setattr(flattening, "MAX_TEXT", 20)
    found = leaves({"m:top": {f"x{number}": number for number in range(5)}}, NO_SCHEMA)
    assert (len(found.leaves), found.whole) == (2, False)


def test_half_a_surrogate_pair_can_be_stored() -> None:
    (found,) = leaves({"m:\ud800": "\udfff"}, NO_SCHEMA).leaves
    found.path.encode()
    found.text.encode()
    assert leaves({"m:ü": "ä"}, NO_SCHEMA).leaves[0].path == "/m:ü"
    assert leaves(entry(tag=["\ud800"])).leaves[-1].text == "\\ud800"
