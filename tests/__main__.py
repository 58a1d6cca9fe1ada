"""The one test command: ``python -m tests``.

Runs, in this order and stopping at the first that fails: ruff (lint, format), mypy --strict, the
import floors, pyang over ``yang/``, then pytest with branch coverage, the table of which test
proves which clause of the standards, and last the tests that compare with what happened at a
certain time, two at a time and nothing beside them; of those, a few that failed run once more, each
alone (``tests.calm`` says when). Arguments are handed to pytest, as in
``python -m tests -k journal``; ``--quick`` runs the unit and property tests only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.calm import ONCE_MORE

ROOT = Path(__file__).resolve().parent.parent
COVERED_WHOLE = ["collector/wire/*", "collector/core/*"]
"""What must be covered by branch to the last line."""
LIMIT_SECONDS = 1800
"""For one step; the longest takes eight minutes on two cores. What hangs fails."""
LONGEST = [
    "tests/integration/test_fast_sanitized.py",
    "tests/unit/test_bench_runs.py",
    "tests/integration/test_lanes_trouble.py",
    "tests/integration/test_sim_device.py",
    "tests/integration/test_secrets.py",
]
LONGEST_IN_REAL_TIME = [
    "tests/integration/test_soak_short.py",
    "tests/integration/test_lanes_equal.py",
    "tests/integration/test_transport_matrix.py",
    "tests/integration/test_end_to_end_faults.py",
]
"""Begun first, so that no worker is alone with one of them at the end."""


def checks() -> list[tuple[str, list[str]]]:
    """Name and command of each check before pytest."""
    python = sys.executable
    scripts = Path(python).parent
    return [
        ("ruff check", [python, "-m", "ruff", "check", "."]),
        ("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        ("mypy --strict", [python, "-m", "mypy"]),
        ("import floors", [str(scripts / "lint-imports")]),
        ("pyang --strict", [python, "-m", "collector", "yang", "validate", "--strict", "yang"]),
    ]


def pytest_commands(arguments: list[str], quick: bool) -> list[tuple[str, list[str]]]:
    """pytest over several processes, then the coverage promise, then what compares with the time.

    A file's tests stay together, so that what a module prepares is prepared once. Only what must be
    covered is traced: the rest costs a tenth of the time. Labs in real time sleep most of it and
    bear company (``tests.calm``), but not that of tests which take all there is.
    """
    python = sys.executable
    pytest = [python, "-m", "pytest"]
    by_file = ["--dist", "loadfile", "--no-loadscope-reorder"]
    by_file.append("--max-worker-restart=0")  # xdist can wait for ever for a replacement
    together = [*pytest, "-n", str(min(4, os.cpu_count() or 1)), *by_file]
    if arguments:
        return [("pytest", [*pytest, *arguments])]
    if quick:
        selection = "not integration and not slow and not realtime"
        return [("pytest", [*together, "-m", selection])]
    covered = ["--cov=collector.wire", "--cov=collector.core", "--cov-report="]
    in_real_time = [*pytest, "-n", "2", *by_file, "--tell-few", "-m", "realtime"]
    promise = [python, "-m", "coverage", "report", "--include", ",".join(COVERED_WHOLE)]
    return [
        ("pytest", [*together, *covered, "-m", "not realtime", *LONGEST, "tests"]),
        ("coverage of wire and core is 100 %", [*promise, "--fail-under=100", "--skip-covered"]),
        ("clauses of the standards -> tests", [python, "-m", "tests.clauses"]),
        ("pytest in real time", [*in_real_time, *LONGEST_IN_REAL_TIME, "tests"]),
    ]


def main(arguments: list[str]) -> int:
    """Run everything; 0 when all of it passed."""
    quick = "--quick" in arguments
    arguments = [argument for argument in arguments if argument != "--quick"]
    steps = ([] if quick or arguments else checks()) + pytest_commands(arguments, quick)
    for name, command in steps:
        status = run(name, command)
        if status == ONCE_MORE:
            status = run(f"{name}: those that failed, alone", once_more())
        if status:
            return status
    return 0


def once_more() -> list[str]:
    """pytest for the tests in real time that failed last, in one process."""
    chosen = ["--last-failed", "--last-failed-no-failures=none", "-m", "realtime", "tests"]
    return [sys.executable, "-m", "pytest", *chosen]


def run(name: str, command: list[str]) -> int:
    """One step; its exit status."""
    started = time.monotonic()
    print(f"== {name}", flush=True)
    try:
        done = subprocess.run(command, cwd=ROOT, check=False, timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"== {name}: FAILED (not done after {LIMIT_SECONDS} s)", flush=True)
        return 1
    if done.returncode == ONCE_MORE:
        print(f"== {name}: a few failed, see above; nothing differed", flush=True)
    elif done.returncode:
        print(f"== {name}: FAILED (exit status {done.returncode})", flush=True)
    else:
        print(f"== {name}: passed in {time.monotonic() - started:.0f} s", flush=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
