"""A minute of ``python -m tests.soak``; ten of them are for people who wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.realtime, pytest.mark.slow]
ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_minute_of_random_faults_brings_no_wrong_verdict_and_no_growth() -> None:
    command = [sys.executable, "-m", "tests.soak", "--seconds", "52", "--seed", "4"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 differences, 0 tracebacks" in "\n " + done.stdout.replace("\n", "\n ")
    assert "50 devices compared" in done.stdout
