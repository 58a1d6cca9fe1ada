"""Commands that start something: which function they call, with what, and what they hand back."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from collector import demo, service
from collector.cli import status_of


class Recorder:
    """Stands in for a function and remembers how it was called."""

    def __init__(self, answer: Any = 0) -> None:
        self.answer = answer
        self.arguments: tuple[Any, ...] = ()
        self.keywords: dict[str, Any] = {}

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        self.arguments, self.keywords = arguments, keywords
        return self.answer


def stand_in(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, answer: Any = 0
) -> Recorder:
    recorder = Recorder(answer)
    monkeypatch.setattr(module, name, recorder)
    return recorder


def test_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[udp_notif]\nport = 1\n")
    run = stand_in(monkeypatch, service, "run")
    monkeypatch.setenv("ARROW_DEFAULT_MEMORY_POOL", "")  # put back as it was afterwards
    del os.environ["ARROW_DEFAULT_MEMORY_POOL"]
    monkeypatch.setenv("MALLOC_ARENA_MAX", "")
    del os.environ["MALLOC_ARENA_MAX"]
    assert status_of(["run", "-c", str(file)]) == 0
    assert os.environ["ARROW_DEFAULT_MEMORY_POOL"] == "system"
    assert os.environ["MALLOC_ARENA_MAX"] == "1"
    assert run.arguments[0].udp_notif.port == 1
    file.write_text("[udp_notif]\nport = 2\n")
    assert run.keywords["reload_from"]().udp_notif.port == 2


@pytest.mark.parametrize("answer", [0, 1])
def test_demo(monkeypatch: pytest.MonkeyPatch, answer: int) -> None:
    run = stand_in(monkeypatch, demo, "run_demo", answer)
    assert status_of(["demo", "--duration", "1m", "--cards", "8", "--json"]) == answer
    assert run.keywords == {
        "duration_seconds": 60.0, "cards": 8, "seed": 1, "folder": None, "json_output": True,
    }  # fmt: skip


def test_subscribe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLLECTOR_PASSWORD", "x")
    subtree = tmp_path / "subtree.xml"
    subtree.write_text('<interfaces xmlns="urn:x"/>')
    once = stand_in(monkeypatch, service, "subscribe_once")
    arguments = ["192.0.2.7", "--user", "u", "--period", "500ms", "--subtree", str(subtree)]
    assert status_of(["subscribe", *arguments, "--duration", "10"]) == 0
    assert once.keywords == {
        "duration_seconds": 10.0,
        "json_output": False,
        "wait_seconds": None,
    }
    config = once.arguments[0]
    assert config.subscriptions[0].subtree == '<interfaces xmlns="urn:x"/>'
    assert config.subscriptions[0].period_seconds == 0.5
    assert config.devices[0].netconf.username == "u"
