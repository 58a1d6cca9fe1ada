"""``wire``, DTLS: records and framings, against octets typed from RFC 6347 and the drafts' ABNF."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import WireError
from collector.wire.udp_notif.dtls import (
    MAX_DATA,
    Framing,
    datagrams_of,
    frame,
    is_client_hello,
    is_one_of_data,
    record_types,
    unframe,
)
from tests.vectors import udp_notif as vectors

DATA = bytes.fromhex(
    "17"  # ContentType application_data (23)
    "fefd"  # DTLS 1.2
    "0001"  # epoch 1
    "000000000005"  # sequence number 5
    "0003"  # length 3
    "616263"
)
ALERT = bytes.fromhex("15fefd000000000000000100020228")
HELLO = bytes.fromhex(
    "16"  # handshake (22)
    "feff"  # a ClientHello is sent as DTLS 1.0
    "0000"
    "000000000000"
    "000e"  # 14
    "01"  # client_hello
    "000002"  # length 2
    "0000"  # message_seq
    "000000"  # fragment_offset
    "000002"  # fragment_length
    "fefd"
)


def test_records_of_a_datagram() -> None:
    assert record_types(DATA) == b"\x17"
    assert record_types(HELLO + DATA + ALERT) == b"\x16\x17\x15"
    assert record_types(memoryview(DATA)) == b"\x17"


@pytest.mark.parametrize(
    ("datagram", "offset"),
    [
        (b"", 0),
        (DATA[:12], 0),
        (DATA[:15], 11),
        (DATA + b"\x17", 16),
        (b"\x13" + DATA[1:], 0),
        (b"\x18" + DATA[1:], 0),
        (b"\x17\x03" + DATA[2:], 0),  # TLS
        (vectors.A3, 0),
    ],
)
def test_what_is_not_made_of_records(datagram: bytes, offset: int) -> None:
    with pytest.raises(WireError) as caught:
        record_types(datagram)
    assert (caught.value.reason, caught.value.offset) == ("bad-record", offset)


def test_one_record_of_data() -> None:
    assert is_one_of_data(DATA)
    for other in (DATA[:12], DATA[:13], DATA[:-1], DATA + DATA, HELLO, ALERT, b"", b"\x17\x03"):
        assert not is_one_of_data(other)
    assert is_one_of_data(DATA[:11] + b"\0\0")


def test_client_hellos() -> None:
    assert is_client_hello(HELLO)
    assert is_client_hello(HELLO + DATA)
    for place, octet in ((0, 0x17), (4, 1), (12, 11), (13, 2), (21, 1), (24, 1)):
        other = HELLO[:place] + bytes([octet]) + HELLO[place + 1 :]
        assert not is_client_hello(other), place


def test_a_flight_goes_into_few_datagrams() -> None:
    flight = DATA + HELLO + ALERT
    assert datagrams_of(flight, 1232) == [flight]
    assert datagrams_of(flight, 43) == [DATA + HELLO, ALERT]
    assert datagrams_of(flight, 42) == [DATA, HELLO + ALERT]
    assert datagrams_of(flight, 1) == [DATA, HELLO, ALERT]
    assert datagrams_of(b"", 1) == []


# --------------------------------------------------------------------------- framing
COUNTED = b"230 " + vectors.A3 + b"12 " + vectors.EMPTY
"""APPLICATION-DATA = 1*(MSG-LEN SP UDP-NOTIF-MSG), up to -25."""


def test_both_framings() -> None:
    both = [vectors.A3, vectors.EMPTY]
    for framing in ("counted", "auto"):
        assert unframe(COUNTED, framing) == both
    for framing in ("single", "auto"):
        assert unframe(vectors.A3, framing) == [vectors.A3]
    assert unframe(b"", "auto") == unframe(b"", "single") == [b""]


def test_private_media_types_that_look_like_digits_have_to_be_told() -> None:
    private = b"\x31" + vectors.EMPTY[1:]
    assert unframe(private, "single") == [private]
    with pytest.raises(WireError) as caught:
        unframe(private, "auto")
    assert caught.value.reason == "bad-framing"
    assert unframe(vectors.PRIVATE, "auto") == [vectors.PRIVATE], "0x3f is no digit"
    zero = b"\x30" + vectors.EMPTY[1:]
    assert unframe(zero, "auto") == [zero], "no length begins with 0"


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"", 0),
        (b"12", 0),
        (b" 12", 0),
        (b"012 " + vectors.EMPTY, 0),
        (b"-2 " + vectors.EMPTY, 0),
        (b"1a " + vectors.EMPTY, 0),
        (b"13 " + vectors.EMPTY, 0),
        (b"000012 " + vectors.EMPTY, 0),
        (b"123456 " + vectors.EMPTY, 0),
        (b"\xd9\xa1 " + vectors.EMPTY, 0),
        (COUNTED + b"5", len(COUNTED)),
        (COUNTED + b"0 ", len(COUNTED)),
    ],
)
def test_bad_framing(data: bytes, offset: int) -> None:
    with pytest.raises(WireError) as caught:
        unframe(data, "counted")
    assert (caught.value.reason, caught.value.offset) == ("bad-framing", offset)


def test_writing() -> None:
    both = [vectors.A3, vectors.EMPTY]
    assert frame(both, "single") == both
    assert frame(both, "counted") == [COUNTED]
    large = b"x" * (MAX_DATA - 100)
    assert frame([vectors.A3, large], "counted") == [b"230 " + vectors.A3, b"16284 " + large]
    assert frame([], "counted") == []
    with pytest.raises(ValueError, match="one record"):
        frame([b"x" * (MAX_DATA + 1)], "single")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["auto", "single", "counted"]))
def test_nothing_but_wire_errors_comes_out(data: bytes, framing: Framing) -> None:
    with contextlib.suppress(WireError):
        assert sum(map(len, unframe(data, framing))) <= len(data)
    with contextlib.suppress(WireError):
        assert len(record_types(data)) <= len(data) // 13
        is_client_hello(data)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=400), min_size=1, max_size=6))
def test_what_is_counted_is_read_again(messages: list[bytes]) -> None:
    longer = [b"\x21" + message for message in messages]
    assert [one for data in frame(longer, "counted") for one in unframe(data, "auto")] == longer
