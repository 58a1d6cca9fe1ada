"""A disk that is really full, under the real collector: nothing is taken, nothing acknowledged is
lost, nobody is blamed, and it goes on when there is room. (Injected ENOSPC: ``unit``.)
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.realtime]


def _may_mount(folder: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = Path(tmp_path_factory.mktemp("full"))
    if not _may_mount(folder):
        pytest.skip("this machine allows no private tmpfs (unshare -rm), so no disk can be filled")
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-m", "tests.integration.full_disk_child", str(folder)],
        capture_output=True,
        check=False,
        text=True,
        timeout=200,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_nothing_is_taken_while_there_is_no_room(seen: dict[str, Any]) -> None:
    full, later = seen["full"], seen["still full"]
    # whichever comes first: the look at what is free, or a write that the disk refuses
    sentences = (" free", "cannot be written: No space left on device")
    assert any(sentence in full["health"] for sentence in sentences), full["health"]
    assert later["healthy"] is False
    assert later["journal_next_offset"] == full["journal_next_offset"]


def test_it_goes_on_when_there_is_room(seen: dict[str, Any]) -> None:
    assert seen["room"]["journal_next_offset"] > seen["full"]["journal_next_offset"]
    assert seen["log"].count("Nothing more is taken for now") == 2
    assert seen["log"].count("There is room again") >= 1


def test_it_can_be_stopped_and_started_again(seen: dict[str, Any]) -> None:
    assert seen["exit status"] == 0
    assert seen["exit status again"] == 0
    assert "Traceback" not in seen["log"], seen["log"][-3000:]


def test_what_was_journalled_is_stored_once(seen: dict[str, Any]) -> None:
    assert seen["stored as journalled"]
    assert seen["updates"] > 100
    assert seen["doubled"] == 0


def test_no_device_is_blamed_for_our_disk(seen: dict[str, Any]) -> None:
    assert seen["records"]["PAUSE"] >= 1
    assert set(seen["outcomes"]) <= {"COMPLETE", "NOT_JUDGED"}, seen["outcomes"]
    assert seen["outcomes"]["COMPLETE"] > 5
