"""Commands that start something: which function they call, with what, and what they hand back."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from collector import demo, pipeline, service
from collector.cli import status_of
from collector.views.replaying import ReplayShow
from tests.unit.verdict_maker import Batch, event, subscription, verdict


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
    assert status_of(["run", "-c", str(file)]) == 0
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
    assert once.keywords == {"duration_seconds": 10.0, "json_output": False}
    config = once.arguments[0]
    assert config.subscriptions[0].subtree == '<interfaces xmlns="urn:x"/>'
    assert config.subscriptions[0].period_seconds == 0.5
    assert config.devices[0].netconf.username == "u"


def test_replay_into_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = stand_in(monkeypatch, pipeline, "replay", 12)
    source, target = tmp_path / "data", tmp_path / "again"
    source.mkdir()
    config = tmp_path / "c.toml"
    config.write_text("[verdicts]\ngrace_seconds = 2.0\n")
    assert status_of(["replay", str(source), "--out", str(target), "-c", str(config)]) == 0
    assert again.arguments[:2] == (source, target)
    assert again.keywords["config"].verdicts.grace_seconds == 2
    assert "12 records read" in capsys.readouterr().out


# --------------------------------------------------------------------------- what replay prints
def shown(*, as_json: bool, quiet: bool = False) -> str:
    out = io.StringIO()
    show = ReplayShow(as_json, quiet=quiet, out=out)
    show.receive(Batch(subscription(), event(1), verdict(1), verdict(2, period_to=4)))  # type: ignore[arg-type]
    show.receive(Batch(verdict(2, amendment=1)))  # type: ignore[arg-type]
    show.finish(7, Path("again") if quiet else None)
    return out.getvalue()


def test_replay_prints_lines_or_objects() -> None:
    lines = shown(as_json=False).splitlines()
    assert len(lines) == 5
    assert lines[2].endswith("COMPLETE  4/4")
    rows = [json.loads(line)["row"] for line in shown(as_json=True).splitlines()]
    assert rows == ["subscription", "event", "verdict", "verdict", "verdict"]


def test_replay_into_a_folder_prints_a_summary_only() -> None:
    assert shown(as_json=False, quiet=True).splitlines() == [
        "7 records read; periods: 4 COMPLETE; amendments: 1",
        "The rows are in again: collector query --store again ...",
    ]


def test_an_empty_replay() -> None:
    out = io.StringIO()
    ReplayShow(as_json=False, quiet=True, out=out).finish(0, None)
    assert out.getvalue() == "0 records read; periods: none; amendments: 0\n"
