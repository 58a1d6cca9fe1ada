"""``wire.udp_notif``, encoding, against octets typed from the draft's figures."""

from __future__ import annotations

import pytest

from collector.errors import WireError
from collector.wire.udp_notif.datagrams import (
    MAX_PAYLOAD_IPV4,
    Option,
    Segment,
    decode_header,
    encode_message,
    encode_options,
)
from tests.vectors import udp_notif as vectors


def test_the_example_of_the_draft() -> None:
    payload = vectors.A3_PAYLOAD
    assert encode_message(payload, media_type=1, publisher_id=2, message_id=1563) == [vectors.A3]


def test_largest_ids_and_no_payload() -> None:
    ids = {"publisher_id": 0xFFFFFFFF, "message_id": 0xFFFFFFFF}
    assert encode_message(b"", media_type=3, **ids) == [vectors.EMPTY]


def test_private_space() -> None:
    datagrams = encode_message(
        b"hi", media_type=15, publisher_id=0, message_id=1, private_space=True
    )
    assert datagrams == [vectors.PRIVATE]


def test_options() -> None:
    options = encode_options((Option(240, b""), Option(2, b"abc")))
    datagrams = encode_message(
        b"<a/", media_type=2, publisher_id=10, message_id=11, options=options
    )
    assert datagrams == [vectors.OPTIONS]


def test_segments_carry_the_options_in_the_first_one() -> None:
    datagrams = encode_message(
        b"abcdefg",
        media_type=1,
        publisher_id=5,
        message_id=6,
        options=encode_options((Option(240, b""),)),
        max_segment_size=20,
    )
    assert datagrams == [vectors.SEGMENT_0, vectors.SEGMENT_1, vectors.SEGMENT_2_LAST]


def test_a_message_of_just_the_size_is_whole() -> None:
    for size, parts in ((100, 1), (101, 2), (180, 2), (181, 3)):
        ids = {"media_type": 1, "publisher_id": 1, "message_id": 1}
        datagrams = encode_message(b"x" * (size - 12), max_segment_size=100, **ids)
        assert len(datagrams) == parts, size
        assert max(map(len, datagrams)) <= 100


def test_a_message_too_long_for_udp_is_segmented() -> None:
    payload = bytes(range(256)) * 400
    datagrams = encode_message(payload, media_type=1, publisher_id=1, message_id=1)
    assert [len(datagram) for datagram in datagrams] == [MAX_PAYLOAD_IPV4, 16 + 102400 - 65491]
    headers = [decode_header(datagram) for datagram in datagrams]
    assert [header.segment for header in headers] == [Segment(0, False), Segment(1, True)]
    assert b"".join(datagram[16:] for datagram in datagrams) == payload


def test_the_segment_number_cannot_wrap() -> None:
    ids = {"media_type": 1, "publisher_id": 1, "message_id": 1, "max_segment_size": 17}
    datagrams = encode_message(b"x" * 32768, **ids)
    assert len(datagrams) == 32768
    assert decode_header(datagrams[-1]).segment == Segment(32767, True)
    with pytest.raises(ValueError, match="32768 segments"):
        encode_message(b"x" * 32769, **ids)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"media_type": 16}, "media type"),
        ({"media_type": -1}, "media type"),
        ({"publisher_id": -1}, "uint32"),
        ({"publisher_id": 2**32}, "uint32"),
        ({"message_id": 2**32}, "uint32"),
        ({"message_id": -1}, "uint32"),
        ({"options": b"\xf0\xf0" + b"x" * 242}, "header length"),
        ({"max_segment_size": 16}, "no room"),
        ({"max_segment_size": 0}, "no room"),
        ({"max_segment_size": 65536}, "no room"),
    ],
)
def test_numbers_out_of_range(change: dict[str, object], words: str) -> None:
    arguments = {"media_type": 1, "publisher_id": 1, "message_id": 1} | change
    with pytest.raises(ValueError, match=words):
        encode_message(b"payload", **arguments)  # type: ignore[arg-type] # on purpose


@pytest.mark.parametrize(
    "option", [Option(1, b"\0\0"), Option(256, b""), Option(-1, b""), Option(9, b"x" * 242)]
)
def test_options_that_cannot_be_written(option: Option) -> None:
    with pytest.raises(ValueError):
        encode_options((option,))


def test_the_longest_option() -> None:
    options = encode_options((Option(9, b"x" * 241),))
    datagram = encode_message(b"", media_type=1, publisher_id=1, message_id=1, options=options)[0]
    assert decode_header(datagram).header_length == 255
    with pytest.raises(WireError):
        decode_header(datagram[:-1])
