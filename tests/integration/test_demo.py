"""``collector demo`` as a user runs it: a child process, sockets, and the truth at the end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.calm import calmest

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


class Ran(NamedTuple):
    """A demo that is over."""

    folder: Path
    rows: list[dict[str, Any]]
    result: dict[str, Any]
    """The last row."""
    status: int
    errors: str


def ran(folder: Path) -> Ran:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "collector", "demo", "--duration", "24", "--cards", "3"),
            *("--keep", str(folder / "kept"), "--json"),
        ],
        capture_output=True,
        check=False,
        timeout=120,
        text=True,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return Ran(folder, rows, rows.pop(), done.returncode, done.stderr)


def check(found: Ran) -> None:
    result = found.result
    assert result["row"] == "comparison"
    assert result["differences"] == []
    assert found.errors == ""
    late = result["uncertain"] > 0
    agrees = result["agrees"] and result["outcomes"].get("INCOMPLETE", 0) >= 2
    if late and not (agrees and result["outcomes"].get("DEGRADED", 0) >= 1):
        pytest.skip(f"the device was late: {result}")
    assert agrees, result
    assert found.status == 0
    assert result["outcomes"]["DEGRADED"] >= 1
    assert {row["row"] for row in found.rows} == {"verdict", "event", "subscription"}


@pytest.mark.realtime
def test_the_demo_agrees_with_the_truth(tmp_path: Path) -> None:
    found = calmest(tmp_path, ran, check)
    check(found)
    asked = subprocess.run(
        [
            *(sys.executable, "-m", "collector", "verdicts", "--json"),
            *("--store", str(found.folder / "kept" / "data")),
        ],
        capture_output=True,
        check=True,
        timeout=60,
    )
    periods = {row["period_index"] for row in found.rows if row["row"] == "verdict"}
    stored = [json.loads(line) for line in asked.stdout.splitlines()]
    assert {row["period_index"] for row in stored} == periods
