"""Each stage alone: CPU us a message of everything that a message passes on its way.

Does: give one stage at a time the traffic of the end-to-end run, in batches as a receiver makes
them, and take the CPU time of the process, all threads. Does not: print, or send anything (the two
receive stages do, over a socket of their own).

The first periods of the engine are not counted: it is still learning then, which costs more.
"""

from __future__ import annotations

import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from collector.core.engine import Engine
from collector.core.placing.update_columns import UpdateColumns
from collector.core.settings import EngineSettings
from collector.journal import Journal
from collector.journal.columns import to_arrow
from collector.model import (
    FLAG_IDS,
    SECOND,
    Coded,
    CollectorTime,
    Established,
    Octets,
    Placements,
    ReceivedBatch,
    RecordKind,
    Transport,
)
from collector.pipeline.rows import UpdateRows
from collector.store.said import Said
from collector.store.writer import StoreWriter
from collector.wire.notifications.envelopes import decode_batch
from tests.bench import payloads, traffic
from tests.bench.load import FIRST_PERIOD, Load
from tests.bench.receive import bench_receive
from tests.bench.traffic import Traffic

BATCH = 512
"""Messages at most in one batch, as the receiver makes them."""
START = 1_800_000_000 * SECOND
LOST = 0.05
"""Share of the messages that ``engine_with_loss`` does not get."""
LEARNING = 5
"""Periods that the engine gets before it is measured."""


class StageCost(Struct, frozen=True):
    """What one stage cost."""

    stage: str
    messages: int
    cpu_seconds: float
    note: str = ""

    @property
    def microseconds(self) -> float:
        """CPU us of one message."""
        return self.cpu_seconds / max(1, self.messages) * 1e6

    @property
    def rate(self) -> float:
        """Messages a second that a core could do if it did nothing else."""
        return self.messages / max(self.cpu_seconds, 1e-9)


class Sample:
    """The traffic of ``periods`` periods of a load, as batches; a card sends once a period."""

    def __init__(self, load: Load, periods: int) -> None:
        self.load = replace(load, updates=1, period=SECOND, loss=0.0)
        self.devices = load.devices
        self.octets = load.octets
        self.batches = list(_batches(self.load, periods))
        self.messages = sum(map(len, self.batches))
        self.learning = min(LEARNING, periods - 1)
        """Periods at the beginning that only warm up."""

    def updates(self) -> list[UpdateColumns]:
        """Decoded, batch by batch."""
        names = {traffic.address(one): traffic.device_name(one) for one in range(self.devices)}
        offset, found = 0, []
        for batch in self.batches:
            found.append(_updates(batch, offset, names))
            offset += len(batch)
        return found

    def is_warm(self, batch: ReceivedBatch) -> bool:
        """Does the batch come after the warm-up?"""
        return batch.received_at[0] >= START + self.learning * SECOND


