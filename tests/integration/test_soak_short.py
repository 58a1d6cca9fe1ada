"""A minute of ``python -m tests.soak``; ten of them are for people who wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.calm import calmest
from tests.soak.__main__ import TOO_LITTLE

pytestmark = [pytest.mark.integration, pytest.mark.realtime, pytest.mark.slow]
Done = subprocess.CompletedProcess[str]
ROOT = Path(__file__).resolve().parent.parent.parent


def a_minute(folder: Path) -> Done:
    command = [sys.executable, "-m", "tests.soak", "--seconds", "52", "--seed", "4"]
    command += ["--folder", str(folder / "soak")]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False, env=os.environ
    )


def check(done: Done) -> None:
    if done.returncode == TOO_LITTLE:
        (said,) = (line for line in done.stdout.splitlines() if line.startswith("not compared"))
        pytest.skip(f"the devices were late; {said}")
    what_matters = [line for line in done.stdout.splitlines() if " s: " not in line]
    assert done.returncode == 0, "\n".join([*what_matters[-30:], done.stderr[-2000:]])
    assert "\n0 differences, 0 tracebacks" in done.stdout
    assert "50 devices compared" in done.stdout


@pytest.mark.timeout(600)
def test_a_minute_of_random_faults_brings_no_wrong_verdict_and_no_growth(tmp_path: Path) -> None:
    check(calmest(tmp_path, a_minute, check))
