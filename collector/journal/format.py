"""What a journal segment file looks like, octet by octet. Bytes <-> values only, no files.

A segment is a head and frames; all numbers are little-endian:

    head    "YPJOURNL"  version u16  0 u16  schema length u32  first offset u64  crc u32  schema
    frame   "YPJF"      length u32   first offset u64          rows u32          crc u32  payload

The schema is an Arrow IPC schema message and stands once, in the head; a payload is one Arrow IPC
record batch message, compressed inside as Arrow does it where that pays. So a frame can be decoded
alone once the head was read, a file can be read after the columns have changed, and a batch pays
for its schema (1.3 KB) not each time: at low rates that would be more than the records. ``length``
counts the payload, ``crc`` is CRC-32 (zlib) over all other octets of the head or frame. An offset
counts records since the journal began.

Rules: a reader trusts nothing before its CRC has been checked; octets that are no frame end the
readable part of a segment.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import pyarrow as pa

from collector.journal.columns import SCHEMA

VERSION = 1
FILE_MAGIC = b"YPJOURNL"
FRAME_MAGIC = b"YPJF"
HEAD = struct.Struct("<8sHHIQI")
FRAME = struct.Struct("<4sIQII")
_CRC = struct.Struct("<I")
MAX_PAYLOAD = 1 << 30
"""Octets of one frame's payload; ours. A length above it is damage."""
MAX_SCHEMA = 1 << 20
SUFFIX = ".journal"
COMPRESS_FROM = 1 << 14
"""Octets of records from which on they are compressed (ours): below it gains less than it costs."""
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
_SCHEMA_OCTETS: int = SCHEMA.serialize().size


class FrameHead(NamedTuple):
    """The fixed part of a frame."""

    length: int
    """Octets of the payload."""
    first_offset: int
    rows: int
    crc: int


class DamagedError(ValueError):
    """Octets that are no head or frame of ours. The message says what is wrong."""


def segment_name(first_offset: int) -> str:
    """File name of the segment that starts at this offset; names sort like offsets."""
    return f"{first_offset:020d}{SUFFIX}"


def encode_head(first_offset: int) -> bytes:
    """Head of a new segment file."""
    schema: bytes = SCHEMA.serialize().to_pybytes()
    head = HEAD.pack(FILE_MAGIC, VERSION, 0, len(schema), first_offset, 0)[: -_CRC.size]
    return head + _CRC.pack(zlib.crc32(schema, zlib.crc32(head))) + schema


def decode_head(octets: bytes) -> tuple[int, int, pa.Schema]:
    """(first offset, octets of the whole head, schema) of a file's beginning.

    Raises:
        DamagedError: not a journal segment, another format version, or a wrong CRC.
    """
    if len(octets) < HEAD.size:
        raise DamagedError("the head is cut short")
    magic, version, _, schema_length, first_offset, crc = HEAD.unpack_from(octets)
    if magic != FILE_MAGIC:
        raise DamagedError("it is not a journal segment")
    if version != VERSION:
        raise DamagedError(f"its format version is {version}, this program reads {VERSION}")
    end = HEAD.size + schema_length
    if schema_length > MAX_SCHEMA or len(octets) < end:
        raise DamagedError("the head is cut short")
    schema = octets[HEAD.size : end]
    if zlib.crc32(schema, zlib.crc32(octets[: HEAD.size - _CRC.size])) != crc:
        raise DamagedError("the head has a wrong CRC")
    return first_offset, end, pa.ipc.read_schema(pa.py_buffer(schema))


def encode_payload(records: pa.RecordBatch) -> pa.Buffer:
    """A record batch message.

    Compressing costs less than the disk's copy of what it leaves out: what devices say in one
    batch is much alike.
    """
    if records.nbytes < COMPRESS_FROM:
        return records.serialize()
    sink = pa.BufferOutputStream()
    writer = pa.ipc.new_stream(sink, SCHEMA, options=_COMPRESSED)
    writer.write_batch(records)  # behind a schema message, which the first batch brings
    return sink.getvalue().slice(_SCHEMA_OCTETS)


def encode_frame_head(payload: pa.Buffer, first_offset: int, rows: int) -> bytes:
    """The fixed part of a frame around ``payload``; both are written with one call.

    Raises:
        ValueError: the payload is larger than ``MAX_PAYLOAD``.
    """
    if payload.size > MAX_PAYLOAD:
        raise ValueError(f"a batch of {payload.size} octets is too large for one frame")
    head = FRAME.pack(FRAME_MAGIC, payload.size, first_offset, rows, 0)[: -_CRC.size]
    return head + _CRC.pack(zlib.crc32(payload, zlib.crc32(head)))


def decode_frame_head(octets: bytes) -> FrameHead:
    """The fixed part of a frame.

    Raises:
        DamagedError: cut short, zeroed, or no frame at all.
    """
    if len(octets) < FRAME.size:
        raise DamagedError("the frame head is cut short")
    magic, length, first_offset, rows, crc = FRAME.unpack_from(octets)
    if magic != FRAME_MAGIC or length > MAX_PAYLOAD:
        raise DamagedError("no frame begins here")
    return FrameHead(length, first_offset, rows, crc)


def check_payload(head_octets: bytes, head: FrameHead, payload: bytes) -> None:
    """Compare the CRC. Raises DamagedError when the payload is short or was changed."""
    if len(payload) != head.length:
        raise DamagedError("the frame is cut short")
    if zlib.crc32(payload, zlib.crc32(head_octets[: FRAME.size - _CRC.size])) != head.crc:
        raise DamagedError("the frame has a wrong CRC")


def decode_payload(payload: bytes, schema: pa.Schema, head: FrameHead) -> pa.RecordBatch:
    """The records of a frame whose CRC was right; what was not compressed is not copied.

    Raises:
        DamagedError: the payload is not what the frame head says.
    """
    try:
        records = pa.ipc.read_record_batch(pa.py_buffer(payload), schema)
    except (pa.ArrowException, OSError, EOFError) as error:
        raise DamagedError(f"the frame holds no record batch: {error}") from error
    if records.num_rows != head.rows:
        raise DamagedError(f"the frame says {head.rows} rows and holds {records.num_rows}")
    return records
