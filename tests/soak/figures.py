"""What a process uses while it runs, and whether that grows.

Does: read /proc and the collector's page of metrics, fit a line. Does not: know the soak. Rules:
only the least of every few samples counts, since what is used for a while and given back (when
files are compacted) is no growth; a straight line through them after the first part of the run
(caches fill, allocators settle) must not rise by more than a stated bound until the end.
"""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1 << 20
WARM_UP = 0.3
"""Part of the run that is not looked at."""
PARTS = 5
"""The rest is cut into so many, of each of which the least counts: a minute's compaction does not
hide it in ten minutes."""


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
    relative: float = 0.0
    """Of its mean."""
    warming: float = 0.0
    """On top, where the run is shorter than ``SETTLED``."""

    def of(self, mean: float, run: float) -> float:
        """The bound where the mean is that and the run lasted so many seconds."""
        return self.absolute + self.relative * mean + (self.warming if run < SETTLED else 0.0)


SETTLED = 300.0
"""Seconds after which the process has used everything once that it has (compaction, queries)."""
BOUNDS = (
    Bound("memory", 6.0, 0.03, warming=64.0),
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


def growths(samples: Sequence[Sample]) -> list[Growth]:
    """One for each bound; none with fewer than four samples after the warm-up."""
    if not samples:
        return []
    first, last = samples[0].at, samples[-1].at
    steady = [one for one in samples if one.at >= first + WARM_UP * (last - first)]
    if len(steady) < 4:
        return []
    found = []
    for bound in BOUNDS:
        low = _least(steady, bound.name)
        values = [value for _, value in low]
        mean = sum(values) / len(values)
        rise = slope([at for at, _ in low], values) * (low[-1][0] - low[0][0])
        found.append(Growth(bound.name, mean, rise, bound.of(mean, last - first)))
    return found


def _least(samples: Sequence[Sample], name: str) -> list[tuple[float, float]]:
    """(when, how much) of the least sample of each part."""
    size = max(1, len(samples) // PARTS)
    parts = [samples[start : start + size] for start in range(0, len(samples), size)]
    return [min((float(getattr(one, name)), one.at) for one in part)[::-1] for part in parts]


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Of the line with the least squares, a second."""
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((time - middle) ** 2 for time in times)
    if not spread:
        return 0.0
    pairs = zip(times, values, strict=True)
    return sum((time - middle) * (value - mean) for time, value in pairs) / spread


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
