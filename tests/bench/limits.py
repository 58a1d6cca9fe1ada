"""What the machine allows: the journal alone, beside the bare loop and the disk's own speed.

Does: search the highest rate that the receiver and the journal take with nothing behind them, and
write a plain file in the same folder as fast as it goes. Does not: judge or store anything.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tests.bench import bare
from tests.bench.bare import Bare
from tests.bench.load import Load, Plan
from tests.bench.search import Step, search

_CHUNK = 1 << 20
_FILE = 512 << 20
_START = 100_000
_BUDGET_SECONDS = 45.0
_SECONDS = 1.5


class Disk(Struct, frozen=True):
    """Writing one file from beginning to end; 10^6 octets a second."""

    buffered: float
    """Until the kernel has it all."""
    synced: float
    """Until the disk has it all."""
    committed: float
    """With an fdatasync after every MiB, as the journal's group commit at full speed."""


class Ingest(Struct, frozen=True):
    """The journal alone."""

    best: Bare | None
    """At the highest rate without loss."""
    steps: int
    why: str
    flat_out: Bare
    """The loop that only empties the socket, with all that the sender can send."""
    disk: Disk

    @property
    def times_the_bare_loop(self) -> float:
        """CPU of a message against CPU of emptying the socket of it."""
        if self.best is None or not self.flat_out.cpu_seconds:
            return 0.0
        return self.best.microseconds / self.flat_out.microseconds_of_message


def disk_speed(folder: Path | None, octets: int = _FILE) -> Disk:
    """Write into ``folder`` and throw it away."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as name:
        path = Path(name) / "plain"
        begun = time.monotonic()
        written = _write(path, octets, each=False)
        synced = time.monotonic()
        path.unlink()
        small = max(_CHUNK, octets // 4)
        before = time.monotonic()
        _write(path, small, each=True)
        committed = time.monotonic() - before
    return Disk(
        octets / max(written - begun, 1e-9) / 1e6,
        octets / max(synced - begun, 1e-9) / 1e6,
        small / max(committed, 1e-9) / 1e6,
    )


def _write(path: Path, octets: int, *, each: bool) -> float:
    """Returns when the last octet was with the kernel."""
    chunk = os.urandom(_CHUNK)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        for _ in range(octets // _CHUNK):
            os.write(file, chunk)
            if each:
                os.fdatasync(file)
        written = time.monotonic()
        os.fdatasync(file)
    finally:
        os.close(file)
    return written


def measure(
    load_at: Callable[[int], Load], receive_buffer: int, *, folder: Path | None = None,
    quick: bool = False, tell: Callable[[Step[Bare], float], None] = lambda step, left: None,
) -> Ingest:  # fmt: skip
    """Search the highest rate that goes into the journal without loss."""
    seconds = 0.3 if quick else _SECONDS

    def attempt(rate: int) -> Bare:
        plan = Plan.of_seconds(load_at(rate), seconds, warm=False)
        return bare.ingest(plan, receive_buffer, folder=folder)

    disk = disk_speed(folder, 8 << 20 if quick else _FILE)
    found = search(
        attempt,
        start=2_000 if quick else _START,
        budget_seconds=1.0 if quick else _BUDGET_SECONDS,
        tell=tell,
    )
    most = Plan.of_seconds(load_at(20_000 if quick else 1_500_000), seconds, warm=False)
    flat_out = bare.bare_loop(most, receive_buffer)
    return Ingest(found.best, len(found.steps), found.why, flat_out, disk)
