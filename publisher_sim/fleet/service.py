"""All devices of a fleet on real sockets, in one event loop.

Does: start them one after the other, then open the door; let each go when its run is over; stop
all. Does not: know signals or options. Rules: one listening socket and one host key for all of
them; publishers of a device share its socket where the transport lets them; truth files are
written when all have ended: until then somebody has ticks to keep.
"""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Callable, Sequence
from pathlib import Path

from collector.errors import ConfigError
from publisher_sim.device.service import DeviceService
from publisher_sim.device.surroundings import Surroundings
from publisher_sim.netconf.shared_door import SharedDoor
from publisher_sim.netconf.ssh_transport import read_host_key
from publisher_sim.scenario import Scenario

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - who asks for an address of no device gets nowhere
AT_A_TIME = 50
"""Devices that stop together; each may wait seconds for its subscriber to read. Ours."""
SPARE_FILES = 256
"""Descriptors beside those of devices and sessions; ours."""


class Fleet:
    """Many devices."""

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        *,
        truth: Path | None = None,
        progress: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            scenarios: as ``members`` makes them.
            truth: folder of the truth files; None: none is written.
            progress: gets a sentence whenever something happened to a device.

        Raises:
            ConfigError: a password or key cannot be read.
        """
        first = scenarios[0]
        by_user = len({one.address for one in scenarios}) == 1 and len(scenarios) > 1
        self.door = SharedDoor(
            first.address if by_user else ANY_ADDRESS,
            first.netconf.port,
            read_host_key(first.netconf.host_key or None),
            by_user=by_user,
        )
        self.scenarios = scenarios
        self.surroundings = Surroundings(door=self.door, lends=True, truth_apart=True)
        self._progress = progress
        self.devices = [
            DeviceService(
                one,
                truth=None if truth is None else truth / f"{one.name}.jsonl",
                in_process=True,
                progress=self._says(one.name),
                surroundings=self.surroundings,
            )
            for one in scenarios
        ]
        self._turns = asyncio.Semaphore(AT_A_TIME)

    def _says(self, name: str) -> Callable[[str], None]:
        return lambda text: self._progress(f"{name}: {text}")

    async def start(self) -> None:
        """Return when subscribers can come. Raises ConfigError, SessionError."""
        _allow_files(2 * len(self.devices) + SPARE_FILES)
        await self.door.start()
        for device in self.devices:
            await device.start()

    @property
    def sessions(self) -> int:
        """Of all devices."""
        return sum(len(device.server.sessions) for device in self.devices)

    async def wait(self, seconds: float | None = None) -> None:
        """Return when all runs are over, ``request_stop`` was called, or the time is up."""
        ends = [asyncio.ensure_future(self._to_the_end(device)) for device in self.devices]
        done, still = await asyncio.wait(ends, timeout=seconds)
        for one in still:
            one.cancel()
        await asyncio.gather(*still, return_exceptions=True)
        for one in done:
            one.result()

    async def _to_the_end(self, device: DeviceService) -> None:
        await device.wait()
        async with self._turns:
            await device.stop()

    def request_stop(self) -> None:
        """End ``wait``, and ``start`` while it waits for agents."""
        for device in self.devices:
            device.request_stop()

    async def stop(self) -> None:
        """Stop all that still run. May be called twice, or after a failed ``start``."""

        async def in_turn(device: DeviceService) -> None:
            async with self._turns:
                await device.stop()

        await asyncio.gather(*map(in_turn, self.devices))
        await self.door.stop()
        for device in self.devices:
            device.write_truth()

    @property
    def troubles(self) -> list[str]:
        """What truth is not there or not what it should be, in sentences; after ``stop``."""
        return [sentence for device in self.devices for sentence in device.troubles]


def _allow_files(wanted: int) -> None:
    """Raise the limit of open files as far as it goes. Raises ConfigError: not far enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted += len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    if soft != resource.RLIM_INFINITY and soft < wanted:
        highest = wanted if hard == resource.RLIM_INFINITY else hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, highest), hard))
        soft = max(soft, highest)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raise ConfigError(
            f"{wanted} files and sockets are needed and {soft} allowed (ulimit -n)",
            key="--devices",
            allowed="fewer devices, or a higher limit",
        )
