"""The compiled core under the address and undefined-behaviour sanitizers, with hostile input."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "collector" / "fast" / "src").glob("*.c"))
CHILD = Path(__file__).with_name("fast_sanitized_child.py")
FOLD_CHILD = Path(__file__).with_name("fold_sanitized_child.py")
COMPILER = shutil.which("gcc")
DAMAGED = 50_000
"""Of each encoding."""
SEEDS = 150
FLAGS = [
    "-shared", "-fPIC", "-g", "-O1", "-fno-omit-frame-pointer", "-Wall", "-Wextra", "-Werror",
    "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
]  # fmt: skip

pytestmark = pytest.mark.integration


def sanitizer() -> str:
    """The library that must be loaded before Python; "" where there is none."""
    if COMPILER is None:
        return ""
    asked = [COMPILER, "-print-file-name=libasan.so"]
    said = subprocess.run(asked, capture_output=True, check=True, text=True, timeout=60)
    path = said.stdout.strip()
    return path if Path(path).is_absolute() else ""  # gcc repeats a name that it does not know


def in_child(built: Path, more: list[str], child: Path, *args: str) -> list[int]:
    """Build the core with the sanitizers, run the child with it; returns the numbers it prints."""
    library = sanitizer()
    include = sysconfig.get_path("include")
    if not library or COMPILER is None:
        pytest.skip("gcc or its libasan is missing")
    if not Path(include, "Python.h").exists():
        pytest.skip("the headers of Python are missing")
    subprocess.run(
        [COMPILER, *FLAGS, *more, f"-I{include}", *map(str, SOURCES), "-o", str(built)],
        check=True, timeout=120,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(child), str(built), *args],
        env={
            **os.environ,
            "LD_PRELOAD": library,
            "PYTHONMALLOC": "malloc",
            "ASAN_OPTIONS": "detect_leaks=0",  # Python itself keeps much until it ends
        },
        capture_output=True, check=False, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return [int(number) for number in done.stdout.split()]


@pytest.mark.parametrize("more", [[], ["-U__SSE2__"]], ids=["as-built", "no-sse2"])
def test_hostile_input(tmp_path: Path, more: list[str]) -> None:
    fed, taken = in_child(tmp_path / "_native.so", more, CHILD, "1", str(DAMAGED))
    assert fed > 2 * DAMAGED
    assert 0.01 < taken / fed < 0.5, "most of it is hostile, and some of it is not"


def test_the_fold_with_faults_and_odd_columns(tmp_path: Path) -> None:
    runs, refused, placed = in_child(tmp_path / "_native.so", [], FOLD_CHILD, str(SEEDS))
    assert runs == 2 * SEEDS
    assert refused < runs / 2
    assert placed > 10 * SEEDS
