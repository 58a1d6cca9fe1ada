"""``native.read_envelopes``: what it takes, what it leaves to Python, and that it says the same."""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest

from collector import fast
from collector.errors import WireError
from collector.model import SECOND
from collector.wire.encodings import json_text
from collector.wire.encodings.json_updates import read_headings
from collector.wire.values.timestamps import format_date_and_time, parse_date_and_time
from tests import hostile_json
from tests.columns import unlike
from tests.envelope_rows import check_batch, core
from tests.fast_columns import OUTPUTS, EnvelopeColumns, Row, envelope_rows
from tests.hostile_json import HOSTILE, TIME, USUAL, nested, prefixes, replaced_octets

pytestmark = pytest.mark.skipif(fast.native is None, reason="the compiled core is not built")
ROOT = b'{"ietf-yp-notification:envelope":{%s"contents":{"ietf-yang-push:push-update":{%s}}}}'


def rows(payloads: Iterable[bytes]) -> list[Row | None]:
    """What it says of each message, None where Python has to look."""
    return envelope_rows(fast.native, list(payloads))


def usual(payloads: Iterable[bytes]) -> list[bool]:
    return [row is not None for row in rows(payloads)]


def contents(values: Iterable[bytes]) -> list[bytes]:
    return [ROOT % (b"", b'"datastore-contents":' + value) for value in values]


def check(payloads: Sequence[bytes]) -> None:
    """Columns are right in the compiled core, and what it takes is sound JSON."""
    with core("compiled"):
        check_batch(payloads)
    for payload, taken in zip(payloads, usual(payloads), strict=True):
        if taken:
            json_text.parse_plain(payload)


# --------------------------------------------------------------------------- whole messages
def test_usual_messages_are_taken() -> None:
    assert rows(USUAL) == [
        (7, "3", "push", parse_date_and_time(TIME), parse_date_and_time(TIME), False),
        (8, None, "change", parse_date_and_time("2027-01-15T07:00:00Z"), None, True),
        (7, "3", "push", parse_date_and_time(TIME), parse_date_and_time(TIME), False),
        (8, None, "change", parse_date_and_time("2027-01-15T08:00:00Z"), None, True),
        (4_294_967_295, None, "push", None, None, False),
        (None, None, "push", None, None, False),
    ]
    assert read_headings(USUAL)[1] == [], "the typed way takes them, too"


def test_hostile_messages() -> None:
    check(HOSTILE)
    assert usual(HOSTILE).count(True) == 4 + 1  # up to 128 levels; a long host name


def test_every_prefix() -> None:
    everything = list(prefixes())
    check(everything)
    assert usual(everything).count(True) == len(USUAL)


@pytest.mark.parametrize("payload", USUAL[:4], ids=range(4))
def test_every_octet_replaced(payload: bytes) -> None:
    check(list(replaced_octets(payload)))


@pytest.mark.parametrize("seed", range(3))
def test_damage_by_chance(seed: int) -> None:
    random = Random(seed)
    check([hostile_json.damaged(random) for _ in range(3000)])


@pytest.mark.parametrize("levels", [5, 127, 128, 129, 200])
def test_depth(levels: int) -> None:
    sound = levels <= json_text.MAX_DEPTH
    assert usual([nested(levels)]) == [sound]
    in_header = nested(levels).replace(b'yp-notification:envelope":{"contents":{', b"@")
    in_header = in_header.replace(b"@", b'notification:notification":{')[:-1]
    assert usual([in_header]) == [levels - 1 <= json_text.MAX_DEPTH]
    check([nested(levels), in_header])


def test_blanks_inside_the_contents_only() -> None:
    blanks = b" \t\r\n"
    inside = b'{%s"a"%s:%s[%s1%s,%s{%s}%s,[%s]%s]%s}'.replace(b"%s", blanks)
    assert usual(contents([inside])) == [True]
    assert usual(contents([b" 1", b"1 ", b"\f1", b"[\v1]", b"[1\xc2\xa0]"])) == [False] * 5
    spaced = [USUAL[0].replace(mark, mark + b" ", 1) for mark in (b"{", b":{", b",", b"7")]
    assert usual(spaced) == [False] * 4
    check(spaced)


