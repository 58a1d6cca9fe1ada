"""Two lanes in real processes, six simulated devices, NETCONF and all: what people see is one
collector, and what it says is the truth."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from collector.comparison import Comparison, compare, read_truth
from collector.journal import JournalReader
from collector.lanes.folders import lane_folder
from collector.model import RecordKind
from collector.receivers.sockets.steering import lane_of
from tests.calm import calmest, equal_to_the_truth
from tests.lab import Device, config_of, fault, scenario_toml
from tests.lanes_lab import Collector, collector
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

PERIODS = 18
GRACE = 1.2
"""Seconds; wide, since everything shares a machine."""
ENOUGH = PERIODS - 8
"""Periods of each device that must have been compared."""
FAULTS = {
    "well": "",
    "drop": fault("drop", 7, 15, probability=0.12),
    "silent": fault("silent", 8, 12, card="linecard2"),
    "corrupt": fault("corrupt", 7, 13, probability=0.1),
    "late": fault("delay", 10, 11, card="linecard1", seconds=2.6),
    "suspended": fault("suspend", 8, 12),
}
NUMBERS = {name: number for number, name in enumerate(FAULTS, start=81)}
"""Last octet of each device's address."""


def toml_of(folder: Path, devices: list[Device]) -> str:
    """Devices and subscription as ``tests.lab`` would have them."""
    config = config_of(folder, devices)
    text = ""
    for device in config.devices:
        assert device.netconf is not None
        text += (
            f'[[device]]\nname = "{device.name}"\nsources = ["{device.sources[0]}"]\n'
            f'[device.netconf]\nhost = "{device.netconf.host}"\nport = {device.netconf.port}\n'
            f'username = "{device.netconf.username}"\npassword_env = "LAB_PASSWORD"\n'
            f'known_hosts = "{device.netconf.known_hosts}"\n'
        )
    return text + (
        '[[subscription]]\nname = "lab"\nxpath = "/ietf-interfaces:interfaces"\n'
        f"period_seconds = 1\ngrace_seconds = {GRACE}\n"
    )


class Seen:
    """What was seen of one run."""

    def __init__(self) -> None:
        self.status: dict[str, Any] = {}
        self.devices: dict[str, Any] = {}
        self.metrics = ""
        self.health = (0, "")
        self.followed: list[dict[str, Any]] = []
        self.shown = ""
        self.while_running: list[dict[str, Any]] = []
        self.comparisons: dict[str, Comparison] = {}
        self.after: list[dict[str, Any]] = []
        self.log = ""
        self.data = Path()


async def _follow(running: Collector, seen: Seen) -> None:
    """Until the collector ends the stream."""
    reader, writer = await asyncio.open_unix_connection(running.data / "control.sock")
    writer.write(b'{"command": "follow"}\n')
    await reader.readline()
    while line := await reader.readline():
        seen.followed.append(json.loads(line))
    writer.close()


async def _run(folder: Path) -> Seen:
    seen = Seen()
    devices = []
    for name, faults in FAULTS.items():
        (folder / name).mkdir()
        text = scenario_toml(name, NUMBERS[name], faults, periods=PERIODS, grace=GRACE)
        (folder / name / "scenario.toml").write_text(text)
        devices.append(Device(name, folder / name))
    async with collector(folder) as running:
        running.configure(lanes=2)
        try:
            await running.start()
            following = asyncio.create_task(_follow(running, seen))
            for device in devices:
                await device.start(f"127.0.0.1:{running.port}", in_process=True)
            running.configure(lanes=2, more=toml_of(folder, devices))
            reloaded = running.ask("reload")
            assert reloaded["devices"] == len(devices)
            await asyncio.sleep(12)
            seen.status, seen.devices = running.ask("status"), running.ask("devices")
            _, seen.metrics = await asyncio.to_thread(running.page, "/metrics")
            seen.health = await asyncio.to_thread(running.page, "/healthz")
            seen.while_running = running.rows("SELECT * FROM verdicts")
            seen.shown = await running.command("verdicts", "--json", "--store", "data")
            await asyncio.gather(*(d.child.wait() for d in devices if d.child is not None))
            await asyncio.sleep(1.5)
            await running.stop()
            await asyncio.wait_for(following, PATIENCE)
        finally:
            for device in devices:
                await device.stop()
        for device in devices:
            truth = read_truth(device.truth())
            seen.comparisons[device.name] = compare(truth, running.verdicts(device.name))
        seen.after = running.rows("SELECT * FROM verdicts")
        seen.log, seen.data = running.log(), running.data
    return seen


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    def check(found: Seen) -> None:
        for name in FAULTS:
            equal_to_the_truth(found.comparisons[name], ENOUGH, name)

    folder = Path(tmp_path_factory.mktemp("lanes"))
    return calmest(folder, lambda place: asyncio.run(_run(place)), check)


