"""Lanes in trouble: one that hangs, one that cannot start again, signals in every phase, a port or
a folder that somebody has."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from collector.cli import asking
from collector.journal import Journal, JournalSettings
from collector.journal.lock import FolderLock
from collector.lanes.folders import lane_folder
from collector.receivers.sockets.steering import lane_of
from tests.lanes_lab import Card, Collector, collector
from tests.unit.journal_batches import batch_of

pytestmark = pytest.mark.integration

SOURCES = {f"dev{n}": f"127.0.9.{n}" for n in range(1, 7)}
DEVICES = "".join(
    f'[[device]]\nname = "{name}"\nsources = ["{source}"]\n' for name, source in SOURCES.items()
)


def run(step: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(step(), 120))


async def send_all(running: Collector) -> None:
    """One message of every device, taken."""
    before = running.ask("status")["datagrams_received"]
    for source in SOURCES.values():
        card = Card(source, 1, [running.port])
        card.send()
        card.close()
    taken = before + len(SOURCES)
    await running.until(lambda: running.ask("status")["datagrams_received"] >= taken)


def test_a_lane_that_hangs_is_named_and_what_it_journalled_is_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ANSWER_SECONDS", 1.0)

    async def step() -> None:
        async with collector(tmp_path) as running:
            running.configure(lanes=2, more=DEVICES)
            await running.start()
            await send_all(running)
            await asyncio.sleep(1.2)  # a tick of each lane: everything is in its journal file
            pid = running.lane(1)["process"]
            os.kill(pid, signal.SIGSTOP)
            try:
                status = running.ask("status")
                assert status["healthy"] is False
                assert status["health"] == "lane 1: it does not answer (no answer within 3 s)"
                assert running.ask("devices")["lanes_not_answering"] == [status["health"]]
                code, text = await asyncio.to_thread(running.page, "/healthz")
                assert (code, text.startswith("lane 1: it does not answer")) == (503, True)
                rows = running.rows("SELECT DISTINCT device FROM updates")
                assert {row["device"] for row in rows} == set(SOURCES)
                said = capsys.readouterr().err
                assert "lane-1 does not answer" in said
                assert "its journal is read instead" in said
            finally:
                os.kill(pid, signal.SIGCONT)
            await running.until(lambda: running.ask("status")["healthy"])
            await running.stop()

    run(step)


def test_a_lane_that_cannot_start_again_is_tried_until_it_can(tmp_path: Path) -> None:
    async def step() -> None:
        async with collector(tmp_path) as running:
            running.configure(lanes=2, more=DEVICES)
            await running.start()
            os.kill(running.lane(0)["process"], signal.SIGKILL)
            await running.until(lambda: running.lane(0)["state"] != "running")
            taken = FolderLock.acquire(lane_folder(running.data, 0))
            await running.until(lambda: running.lane(0)["restarts"] >= 2)
            health = running.ask("status")["health"]
            assert f"in use by process {os.getpid()}" in health
            taken.release()
            await running.until(lambda: running.ask("status")["healthy"])
            await send_all(running)
            os.kill(running.lane(1)["process"], signal.SIGTERM)
            await running.until_logged("Lane 1 ended with status 0; it is started again")
            await running.until(lambda: running.ask("status")["healthy"])
            await running.stop()
            assert "Traceback" not in running.log()

    run(step)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_a_lane_reads_its_journal_again(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder = lane_folder(tmp_path / "data", 0)
    with Journal.open(folder, JournalSettings(free_space_reserve=0)) as journal:
        for _ in range(3000):
            journal.append(batch_of(100))

    async def step() -> None:
        async with collector(tmp_path) as running:
            running.configure(lanes=2, more=DEVICES)
            starting = asyncio.create_task(running.start())
            while not (folder / "store").is_dir():
                await asyncio.sleep(0.01)
            assert running.child is not None
            running.child.send_signal(number)
            assert await running.child.wait() == 0, running.log()
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            assert "Stopping." in running.log()
            assert "Traceback" not in running.log()

    run(step)


def test_a_port_or_a_folder_that_somebody_has(tmp_path: Path) -> None:
    async def step() -> None:
        (tmp_path / "other").mkdir()
        async with collector(tmp_path) as running, collector(tmp_path / "other") as other:
            running.configure(lanes=2, more=DEVICES)
            other.port = running.port
            other.configure(lanes=2, more=DEVICES)
            await running.start()
            with pytest.raises(AssertionError, match=r"cannot listen on .* in use"):
                await other.start()
            other.port = 0
            other.configure(lanes=2, more=DEVICES)
            text = (other.folder / "collector.toml").read_text()
            (other.folder / "collector.toml").write_text(
                text.replace('"data"', f'"{running.data}"')
            )
            other.data = tmp_path / "nowhere"
            with pytest.raises(AssertionError, match="in use by process"):
                await other.start()
            assert running.ask("status")["healthy"] is True
            await running.stop()

    run(step)


def test_commands_on_what_lanes_left(tmp_path: Path) -> None:
    async def step() -> None:
        async with collector(tmp_path) as running:
            running.configure(lanes=2, more=DEVICES)
            text = await running.command("check-config", "collector.toml")
            counts = [sum(lane_of(s, 2) == lane for s in SOURCES.values()) for lane in (0, 1)]
            assert f"lanes: 2, with {counts[0]}, {counts[1]} devices; steering" in text
            await running.start()
            await send_all(running)
            await running.stop()
            text = await running.command("replay", "data", "--store", "again")
            assert "Journal and rows are in again" in text
            count = "SELECT lane, count(*) AS n FROM updates GROUP BY lane ORDER BY lane"
            found = []
            for store in ("data", "again"):
                text = await running.command("query", count, "--json", "--store", store)
                found.append([json.loads(line) for line in text.splitlines()])
            assert found[0] == [{"lane": lane, "n": n} for lane, n in enumerate(counts)]
            assert found[1] == found[0]
            assert await running.command("replay", "data/lane-1", "--json") == ""

    run(step)


def test_without_udp_there_is_nothing_to_steer(tmp_path: Path) -> None:
    async def step() -> None:
        async with collector(tmp_path) as running:
            running.configure(lanes=2, more=DEVICES)
            file = tmp_path / "collector.toml"
            file.write_text(file.read_text().replace("[udp_notif]", "[udp_notif]\nenabled = false"))
            await running.start()
            assert running.ask("status")["listening"] == []
            assert running.ask("reload")["devices"] == len(SOURCES)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
                free.bind(("127.0.0.1", running.port))
            await running.stop()

    run(step)
