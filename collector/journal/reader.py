"""The journal's reading end: records in the order of their offsets, over all segments.

Needs no lock and may run in another process than the writer. Does not follow by itself: ``read``
ends at the present end and can be called again with the offset reached.

Rules: a frame is given out only when its CRC is right. Octets that are no frame end the readable
part of a segment; in the last segment they are a frame that is just being written (or a torn tail
nobody has cut off yet), in an earlier one they are damage when records are missing before the next
segment's first offset: that is said once (``on_damage``), and reading goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
from msgspec import Struct

from collector.journal import format as segment_format
from collector.journal.columns import from_arrow
from collector.journal.format import FRAME, HEAD, DamagedError
from collector.journal.segments import Segment, journal_folder, list_segments
from collector.model import ReceivedBatch


class JournalFrame(Struct, frozen=True, gc=False):
    """Records that were appended together, or the rest of them from the offset asked for."""

    first_offset: int
    next_offset: int
    segment: int
    """First offset of the segment it is in; a change of it says that the last one is sealed."""
    records: pa.RecordBatch
    """``columns.SCHEMA``."""

    def batch(self) -> ReceivedBatch:
        """The records as columns of Python values."""
        return from_arrow(self.records)


class JournalReader:
    """Reads the journal of a data folder from any offset."""

    def __init__(
        self, data_folder: Path, *, on_damage: Callable[[str], None] = lambda sentence: None
    ) -> None:
        self._folder = journal_folder(data_folder)
        self._on_damage = on_damage
        self._cursor: tuple[int, Path, int] | None = None
        """(offset, file, octets before it) where the last reading ended."""

    def segments(self) -> list[Segment]:
        """All segment files by offset, the one that is written last."""
        return list_segments(self._folder)

    def read(self, from_offset: int = 0) -> Iterator[JournalFrame]:
        """All records from this offset to the present end, frame by frame.

        Starts at the first record there is when older ones were deleted. What is damaged is said
        and left out.

        Raises:
            OSError: a file is there and may not be read.
        """
        offset = from_offset
        while True:
            segment = self._segment_of(offset)
            if segment is None:
                return
            offset = max(offset, segment.first_offset)
            for frame in self._read_segment(segment, offset):
                yield frame
                offset = frame.next_offset
            following = self._segment_behind(segment)
            if following is None:
                return
            # The writer may have ended this segment after we saw its end: look once more.
            for frame in self._read_segment(segment, offset):
                yield frame
                offset = frame.next_offset
            if following.first_offset > offset:
                self._on_damage(
                    f"{segment.path.name} cannot be read from offset {offset} on: "
                    f"{following.first_offset - offset} records are missing"
                )
            offset = max(offset, following.first_offset)

    def _segment_of(self, offset: int) -> Segment | None:
        segments = self.segments()
        below = [segment for segment in segments if segment.first_offset <= offset]
        return below[-1] if below else next(iter(segments), None)

    def _segment_behind(self, segment: Segment) -> Segment | None:
        behind = (s for s in self.segments() if s.first_offset > segment.first_offset)
        return next(behind, None)

    def _read_segment(self, segment: Segment, offset: int) -> Iterator[JournalFrame]:
        """Good frames of one file that end behind ``offset``."""
        try:
            with segment.path.open("rb") as file:
                yield from self._frames(segment, file, offset)
        except (DamagedError, FileNotFoundError):
            return

    def _frames(self, segment: Segment, file: BinaryIO, offset: int) -> Iterator[JournalFrame]:
        _, position, schema = _read_head(file)
        if self._cursor is not None and self._cursor[:2] == (offset, segment.path):
            position = self._cursor[2]
        file.seek(position)
        while True:
            head_octets = file.read(FRAME.size)
            if not head_octets:
                return
            head = segment_format.decode_frame_head(head_octets)
            next_offset = head.first_offset + head.rows
            if next_offset <= offset:
                file.seek(head.length, 1)
                continue
            payload = file.read(head.length)
            segment_format.check_payload(head_octets, head, payload)
            records = segment_format.decode_payload(payload, schema, head)
            self._cursor = (next_offset, segment.path, file.tell())
            first = max(head.first_offset, offset)
            yield JournalFrame(
                first, next_offset, segment.first_offset, records.slice(first - head.first_offset)
            )


def _read_head(file: BinaryIO) -> tuple[int, int, pa.Schema]:
    octets = file.read(HEAD.size)
    if len(octets) == HEAD.size:
        octets += file.read(min(HEAD.unpack(octets)[3], segment_format.MAX_SCHEMA))
    return segment_format.decode_head(octets)
