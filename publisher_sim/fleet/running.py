"""From a scenario to a running fleet: signals, known_hosts, the line that says "ready", figures.

Does not: know options or sockets. Standard output gets JSON lines, people's words go to standard
error.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from collector.errors import UsageError
from publisher_sim.device.run import require_well, require_writable
from publisher_sim.files import write_together
from publisher_sim.fleet.collecting import known_hosts_line
from publisher_sim.fleet.figures import Figures
from publisher_sim.fleet.service import Fleet
from publisher_sim.scenario import Scenario

FIGURES_SECONDS = 10.0
"""How often figures are printed; ours."""


def run_fleet(
    scenarios: Sequence[Scenario],
    *,
    known_hosts: Path,
    truth: Path | None = None,
    duration: float | None = None,
    figures: bool = False,
    quiet: bool = True,
) -> None:
    """Run a fleet until it is over.

    Args:
        scenarios: of the devices.
        known_hosts: written with the line that a collector needs.
        truth: folder of the truth files, made where it is missing.
        duration: seconds, then stop.
        figures: print a line of them now and then.
        quiet: say nothing of single devices.

    Raises:
        ConfigError: a value of the scenario cannot be used.
        SessionError: a card did not come up.
        UsageError: a file cannot be written, found out before anything ran.
        SinkError: the run is over, but a truth is not there or not what it should be.
        OSError: the figures cannot be printed.
    """

    def progress(text: str) -> None:
        if not quiet:
            print(f"publisher-sim: {text}", file=sys.stderr, flush=True)

    async def whole() -> list[str]:
        began = time.monotonic()
        fleet = Fleet(scenarios, truth=truth, progress=progress)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, fleet.request_stop)
        looking: asyncio.Task[None] | None = None
        try:
            await fleet.start()
            line = known_hosts_line(scenarios, fleet.door.port, _public_key(fleet))
            _write(known_hosts, line)
            look = Figures(fleet)
            print(
                json.dumps(_ready(fleet, line, time.monotonic() - began, look.look())), flush=True
            )
            if figures:
                looking = asyncio.create_task(_look_again(look))
                looking.add_done_callback(lambda task: fleet.request_stop())  # nobody gets them
            await fleet.wait(duration)
        finally:
            if looking is not None:
                looking.cancel()
            await fleet.stop()
        if looking is not None and looking.done() and not looking.cancelled():
            looking.result()
        return fleet.troubles

    if truth is not None:
        _make_folder(truth)
        require_writable(truth / f"{scenarios[0].name}.jsonl")
    require_well(asyncio.run(whole()))


async def _look_again(figures: Figures) -> None:
    while True:
        await asyncio.sleep(FIGURES_SECONDS)
        print(json.dumps(figures.look()), flush=True)


def _ready(fleet: Fleet, known_hosts: str, seconds: float, look: dict[str, Any]) -> dict[str, Any]:
    """What whoever started us needs to know."""
    first, last = fleet.scenarios[0], fleet.scenarios[-1]
    return {
        "ready": True,
        "first_device": first.name,
        "last_device": last.name,
        "first_address": first.address,
        "netconf_port": fleet.door.port,
        "known_hosts": known_hosts.strip(),
        "receiver": f"{first.receiver.address}:{first.receiver.port}",
        "pid": os.getpid(),
        "start_seconds": round(seconds, 3),
        **look,
    }


def _public_key(fleet: Fleet) -> str:
    return fleet.door.host_key.export_public_key().decode().strip()


def _write(path: Path, text: str) -> None:
    """Replace a small file at once. Raises UsageError."""
    try:
        write_together({path: [text.encode()]})
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be made: {error.strerror}") from error