@pytest.mark.parametrize(
    "extra",
    [
        b'"id":1,', b'"event-time":null,', b'"contents":{},', b'"notification-contents":{},', b"x",
        b'"hostname":1,', b'"hostname":"a\\nb",', b'"sequence-number":4294967296,', b'"":1,',
        b'"sequence-number":-1,', b'"sequence-number":"1",', b'"event\\u002dtime":"x",', b",",
        b'"hostname":"a","hostname":"b",', b'"hostname" :"a",', b'"ietf-notification:sysName":"a",',
    ],
)  # fmt: skip
def test_members_of_the_envelope_left_to_python(extra: bytes) -> None:
    payload = ROOT % (extra, b'"id":1')
    assert usual([payload]) == [False]
    check([payload])


UPDATE = b'"ietf-yang-push:push-update":{"id":1}'
CHANGE = b'"ietf-yang-push:push-change-update":{}'
HEADER = b'{"ietf-notification:notification":{%s}}'
TWICE = [
    b'{"ietf-yp-notification:envelope":{"contents":{%s,%s}}}',
    HEADER.replace(b"%s", b"%s,%s"),
]


@pytest.mark.parametrize("message", TWICE, ids=["envelope", "header-5277"])
def test_two_payloads_are_left_to_python(message: bytes) -> None:
    pairs = list(product((UPDATE, CHANGE), repeat=2))
    payloads = [message % pair for pair in pairs]
    assert usual(payloads) == [False] * 4
    check(payloads)


def test_two_spellings_of_the_header_are_left_to_python() -> None:
    host = (b'"ietf-notification:sysName":"a",', b'"ietf-notification-sequencing:sysName":"a",')
    number = (
        b'"ietf-notification:sequenceNumber":1,',
        b'"ietf-notification-sequencing:sequenceNumber":1,',
    )
    alike = [HEADER % (host[one] + number[one] + UPDATE) for one in (0, 1)]
    mixed = [one + other + UPDATE for one in host for other in host]
    mixed += [one + other + UPDATE for one in number for other in number]
    mixed += [host[0] + number[1] + UPDATE, number[0] + UPDATE + b"," + host[1][:-1]]
    payloads = [*alike, *(HEADER % one for one in mixed)]
    assert usual(payloads) == [True, True, *[False] * len(mixed)]
    check(payloads)


NUMBERS = {
    b"0": 0, b"7": 7, b"4294967295": 4294967295, b"4294967296": None, b"-0": None, b"-1": None,
    b"00": None, b"07": None, b"1.0": None, b"1e0": None, b"9" * 30: None, b"null": None,
    b'"7"': None, b"[7]": None, b"": None, b"true": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "number"), NUMBERS.items())
def test_subscription_ids(text: bytes, number: int | None) -> None:
    payload = ROOT % (b"", b'"id":' + text)
    (row,) = rows([payload])
    assert row == (None if number is None else (number, None, "push", None, None, False))
    check([payload])


def test_generators_are_texts_whatever_came_before() -> None:
    leaf = b'"ietf-distributed-notif:message-publisher-id":%d'
    random = Random(1)
    ids = [random.randrange(300) for _ in range(1000)]
    ids += [random.choice((64 * random.randrange(9), 10 ** random.randrange(18))) for _ in ids]
    found = rows(ROOT % (b"", leaf % one) for one in ids)
    assert [row and row[1] for row in found] == [str(one) for one in ids]
    assert usual([ROOT % (b"", leaf % 10**18)]) == [False]


def test_incomplete_update() -> None:
    values = [b"[null]", b"[]", b"[null,null]", b"null", b"true", b"[nul", b"[null] ", b"{}"]
    payloads = [ROOT % (b"", b'"incomplete-update":' + value) for value in values]
    assert usual(payloads) == [True, *[False] * 7]
    check(payloads)


