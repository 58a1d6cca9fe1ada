"""Captures of real publishers through the receiver's code: every complete message, to the octet.

The expectations were made by an independent decoder. What the messages say is looked at elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from collector.model import ReceivedBatch, RecordKind
from collector.receivers.datagrams.batcher import DatagramBatcher
from collector.wire.captures.pcap import CaptureReader

CAPTURES = Path(
    os.environ.get("YANG_PUSH_CAPTURES", Path(__file__).parents[3] / "shared" / "captures")
)
FILES = sorted(CAPTURES.glob("*.pcap"))

pytestmark = pytest.mark.integration


def expected_of(capture: Path) -> list[dict[str, Any]]:
    lines = Path(f"{capture}.expected.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def received(capture: Path, ports: set[int], batcher: DatagramBatcher) -> list[ReceivedBatch]:
    """What the receiver's code makes of everything sent to ``ports``."""
    with capture.open("rb") as file:
        return list(
            batcher.receive_datagrams(
                (packet.time_ns, packet.source, packet.source_port, packet.payload)
                for packet in CaptureReader(file)
                if packet.destination_port in ports
            )
        )


@pytest.mark.skipif(not FILES, reason=f"no captures in {CAPTURES} (set YANG_PUSH_CAPTURES)")
@pytest.mark.parametrize("capture", FILES, ids=lambda path: path.stem)
def test_every_complete_message_comes_out(capture: Path) -> None:
    expected = expected_of(capture)
    batcher = DatagramBatcher()
    batches = received(capture, {line["dport"] for line in expected}, batcher)
    got = [
        {
            "src": batch.peer[row],
            "sport": batch.port[row],
            "version": batch.version[row],
            "media_type": batch.media_type[row],
            "publisher_id": batch.publisher_id[row],
            "message_id": batch.message_id[row],
            "segments": batch.segments[row],
            "payload_len": len(batch.payload[row]),
            "payload_sha256": hashlib.sha256(batch.payload[row]).hexdigest(),
        }
        for batch in batches
        for row in range(len(batch))
        if batch.kind[row] == RecordKind.DATA
    ]
    assert got == [{name: line[name] for name in got[0]} for line in expected]
    assert batcher.counters.messages == len(expected)
    assert sum(batcher.discarded.values()) == 0, "these captures lost nothing"
    times = [time for batch in batches for time in batch.received_at]
    assert times == sorted(times)


@pytest.mark.skipif(not FILES, reason=f"no captures in {CAPTURES} (set YANG_PUSH_CAPTURES)")
@pytest.mark.parametrize("capture", FILES, ids=lambda path: path.stem)
def test_arrival_is_the_time_of_the_first_or_last_segment(capture: Path) -> None:
    expected = expected_of(capture)
    batches = received(capture, {line["dport"] for line in expected}, DatagramBatcher())
    arrivals = [
        arrival / 1e9
        for batch in batches
        for arrival, kind in zip(batch.received_at, batch.kind, strict=True)
        if kind == RecordKind.DATA
    ]
    for arrival, line in zip(arrivals, expected, strict=True):
        assert 0 <= arrival - line["ts"] + 1e-6 < 0.5
