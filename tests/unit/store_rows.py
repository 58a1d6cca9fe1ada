"""Values for the tests of the store and its queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from collector.journal import to_arrow
from collector.model import (
    Cause,
    CollectorTime,
    DeviceTime,
    Event,
    GeneratorCause,
    Outcome,
    Provenance,
    SubscriptionRow,
    Verdict,
)
from collector.store.said import Said, update_rows
from collector.store.writer import StoreWriter
from tests.columns import update_row_columns
from tests.unit.journal_batches import batch_of

START = 1_700_000_000_000_000_000


def verdict(index: int, amendment: int = 0, **changes: Any) -> Verdict:
    """Period ``index`` of subscription 7 of core7: card 3 silent."""
    values: dict[str, Any] = {
        "device": "core7",
        "subscription_name": "counters",
        "subscription_id": 7,
        "revision": 5,
        "period_index": index,
        "period_to": index,
        "nominal_time": DeviceTime(START + index * 10**9 + 1),
        "amendment": amendment,
        "final": False,
        "outcome": Outcome.INCOMPLETE,
        "reason": None,
        "required": ("1", "2", "3"),
        "received": ("1", "2"),
        "missing": (GeneratorCause("3", Cause.SILENT),),
        "degraded": (),
        "unexpected": (),
        "late_generators": (),
        "provenance": Provenance.DECLARED,
        "period_source": "declared",
        "deadline": CollectorTime(START + index * 10**9 + 500),
        "judged_at": CollectorTime(START + index * 10**9 + 600 + amendment),
    }
    return Verdict(**(values | changes))


def event(number: int, device: str = "core7") -> Event:
    return Event(CollectorTime(START + number), device, "3", "clock_step", f"Step {number}.")


def subscription(number: int) -> SubscriptionRow:
    return SubscriptionRow(
        time=CollectorTime(START + number),
        device="core7",
        name="counters",
        id=7,
        revision=5,
        origin="dynamic",
        mode="mso",
        period_cs=100,
        anchor=None,
        filter="/ietf-interfaces:interfaces",
        encoding="encode-json",
        generators=("1", "2", "3"),
        provenance=Provenance.DECLARED,
        state="active",
        reason="",
        from_time=CollectorTime(START),
        to_time=None,
    )


def updates(
    rows: int, first_offset: int, taken: Sequence[int] | None = None, **changes: Any
) -> pa.RecordBatch:
    """Update rows of ``rows`` journal records, all or those at positions ``taken``."""
    count = rows if taken is None else len(taken)
    values: dict[str, Any] = {
        "device": [f"core{number % 3}" for number in range(count)],
        "generator": ["1"] * count,
        "subscription_id": [7] * count,
        "revision": [5] * count,
        "period_index": list(range(count)),
        "kind": ["push-update"] * count,
        "event_time": [START + number for number in range(count)],
        "observation_time": [None] * count,
    }
    records = to_arrow(batch_of(rows, first=first_offset))
    return update_rows(
        records,
        first_offset,
        rows=None if taken is None else np.array(taken, np.int64),
        **update_row_columns(**(values | changes)),
    )


def said(first_offset: int, rows: int = 5) -> Said:
    """A frame of ``rows`` updates with one verdict, one event and one subscription row."""
    return Said(
        first_offset,
        first_offset + rows,
        updates(rows, first_offset),
        (verdict(first_offset),),
        (event(first_offset),),
        (subscription(first_offset),),
    )


@contextmanager
def opening(folder: Path) -> Iterator[Callable[..., StoreWriter]]:
    """Opens stores of a folder, with the arguments of ``StoreWriter``; closes all at the end."""
    stores: list[StoreWriter] = []

    def open_store(**more: Any) -> StoreWriter:
        stores.append(StoreWriter(folder, **more))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


def fill(store: StoreWriter, segments: int, first: int = 0) -> None:
    """Segments of one frame of five records each."""
    for number in range(first, first + segments):
        store.add(said(5 * number))
        store.seal(5 * number, 5 * number + 5)
        assert store.flush(30)