# --------------------------------------------------------------------------- inside the contents
SPECIAL = [b'\\"', b"\\\\", b"\\u12aF", b"\\n", "é".encode(), "€".encode(), "😀".encode(), b"\x7f"]
WRONG = [b"\x00", b"\x1f", b"\n", b"\\x", b"\\u12a", b"\\u12ag", b'"', b"\x80", b"\xff", b"\\"]


def test_strings_of_every_length() -> None:
    for inside, taken in [*((one, True) for one in SPECIAL), *((one, False) for one in WRONG)]:
        texts = [b"a" * place + inside + b"b" * behind
                 for place in range(35) for behind in range(35)]  # fmt: skip
        if inside == b"\\u12a":  # a letter behind it would make it whole
            texts = [text.replace(b"b", b"z") for text in texts]
        if inside == b"\\":
            texts = [text.replace(b"b", b"z") for text in texts]
        assert set(usual(contents(b'"%s"' % text for text in texts))) == {taken}, inside
        assert set(usual(contents(b'{"%s":0}' % text for text in texts))) == {taken}, inside


def utf_8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_utf_8_of_every_kind() -> None:
    leads = [bytes((octet,)) for octet in range(0x80, 0x100)]
    edges = [bytes((octet,)) for octet in b"A\x80\x8f\x90\x9f\xa0\xbf\xc0\xff"]
    texts = [first + second for first in leads for second in leads]
    texts += [b"".join(one) for one in product(leads, edges, edges)]
    texts += [b"".join(one) for one in product(leads[0x60:], edges, edges, edges)]
    for before in (b"", b"a" * 13):
        found = usual(contents(b'"%s%s"' % (before, text) for text in texts))
        assert found == [utf_8(text) for text in texts]


def test_numbers_of_every_kind() -> None:
    grammar = re.compile(
        r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?"
    )  # RFC 8259 section 6
    texts = ["".join(one) for length in range(1, 7) for one in product("-+0.1e", repeat=length)]
    assert usual(contents(text.encode() for text in texts)) == [
        grammar.fullmatch(text) is not None for text in texts
    ]
    long = [
        b"1" * 64,
        b"1" * 65,
        b"1e99",
        b"1e100",
        b"1e-99",
        b"1E999",
        b"-0.0",
        b"1e+" + b"0" * 99,
    ]
    assert usual(contents(long)) == [True, False, True, False, True, False, True, False]


def test_values_of_every_kind() -> None:
    tokens = ("{", "}", "[", "]", ",", ":", '"a"', "1")
    texts = ["".join(one) for length in range(1, 6) for one in product(tokens, repeat=length)]
    for text, taken in zip(texts, usual(contents(t.encode() for t in texts)), strict=True):
        try:
            json_text.parse_plain(text.encode())
        except WireError:
            assert not taken, text
        else:
            assert taken, text
    words = [
        b"true",
        b"false",
        b"null",
        b"tru",
        b"nul",
        b"falsy",
        b"True",
        b"NaN",
        b"truee",
        b"nulll",
    ]
    assert usual(contents(words)) == [True] * 3 + [False] * 7


# --------------------------------------------------------------------------- times
def event_times(texts: Iterable[str]) -> list[int | None]:
    payloads = [ROOT % (b'"event-time":"%s",' % text.encode(), b"") for text in texts]
    return [row and row[3] for row in rows(payloads)]


def test_every_day() -> None:
    first, last = (parse_date_and_time(f"{year}-01-01T12:34:56Z") for year in (1700, 2201))
    days = range(first, last, 86400 * SECOND)
    assert event_times(format_date_and_time(day) for day in days) == list(days)


def test_dates_that_are_none() -> None:
    days = product((1900, 2000, 2023, 2024), range(15), range(34))
    texts = [f"{year}-{month:02}-{day:02}T00:00:00Z" for year, month, day in days]
    for text, found in zip(texts, event_times(texts), strict=True):
        try:
            assert found == parse_date_and_time(text)
        except WireError:
            assert found is None


