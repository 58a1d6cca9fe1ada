"""The journal's file format, against octets put together by hand from its description."""

from __future__ import annotations

import zlib

import pyarrow as pa
import pytest

from collector.journal import format as segment_format
from collector.journal.columns import SCHEMA, from_arrow, to_arrow
from collector.journal.format import DamagedError
from collector.model import ReceivedBatch
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


def test_number_that_its_column_cannot_hold_names_the_column() -> None:
    batch = batch_of(2)
    batch.port[1] = 65536
    with pytest.raises(ValueError, match="column port"):
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
    assert batch.message_id == [0, 1]


def test_empty_batch_has_empty_columns() -> None:
    assert columns(from_arrow(to_arrow(ReceivedBatch()))) == columns(ReceivedBatch())
