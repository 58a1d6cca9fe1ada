"""``collector run``, whatever the number of lanes: one is the service itself, several a supervisor.

Does: choose, and put signals around the supervisor. Does not: start a lane by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from collector import fast
from collector.config import Config
from collector.lanes.closing import close_earlier
from collector.lanes.folders import load_assignment, notes_at_start, save_assignment
from collector.service.signals import carry, set_up_logging

if TYPE_CHECKING:
    from collector.lanes.supervisor import Supervisor

log = logging.getLogger("collector")


def run(config: Config, *, reload_from: Callable[[], Config] | None = None) -> int:
    """Run until SIGTERM or SIGINT; SIGHUP reads the configuration again. Returns 0."""
    if config.collector.lanes > 1:
        set_up_logging(config)
        log.info("The hot functions are %s.", fast.PATH)
        asyncio.run(_run(config, reload_from))
        return 0
    from collector.service import run as run_service

    folder = Path(config.collector.data_dir)
    if load_assignment(folder) is None:  # there never were lanes
        return run_service(config, reload_from=reload_from)
    set_up_logging(config)
    devices = {device.name: 0 for device in config.devices}
    for note in notes_at_start(folder, 1, devices):
        log.warning("%s", note)
    asyncio.run(close_earlier(config))
    save_assignment(folder, 1, devices)
    status = run_service(config, reload_from=reload_from)
    save_assignment(folder, 1, devices, ended=True)
    return status


async def _run(config: Config, reload_from: Callable[[], Config] | None) -> None:
    from collector.lanes.supervisor import Supervisor

    supervisor = Supervisor(config, reload_from=reload_from)

    def at_work() -> None:
        count, where = len(supervisor.lanes), _listening(supervisor)
        log.info("%d lanes listen on %s; data in %s.", count, where, supervisor.folder)

    await carry(supervisor, reloads=reload_from is not None, at_work=at_work)


def _listening(supervisor: Supervisor) -> str:
    config, found = supervisor.config, []
    if supervisor.port:
        found.append(f"{config.udp_notif.address} port {supervisor.port} (UDP-notif)")
    if supervisor.call_home_port:
        found.append(f"{config.call_home.address} port {supervisor.call_home_port} (call home)")
    return ", ".join(found) or "nothing"
