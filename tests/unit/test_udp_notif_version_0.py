"""``wire.udp_notif.version_0``: both kinds of version-0 headers, and how they are told apart."""

from __future__ import annotations

import numpy as np
import pytest

from collector.errors import WireError
from collector.wire.udp_notif.datagrams import (
    Header,
    Segment,
    decode_columns,
    decode_header,
    messages_in,
)
from collector.wire.udp_notif.version_0 import is_legacy
from tests.vectors import udp_notif as vectors


def test_the_header_of_udp_pub_channel() -> None:
    header = decode_header(vectors.LEGACY_JSON)
    assert header == Header(0, False, 1, 12, 17, 5, 6)
    assert vectors.LEGACY_JSON[header.header_length :] == b'{"a:1'


@pytest.mark.parametrize(("encoding", "media_type"), [(0, 0), (1, 3), (2, 1), (3, 2)])
def test_its_encodings_have_numbers_of_their_own(encoding: int, media_type: int) -> None:
    datagram = vectors.LEGACY_JSON[:1] + bytes([encoding]) + vectors.LEGACY_JSON[2:]
    assert decode_header(datagram).media_type == media_type


def test_flags_that_look_like_a_header_length_need_to_be_told() -> None:
    with pytest.raises(WireError) as caught:
        decode_header(vectors.LEGACY_FLAGS)
    assert caught.value.reason == "bad-header-length"
    assert is_legacy(vectors.LEGACY_FLAGS)
    assert decode_header(vectors.LEGACY_FLAGS, legacy=True) == Header(0, False, 2, 12, 15, 5, 6)


def test_what_is_legacy_only_when_told_is_read_in_the_new_layout_first() -> None:
    assert decode_header(vectors.VERSION_0_SEGMENT).segment == Segment(0, True)
    told = decode_header(vectors.VERSION_0_SEGMENT, legacy=True)
    assert (told.media_type, told.segment, told.header_length) == (0, None, 12)


def test_the_new_layout_under_version_0() -> None:
    header = decode_header(vectors.VERSION_0)
    assert header == Header(0, False, 3, 12, 13, 5, 6), "ET 0 was CBOR"
    private = decode_header(vectors.VERSION_0_PRIVATE)
    assert (private.private_space, private.media_type) == (True, 0)
    options = decode_header(vectors.VERSION_0_OPTIONS)
    assert (options.options, options.media_type) == (b"\x02\x03a", 2)
    with pytest.raises(WireError) as caught:
        decode_header(vectors.VERSION_0_OPTIONS, strict=True)
    assert caught.value.reason == "unknown-option"


@pytest.mark.parametrize(
    "datagram",
    [b"", vectors.A3, vectors.VERSION_0_PRIVATE, vectors.LEGACY_JSON + b"!",
     vectors.LEGACY_JSON[:11]],
)  # fmt: skip
def test_what_can_be_no_message_of_udp_pub_channel(datagram: bytes) -> None:
    assert not is_legacy(datagram)


def test_columns_of_both_kinds() -> None:
    datagrams = [
        vectors.LEGACY_JSON, vectors.VERSION_0, vectors.VERSION_0_SEGMENT, vectors.A3,
        vectors.VERSION_0_PRIVATE, vectors.VERSION_0_OPTIONS, vectors.LEGACY_FLAGS,
        vectors.LEGACY_FLAGS,
    ]  # fmt: skip
    rows = np.full((len(datagrams), 256), 0xFF, np.uint8)
    for row, datagram in enumerate(datagrams):
        rows[row, : len(datagram)] = np.frombuffer(datagram, np.uint8)
    lengths = np.array([len(datagram) for datagram in datagrams], np.uint32)
    legacy = np.array([False] * 7 + [True])
    columns = decode_columns(rows, lengths, legacy=legacy)
    assert columns.whole.tolist() == [True, True, False, True, True, False, False, True]
    assert columns.segment.tolist() == [False, False, True, *[False] * 5]
    assert columns.version.tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    assert [columns.media_type[row] for row in (0, 1, 2, 3, 4, 7)] == [1, 3, 1, 1, 0, 2]
    assert [columns.private_space[row] for row in (0, 1, 4, 7)] == [False, False, True, False]
    assert not decode_columns(rows, lengths).whole[6:].any()


# --------------------------------------------------------------------------- version 1, otherwise
def test_last_flag_in_the_highest_bit() -> None:
    segments = [vectors.ARRCUS_0, vectors.ARRCUS_1, vectors.ARRCUS_2_LAST]
    read = [decode_header(one, top_bit_last=True).segment for one in segments]
    assert read == [Segment(0, False), Segment(1, False), Segment(2, True)]
    by_the_draft = [decode_header(one).segment for one in segments]
    assert by_the_draft == [Segment(0, False), Segment(0, True), Segment(16385, False)]
    rows = np.zeros((3, 32), np.uint8)
    for row, one in enumerate(segments):
        rows[row, : len(one)] = np.frombuffer(one, np.uint8)
    lengths = np.array([17] * 3, np.uint32)
    columns = decode_columns(rows, lengths, top_bit_last=np.array([True, True, False]))
    assert columns.number.tolist() == [0, 1, 16385]
    assert columns.last.tolist() == [False, False, False]
    columns = decode_columns(rows, lengths, top_bit_last=np.array([True] * 3))
    assert (columns.number.tolist(), columns.last.tolist()) == ([0, 1, 2], [False, False, True])


def test_messages_one_behind_the_other() -> None:
    assert messages_in(vectors.A3 + vectors.EMPTY + vectors.SEGMENT_0) == [0, 230, 242]
    for other in (
        vectors.A3,
        b"",
        vectors.A3 + b"?",
        vectors.A3 + vectors.LEGACY_JSON,
        vectors.A3 + vectors.EMPTY[:11],
        vectors.EMPTY + b"\x21\x0c\x00\x0b" + bytes(8),
        vectors.EMPTY + b"\x21\x0c\x00\x0d" + bytes(8),
        vectors.EMPTY + b"\x21\x0b\x00\x0c" + bytes(8),
    ):
        assert messages_in(other) == []
