"""What every sink promises, run on each one that is installed and on the built-in ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from collector import plugins
from collector.alerts import AlertSink
from collector.config import AlertSettings
from collector.errors import SinkError
from collector.interfaces import Sink
from collector.metrics import Counters
from collector.sinks.jsonl import JsonLinesSink
from collector.sinks.live import LiveSink
from collector.sinks.prometheus import PrometheusSink
from tests.unit.verdict_maker import Batch, event, subscription, verdict

Maker = Callable[[Path], Sink]

BUILT_IN: dict[str, Maker] = {
    "live": lambda _: LiveSink(),
    "prometheus": lambda _: PrometheusSink(Counters()),
    "alerts": lambda folder: AlertSink(AlertSettings(file=str(folder / "alerts.jsonl"))),
}


def installed(name: str) -> Maker:
    """With a file, where it writes to one."""

    def make(folder: Path) -> Sink:
        cls: Any = plugins.sink_class(name)
        known = {entry.encode_name for entry in structs.fields(cls.settings)}
        made: Sink = cls(**({"file": str(folder / name)} if "file" in known else {}))
        return made

    return make


MAKERS: dict[str, Maker] = BUILT_IN | {name: installed(name) for name in plugins.names("sinks")}


@pytest.fixture(params=MAKERS)
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Sink:
    made: Sink = MAKERS[request.param](tmp_path)
    assert made.name == request.param
    return made


def said(*facts: object) -> Batch:
    return Batch(*facts)  # type: ignore[arg-type]


def test_it_meets_the_contract(sink: Sink) -> None:
    assert isinstance(sink, Sink)


def test_it_takes_rows_and_nothing_at_all(sink: Sink) -> None:
    sink.start()
    sink.write(said())  # type: ignore[arg-type]
    sink.write(said(subscription(), event(), verdict(1, missing={"3": "silent"})))  # type: ignore[arg-type]
    sink.write(said(verdict(1, amendment=1)))  # type: ignore[arg-type]
    sink.flush()
    sink.stop()


def test_stop_may_be_called_twice_or_without_start(sink: Sink) -> None:
    sink.stop()
    sink.start()
    sink.stop()
    sink.stop()


def test_it_can_be_started_again(sink: Sink) -> None:
    for _ in range(2):
        sink.start()
        sink.write(said(verdict(1)))  # type: ignore[arg-type]
        sink.stop()


# --------------------------------------------------------------------------- JSON lines
def test_json_lines_are_whole_at_once(tmp_path: Path) -> None:
    sink = JsonLinesSink(tmp_path / "out")
    sink.start()
    sink.start()
    sink.write(said(verdict(1), event(2), subscription(0)))  # type: ignore[arg-type]
    rows = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [row["row"] for row in rows] == ["subscription", "event", "verdict"]
    assert sink.rows_written == 3
    sink.stop()


def test_a_file_that_was_moved_away_is_opened_anew(tmp_path: Path) -> None:
    file = tmp_path / "out"
    sink = JsonLinesSink(file)
    sink.start()
    sink.write(said(verdict(1)))  # type: ignore[arg-type]
    file.rename(tmp_path / "old")
    sink.write(said(verdict(2), verdict(3)))  # type: ignore[arg-type]
    sink.stop()
    assert (tmp_path / "old").read_text().count("\n") == 1
    assert file.read_text().count("\n") == 2
    assert file.stat().st_mode & 0o077 == 0


def test_rows_that_find_no_folder_are_an_error_until_it_is_there_again(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    sink = JsonLinesSink(folder / "out")
    sink.start()
    folder.rename(tmp_path / "old")
    for _ in range(2):
        with pytest.raises(SinkError, match="cannot be written: No such file"):
            sink.write(said(verdict(1)))  # type: ignore[arg-type]
    folder.mkdir()
    sink.write(said(verdict(2)))  # type: ignore[arg-type]
    sink.stop()
    assert (folder / "out").read_text().count("\n") == 1
    assert sink.rows_written == 1
    with pytest.raises(SinkError, match="is not open"):
        sink.write(said(verdict(3)))  # type: ignore[arg-type]


def test_json_lines_go_to_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    sink = JsonLinesSink()
    sink.start()
    sink.write(said(verdict(1)))  # type: ignore[arg-type]
    sink.flush()
    sink.stop()
    assert json.loads(capfd.readouterr().out)["outcome"] == "COMPLETE"


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot be written: No such file"):
        JsonLinesSink(tmp_path / "no" / "out").start()
    with pytest.raises(SinkError, match="is not open"):
        JsonLinesSink(tmp_path / "out").write(said(verdict(1)))  # type: ignore[arg-type]
    full = JsonLinesSink("/dev/full")
    full.start()
    with pytest.raises(SinkError, match="No space left") as raised:
        full.write(said(verdict(1)))  # type: ignore[arg-type]
    assert raised.value.retryable
    full.stop()
