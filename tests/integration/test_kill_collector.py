"""``kill -9`` of the real collector, again and again under load: nothing lost, nothing doubled.

The journal is the judge: what a fresh replay of it says is what the store must hold, row for row.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from collector import control
from collector.cli.asking import asked
from collector.journal import JournalReader
from collector.model import RecordKind
from collector.pipeline import replay
from collector.store.query import open_query
from tests.lab import PASSWORD, Device, scenario_toml

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

KILLS = 5
CONFIG = """
[collector]
data_dir = "data"

[udp_notif]
port = {port}

[journal]
segment_seconds = 1.0
commit_interval_ms = 5
snapshot_seconds = 1

[metrics]
enabled = false

[verdicts]
coverage_sample = 1

[[device]]
name = "dev"
sources = ["{host}"]
[device.netconf]
host = "{host}"
port = {netconf_port}
username = "collector"
password_env = "LAB_PASSWORD"
known_hosts = "known_hosts"

[[subscription]]
name = "interfaces"
xpath = "/ietf-interfaces:interfaces"
period_seconds = 0.5
grace_seconds = 0.2
"""


async def _start_collector(folder: Path) -> asyncio.subprocess.Process:
    with (folder / "collector.log").open("ab") as log:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "collector", "run", "-c", "collector.toml"),
            cwd=folder,
            stderr=log,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "LAB_PASSWORD": PASSWORD},
        )
    deadline = time.monotonic() + 60
    while not control.is_running(folder / "data"):
        assert child.returncode is None, (folder / "collector.log").read_text()
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    return child


def _free_port() -> int:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _run(folder: Path) -> None:
    """Kill it at random moments, then let it end in good order."""
    place = folder / "device"
    place.mkdir()
    text = scenario_toml("dev", 99, periods=0, updates=20, cards=6)
    (place / "scenario.toml").write_text(text)
    device, port = Device("dev", place), _free_port()
    chance = random.Random(7)
    try:
        await device.start(f"127.0.0.1:{port}", in_process=True)
        (folder / "known_hosts").write_text(device.ready["known_hosts"] + "\n")
        host = device.ready["netconf_host"]
        netconf_port = device.ready["netconf_port"]
        (folder / "collector.toml").write_text(
            CONFIG.format(port=port, host=host, netconf_port=netconf_port)
        )
        for _ in range(KILLS):
            child = await _start_collector(folder)
            await asyncio.sleep(chance.uniform(0.5, 4.0))
            child.kill()
            assert await child.wait() == -signal.SIGKILL
        child = await _start_collector(folder)
        await asyncio.sleep(5.0)
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0, (folder / "collector.log").read_text()
    finally:
        await device.stop()


def _rows(session: Any, table: str) -> Counter[str]:
    return Counter(map(str, session.run(f"SELECT * FROM {table}").to_pylist()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data of a collector that was killed over and over."""
    found: Path = tmp_path_factory.mktemp("killed")
    asyncio.run(_run(found))
    return found


def test_the_store_holds_what_the_journal_says(folder: Path, tmp_path: Path) -> None:
    replay(folder / "data", tmp_path / "again")
    with asked(folder / "data") as live, open_query(tmp_path / "again") as again:
        for table in ("updates", "verdicts", "subscriptions", "events"):
            kept, said = _rows(live, table), _rows(again, table)
            assert kept == said, table
            assert table == "events" or max(kept.values()) == 1, table
        assert sum(_rows(live, "updates").values()) > 300


def test_a_healthy_device_breaks_no_rule_for_being_killed_beside(folder: Path) -> None:
    wanted = "SELECT * FROM events WHERE kind IN ('overlap', 'node_gone')"
    with asked(folder / "data") as live:
        assert live.run(wanted).to_pylist() == []


def test_no_journalled_message_is_lost(folder: Path) -> None:
    offsets: list[int] = []
    starts = 0
    for frame in JournalReader(folder / "data").read(0):
        batch = frame.batch()
        data = [row for row, kind in enumerate(batch.kind) if kind == RecordKind.DATA]
        offsets += [frame.first_offset + row for row in data if batch.flags[row]]
        starts += batch.kind.count(RecordKind.COLLECTOR_START)
    assert starts == KILLS + 1
    with asked(folder / "data") as live:
        stored = live.run("SELECT journal_offset FROM updates ORDER BY 1").to_pylist()
    assert [row["journal_offset"] for row in stored] == offsets


def test_the_time_without_a_collector_is_not_blamed_on_the_device(folder: Path) -> None:
    with asked(folder / "data") as live:
        blamed = live.run("SELECT * FROM verdicts_last WHERE outcome = 'INCOMPLETE'").to_pylist()
        judged = live.run("SELECT count(*) AS n FROM verdicts WHERE outcome = 'COMPLETE'")
    assert blamed == []
    assert judged.to_pylist()[0]["n"] > 5
