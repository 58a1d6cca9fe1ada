"""``collector demo`` as a user runs it: a child process, sockets, and the truth at the end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration]


@pytest.mark.parametrize("options", [["--json"], []])
def test_it_ends_when_nobody_reads_any_longer(options: list[str]) -> None:
    """As with ``| head``; it would take an hour."""
    command = [sys.executable, "-m", "collector", "demo", "--duration", "3600", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        try:
            assert demo.stdout.readline()
            demo.stdout.close()
            assert demo.wait(120) == 0
            assert demo.stderr.read() == b""
        finally:
            demo.kill()


@pytest.mark.realtime
def test_the_demo_agrees_with_the_truth(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "collector", "demo", "--duration", "24", "--cards", "3"),
            *("--keep", str(tmp_path / "kept"), "--json"),
        ],
        capture_output=True,
        check=False,
        timeout=120,
        text=True,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    result = rows.pop()
    assert result["row"] == "comparison"
    assert result["differences"] == []
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert result["outcomes"]["INCOMPLETE"] >= 2
    assert result["outcomes"]["DEGRADED"] >= 1
    assert {row["row"] for row in rows} == {"verdict", "event", "subscription"}
    asked = subprocess.run(
        [
            *(sys.executable, "-m", "collector", "verdicts", "--json"),
            *("--store", str(tmp_path / "kept" / "data")),
        ],
        capture_output=True,
        check=True,
        timeout=60,
    )
    periods = {row["period_index"] for row in rows if row["row"] == "verdict"}
    stored = [json.loads(line) for line in asked.stdout.splitlines()]
    assert {row["period_index"] for row in stored} == periods
