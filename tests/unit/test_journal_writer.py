"""Appending, rotation, group commit, full and failing disks, recovery: one process, real files."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from collector.errors import ConfigError, IntakeFullError, SinkError
from collector.journal import (
    Disk,
    Journal,
    JournalReader,
    JournalSettings,
    RetentionLimits,
    Segment,
)
from collector.journal.retention import DELAY, JournalRetention
from collector.model import ReceivedBatch, RecordKind
from tests.unit.journal_batches import batch_of, columns, numbers

SETTINGS = JournalSettings(free_space_reserve=0)


class BadDisk(Disk):
    """A disk with faults switched on and off by the test."""

    def __init__(self) -> None:
        self.write_error: int | None = None
        self.octets_left: int | None = None
        self.truncate_fails = False
        self.sync_error: int | None = None
        self.free = 1 << 40
        self.may_sync = threading.Event()
        self.may_sync.set()

    def write(self, fd: int, parts: Sequence[Any]) -> int:
        if self.write_error is not None:
            raise OSError(self.write_error, os.strerror(self.write_error))
        if self.octets_left is None:
            return super().write(fd, parts)
        octets = b"".join(bytes(memoryview(part)) for part in parts)[: self.octets_left]
        self.octets_left -= len(octets)
        return os.write(fd, octets) if octets else 0

    def truncate(self, fd: int, octets: int) -> None:
        if self.truncate_fails:
            raise OSError(errno.EIO, "truncate")
        super().truncate(fd, octets)

    def sync(self, fd: int) -> None:
        self.may_sync.wait()
        if self.sync_error is not None:
            raise OSError(self.sync_error, os.strerror(self.sync_error))
        super().sync(fd)

    def free_octets(self, fd: int) -> int:
        return self.free


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Journal]]:
    journals: list[Journal] = []

    def open_journal(settings: JournalSettings = SETTINGS, **more: Any) -> Journal:
        journals.append(Journal.open(tmp_path, settings, **more))
        return journals[-1]

    yield open_journal
    for journal in journals:
        journal.close()


def read_numbers(folder: Path, offset: int = 0) -> list[int]:
    reader = JournalReader(folder)
    return [n for frame in reader.read(offset) for n in numbers(frame.batch())]


# --------------------------------------------------------------------------- the plain way
def test_what_was_appended_is_read_back_at_once(
    opened: Callable[..., Journal], tmp_path: Path
) -> None:
    journal = opened()
    first = journal.append(batch_of(3))
    second = journal.append(batch_of(2, first=3))
    assert (first.first_offset, first.next_offset, first.segment) == (0, 3, 0)
    assert (second.first_offset, second.next_offset) == (3, 5)
    frames = list(JournalReader(tmp_path).read())
    assert [(f.first_offset, f.next_offset, f.segment) for f in frames] == [(0, 3, 0), (3, 5, 0)]
    assert columns(frames[1].batch()) == columns(batch_of(2, first=3))
    assert first.records.column("payload").to_pylist() == batch_of(3).payload


def test_reading_starts_inside_a_frame_and_goes_on_where_it_ended(
    opened: Callable[..., Journal], tmp_path: Path
) -> None:
    journal = opened()
    journal.append(batch_of(4))
    journal.append(batch_of(4, first=4))
    reader = JournalReader(tmp_path)
    frames = list(reader.read(2))
    assert [(f.first_offset, f.next_offset) for f in frames] == [(2, 4), (4, 8)]
    assert numbers(frames[0].batch()) == [2, 3]
    assert list(reader.read(8)) == []
    journal.append(batch_of(1, first=8))
    assert [numbers(f.batch()) for f in reader.read(8)] == [[8]]


def test_empty_batch_and_bad_columns_are_refused_and_leave_nothing(
    opened: Callable[..., Journal], tmp_path: Path
) -> None:
    journal = opened()
    with pytest.raises(ValueError, match="empty batch"):
        journal.append(batch_of(0))
    bad = batch_of(1)
    bad.version = array("H", [256])
    with pytest.raises(ValueError, match="version"):
        journal.append(bad)
    assert journal.next_offset == 0
    assert list(JournalReader(tmp_path).read()) == []


def test_waiting_ends_with_the_group_commit(opened: Callable[..., Journal]) -> None:
    disk = BadDisk()
    journal = opened(disk=disk)
    disk.may_sync.clear()

    async def run() -> None:
        end = journal.append(batch_of(2)).next_offset
        waits = [asyncio.create_task(journal.wait_committed(offset)) for offset in (1, end)]
        await asyncio.sleep(0)
        assert journal.committed_offset == 0
        assert not any(wait.done() for wait in waits)
        waits[0].cancel()
        disk.may_sync.set()
        await asyncio.wait_for(waits[1], 30)
        assert journal.committed_offset == end
        await journal.wait_committed(end)

    asyncio.run(run())
    assert journal.wait_durable(2, 30)
    assert not journal.wait_durable(3, 0.01)


def test_commit_starts_at_once_when_enough_octets_gathered(opened: Callable[..., Journal]) -> None:
    journal = opened(
        JournalSettings(free_space_reserve=0, commit_interval_seconds=3600, commit_octets=2000)
    )

    journal.append(batch_of(1))
    end = journal.append(batch_of(100, octets=100)).next_offset
    patience = time.monotonic() + 30
    while journal.committed_offset < end:
        assert time.monotonic() < patience
        time.sleep(0.005)


def test_commit_comes_early_when_somebody_waits(opened: Callable[..., Journal]) -> None:
    journal = opened(JournalSettings(free_space_reserve=0, commit_interval_seconds=3600))

    async def run() -> None:
        for _ in range(3):
            end = journal.append(batch_of(1)).next_offset
            await asyncio.wait_for(journal.wait_committed(end), 30)
        left = journal.append(batch_of(1)).next_offset
        await asyncio.sleep(0.05)
        assert journal.committed_offset < left, "nobody waits: company may come for an hour"

    asyncio.run(run())


def test_waiting_for_what_never_comes_ends_when_the_journal_closes(
    opened: Callable[..., Journal],
) -> None:
    journal = opened()

    async def run() -> None:
        wait = asyncio.create_task(journal.wait_committed(1))
        await asyncio.sleep(0)
        journal.close()
        with pytest.raises(IntakeFullError, match="closed"):
            await wait

    asyncio.run(run())
    with pytest.raises(IntakeFullError, match="closed"):
        journal.wait_durable(1)
    with pytest.raises(IntakeFullError, match="closed"):
        journal.append(batch_of(1))
    journal.close()


def test_waiter_whose_loop_is_gone_harms_nobody(opened: Callable[..., Journal]) -> None:
    disk = BadDisk()
    journal = opened(disk=disk)
    disk.may_sync.clear()
    loop = asyncio.new_event_loop()
    end = journal.append(batch_of(1)).next_offset
    task = loop.create_task(journal.wait_committed(end))
    loop.run_until_complete(asyncio.sleep(0))
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()
    disk.may_sync.set()
    assert journal.wait_durable(end, 30)


# --------------------------------------------------------------------------- segments
def test_segments_end_by_size_and_by_age_and_on_request(
    opened: Callable[..., Journal], tmp_path: Path
) -> None:
    now = [100.0]
    sealed: list[Segment] = []
    journal = opened(
        JournalSettings(free_space_reserve=0, segment_seconds=5.0, segment_octets=20_000),
        monotonic=lambda: now[0],
    )
    journal.on_sealed.append(sealed.append)
    journal.append(batch_of(2))
    now[0] += 5.0  # the next batch has 20,000 octets, however few it has in the file
    assert journal.append(batch_of(200, first=2, octets=100)).segment == 2
    assert journal.append(batch_of(1, first=202)).segment == 202
    journal.seal()
    journal.seal()
    assert journal.append(batch_of(1, first=203)).segment == 203
    assert [(s.first_offset, s.next_offset) for s in sealed] == [(0, 2), (2, 202), (202, 203)]
    listed = journal.segments()
    assert [(s.first_offset, s.next_offset) for s in listed] == [
        (0, 2), (2, 202), (202, 203), (203, None),
    ]  # fmt: skip
    assert [s.path.name for s in listed][1] == "00000000000000000002.journal"
    assert read_numbers(tmp_path) == list(range(204))
    assert [f.segment for f in JournalReader(tmp_path).read(1)] == [0, 2, 202, 203]


def test_segment_without_records_is_never_sealed(opened: Callable[..., Journal]) -> None:
    now = [0.0]
    journal = opened(monotonic=lambda: now[0])
    now[0] = 1e6
    assert journal.append(batch_of(1)).segment == 0
    assert len(journal.segments()) == 1


def test_closing_seals_and_a_new_start_goes_on_in_a_new_segment(
    opened: Callable[..., Journal], tmp_path: Path
) -> None:
    journal = opened()
    sealed: list[Segment] = []
    journal.on_sealed.append(sealed.append)
    journal.append(batch_of(3))
    journal.close()
    assert [(s.first_offset, s.next_offset) for s in sealed] == [(0, 3)]
    again = opened()
    assert (again.next_offset, again.committed_offset, again.segment) == (3, 3, 3)
    assert again.recovery.notes == ()
    again.close()
    third = opened()
    assert len(third.segments()) == 2
    assert third.append(batch_of(1, first=3)).first_offset == 3
    assert read_numbers(tmp_path) == [0, 1, 2, 3]


def test_offsets_the_store_knows_are_never_given_twice(
    opened: Callable[..., Journal], tmp_path: Path
) -> None:
    journal = opened(minimum_offset=500)
    assert journal.append(batch_of(1)).first_offset == 500
    assert "offsets go on there" in journal.recovery.notes[0]
    assert [f.first_offset for f in JournalReader(tmp_path).read(0)] == [500]


def test_second_process_is_told_who_has_the_folder(
    opened: Callable[..., Journal], tmp_path: Path
) -> None:
    journal = opened()
    with pytest.raises(ConfigError, match=f"in use by process {os.getpid()}"):
        Journal.open(tmp_path)
    journal.close()
    Journal.open(tmp_path, SETTINGS).close()


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used"):
        Journal.open(tmp_path / "file" / "data")
    (tmp_path / "journal").write_text("")
    with pytest.raises(ConfigError, match="cannot be used"):
        Journal.open(tmp_path)


# --------------------------------------------------------------------------- a full disk
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_write_error_takes_nothing_and_heals(
    opened: Callable[..., Journal], tmp_path: Path, code: int
) -> None:
    disk = BadDisk()
    journal = opened(disk=disk)
    journal.append(batch_of(2))
    disk.write_error = code
    with pytest.raises(IntakeFullError, match=os.strerror(code)):
        journal.append(batch_of(2, first=2))
    assert journal.next_offset == 2
    disk.write_error = None
    assert journal.append(batch_of(2, first=2)).first_offset == 2
    assert read_numbers(tmp_path) == [0, 1, 2, 3]


@pytest.mark.parametrize("room", [0, 1, 23, 24, 300])
def test_half_written_frame_is_taken_away(
    opened: Callable[..., Journal], tmp_path: Path, room: int
) -> None:
    disk = BadDisk()
    journal = opened(disk=disk)
    journal.append(batch_of(2))
    size = journal.segments()[0].octets
    disk.octets_left = room
    with pytest.raises(IntakeFullError, match="No space left"):
        journal.append(batch_of(2, first=2))
    assert journal.segments()[0].octets == size
    disk.octets_left = None
    journal.append(batch_of(2, first=2))
    assert read_numbers(tmp_path) == [0, 1, 2, 3]


def test_short_write_is_finished_by_a_second(
    opened: Callable[..., Journal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = BadDisk()
    journal = opened(disk=disk)
    whole = disk.write
    pieces = iter([100, 1 << 30])

    def short(fd: int, parts: Sequence[Any]) -> int:
        disk.octets_left = next(pieces)
        return whole(fd, parts)

    monkeypatch.setattr(disk, "write", short)
    journal.append(batch_of(2))
    assert read_numbers(tmp_path) == [0, 1]


@pytest.mark.parametrize("before", [0, 2])
def test_half_written_frame_that_cannot_be_taken_away_ends_the_file(
    opened: Callable[..., Journal], tmp_path: Path, before: int
) -> None:
    disk = BadDisk()
    journal = opened(disk=disk)
    if before:
        journal.append(batch_of(before))
    disk.octets_left, disk.truncate_fails = 200, True
    with pytest.raises(IntakeFullError):
        journal.append(batch_of(5, first=before))
    disk.octets_left, disk.truncate_fails = None, False
    appended = journal.append(batch_of(5, first=before))
    assert (appended.first_offset, appended.segment) == (before, before)
    said: list[str] = []
    reader = JournalReader(tmp_path, on_damage=said.append)
    found = [n for frame in reader.read() for n in numbers(frame.batch())]
    assert found == list(range(before + 5))
    assert said == []
    assert journal.wait_durable(before + 5, 30)


def test_no_room_for_a_new_segment_leaves_the_old_one_sealed(
    opened: Callable[..., Journal], tmp_path: Path
) -> None:
    disk = BadDisk()
    journal = opened(disk=disk)
    journal.append(batch_of(1))
    journal.seal()
    disk.octets_left = 10
    for _ in range(2):
        with pytest.raises(IntakeFullError, match="No space left"):
            journal.append(batch_of(1, first=1))
    disk.octets_left = None
    assert journal.append(batch_of(1, first=1)).segment == 1
    assert read_numbers(tmp_path) == [0, 1]


def test_a_folder_that_cannot_be_made_anew_is_an_intake_error(
    opened: Callable[..., Journal], tmp_path: Path
) -> None:
    journal = opened()
    journal.append(batch_of(1))
    journal.seal()
    (tmp_path / "journal").rename(tmp_path / "elsewhere")
    (tmp_path / "journal").write_text("a file stands in the way")
    with pytest.raises(IntakeFullError):
        journal.append(batch_of(1))


def test_no_room_at_the_start_frees_the_folder(tmp_path: Path) -> None:
    disk = BadDisk()
    disk.octets_left = 3
    with pytest.raises(IntakeFullError):
        Journal.open(tmp_path, SETTINGS, disk=disk)
    Journal.open(tmp_path, SETTINGS).close()


@pytest.mark.parametrize(
    ("reserve", "said"),
    [(1000, "1000 octets"), (1 << 20, "1 MiB"), (256 << 20, "256 MiB"), (3 << 29, "1.5 GiB")],
)
def test_the_reserve_is_said_in_words_for_people(
    opened: Callable[..., Journal], reserve: int, said: str
) -> None:
    disk = BadDisk()
    journal = opened(JournalSettings(free_space_reserve=reserve), disk=disk)
    disk.free = reserve - 1
    with pytest.raises(IntakeFullError, match=f"has less than {said} free"):
        journal.append(batch_of(1))


def test_reserve_of_free_space_is_left_alone(opened: Callable[..., Journal]) -> None:
    disk = BadDisk()
    journal = opened(JournalSettings(free_space_reserve=1000), disk=disk)
    journal.append(batch_of(1))
    disk.free = 999
    with pytest.raises(IntakeFullError, match="less than 1000 octets free"):
        journal.append(batch_of(1, first=1))
    disk.free = 1000
    assert journal.append(batch_of(1, first=1)).first_offset == 1


# --------------------------------------------------------------------------- a sync that fails
def test_failed_sync_is_never_claimed_and_the_next_file_must_prove_itself(
    opened: Callable[..., Journal], tmp_path: Path
) -> None:
    disk = BadDisk()
    failures: list[tuple[str, int | None]] = []
    journal = opened(
        disk=disk, on_failure=lambda path, error: failures.append((path.name, error.errno))
    )

    async def run() -> None:
        good = journal.append(batch_of(2)).next_offset
        await asyncio.wait_for(journal.wait_committed(good), 30)
        disk.sync_error = errno.EIO
        doubtful = journal.append(batch_of(2, first=2)).next_offset
        with pytest.raises(IntakeFullError, match="not acknowledged"):
            await asyncio.wait_for(journal.wait_committed(doubtful), 30)
        assert journal.committed_offset == good
        # the disk still fails: the new file's head cannot be synced, nothing is taken
        with pytest.raises(IntakeFullError, match="Input/output error"):
            journal.append(batch_of(1, first=4))
        disk.sync_error = None
        # the same file is not synced again, though the disk would now say yes
        with pytest.raises(IntakeFullError, match="not acknowledged"):
            await journal.wait_committed(doubtful)
        later = journal.append(batch_of(1, first=4))
        assert later.segment == doubtful
        await asyncio.wait_for(journal.wait_committed(later.next_offset), 30)
        assert journal.committed_offset == later.next_offset
        with pytest.raises(IntakeFullError, match="not acknowledged"):
            await journal.wait_committed(doubtful - 1)
        await journal.wait_committed(good)

    asyncio.run(run())
    assert failures == [("00000000000000000000.journal", errno.EIO)]
    assert read_numbers(tmp_path) == [0, 1, 2, 3, 4]


def test_record_appended_while_its_file_fails_is_doubtful_too(
    opened: Callable[..., Journal],
) -> None:
    disk = BadDisk()
    journal = opened(disk=disk)
    disk.may_sync.clear()
    disk.sync_error = errno.EIO

    async def run() -> None:
        first = journal.append(batch_of(1))
        wait_first = asyncio.create_task(journal.wait_committed(first.next_offset))
        await asyncio.sleep(0.1)  # the commit thread now hangs in sync
        second = journal.append(batch_of(1, first=1))
        wait_second = asyncio.create_task(journal.wait_committed(second.next_offset))
        await asyncio.sleep(0)
        disk.may_sync.set()
        for wait in (wait_first, wait_second):
            with pytest.raises(IntakeFullError):
                await asyncio.wait_for(wait, 30)

    asyncio.run(run())
    disk.sync_error = None
    assert journal.append(batch_of(1, first=2)).segment == 2


# --------------------------------------------------------------------------- after a crash
def crashed(folder: Path, frames: int = 3) -> Path:
    """A journal of ``frames`` frames of two records, as a killed process leaves it."""
    journal = Journal.open(folder, SETTINGS)
    for number in range(frames):
        journal.append(batch_of(2, first=2 * number))
    path = journal.segments()[-1].path
    journal.close()
    return path


@pytest.mark.parametrize("cut", [1, 23, 24, 25, 500])
def test_torn_tail_is_cut_off_and_said(tmp_path: Path, cut: int) -> None:
    path = crashed(tmp_path)
    octets = path.read_bytes()
    start = octets.rfind(b"YPJF")
    path.write_bytes(octets[: start + cut])
    assert read_numbers(tmp_path) == [0, 1, 2, 3]
    journal = Journal.open(tmp_path, SETTINGS)
    assert journal.next_offset == 4
    assert journal.recovery.cut_octets == cut
    assert f"cut {cut} octets" in journal.recovery.notes[0]
    journal.append(batch_of(2, first=4))
    journal.close()
    assert read_numbers(tmp_path) == [0, 1, 2, 3, 4, 5]


def test_zeroed_tail_is_cut_off(tmp_path: Path) -> None:
    path = crashed(tmp_path)
    octets = path.read_bytes()
    start = octets.rfind(b"YPJF")
    path.write_bytes(octets[: start + 100] + bytes(5000))
    journal = Journal.open(tmp_path, SETTINGS)
    journal.close()
    assert journal.recovery.cut_octets == 5100
    assert read_numbers(tmp_path) == [0, 1, 2, 3]


def test_file_whose_head_never_reached_the_disk_is_begun_again(tmp_path: Path) -> None:
    crashed(tmp_path)
    journal = Journal.open(tmp_path, SETTINGS)
    blank = journal.segments()[-1].path
    journal.close()
    for content in (b"", bytes(3000)):
        blank.write_bytes(content)
        journal = Journal.open(tmp_path, SETTINGS)
        journal.close()
        assert journal.next_offset == 6
        assert "begun again" in journal.recovery.notes[0]
    assert read_numbers(tmp_path) == [0, 1, 2, 3, 4, 5]


def test_damage_with_good_frames_behind_is_kept_said_and_stepped_over(tmp_path: Path) -> None:
    path = crashed(tmp_path)
    octets = bytearray(path.read_bytes())
    second = octets.find(b"YPJF", octets.find(b"YPJF") + 1)
    octets[second + 60] ^= 1
    path.write_bytes(octets)
    journal = Journal.open(tmp_path, SETTINGS)
    assert journal.next_offset == 6
    assert journal.recovery.cut_octets == 0
    assert "4 records from offset 2 on cannot be read" in journal.recovery.notes[0]
    assert path.read_bytes() == octets
    journal.append(batch_of(1, first=6))
    journal.close()
    said: list[str] = []
    reader = JournalReader(tmp_path, on_damage=said.append)
    assert [n for frame in reader.read() for n in numbers(frame.batch())] == [0, 1, 6]
    assert len(said) == 1
    assert "4 records are missing" in said[0]


def test_head_that_is_damaged_over_good_frames_stops_the_start(tmp_path: Path) -> None:
    path = crashed(tmp_path)
    octets = bytearray(path.read_bytes())
    octets[20] ^= 1
    path.write_bytes(octets)
    with pytest.raises(SinkError, match="cannot be used: the head has a wrong CRC"):
        Journal.open(tmp_path)


def test_file_of_a_later_version_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / f"{0:020d}.journal").write_bytes(b"YPJOURNL\x02\0" + bytes(18))
    with pytest.raises(SinkError, match="format version is 2"):
        Journal.open(tmp_path)


def test_segment_of_before_the_last_that_is_torn_is_read_up_to_there(tmp_path: Path) -> None:
    path = crashed(tmp_path)
    journal = Journal.open(tmp_path, SETTINGS)
    journal.append(batch_of(1, first=6))
    journal.close()
    path.write_bytes(path.read_bytes()[:-1])
    said: list[str] = []
    reader = JournalReader(tmp_path, on_damage=said.append)
    assert [n for frame in reader.read() for n in numbers(frame.batch())] == [0, 1, 2, 3, 6]
    assert "from offset 4 on: 2 records are missing" in said[0]


def test_other_files_in_the_folder_are_left_alone_and_half_made_ones_go(tmp_path: Path) -> None:
    crashed(tmp_path)
    folder = tmp_path / "journal"
    (folder / "notes.txt").write_text("mine")
    (folder / "abc.journal").write_text("mine too")
    (folder / f"{99:020d}.tmp").write_text("")
    Journal.open(tmp_path, SETTINGS).close()
    assert (folder / "notes.txt").exists()
    assert not (folder / f"{99:020d}.tmp").exists()
    assert read_numbers(tmp_path) == [0, 1, 2, 3, 4, 5]


# --------------------------------------------------------------------------- retention
def segments_of_two(tmp_path: Path, count: int) -> Journal:
    journal = Journal.open(tmp_path, SETTINGS)
    for number in range(count):
        journal.append(batch_of(2, first=2 * number))
        journal.seal()
    journal.append(batch_of(2, first=2 * count))
    return journal


def test_retention_deletes_below_the_safe_offset_after_a_minute(tmp_path: Path) -> None:
    journal = segments_of_two(tmp_path, 4)
    retention = JournalRetention(tmp_path)
    names = [segment.path.name for segment in journal.segments()]
    limits = RetentionLimits(max_octets=1)
    assert retention.apply(limits, safe_offset=5, now=0) == []
    assert retention.apply(limits, safe_offset=5, now=DELAY - 1) == []
    deleted = retention.apply(limits, safe_offset=5, now=DELAY)
    assert [path.name for path in deleted] == names[:2]
    assert read_numbers(tmp_path) == [4, 5, 6, 7, 8, 9]
    assert read_numbers(tmp_path, 1) == [4, 5, 6, 7, 8, 9]
    journal.close()


def test_the_last_file_stays_whatever_the_limits_say(tmp_path: Path) -> None:
    journal = segments_of_two(tmp_path, 2)
    retention = JournalRetention(tmp_path)
    limits = RetentionLimits(max_octets=0, max_age=0)
    far = 1 << 62
    retention.apply(limits, safe_offset=1000, now=far)
    assert len(retention.apply(limits, safe_offset=1000, now=far + DELAY)) == 2
    assert [segment.first_offset for segment in journal.segments()] == [4]
    journal.close()
    again = Journal.open(tmp_path, SETTINGS)
    assert again.next_offset == 6
    again.close()


def test_retention_by_size_and_by_age_takes_the_oldest(tmp_path: Path) -> None:
    journal = segments_of_two(tmp_path, 4)
    found = journal.segments()
    for number, segment in enumerate(found):
        os.utime(segment.path, ns=(0, number * 1000))
    retention = JournalRetention(tmp_path)
    limits = RetentionLimits(max_octets=sum(segment.octets for segment in found[1:]))
    retention.apply(limits, safe_offset=1000, now=0)
    assert retention.apply(limits, safe_offset=1000, now=DELAY) == [found[0].path]
    retention.apply(RetentionLimits(max_age=1000), safe_offset=1000, now=3001)
    assert retention.apply(RetentionLimits(), safe_offset=1000, now=3001 + DELAY) == [
        found[1].path,
        found[2].path,
    ]
    assert retention.apply(RetentionLimits(), safe_offset=1000, now=1 << 62) == []
    journal.close()


def test_reader_goes_on_behind_what_was_deleted_under_it(tmp_path: Path) -> None:
    journal = segments_of_two(tmp_path, 3)
    said: list[str] = []
    frames = JournalReader(tmp_path, on_damage=said.append).read()
    assert numbers(next(frames).batch()) == [0, 1]
    journal.segments()[1].path.unlink()
    assert [n for frame in frames for n in numbers(frame.batch())] == [4, 5, 6, 7]
    journal.close()


def test_folder_without_a_journal_reads_as_empty(tmp_path: Path) -> None:
    assert list(JournalReader(tmp_path).read()) == []
    assert JournalReader(tmp_path).segments() == []


def test_what_the_writer_added_while_the_reader_looked_away_is_not_left_out(
    opened: Callable[..., Journal], tmp_path: Path
) -> None:
    journal = opened()
    journal.append(batch_of(2))

    class Slow(JournalReader):
        def _segment_behind(self, segment: Segment) -> Segment | None:
            if journal.next_offset == 2:
                journal.append(batch_of(2, first=2))
                journal.seal()
                journal.append(batch_of(1, first=4))
            return super()._segment_behind(segment)

    said: list[str] = []
    reader = Slow(tmp_path, on_damage=said.append)
    assert [n for frame in reader.read() for n in numbers(frame.batch())] == [0, 1, 2, 3, 4]
    assert said == []


def test_a_segment_of_ticks_only_lives_longer(tmp_path: Path) -> None:
    now = [0.0]
    with Journal.open(
        tmp_path, JournalSettings(segment_seconds=5.0), monotonic=lambda: now[0]
    ) as j:
        for second in range(1, 30):
            now[0] = float(second)
            j.append(tick_batch(second))
        assert len(j.segments()) == 1
        busy = ReceivedBatch()
        busy.append(30, RecordKind.DATA, b"{}")
        j.append(busy)
        now[0] = 30.5
        j.append(tick_batch(31))
        assert len(j.segments()) == 2


def tick_batch(at: int) -> ReceivedBatch:
    batch = ReceivedBatch()
    batch.append(at, RecordKind.TICK, b"")
    return batch
