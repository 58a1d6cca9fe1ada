"""A capture replayed and the same packets received live say the same rows.

Live here means: the receiver's batcher woken up every few milliseconds of pretend time, the intake
with its journal, ticks when deadlines pass and in idle seconds, and an orderly stop. Only the
sockets are left out, since nobody can send a packet at a time that is over.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from collector.config import KnownSubscriptionSettings
from collector.journal import Journal
from collector.metrics import Counters
from collector.model import Coded, CollectorTime, RecordKind, Verdict, numbers
from collector.pipeline import CaptureFiles, JournalledConfig, Pipeline
from collector.pipeline.capture_files import Datagram
from collector.pipeline.settings import encode_config
from collector.receivers.datagrams.batcher import DatagramBatcher
from collector.receivers.sockets.slab import DatagramSlab
from collector.service.intake import LiveIntake
from collector.service.ticker import IDLE, SPACING
from collector.store.said import Said
from collector.store.writer import StoreWriter
from collector.wire.captures.packets import UdpPacket
from tests.unit.capture_maker import (
    cards,
    judged,
    packets,
    push_update,
    raw,
    started,
    verdicts,
    write,
)

CAPTURES = Path(
    os.environ.get(
        "YANG_PUSH_CAPTURES", Path(__file__).resolve().parents[2].parent / "shared" / "captures"
    )
)
WAKE_UP = 7_000_000
"""ns between two looks at the socket."""

pytestmark = pytest.mark.integration


class PretendClock:
    def __init__(self) -> None:
        self.time = 0

    def now(self) -> CollectorTime:
        return CollectorTime(self.time)


class LiveRun:
    """A collector without sockets, in pretend time."""

    def __init__(self, folder: Path, config: JournalledConfig) -> None:
        self.said: list[Said] = []
        self.clock = PretendClock()
        self.journal = Journal.open(folder)
        self.store = StoreWriter(folder)
        self.batcher = DatagramBatcher()
        self.slab = DatagramSlab(64)
        self.config = config
        self.name = "gathering"
        self.intake = LiveIntake(
            journal=self.journal,
            pipeline=Pipeline(),
            store=self.store,
            sinks=[self],
            clock=self.clock,
            counters=Counters(),
        )

    # a sink
    def write(self, said: Said) -> None:
        self.said.append(said)

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def run(self, datagrams: Sequence[Datagram]) -> list[Said]:
        self.clock.time = datagrams[0][0]
        self.intake.note(RecordKind.COLLECTOR_START)
        self.intake.note(RecordKind.CONFIG, encode_config(self.config))
        for woken_at, waiting in wake_ups(datagrams):
            self._idle_until(waiting[0][0] if waiting else woken_at)
            for start in range(0, len(waiting), len(self.slab)):
                self._receive(waiting[start : start + len(self.slab)])
        self.clock.time = datagrams[-1][0]
        self._take(self.batcher.stop(self.clock.time))
        self.intake.note(RecordKind.COLLECTOR_STOP)
        self.journal.close()
        self.store.close()
        return self.said

    def _receive(self, waiting: Sequence[Datagram]) -> None:
        for row, one in enumerate(waiting):
            self.slab.put(row, one[3])
        arrivals, peers, ports = list(zip(*waiting, strict=True))[:3]
        batch = self.batcher.receive(
            self.slab, numbers(arrivals), Coded.of(peers), array("H", ports)
        )
        self._take(batch)
        self.clock.time = max(self.clock.time, waiting[-1][0])

    def _take(self, batch: object) -> None:
        if len(batch):  # type: ignore[arg-type]
            self.intake.take(batch)  # type: ignore[arg-type]

    def _idle_until(self, time: int) -> None:
        """Timers and ticks, as the receiver and the ticker run them."""
        while True:
            deadline = self.intake.pipeline.engine.next_deadline()
            timer = self.batcher.next_deadline()
            next_ = min(
                max(deadline + SPACING // 3, self.clock.time) if deadline is not None else time,
                timer if timer is not None else time,
                self.intake.last_arrival + IDLE,
            )
            if next_ >= time:
                return
            self.clock.time = max(next_, self.clock.time)
            if timer is not None and timer <= self.clock.time:
                self._take(self.batcher.handle_timer(self.clock.time))
            else:
                self.intake.note(RecordKind.TICK)


def wake_ups(datagrams: Sequence[Datagram]) -> Iterator[tuple[int, list[Datagram]]]:
    """What waits in the socket each time that somebody looks."""
    waiting: list[Datagram] = []
    for one in datagrams:
        if waiting and one[0] - waiting[0][0] > WAKE_UP:
            yield waiting[-1][0], waiting
            waiting = []
        waiting.append(one)
    yield waiting[-1][0], waiting


def comparable(said: Sequence[Said]) -> list[Verdict]:
    """Rows in order; ticks take journal offsets, so revisions are numbered as they come up."""
    numbers: dict[tuple[str, int], int] = {}
    rows = []
    for row in verdicts(said):
        number = numbers.setdefault((row.device, row.revision), len(numbers))
        rows.append(replace(row, revision=number))
    return rows


def both(path: Path, folder: Path, **settings: object) -> tuple[list[Verdict], list[Verdict]]:
    config = JournalledConfig(each_source=True, **settings)  # type: ignore[arg-type]
    with CaptureFiles([str(path)]) as files:
        datagrams = list(files)
    live = LiveRun(folder / "live", config).run(datagrams)
    _, replayed = judged(path, **settings)
    return comparable(live), comparable(replayed)


def faulty() -> list[UdpPacket]:
    """Lost messages and segments, a silent card, doubled and refused datagrams, a restart."""
    frames = packets(0.0, started(0.0, ["1", "2", "3"]), header=9)
    frames += cards(
        12, ("1", "2", "3"), first=1.0, lost=lambda card, index: card == "2" and index in (5, 6)
    )
    frames += cards(12, ("1", "2", "3"), first=13.0, first_id=700)
    frames += [raw(7.3, b"garbage"), raw(8.35, b"\x21\x0c\x00\xff" + bytes(8))]
    frames += packets(9.5, push_update(9.5, "1", size=3000), header=1, message_id=12)[:2]
    frames += frames[30:33]
    return sorted(frames, key=lambda one: one.time_ns)


def test_a_faulty_device(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", faulty())
    live, replayed = both(path, tmp_path)
    assert {row.outcome.value for row in replayed} >= {"COMPLETE", "INCOMPLETE"}
    assert live == replayed


@pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"no captures in {CAPTURES}")
@pytest.mark.parametrize(
    "name", ["ipf-*.pcap", "6wind*json.pcap", "*MA5800T*.pcap", "*NE8000*.pcap"]
)
def test_a_real_capture(name: str, tmp_path: Path) -> None:
    (path,) = CAPTURES.glob(name)
    known = (KnownSubscriptionSettings(id=1, period_seconds=60),) if "Huawei" not in name else ()
    live, replayed = both(path, tmp_path, known_subscriptions=known)
    assert len(replayed) > 10
    assert live == replayed


@pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"no captures in {CAPTURES}")
def test_the_journal_of_a_capture_says_the_same_again(tmp_path: Path) -> None:
    from collector.pipeline import replay

    (path,) = CAPTURES.glob("ipf-*.pcap")
    known = (KnownSubscriptionSettings(id=1, period_seconds=60),)
    _, first = judged(path, folder=tmp_path / "kept", known_subscriptions=known)
    again: list[Said] = []
    replay(tmp_path / "kept", show=again.append)
    assert verdicts(again) == verdicts(first)
