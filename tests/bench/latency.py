"""How soon a verdict is at a live sink under load, and where a lone datagram is how soon.

Does: follow the collector from outside while it is loaded, and poll its files while it idles. Does
not: ask the collector what it thinks of itself, ``judged_at`` apart.

Rules: a verdict can be given when the last record of its period is in the kernel (``judged_at``
before the deadline) or when its deadline passes. So that somebody checks that: for the first kind
there is also the time since the sender's plan had the device's messages sent, which is earlier.
"""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from msgspec import Struct

from collector.journal.segments import journal_folder
from collector.model import SECOND
from collector.store.manifest import load_manifest, store_folder
from collector.wire.values.timestamps import parse_date_and_time
from tests.bench import end_to_end, payloads, traffic
from tests.bench.following import Follower
from tests.bench.load import FIRST_PERIOD, Load, Plan
from tests.bench.running import CollectorRun, collector, cores, empty
from tests.bench.traffic import Traffic

LOSS = 0.0005
"""Share of the datagrams that are lost, so that some periods wait for their deadline."""
_POLL_SECONDS = 0.0005
_WARM = 6
"""Lone messages until the usual count is known, and COMPLETE is said at once."""
_STORED_SECONDS = 15.0


class Spread(Struct, frozen=True):
    """Many times, in ms."""

    count: int
    p50: float
    p99: float
    most: float

    @property
    def text(self) -> str:
        """For people."""
        return f"p50 {self.p50:,.1f}, p99 {self.p99:,.1f}, max {self.most:,.1f} ms"

    @classmethod
    def of(cls, times: Iterable[int]) -> Spread | None:
        """From ns; None where there is none."""
        found = np.fromiter(times, np.int64) / 1e6
        if not len(found):
            return None
        return cls(
            len(found), float(np.percentile(found, 50)), float(np.percentile(found, 99)),
            float(found.max()),
        )  # fmt: skip


class UnderLoad(Struct, frozen=True):
    """Verdicts at a live sink."""

    run: end_to_end.EndToEnd
    early: Spread | None
    """Said before the deadline: since the arrival of the last record."""
    since_sent: Spread | None
    """The same, since it was to be sent."""
    deadline: Spread | None
    """Said at the deadline: since then."""
    lost_rows: int
    """What the follower was too slow for."""


class Lone(Struct, frozen=True):
    """One datagram at a time on an idle collector."""

    journal: Spread | None
    """Until it is in the journal file."""
    folded: Spread | None
    """Until the verdict that it completes is at the live sink."""
    stored: Spread | None
    """Until its row is in a Parquet file that the manifest lists."""


def under_load(plan: Plan, *, folder: Path | None, lanes: int = 1) -> UnderLoad:
    """Follow one run."""
    followers: list[Follower] = []

    def follow(running: CollectorRun) -> Follower:
        followers.append(Follower(running))
        return followers[0]

    run = end_to_end.run(plan, folder=folder, lanes=lanes, beside=follow)
    return _spreads(plan, run, followers[0])


def _spreads(plan: Plan, run: end_to_end.EndToEnd, follower: Follower) -> UnderLoad:
    period, devices = plan.load.period, plan.load.devices
    since = run.begun + plan.warm_up * period
    until = run.begun + (plan.warm_up + plan.periods) * period
    early, sent, late = [], [], []
    for when, row in follower.first_verdicts():
        judged: int = row["judged_at"]
        if not since <= judged < until:
            continue
        if judged < parse_date_and_time(row["deadline"]):
            early.append(when - judged)
            phase = run.begun + traffic.device_number(row["device"]) * period // devices
            index = (judged - phase + period // 4) // period  # the two clocks may differ a little
            sent.append(when - phase - index * period)
        else:
            late.append(when - judged)
    lost = sum(row.get("lost", 0) for _, row in follower.rows())
    return UnderLoad(run, Spread.of(early), Spread.of(sent), Spread.of(late), lost)


# --------------------------------------------------------------------------- a lone datagram
def lone(*, folder: Path | None, messages: int = 12, period: int = SECOND) -> Lone:
    """Send so many messages, a period apart, after those that the engine learns from."""
    load = Load(devices=1, cards=1, updates=1, period=period)
    kept = Path(tempfile.mkdtemp(prefix="bench-", dir=folder))
    try:
        with (
            collector(kept, 1, core=cores()[0]) as running,
            Follower(running) as follower,
        ):
            return _lone(running, follower, load, messages)
    finally:
        empty(kept)


def _lone(running: CollectorRun, follower: Follower, load: Load, messages: int) -> Lone:
    sent = Traffic(load)
    watch = _Files(running.folder)
    times: list[int] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((traffic.address(0), 0))
        sender.connect(("127.0.0.1", running.port))
        sender.send(traffic.started(load))
        begun = time.monotonic()
        for number in range(_WARM + messages):
            watch.until(begun + (number + 0.5) * load.period / SECOND)
            datagram = sent.stamp(1, number + FIRST_PERIOD, time.time_ns()).tobytes()
            times.append(time.time_ns())
            sender.send(datagram)
            watch.sent(payloads.FIRST_SEQUENCE + number + FIRST_PERIOD)
    watch.until(time.monotonic() + _STORED_SECONDS, lambda: len(watch.stored) == len(times))
    folded: dict[int, int] = {}
    for when, row in follower.first_verdicts():
        if row["outcome"] == "COMPLETE":
            nearest = max((one for one in times if one <= row["judged_at"]), default=times[0])
            folded.setdefault(nearest, when)
    measured = list(enumerate(times))[_WARM:]
    return Lone(
        Spread.of(watch.journalled[n] - at for n, at in measured if n < len(watch.journalled)),
        Spread.of(folded[at] - at for _, at in measured if at in folded),
        Spread.of(watch.stored[n] - at for n, at in measured if n < len(watch.stored)),
    )


class _Files:
    """When messages appear in the files of a collector: ns since 1970, in the order of sending."""

    def __init__(self, folder: Path) -> None:
        self._journal, self._store = journal_folder(folder), store_folder(folder)
        self._waiting: list[bytes] = []
        self._read: dict[Path, int] = {}
        self._manifest = 0
        self.journalled: list[int] = []
        self.stored: list[int] = []

    def sent(self, sequence: int) -> None:
        """From now on look for this message."""
        self._waiting.append(str(sequence).encode())

    def until(self, end: float, enough: Callable[[], bool] = lambda: False) -> None:
        """Look until it is ``end`` (monotonic seconds), or ``enough``."""
        while time.monotonic() < end and not enough():
            self._look_at_journal()
            self._look_at_store()
            time.sleep(_POLL_SECONDS)

    def _look_at_journal(self) -> None:
        if not self._waiting:
            return
        for path in sorted(self._journal.glob("*"))[-2:]:
            octets = _new_octets(path, self._read.get(path, 0))
            if octets and self._waiting[0] in octets:
                self.journalled.append(time.time_ns())
                del self._waiting[0]
                self._read[path] = self._read.get(path, 0) + len(octets)
                return

    def _look_at_store(self) -> None:
        path = self._store / "manifest.json"
        changed = path.stat().st_mtime_ns if path.exists() else 0
        if changed == self._manifest:
            return
        self._manifest = changed
        rows = sum(one.rows for one in load_manifest(self._store).entries_of("updates"))
        self.stored += [time.time_ns()] * (rows - len(self.stored))


def _new_octets(path: Path, start: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read()
    except OSError:
        return b""
