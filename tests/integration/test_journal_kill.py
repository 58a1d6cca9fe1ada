"""kill -9 at any moment: nothing acknowledged is lost, no row doubled; and a disk that is full."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from collector.journal import Journal, JournalReader, JournalSettings
from collector.store.query import open_query
from tests.integration.journal_child import ToyPipeline
from tests.unit.journal_batches import numbers

pytestmark = pytest.mark.integration
REPOSITORY = Path(__file__).parents[2]
ROUNDS = 8


def _run_and_kill(folder: Path, first: int, lines: int) -> int:
    """Start the child, let it say ``lines`` lines, kill it; returns what it acknowledged last."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.journal_child", str(folder), str(first)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    guard = threading.Timer(60, child.kill)
    guard.start()
    try:
        said = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        said.extend(child.stdout)
    finally:
        guard.cancel()
        child.kill()
        child.wait()
        child.stdout.close()
    assert child.returncode == -9
    whole = [line for line in said if line.endswith("\n")]
    assert whole, "the child said nothing"
    return int(whole[-1])


def test_killed_again_and_again_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    rng = random.Random(8641)
    found: list[int] = []
    for _ in range(ROUNDS):
        acknowledged = _run_and_kill(tmp_path, len(found), rng.randrange(1, 60))
        before = found
        found = [n for frame in JournalReader(tmp_path).read() for n in numbers(frame.batch())]
        assert found == list(range(len(found)))
        assert found[: len(before)] == before
        assert len(found) >= acknowledged

    pipeline = ToyPipeline(tmp_path)
    with (
        closing(pipeline.store) as store,
        Journal.open(tmp_path, minimum_offset=store.stored_offset) as journal,
    ):
        assert journal.next_offset == len(found)
        pipeline.resume(tmp_path, journal.next_offset)
        assert pipeline.segment is not None
        with open_query(tmp_path, store.open_rows()) as session:
            _check_rows(session, len(found))
        store.seal(pipeline.segment, journal.next_offset)
        assert store.flush(60)
    assert pipeline.store.stored_offset == len(found)
    with open_query(tmp_path) as session:
        _check_rows(session, len(found))


def _check_rows(session, total: int) -> None:  # type: ignore[no-untyped-def]  # QuerySession
    rows = session.run("SELECT journal_offset, payload FROM updates ORDER BY journal_offset")
    assert rows.column("journal_offset").to_pylist() == list(range(total))
    payloads = rows.column("payload").to_pylist()
    assert [int(payload.partition(b":")[0]) for payload in payloads] == list(range(total))
    events = session.run("SELECT text FROM exact.events ORDER BY time").column("text").to_pylist()
    assert events == [f"{number} is the {number + 1}th" for number in range(0, total, 7)]


def test_dying_after_any_line_of_journal_and_store_leaves_the_same_rows(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.journal_crash_points", str(tmp_path), "20"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "of 20 points" in done.stdout


_FULL_DISK = """
import sys
from pathlib import Path
from collector.errors import IntakeFullError
from collector.journal import Journal, JournalReader, JournalSettings
from tests.unit.journal_batches import batch_of, numbers

folder = Path(sys.argv[1])
ballast = folder / "ballast"
ballast.write_bytes(bytes(600_000))
journal = Journal.open(folder, JournalSettings(free_space_reserve=0))
taken = 0
try:
    while True:
        taken = journal.append(batch_of(10, first=taken, octets=900)).next_offset
except IntakeFullError as error:
    print("full:", error)
assert journal.wait_durable(taken, 30)
ballast.unlink()
end = journal.append(batch_of(10, first=taken, octets=900)).next_offset
assert journal.wait_durable(end, 30)
journal.close()
found = [n for frame in JournalReader(folder).read() for n in numbers(frame.batch())]
assert found == list(range(end)), (len(found), end)
print("kept", end)
"""


def test_a_disk_that_is_really_full_loses_nothing_and_heals(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    mount = shutil.which("mount")
    if unshare is None or mount is None:
        pytest.skip("needs unshare and mount")
    allowed = subprocess.run(
        [unshare, "-rm", mount, "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if allowed.returncode != 0:
        pytest.skip(f"this machine allows no private tmpfs: {allowed.stderr.strip()}")
    script = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        [unshare, "-rm", "sh", "-c", script, "sh", str(tmp_path), sys.executable, _FULL_DISK],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "No space left on device" in done.stdout
    assert "kept" in done.stdout


def test_two_processes_cannot_write_one_folder(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from collector.errors import ConfigError\n"
        "from collector.journal import Journal\n"
        "try: Journal.open(Path(sys.argv[1]))\n"
        "except ConfigError as error: print(error)"
    )
    with Journal.open(tmp_path, JournalSettings(free_space_reserve=0)):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert done.stdout.strip() == f"the data folder {tmp_path} is in use by process {os.getpid()}"
