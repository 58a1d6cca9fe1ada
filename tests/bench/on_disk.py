"""What a collector left on disk: records in the journal, rows in the store, and whether the last
row on every period says what is true.

Does: read the files of a stopped collector, of every lane. Does not: ask a running one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec import Struct

from collector.journal import JournalReader
from collector.journal.segments import journal_folder
from collector.model import RecordKind
from collector.store.manifest import load_manifest, store_folder
from tests.bench import traffic, truth
from tests.bench.load import FIRST_PERIOD, Plan
from tests.bench.truth import COMPLETE, Expected

_EXAMPLES = 5
_COLUMNS = (
    "device", "period_index", "period_to", "amendment", "outcome", "received", "missing", "degraded"
)  # fmt: skip


class Stored(Struct, frozen=True):
    """What is there."""

    messages: int
    """Data records in the journal, state changes included."""
    update_rows: int
    verdict_rows: int


class Agreement(Struct, frozen=True):
    """The last rows against the truth."""

    periods: int
    """Of all devices together, as sent."""
    agreed: int
    said: dict[str, int]
    """outcome -> periods whose last row says so."""
    wrong: dict[str, int]
    """what should be said -> what is said: periods."""
    examples: tuple[str, ...]


def lane_folders(folder: Path) -> list[Path]:
    """Folders with a journal of their own."""
    inner = sorted(one.parent for one in folder.glob(f"*/{journal_folder(folder).name}"))
    return inner or [folder]


def stored(folder: Path) -> Stored:
    """Count what is in the journals and in the stores."""
    messages = updates = verdicts = 0
    for lane in lane_folders(folder):
        for frame in JournalReader(lane).read():
            is_data = pc.equal(frame.records.column("kind"), int(RecordKind.DATA))
            messages += pc.sum(is_data).as_py() or 0
        manifest = load_manifest(store_folder(lane))
        updates += sum(one.rows for one in manifest.entries_of("updates"))
        verdicts += sum(one.rows for one in manifest.entries_of("verdicts"))
    return Stored(messages, updates, verdicts)


def compared(folder: Path, plan: Plan, segments: int) -> Agreement:
    """The last row on every period that was sent, against what has to be said."""
    expected = {(device, index): one for device, index, one in truth.expected(plan, segments)}
    last, begins = _last_rows(folder)
    agreed = periods = 0
    said: dict[str, int] = {}
    wrong: dict[str, int] = {}
    examples: list[str] = []
    for index in range(plan.total):
        for device in range(plan.begun(index)):
            periods += 1
            offset = begins.get(device, 0) - plan.begins(device)
            row = last.get((device, index + offset))
            should = expected.get((device, index), COMPLETE)
            word = "nothing" if row is None else row.outcome
            said[word] = said.get(word, 0) + 1
            if row == should:
                agreed += 1
                continue
            key = f"{should.outcome} -> {word}"
            wrong[key] = wrong.get(key, 0) + 1
            if len(examples) < _EXAMPLES:
                name = traffic.device_name(device)
                words = "nothing" if row is None else row.text
                examples.append(f"{name}, period {index + FIRST_PERIOD}: {should.text} is {words}")
    return Agreement(periods, agreed, said, wrong, tuple(examples))


def _last_rows(folder: Path) -> tuple[dict[tuple[int, int], Expected], dict[int, int]]:
    """(device, period index) -> its last row; device -> index of its first period with data."""
    last: dict[tuple[int, int], tuple[int, Expected]] = {}
    begins: dict[int, int] = {}
    for row in _verdicts(folder):
        device = traffic.device_number(row["device"])
        if row["received"]:
            begins[device] = min(begins.get(device, row["period_index"]), row["period_index"])
        said = Expected(row["outcome"], _causes(row["missing"]), _causes(row["degraded"]))
        for period in range(row["period_index"], row["period_to"] + 1):
            before = last.get((device, period))
            if before is None or before[0] < row["amendment"]:
                last[device, period] = row["amendment"], said
    return {key: one for key, (_, one) in last.items()}, begins


def _verdicts(folder: Path) -> Iterator[dict[str, Any]]:
    for lane in lane_folders(folder):
        store = store_folder(lane)
        for one in load_manifest(store).files_of("verdicts"):
            for batch in pq.ParquetFile(store / one.name).iter_batches(columns=list(_COLUMNS)):
                yield from batch.to_pylist()


def _causes(found: list[dict[str, str]] | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((one["generator"], one["cause"]) for one in found or ()))
