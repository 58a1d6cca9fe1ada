"""CPU time of the store: update rows made, and sealed segments written as Parquet."""

from __future__ import annotations

import tempfile
from array import array
from pathlib import Path
from typing import Any, NamedTuple

from collector.journal import to_arrow
from collector.model import NOTHING, Coded, NotificationKind
from collector.store.said import Said, update_rows
from collector.store.writer import StoreWriter
from tests.bench.journal import cpu_seconds, message_batches

SEGMENT_ROWS = 64_000
"""About what a journal segment of 64 MiB holds."""


class StoreCost(NamedTuple):
    """What one run cost; CPU seconds of all threads, kernel included."""

    messages: int
    rows_seconds: float
    """From the pipeline's columns to Arrow rows."""
    seal_seconds: float
    """Parquet, sync and manifest."""
    octets: int
    """Of all Parquet files."""

    @property
    def rows_microseconds(self) -> float:
        """CPU time of one message."""
        return self.rows_seconds / self.messages * 1e6

    @property
    def seal_microseconds(self) -> float:
        """CPU time of one message."""
        return self.seal_seconds / self.messages * 1e6

    @property
    def octets_per_message(self) -> float:
        """Space that one message takes."""
        return self.octets / self.messages


def bench_store(
    messages: int = 256_000, payload_octets: int = 900, batch_rows: int = 1_000
) -> StoreCost:
    """Say and seal ``messages`` messages, segment by segment."""
    records = [to_arrow(batch) for batch in message_batches(64, batch_rows, payload_octets)]
    times = range(1_700_000_000_000_000_000, 1_700_000_000_000_000_000 + batch_rows)
    columns: dict[str, Any] = {
        "device": Coded.of(f"core{number % 40}" for number in range(batch_rows)),
        "generator": Coded.of(str(number % 8) for number in range(batch_rows)),
        "subscription_id": array("q", [7]) * batch_rows,
        "revision": array("q", [5]) * batch_rows,
        "period_index": array("q", [number // 100 for number in range(batch_rows)]),
        "kind": Coded.repeated(NotificationKind.PUSH_UPDATE, batch_rows),
        "event_time": array("q", times),
        "observation_time": array("q", [NOTHING]) * batch_rows,
    }
    rows_seconds = seal_seconds = 0.0
    with tempfile.TemporaryDirectory(prefix="bench-store-") as name:
        store = StoreWriter(Path(name))
        for segment in range(0, messages, SEGMENT_ROWS):
            end = min(segment + SEGMENT_ROWS, messages)
            before = cpu_seconds()
            for first in range(segment, end, batch_rows):
                batch = records[first // batch_rows % len(records)]
                rows = update_rows(batch, first, rows=None, **columns)
                store.add(Said(first, first + batch_rows, rows))
            rows_seconds += cpu_seconds() - before
            before = cpu_seconds()
            store.seal(segment, end)
            store.flush()
            seal_seconds += cpu_seconds() - before
        octets = sum(file.octets for file in store.manifest.files)
        store.close()
    return StoreCost(messages, rows_seconds, seal_seconds, octets)
