"""Segment files in the journal's folder: listing, checking, and recovery after a crash.

Does not decode records; does not write, except that ``recover`` cuts a torn tail off.

What a crash leaves. A killed process leaves at most one frame half written, at the end of the last
file. A power failure may leave zeroes or old octets in what was not yet committed, again at the end
(a later segment is committed only after the one before it). Both are octets that are no frame, with
no good frame behind them: they are cut off, and said. Octets that are no frame but have a good one
behind them are another thing, a damaged disk: the file is left as it is, readers stop there for
that segment, and new records get offsets behind everything that the file seems to hold.
"""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from collector.errors import SinkError
from collector.journal import format as segment_format
from collector.journal.format import FRAME, DamagedError

FOLDER = "journal"
"""Name of the journal's folder in the data folder."""


class Segment(Struct, frozen=True):
    """One segment file as its name, its size and the next file's name tell it."""

    path: Path
    first_offset: int
    next_offset: int | None
    """Offset behind the last record, first offset of the next file; None for the last file."""
    octets: int
    modified_at: int
    """Time of the last write, ns since 1970."""


class SegmentCheck(Struct, frozen=True):
    """What reading all frames of a segment file has shown."""

    path: Path
    first_offset: int
    next_offset: int
    """Offset behind the last record that can be read."""
    end_offset: int
    """Offset behind the last record that the file seems to hold, damage or not."""
    good_octets: int
    """Octets up to the end of the last frame before any damage."""
    octets: int
    problem: str
    """What is wrong at ``good_octets``, for people; empty when nothing is."""
    torn: bool
    """True when nothing good stands behind ``good_octets``: a tail that can be cut off."""


class Recovery(Struct, frozen=True):
    """What ``recover`` found in the last segment."""

    next_offset: int
    """The first offset that was not given to a record yet."""
    cut_octets: int
    """Octets of a torn tail that were cut off."""
    notes: tuple[str, ...]
    """One sentence each, for the log."""


def journal_folder(data_folder: Path) -> Path:
    """Where the segment files of a data folder lie."""
    return data_folder / FOLDER


def list_segments(folder: Path) -> list[Segment]:
    """All segments by offset; empty when the folder is not there."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                stem = entry.name.removesuffix(segment_format.SUFFIX)
                if stem != entry.name and stem.isdecimal():
                    state = entry.stat()
                    found.append((int(stem), Path(entry.path), state.st_size, state.st_mtime_ns))
    except FileNotFoundError:
        return []
    found.sort()
    behind: list[int | None] = [first for first, *_ in found[1:]]
    return [
        Segment(path, first, next_offset, octets, modified)
        for (first, path, octets, modified), next_offset in zip(
            found, [*behind, None], strict=bool(found)
        )
    ]


def check_segment(path: Path) -> SegmentCheck:
    """Read every frame of a file and compare its CRC.

    Raises:
        DamagedError: the head cannot be read, so nothing in the file can.
    """
    octets = path.read_bytes()
    first_offset, position, _ = segment_format.decode_head(octets)
    offset = first_offset
    problem = ""
    while position < len(octets):
        try:
            end, offset = _frame_at(octets, position, offset)
        except DamagedError as error:
            problem = str(error)
            break
        position = end
    end_offset = _offset_behind(octets, position) if problem else None
    return SegmentCheck(
        path=path,
        first_offset=first_offset,
        next_offset=offset,
        end_offset=max(offset, end_offset or 0),
        good_octets=position,
        octets=len(octets),
        problem=problem,
        torn=bool(problem) and end_offset is None,
    )


def recover(folder: Path) -> Recovery:
    """Make the journal ready to be written behind its last good record.

    Raises:
        SinkError: the last file cannot be read or cut.
    """
    segments = list_segments(folder)
    for leftover in folder.glob("*.tmp"):
        leftover.unlink()
    if not segments:
        return Recovery(0, 0, ())
    last = segments[-1]
    try:
        if _is_blank(last.path):
            note = f"{last.path.name} has no head and no record: it is begun again"
            return Recovery(last.first_offset, last.octets, (note,))
        check = check_segment(last.path)
        if check.torn:
            os.truncate(last.path, check.good_octets)
    except (OSError, DamagedError) as error:
        raise SinkError(
            f"the journal segment {last.path} cannot be used: {error}", retryable=False
        ) from error
    if not check.problem:
        return Recovery(check.next_offset, 0, ())
    if check.torn:
        cut = check.octets - check.good_octets
        note = f"cut {cut} octets of a torn tail off {last.path.name}: {check.problem}"
        return Recovery(check.next_offset, cut, (note,))
    lost = check.end_offset - check.next_offset
    note = (
        f"{last.path.name} is damaged at octet {check.good_octets} ({check.problem}): "
        f"{lost} records from offset {check.next_offset} on cannot be read"
    )
    return Recovery(check.end_offset, 0, (note,))


def _is_blank(path: Path) -> bool:
    """A file whose head never reached the disk, so no record in it was ever committed.

    What stands there instead is zeroes or a part of a head of ours; anything else is not touched.
    """
    octets = path.read_bytes()
    try:
        segment_format.decode_head(octets)
    except DamagedError:
        ours = segment_format.FILE_MAGIC + segment_format.VERSION.to_bytes(2, "little")
        begun = octets.startswith(ours) or not any(octets)
        return begun and _offset_behind(octets, -1) is None
    return False


def _frame_at(octets: bytes, position: int, offset: int) -> tuple[int, int]:
    """(end of the frame, offset behind it). Raises DamagedError."""
    head_octets = octets[position : position + FRAME.size]
    head = segment_format.decode_frame_head(head_octets)
    end = position + FRAME.size + head.length
    segment_format.check_payload(head_octets, head, octets[position + FRAME.size : end])
    if head.first_offset < offset:
        raise DamagedError(f"the frame starts at offset {head.first_offset}, expected {offset}")
    return end, head.first_offset + head.rows


def _offset_behind(octets: bytes, position: int) -> int | None:
    """Offset behind the last good frame after ``position``; None when there is none."""
    found = None
    while (position := octets.find(segment_format.FRAME_MAGIC, position + 1)) >= 0:
        try:
            end, found = _frame_at(octets, position, found or 0)
        except DamagedError:
            continue
        position = end - 1
    return found