def test_fractions_and_zones() -> None:
    day = "2027-01-15T08:00:59"
    zones = ["Z", "+00:00", "-00:00", "+05:30", "-23:59", "+14:00"]
    fractions = ["", *(f".{'123456789'[:digits]}" for digits in range(1, 10))]
    texts = [day + fraction + zone for fraction, zone in product(fractions, zones)]
    assert event_times(texts) == [parse_date_and_time(text) for text in texts]


@pytest.mark.parametrize(
    "text",
    [
        "2027-01-15T08:00:60Z", "2027-01-15t08:00:00Z", "2027-01-15T08:00:00z", "2027-01-15",
        "2027-01-15T08:00:00", "2027-01-15T08:00:00.", "2027-01-15T08:00:00.Z", "", "Z", " " * 20,
        "2027-01-15T08:00:00.0123456789Z", "2027-01-15T08:00:00.1x3Z", "2027-01-15T08:00:00 00:00",
        "2027-01-15T08:00:00+24:00", "2027-01-15T08:00:00+00:60", "2027-01-15T08:00:00+0:000",
        "2027-01-15T08:00:00+0000", "2027-01-15T08:60:00Z", "2027-01-15T24:00:00Z", "x" * 40,
        "2027/01-15T08:00:00Z", "2027-01/15T08:00:00Z", "2027-01-15 08:00:00Z",
        "1699-12-31T00:00:00Z",
        "2027-01-15T08-00:00Z", "2027-01-15T08:00-00Z", "2201-01-01T00:00:00Z",
        "2027-01-15T08:00:0xZ",
        "+027-01-15T08:00:00Z", "2027-01-15T08:00:00,5Z", "2027-01-15T08:00:00.5+05:3",
    ],
)  # fmt: skip
def test_times_left_to_python(text: str) -> None:
    payload = ROOT % (b'"event-time":"%s",' % text.encode(), b"")
    assert usual([USUAL[0], payload]) == [True, False]
    check([USUAL[0], payload])


# --------------------------------------------------------------------------- as a function
def test_nothing_to_read() -> None:
    assert rows([]) == []


def test_what_is_not_json_is_left_whatever_it_looks_like() -> None:
    found = envelope_rows(fast.native, [USUAL[0]] * 4, [1, 0, 1, 2])
    assert found == [found[0], None, found[0], None]
    assert found[0] is not None
    columns = EnvelopeColumns([USUAL[0]])
    columns.encoding = array("B", [255])
    assert columns.read(fast.native) == [0]


def test_the_list_of_generators_grows_behind_what_is_there() -> None:
    columns = EnvelopeColumns(USUAL)
    columns.generators = ["before"]
    columns.read(fast.native)
    assert columns.generators == ["before", "3"]
    assert list(columns.generator) == [1, 0, 1, 0, 0, 0]


def refused(error: type[Exception] | tuple[type[Exception], ...], **wrong: Any) -> None:
    """It refuses these arguments, says so, and fills nothing."""
    columns = EnvelopeColumns(USUAL)
    for name, value in wrong.items():
        setattr(columns, name, value)
    with pytest.raises(error):
        columns.read(fast.native)
    for name in set(OUTPUTS) - set(wrong):
        assert set(getattr(columns, name)) == set(getattr(EnvelopeColumns(USUAL), name)), name
    assert columns.generators == [None] or "generators" in wrong


COLUMNS = ("offsets", "encoding", *OUTPUTS)


@pytest.mark.parametrize("name", ["data", "generators", *COLUMNS])
@pytest.mark.parametrize("wrong", [None, 7, "text", (), {}, ...], ids=repr)
def test_what_is_no_column(name: str, wrong: Any) -> None:
    refused(TypeError, **{name: wrong})


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_another_type(name: str) -> None:
    right = getattr(EnvelopeColumns(USUAL), name)
    for wrong in unlike(right):
        refused(TypeError, **{name: wrong})
    for kind in ("d", "f", "h", "Q", "i" if right.typecode == "I" else "I"):
        refused(TypeError, **{name: array(kind, [0] * len(right))})


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("more", [-1, 1])
def test_columns_of_another_length(name: str, more: int) -> None:
    right = getattr(EnvelopeColumns(USUAL), name)
    refused(ValueError, **{name: right[:more] if more < 0 else right + right[:1]})


