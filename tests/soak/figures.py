"""What a process uses while it runs, and whether that grows.

Does: read /proc and the metrics of the collector, add up. Does not: know the soak. Rules: what is
taken in one step and given back later (buffers while files are compacted) is no growth, so only
what changes little by little counts; what it comes to after the first part of the run (caches
fill) must stay within a stated bound. Memory may grow with every subscription that ends: of a
device's last 256 the ids are known, and the newest few in detail.
"""

from __future__ import annotations

import itertools
import os
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1 << 20
WARM_UP = 0.3
"""Part of the run that is not looked at."""
STEPS = {"memory": 3.0}
"""From one sample to the next: more than that is a step, which does not count. MiB."""
ENDED_MIB = 10 / 1024
"""What a subscription that ended may leave behind. The engine keeps 6.6 kB of each of the newest
eight of a device of five publishers, 1.5 kB of the others (tracemalloc); resident it is more."""


class Sample(Struct, frozen=True):
    """One look."""

    at: float
    """Seconds since the start."""
    memory: float
    """MiB, resident."""
    files: float
    """Open descriptors."""
    tasks: float
    """Of its event loop."""
    threads: float = 0


class Bound(Struct, frozen=True):
    """By how much something may rise from the end of the warm-up to the end of the run."""

    name: str
    """Of a member of ``Sample``."""
    absolute: float
    warming: float = 0.0
    """On top, where the run is shorter than ``SETTLED``."""
    ended: float = 0.0
    """On top, for each subscription that ended."""

    def of(self, run: float, ended: int) -> float:
        """The bound where the run lasted so many seconds and so many subscriptions ended."""
        warming = self.warming if run < SETTLED else 0.0
        return self.absolute + self.ended * ended + warming


SETTLED = 300.0
"""Seconds after which the process has used everything once that it has (compaction, queries)."""
BOUNDS = (
    Bound("memory", 5.0, warming=20.0, ended=ENDED_MIB),
    Bound("files", 4.0),
    Bound("tasks", 4.0),
    Bound("threads", 2.0, warming=8.0),
)
"""Ours: of the octets that come in ten minutes 10 % kept would be seen."""


class Growth(Struct, frozen=True):
    """What a line through the samples says."""

    name: str
    mean: float
    rise: float
    """From the end of the warm-up to the end of the run."""
    bound: float

    @property
    def is_bounded(self) -> bool:
        """It does not grow, as far as can be told."""
        return self.rise <= self.bound

    def sentence(self) -> str:
        """For people."""
        word = "within" if self.is_bounded else "ABOVE"
        return (
            f"{self.name}: mean {self.mean:.1f}, rise {self.rise:+.2f},"
            f" {word} the bound of {self.bound:.1f}"
        )


def growths(samples: Sequence[Sample], ended: int = 0) -> list[Growth]:
    """One for each bound; none with fewer than four samples after the warm-up.

    Args:
        samples: in order.
        ended: subscriptions that ended meanwhile.
    """
    if not samples:
        return []
    first, last = samples[0].at, samples[-1].at
    steady = [one for one in samples if one.at >= first + WARM_UP * (last - first)]
    if len(steady) < 4:
        return []
    found = []
    for bound in BOUNDS:
        values = [float(getattr(one, bound.name)) for one in steady]
        mean, rise = sum(values) / len(values), creep(values, STEPS.get(bound.name))
        found.append(Growth(bound.name, mean, rise, bound.of(last - first, ended)))
    return found


def creep(values: Sequence[float], step: float | None) -> float:
    """What the small changes add up to; those above ``step`` are left out. Without one: the rise
    from the first quarter's mean to that of the last."""
    if step is not None:
        changes = [after - before for before, after in itertools.pairwise(values)]
        return sum(change for change in changes if abs(change) <= step)
    quarter = max(1, len(values) // 4)
    return sum(values[-quarter:]) / quarter - sum(values[:quarter]) / quarter


def look(pid: int, at: float, metrics_port: int) -> Sample:
    """At a running collector. Raises OSError when it is gone."""
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text().split()[1])
    files = len(list((process / "fd").iterdir()))
    threads = len(list((process / "task").iterdir()))
    return Sample(at, pages * PAGE / MIB, files, _tasks(metrics_port), threads)


def _tasks(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as page:
        for line in page.read().decode().splitlines():
            if line.startswith("yang_push_event_loop_tasks "):
                return float(line.rpartition(" ")[2])
    raise OSError("the page of metrics names no tasks")
