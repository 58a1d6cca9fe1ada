"""One simulated device and one collector, both in the test's own loop, and a scene with the two.

Does: start and stop them whatever happens, and say the password. Does not: write configurations,
compare. Labs of many devices are ``tests.lab``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from collector.config import Config
from collector.service import Service
from publisher_sim.device.run import ready_line
from publisher_sim.device.service import DeviceService
from publisher_sim.scenario import Scenario, parse_scenario
from tests.lab import Facts, password_in_environment


def live(scene: Coroutine[Any, Any, None]) -> None:
    """Run it to its end; the collector finds the device's password."""
    with password_in_environment():
        asyncio.run(scene)


@asynccontextmanager
async def simulated(
    scenario: Scenario | str, truth: Path | None = None
) -> AsyncIterator[DeviceService]:
    """A device with its cards as tasks, running."""
    if isinstance(scenario, str):
        scenario = parse_scenario(scenario)
    device = DeviceService(scenario, in_process=True, truth=truth)
    try:
        await device.start()
        yield device
    finally:
        await device.stop()


def ready(device: DeviceService) -> dict[str, Any]:
    """How to reach it, as it says itself."""
    return ready_line(device, device._scenario)


@asynccontextmanager
async def collecting(config: Config) -> AsyncIterator[tuple[Service, Facts]]:
    """A collector, running, and what it says."""
    facts = Facts()
    service = Service(config, sinks=[facts])
    try:
        await service.start()
        yield service, facts
    finally:
        await service.stop()


def port_of(service: Service) -> int:
    """That of its first receiver."""
    port: int = service.receivers[0].local_port  # type: ignore[attr-defined]
    return port