def test_columns_without_an_entry() -> None:
    refused(ValueError, offsets=array("i"))
    refused(ValueError, generators=[])


@pytest.mark.parametrize("name", OUTPUTS)
def test_memory_that_cannot_be_written(name: str) -> None:
    right = getattr(EnvelopeColumns(USUAL), name)
    refused(BufferError, **{name: memoryview(right).toreadonly()})


@pytest.mark.parametrize("name", ["offsets", *OUTPUTS])
def test_memory_that_is_not_one_piece(name: str) -> None:
    right = np.array(getattr(EnvelopeColumns(USUAL), name))
    refused((BufferError, ValueError), **{name: np.repeat(right, 2)[::2]})
    refused(TypeError, **{name: right[:, None]})
    if right.itemsize > 1:
        octets = np.zeros(right.nbytes + 1, np.uint8)[1:]
        refused(TypeError, **{name: octets.view(right.dtype)})
        refused(TypeError, **{name: right.astype(right.dtype.newbyteorder())})


@pytest.mark.parametrize(
    "wrong", [(-1, 0), (0, -1), (-(2**31), 1), (5, 4), (0, 1 << 30), (2**31 - 1, 2**31 - 1)]
)
@pytest.mark.parametrize("row", range(len(USUAL)))
def test_offsets_outside_the_data(wrong: tuple[int, int], row: int) -> None:
    columns = EnvelopeColumns(USUAL)
    columns.offsets[row : row + 2] = array("i", wrong)
    with pytest.raises(ValueError, match="offsets"):
        columns.read(fast.native)


def test_offsets_up_to_the_last_octet_and_no_further() -> None:
    columns = EnvelopeColumns([USUAL[0]])
    columns.data = columns.data[: columns.offsets[1]]
    assert columns.read(fast.native) == []
    columns.data = columns.data[:-1]
    with pytest.raises(ValueError, match="offsets"):
        columns.read(fast.native)


def test_another_number_of_arguments() -> None:
    assert fast.native is not None
    right = EnvelopeColumns(USUAL).arguments()
    for count in range(len(right)):
        with pytest.raises(TypeError):
            fast.native.read_envelopes(*right[:count])
    with pytest.raises(TypeError):
        fast.native.read_envelopes(*right, right[-1])


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_data_of_any_memory(kind: Any) -> None:
    columns = EnvelopeColumns(USUAL)
    columns.data = kind(columns.data)
    assert columns.read(fast.native) == []
    assert [columns.row(row) for row in range(len(USUAL))] == rows(USUAL)


def test_nothing_is_kept() -> None:
    """Neither of what it reads nor of what it refuses: memory that is held could not grow."""
    payloads = [*USUAL, *HOSTILE] * 10  # rows beyond 256, whose numbers are objects of their own
    columns, bad = EnvelopeColumns(payloads), EnvelopeColumns(payloads)
    bad.offsets[-1] = -1
    short = EnvelopeColumns(payloads)
    short.incomplete = None
    watched = (*columns.arguments(), *bad.arguments(), *short.arguments())
    before = [sys.getrefcount(one) for one in watched]
    blocks = 0
    for turn in range(60):
        for one, error in ((columns, None), (bad, ValueError), (short, TypeError)):
            try:  # pytest.raises would keep something itself
                one.read(fast.native)
                assert error is None
            except (ValueError, TypeError) as said:
                assert type(said) is error  # noqa: PT017
            del one.generators[1:]
        if turn == 9:
            blocks = sys.getallocatedblocks()
    assert sys.getallocatedblocks() - blocks < 40
    for found, count in zip(watched, before, strict=True):
        assert abs(sys.getrefcount(found) - count) < 20, found
    for one in (columns, bad, short):
        one.subscription_id.append(0)
        one.offsets.append(0)
