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
COMPILER = shutil.which("gcc")
DAMAGED = 200_000
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


@pytest.mark.parametrize("more", [[], ["-U__SSE2__"]], ids=["as-built", "no-sse2"])
def test_hostile_input(tmp_path: Path, more: list[str]) -> None:
    library = sanitizer()
    include = sysconfig.get_path("include")
    if not library or COMPILER is None:
        pytest.skip("gcc or its libasan is missing")
    if not Path(include, "Python.h").exists():
        pytest.skip("the headers of Python are missing")
    built = tmp_path / "_native.so"
    subprocess.run(
        [COMPILER, *FLAGS, *more, f"-I{include}", *map(str, SOURCES), "-o", str(built)],
        check=True, timeout=120,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(CHILD), str(built), "1", str(DAMAGED)],
        env={
            **os.environ,
            "LD_PRELOAD": library,
            "PYTHONMALLOC": "malloc",
            "ASAN_OPTIONS": "detect_leaks=0",  # Python itself keeps much until it ends
        },
        capture_output=True, check=False, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    fed, taken = map(int, done.stdout.split())
    assert fed > DAMAGED
    assert 0.01 < taken / fed < 0.5, "most of it is hostile, and some of it is not"
