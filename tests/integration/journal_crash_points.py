"""Dies after the n-th line of the journal and the store, for many n; checks the rows each time.

Run as ``python -m tests.integration.journal_crash_points FOLDER POINTS``. Every trial is a forked
child that starts on what the trial before left, so recovery is cut short as often as writing; a
second child then checks that nothing acknowledged is missing and no row is there twice. The parent
starts no thread. Prints how many points were reached.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

import collector
from collector.journal import Journal, JournalReader, JournalSettings
from collector.store.query import open_query
from tests.integration.journal_child import ToyPipeline
from tests.unit.journal_batches import batch_of, numbers

SETTINGS = JournalSettings(
    segment_octets=6_000, commit_interval_seconds=0.001, free_space_reserve=0
)
FRAMES = 12
DIED = 9
_PACKAGE = os.path.dirname(collector.__file__)
_TRACED = tuple(os.path.join(_PACKAGE, name) + os.sep for name in ("journal", "store"))


class _Line:
    """Counts lines of the journal and the store in all threads; dies at the one chosen."""

    def __init__(self, last: int | None) -> None:
        self.count = 0
        self._last = last

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_TRACED):
            return None
        if event == "line":
            self.count += 1
            if self.count == self._last:
                os._exit(DIED)
        return self


async def _work(folder: Path, acknowledge: Callable[[int], None]) -> None:
    """Start, recover, append some batches, stop."""
    pipeline = ToyPipeline(folder)
    with (
        closing(pipeline.store) as store,
        Journal.open(folder, SETTINGS, minimum_offset=store.stored_offset) as journal,
    ):
        pipeline.resume(folder, journal.next_offset)
        acknowledge(journal.next_offset)
        for frame in range(FRAMES):
            batch = batch_of(1 + frame % 5, first=journal.next_offset)
            pipeline.read(journal.append(batch))
            if frame % 2:
                await journal.wait_committed(journal.next_offset)
                acknowledge(journal.next_offset)
        store.upkeep()


def _check(folder: Path, acknowledged: int) -> None:
    found = [n for frame in JournalReader(folder).read() for n in numbers(frame.batch())]
    assert found == list(range(len(found))), "the journal has other records"
    assert len(found) >= acknowledged, f"{acknowledged} acknowledged, {len(found)} there"
    pipeline = ToyPipeline(folder, save_snapshots=False)
    with closing(pipeline.store) as store:
        pipeline.resume(folder, len(found))
        with open_query(folder, store.open_rows()) as session:
            rows = session.run("SELECT journal_offset FROM updates ORDER BY 1")
            texts = session.run("SELECT text FROM exact.events ORDER BY time")
    assert rows.column(0).to_pylist() == list(range(len(found))), "rows lost or doubled"
    wanted = [f"{number} is the {number + 1}th" for number in range(0, len(found), 7)]
    assert texts.column(0).to_pylist() == wanted, "events lost, doubled or other"


def _child(work: Callable[[], None]) -> int:
    """Exit status of ``work`` in a process of its own."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001  # the parent needs the status, people the traceback
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _trial(folder: Path, last: int | None, pipe: tuple[int, int]) -> None:
    line = _Line(last)
    threading.settrace(line)
    sys.settrace(line)
    asyncio.run(_work(folder, lambda offset: _say(pipe, offset)))
    sys.settrace(None)
    if last is None:
        _say(pipe, line.count)


def _say(pipe: tuple[int, int], number: int) -> None:
    os.write(pipe[1], f"{number}\n".encode())


def _heard(pipe: tuple[int, int]) -> list[int]:
    os.set_blocking(pipe[0], False)
    try:
        return [int(text) for text in os.read(pipe[0], 1 << 16).split()]
    except BlockingIOError:
        return []


def main(folder: Path, points: int) -> None:
    """Try ``points`` lines spread over a whole run."""
    pipe = os.pipe()
    assert _child(lambda: _trial(folder, None, pipe)) == 0
    lines = _heard(pipe)[-1]
    reached = 0
    for number in range(points):
        last = 1 + number * lines // points
        status = _child(lambda last=last: _trial(folder, last, pipe))  # type: ignore[misc]  # bound
        assert status in (0, DIED), f"dying at line {last}: status {status}"
        reached += status == DIED
        acknowledged = max(_heard(pipe), default=0)
        assert _child(lambda: _check(folder, acknowledged)) == 0, f"after dying at line {last}"  # noqa: B023
    print(f"{reached} of {points} points, {lines} lines")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
