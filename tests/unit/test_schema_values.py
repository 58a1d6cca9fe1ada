"""Canonical values of every YANG type, out of what each encoding says of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from collector.model import PrefixedText, TypedText
from collector.schema.tree import LeafType, Node
from collector.schema.values import Canonical, Reader, Unfit, text_of
from tests.leaf_modules import SIDS, schema

READER = Reader(schema(), SIDS)
TOP = schema().root.children["test-base", "top"]
ENTRY = TOP.children["test-base", "entry"]
UNTOLD = object()


def leaf(name: str) -> Node:
    return ENTRY.locals[name]


def read(name: str, value: Any) -> tuple[str, Canonical]:
    return READER.read(leaf(name).type, value)


COPPER = TypedText("test-base:copper", "identityref", 60301)
FITTING = [
    # leaf, what came, type, canonical value, its text
    ("tiny", "-128", "int8", -128, "-128"),
    ("tiny", 127, "int8", 127, "127"),
    ("small", " +7 ", "int16", 7, "7"),
    ("middle", "0x1F", "int32", 31, "31"),
    ("middle", 5.0, "int32", 5, "5"),
    ("middle", Decimal("5.0"), "int32", 5, "5"),
    ("large", "-9223372036854775808", "int64", -(1 << 63), "-9223372036854775808"),
    ("huge", "18446744073709551615", "uint64", (1 << 64) - 1, "18446744073709551615"),
    ("huge", (1 << 64) - 1, "uint64", (1 << 64) - 1, "18446744073709551615"),
    ("ratio", "2.50", "decimal64", Decimal("2.5"), "2.5"),
    ("ratio", Decimal("2.57"), "decimal64", Decimal("2.57"), "2.57"),
    ("ratio", 3, "decimal64", Decimal(3), "3.0"),
    ("ratio", "0", "decimal64", Decimal(0), "0.0"),
    ("ratio", "-0.0", "decimal64", Decimal(0), "0.0"),
    ("ratio", 0.1, "decimal64", Decimal("0.1"), "0.1"),
    ("ratio", Decimal("1E+1"), "decimal64", Decimal(10), "10.0"),
    ("fine", "-9.223372036854775808", "decimal64", Decimal("-9.223372036854775808"),
     "-9.223372036854775808"),
    ("fine", Decimal("9.223372036854775807"), "decimal64", Decimal("9.223372036854775807"),
     "9.223372036854775807"),
    ("on", True, "boolean", True, "true"),
    ("on", " false ", "boolean", False, "false"),
    ("state", "down", "enumeration", "down", "down"),
    ("state", 5, "enumeration", "down", "down"),
    ("state", 6, "enumeration", "odd", "odd"),
    ("state", TypedText("up", "enumeration"), "enumeration", "up", "up"),
    # RFC 9254, section 6.7, all three ways of its bits
    ("flags", [b"\x04\x01", 14, b"\x01"], "bits", "critical warning indeterminate",
     "critical warning indeterminate"),
    ("flags", b"\x06", "bits", "under-repair critical", "under-repair critical"),
    ("flags", "critical  under-repair", "bits", "under-repair critical", "under-repair critical"),
    ("flags", "", "bits", "", ""),
    ("flags", b"\x06\x00", "bits", "under-repair critical", "under-repair critical"),
    ("kind", "test-base:copper", "identityref", "test-base:copper", "test-base:copper"),
    ("kind", "copper", "identityref", "test-base:copper", "test-base:copper"),
    ("kind", "fibre", "identityref", "test-more:fibre", "test-more:fibre"),
    ("kind", "tm:fibre", "identityref", "test-more:fibre", "test-more:fibre"),
    ("kind", 60303, "identityref", "test-more:fibre", "test-more:fibre"),
    ("kind", COPPER, "identityref", "test-base:copper", "test-base:copper"),
    ("kind", PrefixedText("x:fibre", {"x": "urn:test:more"}), "identityref", "test-more:fibre",
     "test-more:fibre"),
    ("kind", "vendor-kinds:new", "identityref", "vendor-kinds:new", "vendor-kinds:new"),
    ("kind", "new", "identityref", "test-base:new", "test-base:new"),
    ("key", b"\x00\xff", "binary", b"\x00\xff", "AP8="),
    ("key", " AP8= ", "binary", b"\x00\xff", "AP8="),
    ("there", None, "empty", None, ""),
    ("there", [None], "empty", None, ""),
    ("there", "", "empty", None, ""),
    ("where", "/test-base:top/entry[name='x'][slot='1']/ratio", "instance-identifier",
     "/test-base:top/entry[name='x'][slot='1']/ratio", UNTOLD),
    ("where", "/test-base:top/test-base:entry[test-base:name='x']", "instance-identifier",
     "/test-base:top/entry[name='x']", UNTOLD),
    ("where", PrefixedText(
        '/q:top/q:entry[q:name="a]/b"][m:z=\'1\']/m:colour',
        {"q": "urn:test:base-leaves", "m": "urn:test:more"}), "instance-identifier",
     '/test-base:top/entry[name="a]/b"][test-more:z=\'1\']/test-more:colour', UNTOLD),
    ("where", 60001, "instance-identifier", "/test-base:top", UNTOLD),
    ("where", [60130, "x", 3], "instance-identifier",
     "/test-base:top/entry[name='x'][slot='3']/ratio", UNTOLD),
    ("where", [60002, "it's", 3], "instance-identifier",
     "/test-base:top/entry[name=\"it's\"][slot='3']", UNTOLD),
    ("where", [60002], "instance-identifier", "/test-base:top/entry", UNTOLD),
    ("peer", "x", "string", "x", "x"),
    ("peer-slot", "3", "uint8", 3, "3"),
    ("name", 17, "string", "17", "17"),
    ("name", "", "string", "", ""),
    # a union: the first member that takes it
    ("either", 9, "uint8", 9, "9"),
    ("either", "9", "uint8", 9, "9"),
    ("either", "10", "decimal64", Decimal(10), "10.0"),
    ("either", "up", "enumeration", "up", "up"),
    ("either", TypedText("up", "enumeration"), "enumeration", "up", "up"),
    ("either", TypedText("critical", "bits"), "bits", "critical", "critical"),
    ("either", "critical under-repair", "bits", "under-repair critical", UNTOLD),
    ("either", "test-more:fibre", "identityref", "test-more:fibre", UNTOLD),
    ("either", COPPER, "identityref", "test-base:copper", UNTOLD),
    ("either", "/test-base:top", "instance-identifier", "/test-base:top", UNTOLD),
    ("either", TypedText("?", "instance-identifier", [60002, "x", 3]), "instance-identifier",
     "/test-base:top/entry[name='x'][slot='3']", UNTOLD),
    ("either", True, "boolean", True, "true"),
    ("either", "true", "boolean", True, "true"),
    ("either", None, "empty", None, ""),
    ("either", b"abc", "binary", b"abc", "YWJj"),
    ("either", "other:thing", "string", "other:thing", "other:thing"),
    ("either", "free text", "string", "free text", "free text"),
]  # fmt: skip


@pytest.mark.parametrize("case", FITTING, ids=range(len(FITTING)))
def test_values_that_fit(case: tuple[str, Any, str, Canonical, Any]) -> None:
    name, value, kind, canonical, text = case
    found = read(name, value)
    assert found == (kind, canonical)
    assert type(found[1]) is type(canonical)
    if text is not UNTOLD:
        assert text_of(*found) == text
    if canonical is not None or name != "either":  # where an empty text is bits, its first member
        assert read(name, text_of(*found))[1] == canonical, "its text means the same"


UNFIT = [
    ("tiny", 128), ("tiny", "x"), ("tiny", True), ("tiny", None), ("tiny", 1.5), ("tiny", b"1"),
    ("tiny", float("nan")), ("tiny", float("inf")), ("tiny", Decimal("1E+400")), ("tiny", "1" * 99),
    ("slot", -1), ("huge", 1 << 64), ("huge", "-1"), ("byte", []),
    ("ratio", "1.234"), ("ratio", "x"), ("ratio", None), ("ratio", Decimal("NaN")),
    ("ratio", Decimal("1E+30")), ("ratio", Decimal("1E-30")), ("ratio", True), ("ratio", "1e5"),
    ("fine", "9.223372036854775808"), ("fine", float("nan")), ("fine", "10"),
    ("on", 1), ("on", "yes"),
    ("state", "sideways"), ("state", 2), ("state", True), ("state", None),
    ("flags", "critical odd"), ("flags", b"\xff"), ("flags", 3), ("flags", [b"\x01", -1]),
    ("flags", [b"\x01", "x"]), ("flags", [b"\x00" * 5000]), ("flags", [0]),
    ("kind", 999), ("kind", ""), ("kind", None), ("kind", True),
    ("key", "no base64!"), ("key", 5), ("key", "A"), ("key", "\u00e9"),
    ("there", "x"), ("there", 0), ("there", False),
    ("where", "no path"), ("where", "/a["), ("where", None), ("where", 999), ("where", []),
    ("where", ["x"]), ("where", [60001, "too many"]), ("where", "/a/"),
    ("name", None), ("name", True), ("name", b"x"), ("name", ["x"]),
    ("either", [60001]), ("either", 60001), ("either", b"four"), ("either", 11.123),
    ("either", TypedText("sideways", "enumeration")), ("either", []),
    ("either", TypedText("nowhere", "identityref", 999)),
    ("either", TypedText("?", "instance-identifier", [999])),
]  # fmt: skip


@pytest.mark.parametrize("case", UNFIT, ids=range(len(UNFIT)))
def test_values_that_do_not_fit(case: tuple[str, Any]) -> None:
    with pytest.raises(Unfit):
        read(*case)


def test_a_type_that_nobody_knows_takes_nothing() -> None:
    with pytest.raises(Unfit):
        READER.read(LeafType("quaternion"), "1")


def test_two_identities_of_one_name_stay_apart() -> None:
    kind = LeafType("identityref", "m", identities=frozenset(("a:x", "b:x")))
    assert READER.read(kind, "x") == ("identityref", "m:x")
    assert READER.read(kind, "b:x") == ("identityref", "b:x")
    with pytest.raises(Unfit):
        READER.read(LeafType("union", members=(kind,)), "x")


def test_numbers_of_no_type_keep_their_digits() -> None:
    assert text_of("number", Decimal("2.50")) == "2.50"
    assert text_of("number", 5) == "5"