def _batches(load: Load, periods: int) -> Iterator[ReceivedBatch]:
    """As a receiver would make them; a device's cards arrive together, devices one by one."""
    sent = Traffic(load)
    step = max(1, min(sent.at_once, BATCH // load.cards))
    for index in range(periods):
        joined = ReceivedBatch()
        for first in range(0, load.devices, step):
            end = min(first + step, load.devices)
            now = START + index * SECOND + first * SECOND // load.devices
            rows = sent.stamp(end - first, index + FIRST_PERIOD, now)[..., sent.payload_octets]
            _add(joined, load, first, end, index + FIRST_PERIOD, now, rows)
            if len(joined) + step * load.cards > BATCH or end == load.devices:
                yield joined
                joined = ReceivedBatch()


def _add(
    batch: ReceivedBatch, load: Load, first: int, end: int, index: int, now: int, rows: Any
) -> None:
    """The messages of some devices, behind those that are there."""
    count = (end - first) * load.cards
    batch.received_at.extend([now] * count)
    batch.kind.extend([RecordKind.DATA] * count)
    batch.transport.extend([Transport.UDP_NOTIF] * count)
    batch.session.extend(Coded.repeated("", count))
    batch.peer.extend(traffic.address(one) for one in range(first, end) for _ in range(load.cards))
    batch.port.extend([40_000] * count)
    batch.version.extend([1] * count)
    batch.flags.extend([FLAG_IDS] * count)
    batch.media_type.extend([int(payloads.ENCODINGS[load.encoding].media_type)] * count)
    batch.publisher_id.extend(list(range(1, load.cards + 1)) * (end - first))
    batch.message_id.extend([index] * count)
    batch.segments.extend([1] * count)
    batch.options.extend(Octets.empty(count))
    batch.payload.extend([row.tobytes() for row in rows.reshape(count, -1)])


def _updates(batch: ReceivedBatch, offset: int, names: dict[str, str]) -> UpdateColumns:
    found, said = UpdateColumns(), decode_batch(batch.payload, batch.media_type)
    found.arrival = batch.received_at
    found.device = Coded([names[peer] for peer in batch.peer.words], batch.peer.codes)
    found.source, found.port = batch.peer, batch.port
    found.publisher_id = array("q", batch.publisher_id)
    found.message_id = array("q", batch.message_id)
    found.offset = array("q", range(offset, offset + len(batch)))
    for name in ("subscription_id", "generator", "kind", "event_time", "observation_time"):
        setattr(found, name, getattr(said, name))
    found.incomplete_update = said.incomplete_update
    return found


def _placed(updates: UpdateColumns) -> Placements:
    """All of them in one period."""
    count, names = len(updates), updates.generator
    generators = Coded([one or "" for one in names.words], names.codes)
    return Placements(generators, array("q", [1]) * count, array("q", [7]) * count)


# --------------------------------------------------------------------------- the stages
def receive(sample: Sample) -> StageCost:
    """Socket -> columns: recvmmsg, headers, payload copies."""
    cost = bench_receive(sample.messages, sample.octets)
    return StageCost("receive", cost.messages, cost.cpu_seconds, "recvmmsg to columns")


def reassemble(sample: Sample) -> StageCost:
    """The same with messages in segments."""
    octets = 4 * sample.octets
    cost = bench_receive(max(1, sample.messages // 4), octets)
    note = f"receive: {octets:,} octets in segments"
    return StageCost("reassemble", cost.messages, cost.cpu_seconds, note)


def dtls(sample: Sample) -> StageCost:
    """The same over DTLS: what decrypting costs."""
    try:
        from tests.bench.dtls import bench_dtls
    except ImportError:
        return StageCost("dtls", 0, 0.0, "pyOpenSSL is not installed (extra dtls)")
    cost = bench_dtls(max(1, sample.messages // 4), sample.octets)
    return StageCost("dtls", cost.messages, cost.cpu_seconds, "receive over DTLS 1.2, AES-GCM")


def decoding(sample: Sample) -> StageCost:
    """Payloads -> columns, contents left raw."""

    def run() -> None:
        for batch in sample.batches:
            decode_batch(batch.payload, batch.media_type)

    return StageCost("decode", sample.messages, _spent(run), "envelope; contents left raw")


def engine(sample: Sample) -> StageCost:
    """Updates -> placements and verdicts."""
    return _judged("engine", sample, 0.0)


def engine_with_loss(sample: Sample) -> StageCost:
    """The same where messages are missing: gaps, causes and amendments."""
    return _judged("engine-loss", sample, LOST)


def _judged(stage: str, sample: Sample, lost: float) -> StageCost:
    judge, random = _engine(sample.load), Random(1)
    cost, messages, verdicts = 0.0, 0, 0
    for batch, updates in zip(sample.batches, sample.updates(), strict=True):
        if lost and sample.is_warm(batch):
            kept = [row for row in range(len(updates)) if random.random() >= lost]
            updates = UpdateColumns.of(updates.update(row) for row in kept)
        before = _cpu()
        _, facts = judge.receive_batch(updates)
        if sample.is_warm(batch):
            cost += _cpu() - before
            messages += len(updates)
            verdicts += len(facts)
    note = f"{verdicts:,} rows said" + (f", {lost:.0%} lost on the way" if lost else "")
    return StageCost(stage, max(1, messages), cost, note)


def rows(sample: Sample) -> StageCost:
    """Updates and placements -> rows of the table ``updates``."""
    taken = []
    offset = 0
    for batch, updates in zip(sample.batches, sample.updates(), strict=True):
        taken.append((updates, _placed(updates), to_arrow(batch), offset))
        offset += len(updates)

    def run() -> None:
        for updates, placed, records, first in taken:
            columns = UpdateRows()
            columns.add(updates, placed)
            columns.rows(records, first)

    return StageCost("rows", sample.messages, _spent(run), "columns of table updates")


def journal(sample: Sample) -> StageCost:
    """Batch -> Arrow -> file, group commits included."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        before = _cpu()
        with Journal.open(Path(folder)) as kept:
            for batch in sample.batches:
                kept.append(batch)
        cost = _cpu() - before
    return StageCost("journal", sample.messages, cost, "Arrow, write, group commit")


def store(sample: Sample) -> StageCost:
    """Rows -> Parquet, one file for all."""
    said = list(_said(sample))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        before = _cpu()
        writer = StoreWriter(Path(folder))
        for one in said:
            writer.add(one)
        writer.seal(0, said[-1].next_offset)
        writer.flush()
        writer.close()
        cost = _cpu() - before
    return StageCost("store", sample.messages, cost, "Parquet, zstd")


STAGES: dict[str, Callable[[Sample], StageCost]] = {
    "receive": receive,
    "reassemble": reassemble,
    "dtls": dtls,
    "decode": decoding,
    "engine": engine,
    "engine-loss": engine_with_loss,
    "rows": rows,
    "journal": journal,
    "store": store,
}
"""In the order in which a message passes them."""


def _engine(load: Load) -> Engine:
    """An engine that knows the subscription of every device."""
    found = Engine(EngineSettings())
    terms, cards = traffic.terms(load), traffic.cards(load)
    for number in range(load.devices):
        arrival = CollectorTime(START - SECOND // 2)
        told = Established(
            arrival, traffic.device_name(number), "interfaces", payloads.SUBSCRIPTION, terms, cards,
            0,
        )  # fmt: skip
        found.receive(told, arrival)
    return found


def _said(sample: Sample) -> Iterator[Said]:
    offset = 0
    for batch, updates in zip(sample.batches, sample.updates(), strict=True):
        count = len(updates)
        columns = UpdateRows()
        columns.add(updates, _placed(updates))
        made: Any = columns.rows(to_arrow(batch), offset)
        yield Said(first_offset=offset, next_offset=offset + count, updates=made)
        offset += count


def _spent(run: Callable[[], None]) -> float:
    before = _cpu()
    run()
    return _cpu() - before


def _cpu() -> float:
    return time.process_time()  # all threads; getrusage moves in steps of a timer tick
