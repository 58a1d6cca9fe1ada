"""Telemetry on the session that subscribed (RFC 8640 §6): a slow collector slows the device."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from collector.config import Config, read_config_table
from collector.errors import IntakeFullError
from collector.model import Outcome
from collector.service import Service
from publisher_sim.device.service import DeviceService
from publisher_sim.master import forwarding
from publisher_sim.netconf.server import BUSY_ABOVE
from tests.beside import collecting, live, ready, simulated
from tests.lab import Facts, session_of
from tests.waiting import until

pytestmark = pytest.mark.integration

CARDS, INTERFACES, UPDATES = 2, 40, 4
HELD = 200 * 1024
"""Octets that the master may hold here."""


def scenario() -> str:
    text = f"""
name = "core7"
address = "127.0.4.1"
periods = 0
[receiver]
transport = "netconf"
[netconf]
port = 0
password_env = "LAB_PASSWORD"
[push]
updates_per_period = {UPDATES}
"""
    for card in range(1, CARDS + 1):
        names = json.dumps([f"eth{card}/{port}" for port in range(INTERFACES)])
        text += f"""
[[card]]
name = "linecard{card}"
publisher_id = {100 + card}
interfaces = {names}
"""
    return text


def config(folder: Path, ready: dict[str, Any]) -> Config:
    table: dict[str, Any] = {
        "collector": {"data_dir": str(folder / "data")},
        "udp_notif": {"enabled": False},
        "metrics": {"port": 0},
        "device": [{"name": "core7", "netconf": session_of(folder, ready)}],
        "subscription": [
            {
                "name": "lab",
                "xpath": "/ietf-interfaces:interfaces",
                "period_seconds": 0.2,
                "encoding": "encode-xml",
            }
        ],
    }
    return read_config_table(table, file="lab")


def waits_here(service: Service) -> int:
    """Octets that the collector keeps of what it read and cannot hand over."""
    (runner,) = service.manager._runners.values()
    session: Any = runner._session
    return sum(len(message.payload) for message in session._inbox._waiting)


def test_a_slow_collector_slows_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "MAX_HELD_OCTETS", HELD)

    async def main() -> None:
        async with (
            simulated(scenario()) as device,
            collecting(config(tmp_path, ready(device))) as (service, facts),
        ):
            await slow_and_fast_again(device, service, facts)

    live(main())


async def slow_and_fast_again(device: DeviceService, service: Service, facts: Facts) -> None:
    def complete() -> int:
        return sum(one.outcome is Outcome.COMPLETE for one in facts.verdicts["core7"])

    def state() -> set[str]:
        subscriptions = device._master.life_cycle
        return {"suspended" if one.suspended else "active" for one in subscriptions}

    await until(lambda: complete() >= 3)
    take = service.journal.append

    def full(*_: object, **__: object) -> None:
        raise IntakeFullError("the test says so")

    service.journal.append = full  # type: ignore[method-assign,assignment]
    most_here = most_there = most_held = 0
    async with asyncio.timeout(30):
        while state() != {"suspended"}:
            await asyncio.sleep(0.02)
            most_here = max(most_here, waits_here(service))
            most_there = max(most_there, device.server.unsent("1"))
            most_held = max(most_held, device._master._forwarding.waiting("1"))
    assert 0 < most_held <= HELD
    tick = CARDS * INTERFACES * 1500
    assert most_there <= BUSY_ABOVE + tick  # what one turn of the loop may write before it is told
    assert most_here <= 1024 * 1024
    waited = waits_here(service)
    await asyncio.sleep(0.5)
    assert waits_here(service) <= waited + 512 * 1024  # not more than the window of the channel
    service.journal.append = take  # type: ignore[method-assign]
    await until(lambda: state() == {"active"})
    await until(lambda: "suspended" in [one.state for one in facts.subscriptions])
    await until(lambda: facts.subscriptions[-1].state == "active")
    seen = complete()
    await until(lambda: complete() >= seen + 3)
