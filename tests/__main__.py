"""The one test command: ``python -m tests``.

Runs, in this order and stopping at the first that fails: ruff (lint, format), mypy --strict, the
import floors, pyang over ``yang/``, then pytest with branch coverage. Arguments are handed to
pytest alone, as in ``python -m tests -k journal``; ``--quick`` leaves the checks before pytest and
the slow and integration tests out.
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
    """pytest over several processes with coverage, and the coverage promise as a second step."""
    python = sys.executable
    selection = ["-m", "not integration and not slow"] if quick else []
    run = [python, "-m", "pytest", "-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadgroup"]
    if quick or arguments:
        return [("pytest", [*run, *selection, *arguments])]
    covered = ["--cov", "--cov-report="]
    promise = [python, "-m", "coverage", "report", "--include", ",".join(COVERED_WHOLE)]
    return [
        ("coverage of wire and core is 100 %", [*promise, "--fail-under=100", "--skip-covered"]),
        ("pytest", [*run, *covered]),
    ][::-1]


def main(arguments: list[str]) -> int:
    """Run everything; 0 when all of it passed."""
    quick = "--quick" in arguments
    arguments = [argument for argument in arguments if argument != "--quick"]
    steps = ([] if quick or arguments else checks()) + pytest_commands(arguments, quick)
    for name, command in steps:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        if status:
            print(f"== {name}: FAILED (exit status {status})", flush=True)
            return status
        print(f"== {name}: passed in {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
