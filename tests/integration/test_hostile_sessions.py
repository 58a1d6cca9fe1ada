"""Devices that misbehave on their sessions, all at once on one collector, beside two that behave.

Each hostile one harms its own session only: it is left with a reason and a sentence, memory stays
bounded, and the verdicts on its neighbours equal the truth.
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from collector.comparison import Comparison
from collector.config import Config, read_config_table
from collector.model import Event, Outcome
from collector.service import Service, commands
from collector.subscriber.states import DeviceState
from tests.calm import calmest, equal_to_the_truth, proven
from tests.hostile_device import BEHAVIOURS, PASSWORD, USER
from tests.lab import Collecting, environment, lab, scenario_toml

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

PERIODS = 11
GRACE = 1.5
"""Seconds; wide, since forty devices share a machine."""
GROWTH = 300 * 1024
"""KiB of this process: four devices fill 4 MiB each, again and again, and it is all given back."""


@asynccontextmanager
async def hostile_devices() -> AsyncIterator[list[dict[str, Any]]]:
    """One of each behaviour, in a process of their own."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.hostile_device"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield [json.loads(await child.stdout.readline()) for _ in BEHAVIOURS]
    finally:
        child.stdin.close()
        try:
            await asyncio.wait_for(child.wait(), 20)
        except TimeoutError:
            child.kill()
            await child.wait()


def with_hostile(config: Config, devices: list[dict[str, Any]]) -> Config:
    """The configuration with one subscription more, on all of these."""
    table = {
        "device": [
            {
                "name": one["name"],
                "sources": [f"192.0.2.{number}"],
                "netconf": {
                    "host": "127.0.0.1",
                    "port": one["port"],
                    "username": USER,
                    "password_env": "HOSTILE_PASSWORD",
                    "host_keys": [one["host_key"]] if one["host_key"] else [],
                    "connect_timeout_seconds": 2,
                    "rpc_timeout_seconds": 2,
                },
            }
            for number, one in enumerate(devices, start=1)
        ],
        "subscription": [
            {
                "name": "hostile",
                "devices": [one["name"] for one in devices],
                "xpath": "/ietf-interfaces:interfaces",
                "period_seconds": 1,
            }
        ],
    }
    more = read_config_table(table)
    return replace(
        config,
        devices=(*config.devices, *more.devices),
        subscriptions=(*config.subscriptions, *more.subscriptions),
    )


def said_of(service: Service, name: str) -> str:
    """Everything that ``collector devices`` says of a device."""
    rows = json.loads(json.dumps(commands.devices(service)))["devices"]
    return " ".join(f"{row['reason']} {row['why']}" for row in rows if row["device"] == name)


def counted(service: Service, name: str) -> set[str]:
    """Reasons of what failed or was refused of a device."""
    counters = service.counters
    both = (*counters.session_failures.items(), *counters.requests_refused.items())
    return {reason for (device, reason), _ in both if device == name}


def what_is_missing(service: Service, log: list[str]) -> list[str]:
    """Of what the collector should have noticed of each, and said in ``devices`` or the log."""
    missing = []
    for name, (_, reason, says, _) in BEHAVIOURS.items():
        if reason and reason not in counted(service, name):
            missing.append(f"{name}: {reason} is not in {counted(service, name)}")
        elif not any(one in said_of(service, name) for one in says.split(" | ")) and not any(
            one in line and f"evice {name}" in line for line in log for one in says.split(" | ")
        ):
            missing.append(f"{name}: {says!r} is not in {said_of(service, name)!r}")
    return missing


class Seen(NamedTuple):
    """Of the two that behave, and of what was said of all."""

    comparisons: dict[str, Comparison]
    outcomes: dict[str, list[Outcome]]
    """Those of every row."""
    events: list[Event]


async def whole(folder: Path, caplog: pytest.LogCaptureFixture) -> Seen:
    in_session = '[receiver]\ntransport = "netconf"\n'
    scenarios = {
        name: scenario_toml(name, number, cards=2, periods=PERIODS, head=head, grace=GRACE)
        for number, (name, head) in enumerate({"calm": "", "in-session": in_session}.items(), 1)
    }
    collecting = Collecting(
        sections={"sessions": {"max_message_bytes": 4 * 2**20}},  # as much as comes in 2 s
        subscriptions={"in-session": {"transport": "netconf"}},
    )
    async with (
        hostile_devices() as devices,
        lab(folder, scenarios, together=1, collecting=collecting, grace_seconds=GRACE) as running,
    ):
        service, facts = running.service, running.facts.verdicts
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await service.reload(with_hostile(service.config, devices))
        await running.finished()
        outcomes = {name: [one.outcome for one in facts[name]] for name in scenarios}
        for _ in range(100):  # a busy machine needs a second try of some of them
            if not (missing := what_is_missing(service, caplog.messages)):
                break
            await asyncio.sleep(0.2)
        assert not missing, "\n".join(missing)
        growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert growth < GROWTH, f"{growth} KiB"
        states = {state.name: state for state in service.manager.states()}
        check_states(service, states)
        assert service.health() == (True, "ok")
        comparisons = {name: running.comparison(name) for name in scenarios}
        return Seen(comparisons, outcomes, running.facts.events)


def as_if_alone(seen: Seen) -> None:
    """Those that behave have their verdicts."""
    for name, comparison in seen.comparisons.items():
        equal_to_the_truth(comparison, PERIODS - 6, name)
        outcomes = seen.outcomes[name]
        fine = not {Outcome.INCOMPLETE, Outcome.DEGRADED} & set(outcomes)
        enough = outcomes.count(Outcome.COMPLETE) >= PERIODS - 6
        proven(fine and enough, f"{name}: complete, not {outcomes}", [comparison])


def test_each_harms_its_own_session_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HOSTILE_PASSWORD", PASSWORD)
    caplog.set_level(logging.INFO, "collector")

    def attempt(folder: Path) -> Seen:
        caplog.clear()
        return asyncio.run(whole(folder, caplog))

    seen = calmest(tmp_path, attempt, as_if_alone)
    for line in caplog.messages:
        assert len(line) < 1000
        assert line.isprintable()
    said = [event.text for event in seen.events]
    assert all(len(text) < 2000 and "\x9b" not in text for text in said)
    assert not any("root:" in text for text in (*caplog.messages, *said)), "a file of ours"
    refused = {event.device for event in seen.events if event.kind == "request_refused"}
    assert {"no-id", "huge-id", "deep-reply", "terminal-reply"} <= refused
    as_if_alone(seen)


def check_states(service: Service, states: dict[str, DeviceState]) -> None:
    """Whoever only said what it should not is up, and has its subscription."""
    for name, (_, reason, _, _) in BEHAVIOURS.items():
        phases = [one.phase.value for one in states[name].subscriptions]
        if not reason:
            assert (states[name].phase.value, phases) == ("up", ["active"]), name
            assert counted(service, name) == set(), name
        elif reason not in ("timeout",):
            assert "active" not in phases, name
    answer = commands.devices(service)
    assert len(json.dumps(answer)) < 100_000
    assert [r["declared"] for r in answer["devices"] if r["device"] == "same-generators"] == [2]
