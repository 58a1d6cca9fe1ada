"""CPU time of the journal: batches appended, committed and read back, in a folder of their own."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from collector.journal import Journal, JournalReader, JournalSettings
from collector.model import FLAG_IDS, ReceivedBatch, RecordKind, Transport


class JournalCost(NamedTuple):
    """What one run cost; CPU seconds of all threads, kernel included."""

    messages: int
    append_seconds: float
    """Columns, frame, write, and the group commits beside it."""
    read_seconds: float
    """Frames back into columns of Python values."""

    @property
    def append_microseconds(self) -> float:
        """CPU time of one message."""
        return self.append_seconds / self.messages * 1e6

    @property
    def read_microseconds(self) -> float:
        """CPU time of one message."""
        return self.read_seconds / self.messages * 1e6


def bench_journal(
    messages: int = 200_000, payload_octets: int = 900, batch_rows: int = 1_000
) -> JournalCost:
    """Append ``messages`` messages in batches, wait for the last commit, read them back."""
    batches = message_batches(16, batch_rows, payload_octets)
    rounds = messages // batch_rows
    with tempfile.TemporaryDirectory(prefix="bench-journal-") as name:
        with Journal.open(Path(name), JournalSettings(free_space_reserve=0)) as journal:
            before = cpu_seconds()
            for number in range(rounds):
                journal.append(batches[number % len(batches)])
            journal.wait_durable(journal.next_offset)
            append = cpu_seconds() - before
        before = cpu_seconds()
        read = sum(len(frame.batch()) for frame in JournalReader(Path(name)).read())
        cost = JournalCost(read, append, cpu_seconds() - before)
    assert read == rounds * batch_rows
    return cost


def message_batches(count: int, rows: int, payload_octets: int) -> list[ReceivedBatch]:
    """Batches as the UDP receiver makes them, of JSON push-updates whose counters move."""
    return [_batch(number * rows, rows, payload_octets) for number in range(count)]


def cpu_seconds() -> float:
    """User and system time of this process so far."""
    return time.process_time()  # all threads; getrusage moves in steps of a timer tick


def _batch(first: int, rows: int, payload_octets: int) -> ReceivedBatch:
    batch = ReceivedBatch()
    for number in range(first, first + rows):
        batch.append(
            1_700_000_000_000_000_000 + number * 10_000,
            RecordKind.DATA,
            _payload(number, payload_octets),
            transport=Transport.UDP_NOTIF,
            peer=f"10.1.{number % 40}.1",
            port=10_003,
            version=1,
            flags=FLAG_IDS,
            media_type=1,
            publisher_id=number % 8,
            message_id=number,
        )
    return batch


def _payload(number: int, octets: int) -> bytes:
    """A push-update of one interface, with as many counters as the size wanted takes."""
    counters = {f"counter-{n}": str(number * 7_919 * n) for n in range(octets // 30)}
    update = {"id": 7, "datastore-contents": {"interface": [{"name": "eth0", **counters}]}}
    notification = {"eventTime": "2026-07-01T00:00:00Z", "ietf-yang-push:push-update": update}
    text = json.dumps({"ietf-notification:notification": notification}, separators=(",", ":"))
    return text.ljust(octets).encode()
