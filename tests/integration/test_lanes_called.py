"""Devices that call home, and a collector of several lanes: each is called by its own devices."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from publisher_sim.device.service import DeviceService
from tests.callers import caller
from tests.lab import password_in_environment
from tests.lanes_lab import collector, free_port

pytestmark = [pytest.mark.integration]

LANES = {"core81": 0, "core83": 1}
"""Device -> its lane of two; the number in its name ends its address."""
DEVICE = """
[[device]]
name = "{name}"
sources = ["{source}"]
[device.netconf]
call_home = true
host_keys = ["{fingerprint}"]
username = "collector"
password_env = "LAB_PASSWORD"
"""
SUBSCRIPTION = """
[[subscription]]
name = "lab"
xpath = "/ietf-interfaces:interfaces"
period_seconds = 60
transport = "netconf"
"""


async def called(folder: Path) -> None:
    port = free_port()
    text = f"[call_home]\nenabled = true\nport = {port}\n" + SUBSCRIPTION
    sources = {name: f"127.0.4.{name[-2:]}" for name in LANES}
    callers = {name: caller(folder, name, port, address=source) for name, source in sources.items()}

    def toml(sources: dict[str, str]) -> str:
        devices = (
            DEVICE.format(name=name, source=source, fingerprint=callers[name].fingerprint)
            for name, source in sources.items()
        )
        return text + "".join(devices)

    devices = [
        DeviceService(one.scenario, in_process=True, truth=folder / f"{name}.jsonl")
        for name, one in callers.items()
    ]
    async with collector(folder) as running:

        def rows() -> dict[str, dict[str, Any]]:
            return {row["device"]: row for row in running.ask("devices")["devices"]}

        running.configure(lanes=2, more=toml(sources), udp="enabled = false")
        try:
            await running.start()
            assert f"2 lanes listen on 127.0.0.1 port {port} (call home)" in running.log()
            for device in devices:
                await device.start()
            await running.until(lambda: all(row["state"] == "active" for row in rows().values()))
            assert {name: row["lane"] for name, row in rows().items()} == LANES
            # a command reaches a device through the lane that has it
            found = await running.command("capabilities", "core81", "--json")
            assert json.loads(found)["address"].startswith("127.0.4.81:")
            # its lane dies, and the other one's session lives; it calls again, and waits if it must
            since = rows()["core83"]["since"]
            os.kill(running.lane(0)["process"], signal.SIGKILL)
            await running.until(lambda: running.lane(0)["restarts"] == 1)
            await running.until(lambda: rows().get("core81", {}).get("state") == "active")
            assert rows()["core83"]["since"] == since
            # core81 calls from an address that is none of its sources any more
            astray = sources | {"core81": "127.0.4.84"}
            running.configure(lanes=2, more=toml(astray), udp="enabled = false")
            await asyncio.to_thread(running.ask, "reload")
            await running.until_logged("device core81 called another lane than its own")
            assert "add this address to them (from 127.0.4.81)" in running.log()
            running.configure(lanes=2, more=toml(sources), udp="enabled = false")
            await asyncio.to_thread(running.ask, "reload")
            await running.until(lambda: all(row["state"] == "active" for row in rows().values()))
            await running.stop()
        finally:
            for device in devices:
                await device.stop()


def test_each_lane_is_called_by_its_own_devices(tmp_path: Path) -> None:
    with password_in_environment():
        asyncio.run(asyncio.wait_for(called(tmp_path), 100))
