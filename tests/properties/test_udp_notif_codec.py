"""Laws of the UDP-notif codec, and our codec against the naive one written from the draft."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import WireError
from collector.wire.udp_notif.datagrams import (
    Header,
    Option,
    decode_columns,
    decode_header,
    decode_options,
    encode_message,
    encode_options,
)
from tests.reference import udp_notif as reference
from tests.vectors import udp_notif as vectors

UINT32 = st.integers(0, 2**32 - 1)
OPTIONS = st.lists(
    st.builds(Option, st.integers(0, 255).filter(lambda kind: kind != 1), st.binary(max_size=20)),
    max_size=4,
)
MESSAGES = st.fixed_dictionaries(
    {
        "payload": st.binary(max_size=600),
        "media_type": st.integers(0, 15),
        "publisher_id": UINT32,
        "message_id": UINT32,
        "private_space": st.booleans(),
        "options": OPTIONS.map(tuple).map(encode_options),
        "max_segment_size": st.integers(120, 700),
    }
)
DATAGRAMS = st.one_of(
    st.binary(max_size=64),
    MESSAGES.flatmap(lambda message: st.sampled_from(encode_message(**message))),
    st.sampled_from(
        [
            vectors.A3,
            vectors.OPTIONS,
            vectors.SEGMENT_0,
            vectors.SEGMENT_1,
            vectors.LEGACY_JSON,
            vectors.LEGACY_FLAGS,
            vectors.VERSION_0,
            vectors.VERSION_0_SEGMENT,
            vectors.VERSION_0_OPTIONS,
        ]
    ),
)


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """A datagram with octets changed, cut off or appended; its length field put right again."""
    datagram = bytearray(draw(DATAGRAMS))
    for _ in range(draw(st.integers(0, 4))):
        if datagram:
            datagram[draw(st.integers(0, min(len(datagram), 24) - 1))] = draw(st.integers(0, 255))
    datagram = datagram[: draw(st.integers(0, len(datagram)))] + draw(st.binary(max_size=8))
    if draw(st.booleans()) and len(datagram) >= 4:
        datagram[2:4] = len(datagram).to_bytes(2)
    return bytes(datagram)


def as_reference(header: Header, datagram: bytes) -> dict[str, object]:
    """Our value in the words of the naive codec."""
    return {
        "Ver": header.version,
        "S": header.private_space,
        "MT": header.media_type,
        "Header Len": header.header_length,
        "Message Length": header.message_length,
        "Message Publisher ID": header.publisher_id,
        "Message ID": header.message_id,
        "Segment Number": None if header.segment is None else header.segment.number,
        "L": None if header.segment is None else header.segment.last,
        "Options": [(option.type, option.data) for option in decode_options(header.options)],
        "Message": datagram[header.header_length :],
    }


def check_against_reference(datagram: bytes) -> None:
    try:
        expected = reference.parse(datagram)
    except reference.Refused:
        with pytest.raises(WireError):
            decode_header(datagram)
    else:
        assert as_reference(decode_header(datagram), datagram) == expected


@settings(max_examples=300, deadline=None)
@given(hostile())
def test_both_codecs_read_the_same_and_refuse_the_same(datagram: bytes) -> None:
    check_against_reference(datagram)


@pytest.mark.parametrize("name", vectors.MALFORMED)
def test_both_codecs_refuse_the_vectors(name: str) -> None:
    check_against_reference(vectors.MALFORMED[name][0])


@settings(max_examples=150, deadline=None)
@given(MESSAGES, st.randoms(use_true_random=False))
def test_the_naive_codec_reads_what_we_write(message: dict[str, object], random: object) -> None:
    datagrams = encode_message(**message)  # type: ignore[arg-type] # drawn as such
    assert all(len(datagram) <= message["max_segment_size"] for datagram in datagrams)
    random.shuffle(datagrams)  # type: ignore[attr-defined] # a random.Random
    put_together = reference.reassemble(datagrams)
    options = decode_options(message["options"])  # type: ignore[arg-type] # bytes
    assert put_together == (message["payload"], [(one.type, one.data) for one in options])


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 15), UINT32, UINT32, st.booleans())
def test_we_write_what_the_naive_codec_writes(
    payload: bytes, media_type: int, publisher_id: int, message_id: int, private_space: bool
) -> None:
    ours = encode_message(
        payload,
        media_type=media_type,
        publisher_id=publisher_id,
        message_id=message_id,
        private_space=private_space,
    )
    assert ours == [reference.build(payload, media_type, publisher_id, message_id, private_space)]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(hostile(), st.booleans(), st.booleans()), max_size=8))
def test_columns_say_what_single_values_say(drawn: list[tuple[bytes, bool, bool]]) -> None:
    datagrams = [datagram for datagram, _, _ in drawn]
    top_bit_last, legacy = ([one[place] for one in drawn] for place in (1, 2))
    rows = np.full((len(datagrams), 1024), 0xA5, np.uint8)
    for row, datagram in enumerate(datagrams):
        rows[row, : len(datagram)] = np.frombuffer(datagram, np.uint8)
    lengths = np.array([len(datagram) for datagram in datagrams], np.uint32)
    columns = decode_columns(
        rows,
        lengths,
        top_bit_last=np.array(top_bit_last, np.bool_) if any(top_bit_last) else None,
        legacy=np.array(legacy, np.bool_) if any(legacy) else None,
    )
    for row, datagram in enumerate(datagrams):
        try:
            header = decode_header(datagram, top_bit_last=top_bit_last[row], legacy=legacy[row])
        except WireError:
            assert not columns.whole[row]
            assert not columns.segment[row]
            continue
        assert columns.whole[row] == (header.segment is None and not header.options)
        assert columns.segment[row] == (header.segment is not None and not header.options)
        if columns.whole[row] or columns.segment[row]:
            assert columns.version[row] == header.version
            assert columns.private_space[row] == header.private_space
            assert columns.media_type[row] == header.media_type
            assert columns.publisher_id[row] == header.publisher_id
            assert columns.message_id[row] == header.message_id
        if header.segment is not None and columns.segment[row]:
            assert columns.number[row] == header.segment.number
            assert columns.last[row] == header.segment.last
