"""The compiled core: there where it must be, off where that was asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collector import fast
from collector.cli.versions import version_text

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "collector" / "fast" / "src"
PRINT_PATH = "from collector import fast; print(fast.PATH, fast.native)"


def test_it_is_there_where_it_is_required() -> None:
    """CI sets the variable, so that a mistake in the C cannot pass as a missing compiler."""
    if os.environ.get("YPC_REQUIRE_EXT") != "1":
        pytest.skip("YPC_REQUIRE_EXT=1 is not set: the compiled core may be missing")
    assert fast.native is not None
    assert fast.PATH == "compiled"


def test_it_can_be_turned_off() -> None:
    said = subprocess.run(
        [sys.executable, "-c", PRINT_PATH],
        env={**os.environ, "COLLECTOR_PURE_PYTHON": "1"},
        capture_output=True, check=True, text=True, timeout=60,
    )  # fmt: skip
    assert said.stdout == "pure Python None\n"


def test_the_version_says_which_path_is_live() -> None:
    said = "(pure Python)" if fast.native is None else "(compiled core)"
    assert version_text().splitlines()[0].endswith(said)


def test_both_sides_have_the_same_number() -> None:
    assert f"#define NATIVE_INTERFACE {fast.INTERFACE}\n" in (SOURCES / "native.h").read_text()


def test_a_module_of_older_sources_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    if fast.native is None:
        pytest.skip("the compiled core is not built")
    monkeypatch.setattr(fast.native, "INTERFACE", 0)
    assert fast._load() is None


# --------------------------------------------------------------------------- building
@pytest.mark.parametrize(("required", "fails"), [("", False), ("1", True)])
def test_without_a_compiler(tmp_path: Path, required: str, fails: bool) -> None:
    """The package is built without the core; where it is required, that is an error."""
    pytest.importorskip("setuptools", "77", reason="building needs setuptools 77")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    shutil.copytree(SOURCES, tmp_path / SOURCES.relative_to(ROOT))
    built = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", "built"],
        cwd=tmp_path, env={**os.environ, "CC": "/no/compiler", "YPC_REQUIRE_EXT": required},
        capture_output=True, check=False, text=True, timeout=120,
    )  # fmt: skip
    assert (built.returncode != 0) is fails, built.stderr
    assert not list(tmp_path.rglob("*.so"))
