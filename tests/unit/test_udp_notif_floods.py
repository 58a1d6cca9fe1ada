"""What a flood of junk may write into the journal: bounded a second, counted always."""

from __future__ import annotations

from collector.core.assembly.segments import ReassemblyLimits
from collector.model import SECOND, RecordKind
from collector.receivers.datagrams.batcher import DatagramBatcher

PEER = "192.0.2.9"
NOON = 1_800_000_000 * SECOND


def first_segment(message: int) -> bytes:
    """Segment 0 of a message that never ends (draft-ietf-netconf-udp-notif-26 §4.1)."""
    head = bytes((0x21, 16)) + (20).to_bytes(2) + (7).to_bytes(4) + message.to_bytes(4)
    return head + bytes((1, 4)) + bytes(2) + b"abcd"


def records(batcher: DatagramBatcher, count: int, at: int) -> list[int]:
    datagrams = [(at, PEER, 5000, first_segment(number)) for number in range(count)]
    return [kind for batch in batcher.receive_datagrams(datagrams) for kind in batch.kind]


def test_invented_segments_leave_so_many_records_a_second() -> None:
    limits = ReassemblyLimits(max_per_peer=4, max_half_built=8)
    batcher = DatagramBatcher(limits, half_built_per_second=10)
    assert records(batcher, 500, NOON) == [RecordKind.UNREASSEMBLED] * 10
    stats = batcher.stats()
    assert stats["half-built"] == 496
    assert stats["half-built-unrecorded"] == 486
    assert records(batcher, 500, NOON + SECOND) == [RecordKind.UNREASSEMBLED] * 10


def test_refused_datagrams_leave_so_many_records_a_second() -> None:
    batcher = DatagramBatcher(rejected_per_second=3)
    for second in range(2):
        junk = [(NOON + second * SECOND, PEER, 5000, b"junk")] * 50
        kinds = [kind for batch in batcher.receive_datagrams(junk) for kind in batch.kind]
        assert kinds == [RecordKind.REJECTED] * 3
    assert batcher.stats()["rejected-unrecorded"] == 94
