"""The journal's file format, against octets put together by hand from its description."""

from __future__ import annotations

import zlib
from array import array
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from collector.journal import format as segment_format
from collector.journal.columns import SCHEMA, from_arrow, to_arrow
from collector.journal.format import DamagedError
from collector.model import Coded, Octets, ReceivedBatch
from tests.columns import part_of, unlike
from tests.unit.journal_batches import batch_of, columns


def hand_made_head(first_offset: int, version: int = 1) -> bytes:
    schema = SCHEMA.serialize().to_pybytes()
    fixed = b"YPJOURNL" + version.to_bytes(2, "little") + b"\0\0"
    fixed += len(schema).to_bytes(4, "little") + first_offset.to_bytes(8, "little")
    return fixed + zlib.crc32(fixed + schema).to_bytes(4, "little") + schema


def hand_made_frame(records: pa.RecordBatch, first_offset: int) -> bytes:
    payload = records.serialize().to_pybytes()
    fixed = b"YPJF" + len(payload).to_bytes(4, "little") + first_offset.to_bytes(8, "little")
    fixed += records.num_rows.to_bytes(4, "little")
    return fixed + zlib.crc32(fixed + payload).to_bytes(4, "little") + payload


def test_head_is_laid_out_as_described() -> None:
    assert segment_format.encode_head(0x0102030405060708) == hand_made_head(0x0102030405060708)


def test_head_by_hand_is_read() -> None:
    octets = hand_made_head(77)
    first_offset, end, schema = segment_format.decode_head(octets + b"frames")
    assert (first_offset, end) == (77, len(octets))
    assert schema.equals(SCHEMA)


def test_frame_is_laid_out_as_described_and_read_alone() -> None:
    records = to_arrow(batch_of(3, first=5))
    payload = records.serialize()
    written = segment_format.encode_frame_head(payload, 1234, 3) + payload.to_pybytes()
    assert written == hand_made_frame(records, 1234)

    head_octets, rest = written[:24], written[24:]
    head = segment_format.decode_frame_head(head_octets)
    assert (head.length, head.first_offset, head.rows) == (len(rest), 1234, 3)
    segment_format.check_payload(head_octets, head, rest)
    again = segment_format.decode_payload(rest, SCHEMA, head)
    assert columns(from_arrow(again)) == columns(batch_of(3, first=5))


@pytest.mark.parametrize(
    ("octets", "word"),
    [
        (b"", "cut short"),
        (hand_made_head(0)[:27], "cut short"),
        (hand_made_head(0)[:-1], "cut short"),
        (b"PAR1" + hand_made_head(0)[4:], "not a journal segment"),
        (hand_made_head(0, version=2), "format version is 2"),
        (hand_made_head(0)[:-1] + b"\xff", "wrong CRC"),
        (b"YPJOURNL\1\0\0\0\xff\xff\xff\xff" + bytes(12), "cut short"),
    ],
)
def test_bad_head_is_refused_with_a_word(octets: bytes, word: str) -> None:
    with pytest.raises(DamagedError, match=word):
        segment_format.decode_head(octets)


@pytest.mark.parametrize(
    "octets", [b"YPJF" + bytes(19), bytes(24), b"YPJF\xff\xff\xff\x7f" + bytes(16)]
)
def test_bad_frame_head_is_refused(octets: bytes) -> None:
    with pytest.raises(DamagedError):
        segment_format.decode_frame_head(octets)


def test_changed_octet_anywhere_in_a_frame_is_noticed() -> None:
    frame = hand_made_frame(to_arrow(batch_of(2)), 9)
    for position in [*range(4, 24), 24, len(frame) // 2, len(frame) - 1]:
        broken = bytearray(frame)
        broken[position] ^= 0x40
        with pytest.raises(DamagedError):
            head = segment_format.decode_frame_head(bytes(broken[:24]))
            segment_format.check_payload(bytes(broken[:24]), head, bytes(broken[24:]))


def test_payload_that_is_no_record_batch_is_damage_even_with_a_right_crc() -> None:
    head = segment_format.FrameHead(4, 0, 1, 0)
    with pytest.raises(DamagedError, match="no record batch"):
        segment_format.decode_payload(b"\0\0\0\0", SCHEMA, head)
    records = to_arrow(batch_of(2))
    with pytest.raises(DamagedError, match="says 3 rows and holds 2"):
        segment_format.decode_payload(
            records.serialize().to_pybytes(), SCHEMA, segment_format.FrameHead(1, 0, 3, 0)
        )


def test_batch_too_large_for_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_format, "MAX_PAYLOAD", 100)
    with pytest.raises(ValueError, match="too large"):
        segment_format.encode_frame_head(to_arrow(batch_of(2)).serialize(), 0, 2)


def test_number_that_its_column_cannot_hold_is_refused_where_it_is_put() -> None:
    batch = batch_of(2)
    with pytest.raises(OverflowError):
        batch.port[1] = 65536
    with pytest.raises(OverflowError):
        batch.append(0, 0, b"", port=-1)


@pytest.mark.parametrize("name", SCHEMA.names)
def test_column_of_another_type_is_named(name: str) -> None:
    column = getattr(batch_of(2), name)
    wrong: list[Any] = [list(column), np.array([1, 2]), (b"a", b"b"), b"ab"]
    wrong += unlike(column) if isinstance(column, array) else [array("I", [1, 2])]
    wrong += [] if isinstance(column, Coded) else [Coded.of(["a", "b"])]
    wrong += [] if isinstance(column, Octets) else [Octets.of([b"a", b"b"])]
    for one in wrong:
        batch = batch_of(2)
        setattr(batch, name, one)
        with pytest.raises(ValueError, match=f"column {name}"):
            to_arrow(batch)


