"""The coverage-guided fuzzer finds nothing in a few seconds, and would find what is there."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = "5"
BROKEN = """
import sys
from tests.fuzz import targets

def feed(octets):
    if octets[:2] == b"!?":
        raise ValueError("no error of the tree")

targets.TARGETS["broken"] = targets.Target(feed, lambda: [b"!x"])
sys.argv = ["fuzz", "broken", "--seconds", "20"]
from tests.fuzz.__main__ import main
main()
"""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed"),
]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, check=False, text=True,
        timeout=120,
    )  # fmt: skip


def test_a_bounded_run_of_all_decoders() -> None:
    done = run("-m", "tests.fuzz", "all", "--seconds", SECONDS)
    assert done.returncode == 0, done.stderr[-4000:]
    (said,) = (line for line in done.stderr.splitlines() if "executed_units" in line)
    assert int(said.split()[-1]) > 200


def test_what_a_decoder_must_not_raise_is_found() -> None:
    done = run("-c", BROKEN)
    assert done.returncode != 0
    assert "no error of the tree" in done.stdout + done.stderr


def test_an_unknown_decoder_is_said() -> None:
    done = run("-m", "tests.fuzz", "nothing")
    assert done.returncode == 1
    assert "nothing is no decoder; there are: all, cbor" in done.stderr