@pytest.mark.parametrize("name", list(FAULTS))
def test_verdicts_equal_the_truth_as_those_of_one_lane_do(seen: Seen, name: str) -> None:
    equal_to_the_truth(seen.comparisons[name], ENOUGH)


def test_every_device_is_in_the_lane_of_its_address(seen: Seen) -> None:
    wanted = {name: lane_of(f"127.0.2.{number}", 2) for name, number in NUMBERS.items()}
    assert set(wanted.values()) == {0, 1}
    assert {row["device"]: row["lane"] for row in seen.devices["devices"]} == wanted
    assert {row["device"]: row["lane"] for row in seen.after} == wanted
    assert all(row["session"] == "up" for row in seen.devices["devices"])
    assert {row["device"] for row in seen.devices["generators"]} == set(FAULTS)
    assert seen.devices["unknown_senders"] == []


def test_the_journal_of_a_lane_knows_its_devices_only(seen: Seen) -> None:
    for lane in (0, 1):
        peers, kinds = set(), []
        for frame in JournalReader(lane_folder(seen.data, lane)).read(0):
            batch = frame.batch()
            kinds += batch.kind
            peers |= {p for p, k in zip(batch.peer, batch.kind, strict=True) if p and not k}
        assert peers == {
            source
            for number in NUMBERS.values()
            if lane_of(source := f"127.0.2.{number}", 2) == lane
        }
        assert kinds[-1] == RecordKind.COLLECTOR_STOP
        assert kinds.count(RecordKind.COLLECTOR_START) == 1


def test_status_is_that_of_one_collector_with_its_lanes(seen: Seen) -> None:
    status = seen.status
    assert status["healthy"] is True
    assert status["health"] == "ok"
    assert [lane["state"] for lane in status["lanes"]] == ["running", "running"]
    assert [lane["restarts"] for lane in status["lanes"]] == [0, 0]
    assert sum(lane["devices"] for lane in status["lanes"]) == len(FAULTS)
    taken = [lane["datagrams"] for lane in status["lanes"]]
    assert min(taken) > 20
    assert status["datagrams_received"] == sum(taken)
    assert status["periods"]["COMPLETE"] > 20
    assert status["config_reloads"] == 1
    assert "journal_next_offset" not in status


def test_metrics_say_their_lane_and_health_is_that_of_all(seen: Seen) -> None:
    samples = {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in seen.metrics.splitlines()
        if not line.startswith("#")
    }
    for lane, row in enumerate(seen.status["lanes"]):
        assert samples[f'yang_push_lane_up{{lane="{lane}"}}'] == 1
        assert samples[f'yang_push_lane_restarts_total{{lane="{lane}"}}'] == 0
        received = samples[f'yang_push_datagrams_received_total{{lane="{lane}"}}']
        assert received >= row["datagrams"]
        bucket = f'yang_push_period_close_delay_seconds_bucket{{lane="{lane}",le="+Inf"}}'
        assert samples[bucket] > 0
    where = lane_of(f"127.0.2.{NUMBERS['well']}", 2)
    series = f'yang_push_periods_total{{device="well",lane="{where}",outcome="COMPLETE"}}'
    assert samples[series] > 3
    assert seen.health == (200, "ok\n")


def test_verdicts_and_queries_see_all_lanes_while_they_run(seen: Seen) -> None:
    assert {row["device"] for row in seen.while_running} == set(FAULTS)
    shown = [json.loads(line) for line in seen.shown.splitlines()]
    assert {row["device"] for row in shown} == set(FAULTS)
    assert {row["lane"] for row in shown} == {0, 1}


def test_a_follower_gets_every_row_of_all_lanes(seen: Seen) -> None:
    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        return (row["device"], row["subscription_id"], row["period_index"], row["amendment"])

    followed = [key(row) for row in seen.followed if row["row"] == "verdict"]
    assert sorted(followed) == sorted(key(row) for row in seen.after)
    assert not any(row["row"] == "note" for row in seen.followed)


def test_it_ends_in_good_order(seen: Seen) -> None:
    assert "Traceback" not in seen.log
    assert seen.log.count("everything that was taken is on disk") == 3
    assert " ERROR " not in seen.log
