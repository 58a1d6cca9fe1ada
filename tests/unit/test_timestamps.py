"""``wire.values.timestamps``: expected numbers computed by hand or by ``date -u -d ... +%s``."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import WireError
from collector.wire.values.timestamps import (
    centiseconds_to_ns,
    format_date_and_time,
    ns_to_centiseconds,
    parse_date_and_time,
)

S = 1_000_000_000

# RFC 3339 §5.8 gives the first four; the numbers are those of `date -u -d TEXT +%s`.
GOOD = [
    ("1985-04-12T23:20:50.52Z", 482196050 * S + 520_000_000),
    ("1996-12-19T16:39:57-08:00", 851042397 * S),
    ("1990-12-31T23:59:60Z", 662688000 * S),
    ("1990-12-31T15:59:60-08:00", 662688000 * S),
    ("1937-01-01T12:00:27.87+00:20", -1041337173 * S + 870_000_000),
    ("1970-01-01T00:00:00Z", 0),
    ("1969-12-31T23:59:59.999999999Z", -1),
    ("2024-11-02T10:30:52Z", 1730543452 * S),
    ("2024-11-02t10:30:52z", 1730543452 * S),
    ("2024-11-02T10:30:52", 1730543452 * S),
    ("2024-11-02T10:30:52.5", 1730543452 * S + 500_000_000),
    ("2024-11-02T10:30:52-00:00", 1730543452 * S),
    ("2024-11-02T11:30:52+01:00", 1730543452 * S),
    ("2025-03-04T07:11:33.252679191+00:00", 1741072293 * S + 252_679_191),
    ("2025-03-04T07:11:33.252679191Z", 1741072293 * S + 252_679_191),
    ("2025-03-04T07:11:33.2526791919Z", 1741072293 * S + 252_679_191),
    ("2025-03-04T07:11:33.000000001z", 1741072293 * S + 1),
    (" \n2024-11-02T10:30:52Z\t", 1730543452 * S),
    ("2024-11-02T10:30:52.25Z ", 1730543452 * S + 250_000_000),
    ("2024-11-02T10:30:52+00:00 ", 1730543452 * S),
    ("2024-11-02T05:00:52.125-05:30", 1730543452 * S + 125_000_000),
    ("2024-02-29T00:00:00Z", 1709164800 * S),
    ("9999-12-31T23:59:59Z", 253402300799 * S),
]


@pytest.mark.parametrize(("text", "ns"), GOOD)
def test_text_becomes_nanoseconds(text: str, ns: int) -> None:
    assert parse_date_and_time(text) == ns
    assert parse_date_and_time(text.encode()) == ns


BAD = [
    "",
    "Z",
    "now",
    "2024-11-02",
    "2024-11-02T10:30Z",
    "2024-11-02 10:30:52Z",
    "2024-13-02T10:30:52Z",
    "2023-02-29T10:30:52Z",
    "0000-01-01T00:00:00Z",
    "2024-11-02T24:00:00Z",
    "2024-11-02T10:60:00Z",
    "2024-11-02T10:30:61Z",
    "2024-11-02T10:30:52.Z",
    "2024-11-02T10:30:52.1_0Z",
    "2024-11-02T10:30:52.+1Z",
    "2024-11-02T10:30:52.\u0661Z",
    "\u0662024-11-02T10:30:52Z",
    "2024-11-02T10:30:52+0100",
    "2024-11-02T10:30:52+24:00",
    "2024-11-02T10:30:52+01:60",
    "2024-11-02T10:30:52ZZ",
    "2024-11-02T10:30:52,5Z",
    "2024-11-02T10:30:52." + "1" * 60 + "Z",
    " " * 100,
]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_time_is_refused(text: str) -> None:
    for form in (text, text.encode()):
        with pytest.raises(WireError) as caught:
            parse_date_and_time(form)
        assert caught.value.reason == "bad-timestamp"
        assert caught.value.clause == "RFC 3339 §5.6"
        assert len(str(caught.value)) < 400


@given(st.binary(max_size=80))
def test_any_octets_raise_only_wire_errors(octets: bytes) -> None:
    with contextlib.suppress(WireError):
        parse_date_and_time(octets)


FORMATTED = [
    (0, None, "1970-01-01T00:00:00Z"),
    (1730543452 * S, None, "2024-11-02T10:30:52Z"),
    (1730543452 * S + 500_000_000, None, "2024-11-02T10:30:52.5Z"),
    (1730543452 * S + 500_000_000, 0, "2024-11-02T10:30:52Z"),
    (1730543452 * S + 500_000_000, 3, "2024-11-02T10:30:52.500Z"),
    (1730543452 * S + 1, None, "2024-11-02T10:30:52.000000001Z"),
    (1730543452 * S + 999_999_999, 3, "2024-11-02T10:30:52.999Z"),
    (-1, None, "1969-12-31T23:59:59.999999999Z"),
    (253402300799 * S, 9, "9999-12-31T23:59:59.000000000Z"),
]


@pytest.mark.parametrize(("ns", "digits", "text"), FORMATTED)
def test_nanoseconds_become_text(ns: int, digits: int | None, text: str) -> None:
    assert format_date_and_time(ns, digits) == text


@pytest.mark.parametrize("digits", [-1, 10])
def test_digits_have_a_range(digits: int) -> None:
    with pytest.raises(ValueError, match="digits is 0 to 9"):
        format_date_and_time(0, digits)


@pytest.mark.parametrize("ns", [253402300800 * S, -62135596801 * S])
def test_years_outside_the_calendar_are_refused(ns: int) -> None:
    with pytest.raises(ValueError):
        format_date_and_time(ns)


@settings(max_examples=200)
@given(st.integers(min_value=-62135596800 * S, max_value=253402300799 * S + S - 1))
def test_text_and_back_is_exact(ns: int) -> None:
    assert parse_date_and_time(format_date_and_time(ns)) == ns
    assert parse_date_and_time(format_date_and_time(ns, 9)) == ns


def test_centiseconds() -> None:
    assert centiseconds_to_ns(6000) == 60 * S
    assert centiseconds_to_ns(0) == 0
    assert centiseconds_to_ns(4294967295) == 42949672950000000
    assert ns_to_centiseconds(60 * S) == 6000
    assert ns_to_centiseconds(42949672950000000) == 4294967295


@pytest.mark.parametrize("centiseconds", [-1, 4294967296])
def test_centiseconds_are_uint32(centiseconds: int) -> None:
    with pytest.raises(WireError) as caught:
        centiseconds_to_ns(centiseconds)
    assert caught.value.reason == "bad-centiseconds"
    with pytest.raises(ValueError):
        ns_to_centiseconds(centiseconds * 10_000_000)


def test_part_of_a_centisecond_is_an_error() -> None:
    with pytest.raises(ValueError, match="not a number of centiseconds"):
        ns_to_centiseconds(5)
