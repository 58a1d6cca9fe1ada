"""How long ``collector run`` takes to listen, what an import loads, what memory devices take.

Does: start processes and watch them from outside. Does not: explain; the slowest imports are named,
since that is where the time of a start goes.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tests.bench import end_to_end
from tests.bench.end_to_end import EndToEnd
from tests.bench.load import Load, Plan
from tests.bench.running import CollectorRun, empty

HEAVY = (
    "numpy", "pyarrow", "duckdb", "lxml", "grpc", "google", "asyncssh", "ncclient", "paramiko",
    "cryptography", "pyang", "cbor2", "rich", "prometheus_client", "xmltodict", "asyncio",
)  # fmt: skip
"""Modules that nobody should get who only imports the package."""
MANY_DEVICES = 10_000
_IMPORTS_NAMED = 8
_IMPORT_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|( +)(\S+)")
_LOOK = """
import sys, time
begun = time.perf_counter()
import collector
spent = time.perf_counter() - begun
import json
print(json.dumps([spent, sorted(name for name in sys.modules if "." not in name)]))
"""


class Start(Struct, frozen=True):
    """Seconds, medians of a few starts."""

    python: float
    """An interpreter that does nothing, started and ended."""
    import_collector: float
    """Of the import alone."""
    heavy: tuple[str, ...]
    """Of ``HEAVY``, what the import loads."""
    listening: float
    """From exec until the socket is there, with one device."""
    listening_many: float
    """The same with many devices in the configuration."""
    devices: int
    """How many."""
    imports: tuple[tuple[str, float], ...]
    """The slowest imports of ``collector run``: module, seconds with all below it that nobody
    loaded before."""


class Memory(Struct, frozen=True):
    """Octets of the process that was started and all below it."""

    devices: int
    started: int
    """When it listens."""
    loaded: int
    """After the last message."""
    peak: int
    periods: int
    """That were sent; what is kept of them grows until the oldest are forgotten."""
    run: EndToEnd
    restarted: int
    """At most while it starts again with what it knows of all devices, until it listens."""
    restart: float
    """Seconds that this takes."""

    @property
    def an_originator(self) -> float:
        """Octets that each line card added until then."""
        return (self.loaded - self.started) / (self.devices * self.run.load.cards)


def start(*, folder: Path | None, devices: int = MANY_DEVICES, times: int = 5) -> Start:
    """Start things a few times."""
    _, loaded = _look()
    return Start(
        statistics.median(_bare_start() for _ in range(times)),
        statistics.median(_look()[0] for _ in range(times)),
        tuple(name for name in HEAVY if name in loaded),
        statistics.median(_listening(folder, 1) for _ in range(times)),
        statistics.median(_listening(folder, devices) for _ in range(min(3, times))),
        devices,
        _slowest(folder),
    )


def _bare_start() -> float:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.monotonic() - begun


def _look() -> tuple[float, list[str]]:
    done = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, check=True)
    seconds, loaded = json.loads(done.stdout)
    return seconds, loaded


def _listening(folder: Path | None, devices: int) -> float:
    kept = Path(tempfile.mkdtemp(prefix="bench-", dir=folder))
    running = CollectorRun(kept, devices)
    try:
        return running.start()
    finally:
        running.stop()
        empty(kept)


def _slowest(folder: Path | None) -> tuple[tuple[str, float], ...]:
    """By the interpreter's own count, which makes everything somewhat slower."""
    kept = Path(tempfile.mkdtemp(prefix="bench-", dir=folder))
    running = CollectorRun(kept, 1, options=("-X", "importtime"))
    try:
        running.start()
    finally:
        running.stop()
        text = running.log()
        empty(kept)
    return slowest_imports(text)


def slowest_imports(text: str) -> tuple[tuple[str, float], ...]:
    """From what ``-X importtime`` says: top-level packages by the time that each took itself."""
    own: dict[str, float] = {}
    for line in text.splitlines():
        found = _IMPORT_LINE.match(line)
        if found:
            package = found[4].split(".")[0]
            own[package] = own.get(package, 0.0) + int(found[1]) / 1e6
    ranked = sorted(own.items(), key=lambda item: item[1], reverse=True)
    return tuple(ranked[:_IMPORTS_NAMED])


def memory(
    load: Load, *, folder: Path | None, seconds: float, lanes: int = 1, quick: bool = False
) -> Memory:
    """A short run with many devices, and a start after it."""
    again: list[tuple[float, int]] = []

    def start_again(kept: Path) -> None:
        running = CollectorRun(kept, load.devices, lanes=lanes)
        try:
            seconds = running.start()
            again.append((seconds, running.peak()))
        finally:
            running.stop()

    seen: list[CollectorRun] = []
    rss: list[int] = []

    class Beside:
        def __enter__(self) -> None:
            rss.append(seen[0].rss())

        def __exit__(self, *error: object) -> None:
            rss.append(seen[0].rss())

    def beside(running: CollectorRun) -> Beside:
        seen.append(running)
        return Beside()

    plan = Plan.of_seconds(load, seconds)
    plan = replace(plan, periods=max(2, plan.periods), ramp=1 if quick else 3, learning=1)
    run = end_to_end.run(plan, folder=folder, lanes=lanes, beside=beside, inspect=start_again)
    restart, restarted = again[0]
    return Memory(load.devices, rss[0], rss[1], run.peak_rss, plan.total, run, restarted, restart)
