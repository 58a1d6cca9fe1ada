"""``native.read_envelopes`` of XML: what it takes, what it leaves, and that it says the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

import pytest

from collector import fast
from collector.wire.values import xml
from collector.wire.values.timestamps import parse_date_and_time
from tests import hostile_xml
from tests.envelope_rows import check_batch, core
from tests.fast_columns import XML, Row, envelope_rows
from tests.hostile_xml import HOSTILE, TIME, USUAL, filled, nested, prefixes, replaced_octets

pytestmark = pytest.mark.skipif(fast.native is None, reason="the compiled core is not built")
BLANKS = " \t\r\n"


def rows(payloads: Iterable[bytes]) -> list[Row | None]:
    """What it says of each message, None where Python has to look."""
    documents = list(payloads)
    return envelope_rows(fast.native, documents, [XML] * len(documents))


def usual(payloads: Iterable[bytes]) -> list[bool]:
    return [row is not None for row in rows(payloads)]


def check(payloads: Sequence[bytes]) -> None:
    """Columns are right in the compiled core, and what it takes is well-formed XML."""
    with core("compiled"):
        check_batch(payloads, [XML] * len(payloads))
    for payload, taken in zip(payloads, usual(payloads), strict=True):
        if taken:
            xml.parse(payload)


def taken(contents: str) -> bool:
    """Is a message with these contents taken; and what is said of it right?"""
    payload = filled(contents)
    check([payload])
    return usual([payload]) == [True]


# --------------------------------------------------------------------------- whole messages
def test_usual_messages_are_taken() -> None:
    at = parse_date_and_time(TIME)
    assert rows(USUAL) == [
        (7, "3", "push", at, at, False),
        (8, None, "change", parse_date_and_time("2027-01-15T07:00:00Z"), None, True),
        (7, "3", "push", at, at, False),
        (8, None, "change", parse_date_and_time("2027-01-15T08:00:00Z"), None, True),
        (4_294_967_295, None, "push", None, None, False),
        (None, None, "push", None, None, False),
    ]
    check(USUAL)


def test_figures_are_taken() -> None:
    folder = Path(__file__).parents[1] / "vectors" / "notification"
    names = ("envelope-figure-1", "rfc8641-figure-1", "rfc8641-figure-2")
    figures = [(folder / f"{name}.xml").read_bytes() for name in names]
    assert usual(figures) == [True] * 3
    check(figures)


def test_hostile_messages() -> None:
    check(HOSTILE)
    assert usual(HOSTILE).count(True) == 92


def test_every_prefix() -> None:
    everything = list(prefixes())
    check(everything)
    assert usual(everything).count(True) == len(USUAL) + 2  # without the blanks behind the second


@pytest.mark.parametrize("payload", [USUAL[1], USUAL[2]], ids=range(2))
def test_every_octet_replaced(payload: bytes) -> None:
    check(list(replaced_octets(payload, bits=(0, 5))))


@pytest.mark.parametrize("seed", range(2))
def test_damage_by_chance(seed: int) -> None:
    random = Random(seed)
    check([hostile_xml.damaged(random) for _ in range(1500)])


@pytest.mark.parametrize("levels", [5, 127, 128, 129, 200])
def test_depth(levels: int) -> None:
    assert usual([nested(levels)]) == [levels <= xml.MAX_DEPTH]
    check([nested(levels)])


# --------------------------------------------------------------------------- contents
@pytest.mark.parametrize(
    "contents",
    [
        "", "text", "<a/>", "<a />", "<a></a>", "<a></a \n>", "<a.b-c_d9/>", "<_a/>", BLANKS,
        "<a b='1' c=\"2\"/>", "<a\n b='1'\t/>", "<a b='\"'/>", "<a b='é&amp;>'/>", "<a b=''/>",
        "&lt;&gt;&amp;&quot;&apos;", "a > b", "] ]>", "]", "€😀\ufffd\U0001ffff\x7f\u0085",
        "<p:a xmlns:p='urn:p'/>", "<p:a xmlns:p='urn:p' p:b=''/>", "<a p:b='' xmlns:p='urn:p'/>",
        "<a xmlns:p='urn:p'><p:b><p:c/></p:b><d p:e='1' f='2'/></a>",
        "<a xmlns=''><b xmlns='urn:b'/></a>", "<a xmlns:p='u'><b xmlns:p='v'><p:c/></b><p:d/></a>",
        "<a>mixed<b/>text</a>",
    ],
)  # fmt: skip
def test_well_formed_contents_are_taken(contents: str) -> None:
    assert taken(contents)


@pytest.mark.parametrize(
    "contents",
    [
        "<a>", "</a>", "<a></b>", "<a></ab>", "<ab></a>", "<a><b></a></b>", "<>", "< a/>", "</>",
        "<a", "<a /", "<a / >", "<a//>", "<1/>", "<-/>", "<a:/>", "<:a/>", "<a:b:c/>", "<p:a/>",
        "<p:a xmlns:p='u'></a>", "<a xmlns:p='u'/><p:b/>", "<a p:b=''/>", "<a b='1'c='2'/>",
        "<a b/>", "<a b=/>", "<a b=1/>", "<a b='/>", "<a b='<'/>", "<a b='1' b='2'/>",
        "<a xmlns='u' xmlns='v'/>", "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
        "<a xmlns:p=''/>", "<a xmlns:xmlns='u'/>", "<a xmlns:xml='u'/>", "<xmlns:a/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>", "<a xmlns='a b'/>", "]]>", "&", "&x;", "&lt",
        "&#0;", "<!DOCTYPE a>", "<!-- -- -->", "<?xml version='1.0'?>", "\x01", "\ufffe", "\ud800",
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_left_to_python(contents: str) -> None:
    assert not taken(contents)


@pytest.mark.parametrize(
    "contents",
    [
        "<!-- -->", "<?pi?>", "<![CDATA[<]]>", "&#65;", "&#x41;", "<é/>", "<a é=''/>",
        "<a b = ''/>",
        "<a b='\n'/>", "<a xml:lang='en'/>", "<a xmlns='http://www.w3.org/1999/xhtml'/>",
        "<a " + " ".join(f"b{n}=''" for n in range(17)) + "/>",
        "<a b='' xmlns:p='u' xmlns:q='v' p:c='' q:c=''/>",
        "".join(f"<a xmlns:p{n}='u'>" for n in range(70)) + "</a>" * 70,
    ],
)  # fmt: skip
def test_rare_things_are_left_to_python(contents: str) -> None:
    xml.parse(filled(contents))
    assert not taken(contents)


def test_prefixes_in_scope_are_bounded() -> None:
    for count, fits in ((62, True), (63, False)):
        declared = "".join(f"<a xmlns:p{n}='u'>" for n in range(count)) + "</a>" * count
        assert taken(declared) is fits, count


# --------------------------------------------------------------------------- envelope
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<id>7</id>", "<id>007</id>"), ("<id>7</id>", "<id/>"), ("<id>7</id>", "<id>7 7</id>"),
        ("<id>7</id>", "<id>4294967296</id>"), ("<id>7</id>", "<id>-7</id>"),
        ("<id>7</id>", "<id>7</id><id>7</id>"), ("<id>7</id>", "<id>&#55;</id>"),
        ("<id>7</id>", "<id>7<a/></id>"), ("<id>7</id>", '<id xmlns="urn:x">7</id>'),
        ("<id>7</id>", "<identifier>7</identifier>"), ("<id>7</id>", "x<id>7</id>"),
        (">3<", ">03<"), (">3<", ">linecard 1<"), (">3<", "><"), (">3<", f">{10**19}<"),
        ("<hostname>core7</hostname>", "<hostname><a/></hostname>"),
        ("<hostname>core7</hostname>", "<other/>"), ("<hostname>core7</hostname>", "<contents/>"),
        (">12<", ">4294967296<"), (">12<", ">x<"), (TIME, "yesterday"), (TIME, "&lt;"),
        ("<envelope ", "<Envelope "), ("envelope", "other"), ("<contents>", "<contents>text"),
        ("ietf-yp-notification", "ietf-yp-notification2"), ("ietf-yang-push", "ietf-yang-push2"),
    ],
)  # fmt: skip
def test_envelopes_left_to_python(before: str, after: str) -> None:
    payload = USUAL[0].replace(before.encode(), after.encode())
    assert payload != USUAL[0]
    check([USUAL[0], payload])
    assert usual([USUAL[0], payload]) == [True, False]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("core7", "zürich &amp; "), ("core7", ""), (">3<", ">\n 3\t<"), (">3<", ">0<"),
        (TIME, f" {TIME}\r\n"), ("<id>7</id>", "<id a='1' xmlns:q='urn:q' q:b='2'>7</id>"),
        ("<contents>", " \n<contents>\t"),
        ("</envelope>", "</envelope >"), (">12<", ">4294967295<"),
    ],
)  # fmt: skip
def test_envelopes_of_other_spellings_are_taken(before: str, after: str) -> None:
    payload = USUAL[0].replace(before.encode(), after.encode())
    assert payload != USUAL[0]
    check([payload])
    assert usual([payload]) == [True]


@pytest.mark.parametrize(
    ("declaration", "fits"),
    [
        ("<?xml version='1.0'?>", True), ('<?xml version="1.0" encoding="utf-8"?>', True),
        ("<?xml version='1.0' standalone='yes'?>", False), ("<?xml version='1.1'?>", False),
        ("<?xml version='1.0' encoding='ISO-8859-1'?>", False), ("<?xml?>", False),
        ("<?p?>", False),
    ],
)  # fmt: skip
def test_declarations(declaration: str, fits: bool) -> None:
    payload = declaration.encode() + USUAL[0]
    check([payload])
    assert usual([payload]) == [fits]


def test_both_encodings_in_one_batch() -> None:
    from tests import hostile_json

    payloads = [USUAL[0], hostile_json.USUAL[0], USUAL[0], hostile_json.USUAL[0]]
    found = envelope_rows(fast.native, payloads, [2, 1, 1, 2])
    assert found[0] == found[1]
    assert found[2:] == [None, None]
