"""Several simulated devices in one process: a Python and its imports for all of them, not for each.

Reads one JSON line from standard input, [[folder, receiver], ..]; prints one ready line (JSON) for
each device, in that order; ends when all are over or SIGTERM comes. The folders are those of
``tests.lab``: scenario.toml, truth.jsonl, log.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path

from publisher_sim.device import truth_keeping
from publisher_sim.device.run import override, ready_line
from publisher_sim.device.service import DeviceService
from publisher_sim.scenario import load_scenario


async def serve(jobs: list[tuple[str, str]]) -> None:
    """Start the devices, one after the other, and wait for their ends."""
    truth_keeping.REWRITE_SECONDS = float("inf")  # at the end: the others have ticks to keep
    devices: list[DeviceService] = []

    def stop() -> None:
        for device in devices:
            device.request_stop()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    async with contextlib.AsyncExitStack() as stack:
        for folder, receiver in jobs:
            place = Path(folder)
            log = stack.enter_context((place / "log").open("w", buffering=1))
            scenario = load_scenario(place / "scenario.toml")
            scenario = override(scenario, receiver=receiver, netconf_port=0)
            device = DeviceService(
                scenario,
                truth=place / "truth.jsonl",
                in_process=True,
                progress=lambda text, log=log: print(text, file=log),  # type: ignore[misc]
            )
            devices.append(device)
            stack.push_async_callback(device.stop)
            await device.start()
            print(json.dumps(ready_line(device, scenario)), flush=True)

        async def to_the_end(device: DeviceService) -> None:
            await device.wait()
            await device.stop()

        await asyncio.gather(*map(to_the_end, devices))


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.stdin.readline())))
