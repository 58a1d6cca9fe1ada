"""The one test command: ``python -m tests``.

Runs, in this order and stopping at the first that fails: ruff (lint, format), mypy --strict, the
import floors, pyang over ``yang/``, then pytest with branch coverage, the table of which test
proves which clause of the standards, and last the tests that compare with what happened at a
certain time, alone on the machine. Arguments are handed to pytest, as in ``python -m tests -k
journal``; ``--quick`` runs the unit and property tests only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COVERED_WHOLE = ["collector/wire/*", "collector/core/*"]
"""What must be covered by branch to the last line."""
LIMIT_SECONDS = 1800
"""For one step; the longest takes three minutes on two cores. What hangs fails."""


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
    """pytest over several processes, then what must run alone, then the coverage promise."""
    python = sys.executable
    pytest = [python, "-m", "pytest"]
    together = [*pytest, "-n", str(min(4, os.cpu_count() or 1))]
    together.append("--max-worker-restart=0")  # xdist can wait for ever for a replacement
    if arguments:
        return [("pytest", [*pytest, *arguments])]
    if quick:
        selection = "not integration and not slow and not realtime"
        return [("pytest", [*together, "-m", selection])]
    covered = ["--cov", "--cov-report="]
    promise = [python, "-m", "coverage", "report", "--include", ",".join(COVERED_WHOLE)]
    return [
        ("pytest", [*together, *covered, "-m", "not realtime"]),
        ("coverage of wire and core is 100 %", [*promise, "--fail-under=100", "--skip-covered"]),
        ("clauses of the standards -> tests", [python, "-m", "tests.clauses"]),
        ("pytest in real time", [*pytest, "-m", "realtime"]),
    ]


def main(arguments: list[str]) -> int:
    """Run everything; 0 when all of it passed."""
    quick = "--quick" in arguments
    arguments = [argument for argument in arguments if argument != "--quick"]
    steps = ([] if quick or arguments else checks()) + pytest_commands(arguments, quick)
    for name, command in steps:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        try:
            done = subprocess.run(command, cwd=ROOT, check=False, timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"== {name}: FAILED (not done after {LIMIT_SECONDS} s)", flush=True)
            return 1
        if done.returncode:
            print(f"== {name}: FAILED (exit status {done.returncode})", flush=True)
            return done.returncode
        print(f"== {name}: passed in {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
