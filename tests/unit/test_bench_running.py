"""A benchmark of a collector that does not start says why, not that there was nothing to stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.running import collector


def test_a_collector_that_ends_by_itself_is_said_with_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where "-m" looks first
    (tmp_path / "collector.py").write_text("raise SystemExit('no such key')")
    with pytest.raises(RuntimeError, match="no such key"), collector(tmp_path, 1):
        pass
