"""A simulated device that cannot be connected to calls home, is subscribed to and judged; lost, it
calls again. What is compared is the collector's verdicts with the device's truth.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from collector.comparison import Comparison, compare, read_truth
from collector.config import Config, read_config_table
from collector.errors import ConfigError
from collector.model import Outcome
from collector.service import Service, commands
from collector.service.gauges import refresh
from collector.service.running import listening
from publisher_sim.device.run import ready_line
from publisher_sim.device.service import DeviceService
from tests.callers import caller
from tests.calm import calmest, equal_to_the_truth
from tests.lab import PASSWORD, Facts
from tests.lanes_lab import free_port
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

PERIOD = 0.4
TICKS = """
grace_seconds = 0.9
[period]
seconds = 0.4
minimum_seconds = 0.1
"""


def config(folder: Path, port: int, host_key: str) -> Config:
    return read_config_table(
        {
            "collector": {"data_dir": str(folder / "data")},
            "udp_notif": {"enabled": False},
            "metrics": {"enabled": False},
            "call_home": {"enabled": True, "port": port},
            "device": [
                {
                    "name": "core7",
                    "netconf": {
                        "call_home": True,
                        "host_keys": [host_key],
                        "username": "collector",
                        "password_env": "LAB_PASSWORD",
                    },
                }
            ],
            "subscription": [
                {
                    "name": "lab",
                    "xpath": "/ietf-interfaces:interfaces",
                    "period_seconds": PERIOD,
                    "grace_seconds": 0.9,
                    "transport": "netconf",
                }
            ],
        },
        file="lab",
    )


def row_of(service: Service) -> dict[str, Any]:
    (row,) = commands.devices(service)["devices"]
    return dict(row)


def from_the_call_to_the_verdicts(folder: Path) -> Comparison:
    port = free_port()
    scenario, fingerprint = caller(folder, "core7", port, cards=2, head=TICKS)
    facts = Facts()
    truth = folder / "truth.jsonl"

    def complete() -> int:
        found = facts.verdicts["core7"]
        return sum(one.outcome is Outcome.COMPLETE and one.amendment == 0 for one in found)

    async def main() -> None:
        device = DeviceService(scenario, in_process=True, truth=truth)
        service = Service(config(folder, port, fingerprint), sinks=[facts])
        await service.start()
        try:
            assert f"port {port} (call home)" in listening(service)
            await until(lambda: row_of(service)["session"] == "awaited")
            await device.start()
            assert ready_line(device, scenario)["host_key"] == device.server.public_key
            await until(lambda: complete() >= 10)
            assert row_of(service)["state"] == "active"
            refresh(service)
            assert service.counters.connections[("call-home",)] == 1
            for connection in list(device.server._connections):
                connection.abort()  # the network goes away and comes back
            await until(lambda: row_of(service)["session"] != "up")
            seen = complete()
            await until(lambda: complete() >= seen + 8)
            assert "before: " in row_of(service)["reason"]
        finally:
            await device.stop()
            await service.stop()

    asyncio.run(asyncio.wait_for(main(), 100))
    return compare(read_truth(truth), facts.verdicts["core7"])


def test_from_the_call_to_the_verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_PASSWORD", PASSWORD)

    def check(found: Comparison) -> None:
        equal_to_the_truth(found, 5)

    check(calmest(tmp_path, from_the_call_to_the_verdicts, check))


def test_the_port_is_taken(tmp_path: Path) -> None:
    async def main() -> None:
        taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = taken.sockets[0].getsockname()[1]
        fingerprint = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()
        service = Service(config(tmp_path, port, fingerprint))
        with pytest.raises(ConfigError, match="cannot listen on") as caught:
            await service.start()
        assert caught.value.key == "call_home.address"
        await service.stop()
        taken.close()
        await taken.wait_closed()

    asyncio.run(asyncio.wait_for(main(), 60))
