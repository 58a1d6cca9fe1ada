"""Run by ``test_full_disk`` in a mount namespace of its own: a small disk that fills up.

Mounts a tmpfs, runs the real collector on it and a simulated device beside it, fills the disk,
makes room, fills it again, stops the collector, and prints what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from collector import control
from collector.cli.asking import asked
from collector.journal import JournalReader
from collector.model import RecordKind
from tests.integration.test_kill_collector import CONFIG, _free_port
from tests.lab import PASSWORD, Device, scenario_toml

MEBIBYTE = 1 << 20
SIZE = 24 * MEBIBYTE


class Collector:
    """The real process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.child: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with (self.folder / "collector.log").open("ab") as log:
            self.child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "collector", "run", "-c", "collector.toml"),
                cwd=self.folder,
                stderr=log,
                env=os.environ
                | {"PYTHONPATH": os.pathsep.join(sys.path), "LAB_PASSWORD": PASSWORD},
            )
        deadline = time.monotonic() + 60
        while not control.is_running(self.folder / "data"):
            assert self.child.returncode is None, self.log()
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    async def status(self) -> dict[str, Any]:
        return await asyncio.to_thread(control.ask, self.folder / "data", "status")

    async def until_healthy(self, wanted: bool) -> dict[str, Any]:
        deadline = time.monotonic() + 30
        while (status := await self.status())["healthy"] is not wanted:
            assert time.monotonic() < deadline, status
            await asyncio.sleep(0.1)
        return status

    async def stop(self) -> int:
        assert self.child is not None
        self.child.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.child.wait(), 60)

    def log(self) -> str:
        return (self.folder / "collector.log").read_text()


def fill(path: Path) -> None:
    """Until nothing goes in any more."""
    with path.open("wb", buffering=0) as file:
        for size in (MEBIBYTE, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass


def rows(folder: Path, text: str) -> list[dict[str, Any]]:
    with asked(folder / "data") as session:
        found: list[dict[str, Any]] = session.run(text).to_pylist()
    return found


async def whole(folder: Path) -> dict[str, Any]:
    place = folder / "device"
    place.mkdir()
    (place / "scenario.toml").write_text(scenario_toml("dev", 62, periods=0, updates=5))
    device, port = Device("dev", place), _free_port()
    seen: dict[str, Any] = {}
    collector, filler = Collector(folder), folder / "data" / "filler"
    try:
        await device.start(f"127.0.0.1:{port}", in_process=True)
        (folder / "known_hosts").write_text(device.ready["known_hosts"] + "\n")
        text = CONFIG.format(
            port=port, host=device.ready["netconf_host"], netconf_port=device.ready["netconf_port"]
        )
        text = text.replace("[journal]", f"[journal]\nmin_free_bytes = {2 * MEBIBYTE}")
        (folder / "collector.toml").write_text(text)
        await collector.start()
        await asyncio.sleep(4.0)
        fill(filler)
        seen["full"] = await collector.until_healthy(False)
        await asyncio.sleep(2.0)
        seen["still full"] = await collector.status()
        filler.unlink()
        seen["room"] = await collector.until_healthy(True)
        await asyncio.sleep(3.0)
        fill(filler)
        await collector.until_healthy(False)
        seen["exit status"] = await collector.stop()  # it does not wait for room
        filler.unlink()
        await collector.start()
        await asyncio.sleep(2.0)
        seen["exit status again"] = await collector.stop()
    finally:
        await device.stop()
        seen["log"] = collector.log()
        if collector.child is not None and collector.child.returncode is None:
            collector.child.kill()
            await collector.child.wait()
    records: Counter[str] = Counter()
    data = []
    for frame in JournalReader(folder / "data").read(0):
        batch = frame.batch()
        records.update(RecordKind(kind).name for kind in batch.kind)
        data += [
            frame.first_offset + row
            for row, kind in enumerate(batch.kind)
            if kind == RecordKind.DATA and batch.flags[row]
        ]
    seen["records"] = records
    stored = rows(folder, "SELECT journal_offset FROM updates ORDER BY 1")
    seen["stored as journalled"] = [row["journal_offset"] for row in stored] == data
    seen["updates"] = len(data)
    seen["outcomes"] = {
        row["outcome"]: row["n"]
        for row in rows(folder, "SELECT outcome, count(*) AS n FROM verdicts_last GROUP BY ALL")
    }
    doubled = (
        "SELECT device, subscription_id, revision, period_index, amendment FROM verdicts "
        "GROUP BY ALL HAVING count(*) > 1"
    )
    seen["doubled"] = len(rows(folder, doubled))
    return seen


def main() -> None:
    folder = Path(sys.argv[1])
    (folder / "data").mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder / "data")], check=True
    )
    print(json.dumps(asyncio.run(whole(folder))))


if __name__ == "__main__":
    main()