def test_columns_of_unequal_length_name_the_column() -> None:
    batch = batch_of(2)
    batch.payload.append(b"")
    with pytest.raises(ValueError, match="column payload has 3 entries, expected 2"):
        to_arrow(batch)


def test_column_that_an_older_file_lacks_keeps_its_default() -> None:
    older = to_arrow(batch_of(2)).select([n for n in SCHEMA.names if n not in ("options", "peer")])
    batch = from_arrow(older)
    assert batch.options == [b"", b""]
    assert batch.peer == ["", ""]
    assert list(batch.message_id) == [0, 1]


def test_empty_batch_has_empty_columns() -> None:
    assert columns(from_arrow(to_arrow(ReceivedBatch()))) == columns(ReceivedBatch())


def test_a_part_of_arrow_columns_is_a_batch_of_its_own() -> None:
    batch = batch_of(9, first=20)
    batch.options = Octets.of([b"o%d" % number for number in range(9)])
    batch.session = Coded.of(["", "s", "s", "t", "", "u", "t", "s", "v"])
    records = to_arrow(batch)
    for start in range(10):
        for count in range(10 - start):
            part = from_arrow(records.slice(start, count))
            assert len(part) == count
            assert columns(part) == columns(part_of(batch, start, start + count))
            assert columns(from_arrow(to_arrow(part))) == columns(part)
            again = to_arrow(part_of(batch, start, start + count))
            again.validate(full=True)
            assert again.equals(records.slice(start, count))


def test_what_is_read_can_grow_and_leaves_the_file_as_it_was() -> None:
    records = to_arrow(batch_of(5))
    part = from_arrow(records.slice(1, 3))
    part.append(7, 0, b"new", peer="192.0.2.99", options=b"o")
    assert part.payload == [*batch_of(5).payload[1:4], b"new"]
    assert part.peer == [*batch_of(5).peer[1:4], "192.0.2.99"]
    assert columns(from_arrow(records)) == columns(batch_of(5))
    to_arrow(part).validate(full=True)


def test_no_column_is_copied_to_arrow_but_codes_of_text() -> None:
    batch = batch_of(5)
    records = to_arrow(batch)
    for field in SCHEMA:
        column, made = getattr(batch, field.name), records.column(field.name)
        if isinstance(column, array):
            assert made.buffers()[1].address == column.buffer_info()[0]
        elif isinstance(column, Octets):
            assert made.buffers()[1].address == column.offsets.buffer_info()[0]
            data = made.buffers()[2]
            assert data.address == pa.py_buffer(column.data).address
    payload = from_arrow(records).payload
    assert pa.py_buffer(payload.data).address == records.column("payload").buffers()[2].address


def test_a_batch_that_arrow_reads_cannot_grow() -> None:
    batch = batch_of(2)
    records = to_arrow(batch)
    with pytest.raises(BufferError):
        batch.append(0, 0, b"")
    assert records.column("payload").to_pylist() == list(batch_of(2).payload)


@pytest.mark.parametrize("name", SCHEMA.names)
def test_every_column_may_be_missing(name: str) -> None:
    whole = batch_of(3, first=1)
    batch = from_arrow(to_arrow(whole).select([one for one in SCHEMA.names if one != name]))
    expected = columns(whole)
    default: dict[type, object] = {array: 0, Coded: "", Octets: b""}
    expected[name] = [default[type(getattr(whole, name))]] * 3
    assert columns(batch) == expected
    assert columns(from_arrow(to_arrow(batch))) == expected


def test_a_batch_without_options_and_payloads() -> None:
    batch = ReceivedBatch()
    for number in range(3):
        batch.append(number, 0, b"")
    again = from_arrow(segment_format_round(batch))
    assert columns(again) == columns(batch)
    assert again.options == again.payload == [b"", b"", b""]


@pytest.mark.parametrize("rows", [1, 3, 400])
def test_what_is_large_is_compressed_and_all_is_read(rows: int) -> None:
    records = to_arrow(batch_of(rows, octets=100))
    payload = segment_format.encode_payload(records).to_pybytes()
    plain = records.serialize().to_pybytes()
    small = records.nbytes < segment_format.COMPRESS_FROM
    assert (payload == plain) if small else len(payload) < len(plain) / 2
    for octets in (payload, plain):  # as files of before have it
        head = segment_format.FrameHead(len(octets), 0, rows, 0)
        again = segment_format.decode_payload(octets, SCHEMA, head)
        assert columns(from_arrow(again)) == columns(batch_of(rows, octets=100))


def test_compressed_octets_that_are_cut_or_changed_are_damage() -> None:
    payload = segment_format.encode_payload(to_arrow(batch_of(400, octets=100))).to_pybytes()
    head = segment_format.FrameHead(len(payload), 0, 400, 0)
    for octets in (payload[:-64], payload[:1000] + bytes(64) + payload[1064:]):
        with pytest.raises(DamagedError):
            from_arrow(segment_format.decode_payload(octets, SCHEMA, head))


def segment_format_round(batch: ReceivedBatch) -> pa.RecordBatch:
    """Through the octets of a frame."""
    payload = segment_format.encode_payload(to_arrow(batch)).to_pybytes()
    head = segment_format.FrameHead(len(payload), 0, len(batch), 0)
    return segment_format.decode_payload(payload, SCHEMA, head)
