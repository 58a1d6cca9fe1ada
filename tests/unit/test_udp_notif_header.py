"""``wire.udp_notif``, decoding, against octets typed from the draft's figures."""

from __future__ import annotations

import numpy as np
import pytest

from collector.errors import WireError
from collector.wire.udp_notif.datagrams import (
    Header,
    Option,
    Segment,
    decode_columns,
    decode_header,
    decode_options,
)
from tests.vectors import udp_notif as vectors


def test_the_example_of_the_draft() -> None:
    header = decode_header(vectors.A3)
    assert header == Header(
        version=1,
        private_space=False,
        media_type=1,
        header_length=12,
        message_length=230,
        publisher_id=2,
        message_id=1563,
        options=b"",
        segment=None,
    )
    assert len(vectors.A3_PAYLOAD) == 218
    assert vectors.A3[header.header_length :] == vectors.A3_PAYLOAD


def test_largest_ids_and_no_payload() -> None:
    header = decode_header(vectors.EMPTY)
    assert (header.publisher_id, header.message_id) == (4294967295, 4294967295)
    assert (header.media_type, header.header_length, header.message_length) == (3, 12, 12)


def test_private_space() -> None:
    header = decode_header(vectors.PRIVATE)
    assert (header.private_space, header.media_type) == (True, 15)


def test_unknown_options_are_kept_in_order() -> None:
    header = decode_header(vectors.OPTIONS)
    assert header.options == bytes.fromhex("f0020205616263")
    assert decode_options(header.options) == (Option(240, b""), Option(2, b"abc"))
    assert header.segment is None
    assert header.header_length == 19


def test_unknown_options_are_refused_when_strict() -> None:
    with pytest.raises(WireError) as caught:
        decode_header(vectors.OPTIONS, strict=True)
    assert (caught.value.reason, caught.value.offset) == ("unknown-option", 12)
    assert caught.value.clause == "draft-ietf-netconf-udp-notif-26 §4"
    with pytest.raises(WireError) as caught:
        decode_header(vectors.SEGMENT_0, strict=True)
    assert (caught.value.reason, caught.value.offset) == ("unknown-option", 16)


def test_segmentation_is_no_unknown_option() -> None:
    assert decode_header(vectors.SEGMENT_1_LAST, strict=True).segment == Segment(1, True)


def test_segments() -> None:
    first = decode_header(vectors.SEGMENT_0)
    assert first.segment == Segment(0, False)
    assert first.options == bytes.fromhex("f002")
    last = decode_header(vectors.SEGMENT_1_LAST)
    assert last.segment == Segment(number=1, last=True)
    assert last.options == b""
    assert vectors.SEGMENT_1_LAST[last.header_length :] == b"c"
    assert decode_header(vectors.SEGMENT_HIGHEST).segment == Segment(32767, False)


@pytest.mark.parametrize("name", vectors.MALFORMED)
def test_malformed_datagrams_are_refused(name: str) -> None:
    datagram, reason, offset, section = vectors.MALFORMED[name]
    for form in (datagram, bytearray(datagram), memoryview(datagram)):
        with pytest.raises(WireError) as caught:
            decode_header(form)
        assert (caught.value.reason, caught.value.offset) == (reason, offset)
        assert caught.value.clause == f"draft-ietf-netconf-udp-notif-26 §{section}"
        assert caught.value.field


def test_malformed_option_octets() -> None:
    with pytest.raises(WireError) as caught:
        decode_options(b"\xf0\x02\xf0")
    assert caught.value.reason == "bad-option"


GOOD = (
    vectors.A3,
    vectors.EMPTY,
    vectors.PRIVATE,
    vectors.OPTIONS,
    vectors.SEGMENT_0,
    vectors.SEGMENT_1_LAST,
    vectors.SEGMENT_HIGHEST,
)


def test_columns_of_good_and_bad_datagrams() -> None:
    datagrams = [*GOOD, *(vector[0] for vector in vectors.MALFORMED.values())]
    rows = np.full((len(datagrams), 256), 0xFF, np.uint8)  # what is behind the end is not zero
    for row, datagram in enumerate(datagrams):
        rows[row, : len(datagram)] = np.frombuffer(datagram, np.uint8)
    lengths = np.array([len(datagram) for datagram in datagrams], np.uint32)
    columns = decode_columns(rows, lengths)
    nothing = [False] * len(vectors.MALFORMED)
    assert columns.whole.tolist() == [True, True, True, False, False, False, False, *nothing]
    assert columns.segment.tolist() == [False, False, False, False, False, True, True, *nothing]
    assert columns.private_space.tolist()[:3] == [False, False, True]
    assert columns.media_type.tolist()[:3] == [1, 3, 15]
    assert columns.publisher_id.tolist()[:3] == [2, 4294967295, 0]
    assert columns.message_id.tolist()[:3] == [1563, 4294967295, 1]
    assert columns.publisher_id.tolist()[5:7] == [5, 5]
    assert columns.number.tolist()[5:7] == [1, 32767]
    assert columns.last.tolist()[5:7] == [True, False]


def test_what_an_earlier_datagram_left_in_a_row_is_not_read() -> None:
    row = np.frombuffer(vectors.A3, np.uint8).reshape(1, -1).copy()
    for length in range(len(vectors.A3)):
        columns = decode_columns(row, np.array([length], np.uint32))
        assert not columns.whole[0]
        assert not columns.segment[0]


def test_columns_of_nothing() -> None:
    columns = decode_columns(np.zeros((0, 64), np.uint8), np.zeros(0, np.uint32))
    assert [len(column) for column in columns] == [0] * len(columns)
