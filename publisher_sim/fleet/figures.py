"""Figures: what a fleet's process costs, and whether it keeps its ticks.

Does: read them from the process and its devices. Does not: judge, or print. Rules: rates are since
the last look; what the system does not tell is left out.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from pathlib import Path
from typing import Any

from publisher_sim.fleet.service import Fleet

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Figures:
    """The figures of one fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._at = time.monotonic()
        self._cpu = time.process_time()
        self._sent = 0

    def look(self) -> dict[str, Any]:
        """One line of figures.

        ``cpu_percent`` is of one core; ``behind_ms`` by how much the latest wake-up since the last
        look came too late; ``sent`` units of all publishers, ``refused`` what the system did not
        take of them.
        """
        fleet, now, cpu = self._fleet, time.monotonic(), time.process_time()
        elapsed = max(now - self._at, 1e-9)
        sent = fleet.surroundings.sent
        line = {
            "devices": len(fleet.devices),
            "publishers": sum(len(one.publishers) for one in fleet.scenarios),
            "sessions": fleet.sessions,
            "sent": sent,
            "sent_per_second": round((sent - self._sent) / elapsed, 1),
            "refused": fleet.surroundings.refused,
            "behind_ms": round(fleet.surroundings.timers.take_latest() / 1e6, 1),
            "cpu_percent": round(100 * (cpu - self._cpu) / elapsed, 1),
            "rss_mib": round(resident() / 2**20, 1),
            "tasks": len(asyncio.all_tasks()),
            "files": open_files(),
        }
        self._at, self._cpu, self._sent = now, cpu, sent
        return line


def resident() -> int:
    """Octets of memory in use; the most so far where the system says no more."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def open_files() -> int | None:
    """Descriptors in use."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return None
