"""``collector demo``: a simulated device with line cards, a subscription, and things going wrong.

Does: start the simulator as a child process, run a collector in this one, show what it says, and
compare its verdicts with the simulator's truth file at the end. Does not: import the simulator, or
judge by itself. Everything lives in a temporary folder unless ``folder`` is given.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from collector.comparison import Comparison, compare, read_truth
from collector.config import Config, read_config_table
from collector.demo_scenario import DemoScenario, demo_scenario
from collector.errors import SessionError, SinkError, UsageError
from collector.interfaces import Said
from collector.model import Fact, Verdict
from collector.service import Service
from collector.sinks.jsonl import JsonLinesSink
from collector.views.comparison import print_comparison
from collector.views.console import make_console
from collector.views.live import LiveView

READY_SECONDS = 30.0
STOP_SECONDS = 15.0
SHORTEST = 24.0
"""Seconds below which the faults do not fit in between start and end."""


def run_demo(
    *,
    duration_seconds: float,
    cards: int,
    seed: int = 1,
    folder: str | None = None,
    json_output: bool = False,
) -> int:
    """Run it; 0 when every verdict equals the truth, 1 when one differs.

    Raises:
        UsageError: too short, or ``folder`` is not empty.
        SessionError: the simulator did not come up.
    """
    if duration_seconds < SHORTEST:
        raise UsageError(f"a demo takes at least {SHORTEST:.0f} seconds (--duration)")
    logging.basicConfig(level="ERROR", format="%(message)s", stream=sys.stderr)
    scenario = demo_scenario(duration_seconds, cards, seed)
    with contextlib.ExitStack() as stack:
        if folder is None:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="collector-demo-")))
        else:
            place = _empty_folder(Path(folder))
        comparison = asyncio.run(_demo(scenario, place, json_output))
    _print_result(comparison, json_output)
    if folder is not None and not json_output:
        make_console().print(f"Kept: collector verdicts --store {place / 'data'}", style="dim")
    return 0 if comparison.agrees else 1


def _empty_folder(path: Path) -> Path:
    if path.exists() and any(path.iterdir()):
        raise UsageError(f"{path} is not empty; name a new folder (--keep)")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


async def _demo(scenario: DemoScenario, place: Path, json_output: bool) -> Comparison:
    sink = _DemoSink(scenario, json_output)
    config = _config(place, None)
    service = Service(config, sinks=[sink])
    with sink:
        try:
            await service.start()
            port = getattr(service.receivers[0], "local_port", 0)
            async with _simulator(scenario, place, port) as (child, ready):
                await service.reload(_config(place, ready))
                await _until_over(child, sink)
                await asyncio.sleep(1.0)
        finally:
            await service.stop()
    return compare(read_truth(place / "truth.jsonl"), sink.verdicts)


async def _until_over(child: asyncio.subprocess.Process, sink: _DemoSink) -> None:
    """Until the simulator ends; BrokenPipeError when nobody reads any longer what is shown."""
    over = asyncio.ensure_future(child.wait())
    while not (await asyncio.wait({over}, timeout=0.2))[0]:
        if sink.unread:
            over.cancel()
            raise BrokenPipeError


# --------------------------------------------------------------------------- the simulator
@contextlib.asynccontextmanager
async def _simulator(
    scenario: DemoScenario, place: Path, port: int
) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """The child process, once it is ready for subscribers."""
    (place / "scenario.toml").write_text(scenario.toml)
    password = place / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(16) + "\n")
    with (place / "simulator.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "publisher_sim", "run", "scenario.toml", "--netconf-port", "0"),
            *("--receiver", f"127.0.0.1:{port}", "--truth", "truth.jsonl", "--verbose"),
            cwd=place,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    try:
        yield child, await _ready(child, place)
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(child.wait(), STOP_SECONDS)
            except TimeoutError:
                child.kill()
                await child.wait()


async def _ready(child: asyncio.subprocess.Process, place: Path) -> dict[str, Any]:
    assert child.stdout is not None
    try:
        line = await asyncio.wait_for(child.stdout.readline(), READY_SECONDS)
        ready: dict[str, Any] = json.loads(line)
    except (TimeoutError, ValueError):
        last = (place / "simulator.log").read_text(errors="replace").strip().splitlines()[-1:]
        raise SessionError(f"the simulated device did not start: {' '.join(last)}") from None
    (place / "known_hosts").write_text(ready["known_hosts"] + "\n")
    return ready


def _config(place: Path, ready: dict[str, Any] | None) -> Config:
    """The collector's configuration, with the device once it is there."""
    table: dict[str, Any] = {
        "collector": {"data_dir": str(place / "data")},
        "udp_notif": {"port": 0},
        "metrics": {"enabled": False},
        "alerts": {"log": False, "file": str(place / "alerts.jsonl")},
    }
    if ready is not None:
        table["device"] = [
            {
                "name": ready["device"],
                "sources": [ready["netconf_host"]],
                "netconf": {
                    "host": ready["netconf_host"],
                    "port": ready["netconf_port"],
                    "username": ready["username"],
                    "password_file": str(place / "password"),
                    "known_hosts": str(place / "known_hosts"),
                },
            }
        ]
        table["subscription"] = [
            {
                "name": "interfaces",
                "xpath": "/ietf-interfaces:interfaces",
                "period_seconds": 1,
                "grace_seconds": 0.5,
            }
        ]
    return read_config_table(table, file="demo")


