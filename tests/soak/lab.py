"""Both processes of a soak: the collector as people start it, and all devices beside it.

Does: write their files, start them, reload the collector now and then, look at it, stop them.
Does not: judge. Rules: everything lies in one folder; whatever happens nothing is left running.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from publisher_sim.fleet.collecting import collector_config
from publisher_sim.scenario import Scenario
from tests.soak import devices as devices_process
from tests.soak.figures import Sample, look
from tests.soak.plan import PASSWORD_ENV, QUIRK_OF_COLLECTOR, devices

LOOK_SECONDS = 2.0
START_SECONDS = 60.0
AFTERWARDS_SECONDS = 4.0
"""From the end of the last device to that of the collector: messages on their way."""


class Wish(Struct, frozen=True):
    """What is to be soaked."""

    seconds: float = 600.0
    devices: int = 50
    cards: int = 4
    seed: int = 1
    period: float = 1.0
    """Seconds of the subscription."""
    reload_seconds: float = 20.0
    """Between two reloads of the collector."""

    @property
    def periods(self) -> int:
        """Ticks of each device."""
        return max(20, int(self.seconds / self.period) - 5)


class Lab:
    """The folder and the processes."""

    def __init__(self, folder: Path, wish: Wish) -> None:
        self.folder = folder
        self.wish = wish
        self.samples: list[Sample] = []
        """While all devices run: afterwards the collector has less to hold."""
        self.reloads = 0
        self.figures: dict[str, Any] = {}
        """Newest line of the devices."""
        self.data = folder / "data"
        self._port = _free_port(socket.SOCK_DGRAM)
        self._metrics_port = _free_port(socket.SOCK_STREAM)
        self._draw = random.Random(wish.seed)
        self._scenarios: list[Scenario] = []
        self._netconf_port = 0
        self._fleet: asyncio.subprocess.Process | None = None
        self._collector: asyncio.subprocess.Process | None = None
        self._environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(sys.path),
            PASSWORD_ENV: secrets.token_hex(8),
        }

    # ------------------------------------------------------------------ start and stop
    async def start(self) -> None:
        """Devices first, then the collector, which subscribes to all of them."""
        wish = self.wish
        self._scenarios = devices(
            wish.seed, wish.devices, wish.cards, wish.period, wish.periods,
            f"127.0.0.1:{self._port}",
        )  # fmt: skip
        devices_process.write(self.folder, self._scenarios)
        self._fleet = await self._start(
            "devices", "-m", "tests.soak.devices", str(self.folder), out=asyncio.subprocess.PIPE
        )
        assert self._fleet.stdout is not None
        line = await asyncio.wait_for(self._fleet.stdout.readline(), START_SECONDS)
        if not line:
            raise RuntimeError((self.folder / "devices.log").read_text())
        self._netconf_port = json.loads(line)["netconf_port"]
        self._configure(())
        self._collector = await self._start(
            "collector", "-m", "collector", "run", "-c", str(self.folder / "collector.toml")
        )

    async def _start(
        self, name: str, *arguments: str, out: int = asyncio.subprocess.DEVNULL
    ) -> asyncio.subprocess.Process:
        with (self.folder / f"{name}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, *arguments, stdout=out, stderr=log, env=self._environment
            )

    async def stop(self) -> int:
        """The collector in good order; its exit status. Devices that still run are stopped too."""
        await _end(self._fleet)
        return await _end(self._collector)

    # ------------------------------------------------------------------ configuration
    def _configure(self, twice: tuple[str, ...]) -> None:
        """``twice``: devices with a second subscription."""
        text = collector_config(
            self._scenarios, self._netconf_port, str(self.folder / "known_hosts")
        )
        text = text.replace('data_dir = "fleet-data"', f"data_dir = {json.dumps(str(self.data))}")
        text = text.replace('name = "fleet"', f"name = {json.dumps('soak')}")
        for one in self._scenarios:
            if one.behaviour.last_flag_in_top_bit:
                line = f"name = {json.dumps(one.name)}\n"
                text = text.replace(line, f"{line}quirks = [{json.dumps(QUIRK_OF_COLLECTOR)}]\n")
        text += f"\n[metrics]\nport = {self._metrics_port}\n[journal]\nsegment_seconds = 5.0\n"
        if twice:
            text += (
                f'\n[[subscription]]\nname = "further"\ndevices = {json.dumps(list(twice))}\n'
                f'xpath = "/ietf-interfaces:interfaces"\nencoding = "encode-json"\n'
                f"period_seconds = {self.wish.period * 2:g}\n"
                f"grace_seconds = {self._scenarios[0].grace_seconds}\n"
            )
        (self.folder / "collector.toml").write_text(text)

    async def reload(self) -> None:
        """Another set of devices gets a second subscription; all others must not notice."""
        names = [one.name for one in self._scenarios]
        chosen = self._draw.sample(names, k=min(3, len(names)))
        self._configure(tuple(chosen) if self.reloads % 2 == 0 else ())
        child = await self._start(
            "reload", "-m", "collector", "reload", "-c", str(self.folder / "collector.toml")
        )
        status = await asyncio.wait_for(child.wait(), START_SECONDS)
        if status:
            raise RuntimeError((self.folder / "reload.log").read_text())
        self.reloads += 1

    # ------------------------------------------------------------------ while it runs
    async def run(self, say: Callable[[str], None]) -> None:
        """Return when all devices have come to the end of their run."""
        assert self._fleet is not None
        assert self._collector is not None
        began = time.monotonic()
        reading = asyncio.create_task(self._read_figures())
        over = asyncio.create_task(self._fleet.wait())
        reload_at = self.wish.reload_seconds
        said_at = 0.0
        limit = 2 * self.wish.seconds + START_SECONDS
        try:
            while not over.done():
                await asyncio.wait([over], timeout=LOOK_SECONDS)
                at = time.monotonic() - began
                if self._collector.returncode is not None:
                    raise RuntimeError("the collector ended: " + self.log("collector")[-2000:])
                if at > limit:
                    raise RuntimeError(f"no end after {at:.0f} s")
                if at < self.wish.seconds - 10:
                    await self._look(at)
                if reload_at <= at < self.wish.seconds - 10 and self.samples:
                    await self.reload()
                    reload_at += self.wish.reload_seconds
                if at >= said_at:
                    say(self._progress(at))
                    said_at += 10
        finally:
            reading.cancel()
            over.cancel()
        await asyncio.sleep(AFTERWARDS_SECONDS)

    async def _look(self, at: float) -> None:
        assert self._collector is not None
        with contextlib.suppress(OSError):  # it does not listen yet
            pid, port = self._collector.pid, self._metrics_port
            self.samples.append(await asyncio.to_thread(look, pid, at, port))

    async def _read_figures(self) -> None:
        assert self._fleet is not None
        assert self._fleet.stdout is not None
        while line := await self._fleet.stdout.readline():
            with contextlib.suppress(ValueError):
                self.figures = json.loads(line)

    def _progress(self, at: float) -> str:
        newest = self.samples[-1] if self.samples else Sample(at, 0, 0, 0)
        return (
            f"{at:5.0f} s: {self.figures.get('sessions', 0)} sessions,"
            f" {self.figures.get('sent', 0)} sent, behind {self.figures.get('behind_ms', 0)} ms,"
            f" {self.reloads} reloads; collector {newest.memory:.0f} MiB,"
            f" {newest.files:.0f} files, {newest.tasks:.0f} tasks"
        )

    def log(self, name: str) -> str:
        """What a process said."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def keep(self) -> None:
        """Write the samples down."""
        (self.folder / "samples.json").write_bytes(msgspec.json.encode(self.samples))

    @property
    def truths(self) -> list[Path]:
        """The truth files, in the order of the devices."""
        return sorted((self.folder / "truth").glob("*.jsonl"))


@contextlib.asynccontextmanager
async def lab(folder: Path, wish: Wish) -> AsyncIterator[Lab]:
    """Started; ended whatever happens."""
    made = Lab(folder, wish)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()


async def _end(child: asyncio.subprocess.Process | None) -> int:
    if child is None:
        return 0
    if child.returncode is None:
        child.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(child.wait(), START_SECONDS)
        except TimeoutError:
            child.kill()
            await child.wait()
    return child.returncode or 0


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
