"""Laws of the journal: what goes in comes out; a crash costs the tail and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.journal import Journal, JournalReader, JournalSettings, from_arrow, to_arrow
from collector.model import ReceivedBatch
from tests.unit.journal_batches import batch_of, columns, numbers

SETTINGS = JournalSettings(free_space_reserve=0)
_WIDTHS = {
    "kind": 8, "transport": 8, "port": 16, "version": 8, "flags": 8, "media_type": 16,
    "publisher_id": 32, "message_id": 32, "segments": 16,
}  # fmt: skip


@st.composite
def batches(draw: st.DrawFn) -> ReceivedBatch:
    rows = draw(st.integers(0, 8))
    batch = ReceivedBatch()

    def column(values: st.SearchStrategy[object]) -> Any:
        return draw(st.lists(values, min_size=rows, max_size=rows))

    for name in ReceivedBatch.__slots__:
        if name in _WIDTHS:
            getattr(batch, name).extend(column(st.integers(0, 2 ** _WIDTHS[name] - 1)))
        elif name == "received_at":
            batch.received_at.extend(column(st.integers(0, 2**63 - 1)))
        elif name in ("session", "peer"):
            text = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
            getattr(batch, name).extend(column(text))
        else:
            getattr(batch, name).extend(column(st.binary(max_size=20)))
    return batch


@given(batches())
def test_every_batch_survives_arrow_and_back(batch: ReceivedBatch) -> None:
    assert columns(from_arrow(to_arrow(batch))) == columns(batch)


def _frame_ends(octets: bytes) -> list[int]:
    starts = []
    position = -1
    while (position := octets.find(b"YPJF", position + 1)) >= 0:
        starts.append(position)
    return [*starts[1:], len(octets)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_cut_anywhere_costs_only_the_frames_it_touches(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=5))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal = Journal.open(folder, SETTINGS)
        total = 0
        for size in sizes:
            total = journal.append(batch_of(size, first=total)).next_offset
        path = journal.segments()[-1].path
        journal.close()
        octets = path.read_bytes()
        first = octets.find(b"YPJF")
        cut = data.draw(st.integers(first, len(octets)), label="octets left")
        filler = data.draw(st.sampled_from([b"", bytes(10), bytes(4096), b"\xff" * 30]))
        left = octets[:cut] + (filler if cut < len(octets) else b"")
        path.write_bytes(left)
        ends = zip(sizes, _frame_ends(octets), strict=True)
        # not just those before the cut: the filler may happen to be what stood there
        whole = sum(size for size, end in ends if left[:end] == octets[:end])
        for journal_open in (False, True):
            if journal_open:
                journal = Journal.open(folder, SETTINGS)
                assert journal.next_offset == whole
                journal.append(batch_of(2, first=whole))
                journal.close()
            found = [n for f in JournalReader(folder).read() for n in numbers(f.batch())]
            assert found == list(range(whole + 2 * journal_open))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_octet_never_gives_a_wrong_record(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal = Journal.open(folder, SETTINGS)
        for first in (0, 3, 6):
            journal.append(batch_of(3, first=first))
        path = journal.segments()[-1].path
        journal.close()
        octets = bytearray(path.read_bytes())
        first = octets.find(b"YPJF")
        octets[data.draw(st.integers(first, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(octets)
        found = [
            (frame.first_offset, numbers(frame.batch())) for frame in JournalReader(folder).read()
        ]
        good = [(0, [0, 1, 2]), (3, [3, 4, 5]), (6, [6, 7, 8])]
        assert found == good[: len(found)]
        assert len(found) < 3
        journal = Journal.open(folder, SETTINGS)
        # an offset that somebody may have seen used is never given to another record unless the
        # octets behind are gone for good
        assert journal.next_offset in (9, 6)
        journal.close()