# --------------------------------------------------------------------------- what is seen
class _DemoSink:
    """Meets ``interfaces.Sink``: keeps the verdicts, shows everything."""

    name = "demo"

    def __init__(self, scenario: DemoScenario, json_output: bool) -> None:
        self.verdicts: list[Verdict] = []
        self.unread = False
        """Whoever read us has gone (``head``, ``less``): nothing more is shown."""
        self._scenario = scenario
        self._said = 0
        self._json = JsonLinesSink("-") if json_output else None
        self._view = None if json_output else LiveView(make_console(), title=scenario.title)
        self._first_index: int | None = None

    def __enter__(self) -> _DemoSink:
        if self._view is not None:
            self._view.__enter__()
        return self

    def __exit__(self, *problem: Any) -> None:
        if self._view is not None:
            self._view.__exit__(*problem)

    def start(self) -> None:
        """Open standard output where lines of JSON are wanted."""
        if self._json is not None:
            self._json.start()

    def write(self, said: Said) -> None:
        """Keep and show."""
        self.verdicts.extend(said.verdicts)
        if self.unread:
            return
        try:
            self._show(said)
        except BrokenPipeError:
            self.unread = True
        except SinkError as error:
            if not isinstance(error.__context__, BrokenPipeError):
                raise
            self.unread = True

    def _show(self, said: Said) -> None:
        if self._json is not None:
            self._json.write(said)
        elif self._view is not None:
            for verdict in said.verdicts:
                self._announce(verdict)
            facts: list[Fact] = [*said.subscriptions, *said.events, *said.verdicts]
            if facts:
                self._view.receive(facts)

    def _announce(self, verdict: Verdict) -> None:
        """Say what is about to go wrong, as the timeline comes to it."""
        if self._first_index is None:
            self._first_index = verdict.period_index
        number = verdict.period_index - self._first_index
        for at_period, text in self._scenario.timeline[self._said :]:
            if number < at_period - 1:
                break
            self._said += 1
            if self._view is not None:
                self._view.say(text)

    def flush(self) -> None:
        """Nothing waits."""

    def stop(self) -> None:
        """Standard output stays open."""


def _print_result(comparison: Comparison, json_output: bool) -> None:
    if not json_output:
        print_comparison(make_console(), comparison)
        return
    row = {
        "row": "comparison",
        "compared": comparison.compared,
        "uncertain": comparison.uncertain,
        "skipped": comparison.skipped,
        "outcomes": comparison.outcomes,
        "agrees": comparison.agrees,
        "differences": [difference.sentence() for difference in comparison.differences],
    }
    sys.stdout.write(json.dumps(row) + "\n")
