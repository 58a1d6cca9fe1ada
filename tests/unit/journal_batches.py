"""Batches for the tests of the journal and the store."""

from __future__ import annotations

from collector.model import FLAG_IDS, ReceivedBatch, RecordKind, Transport


def batch_of(rows: int, first: int = 0, octets: int = 40) -> ReceivedBatch:
    """``rows`` records whose payloads and message ids count from ``first``."""
    batch = ReceivedBatch()
    for number in range(first, first + rows):
        batch.append(
            1_700_000_000_000_000_000 + number,
            RecordKind.DATA,
            b"%d:" % number + b"x" * octets,
            transport=Transport.UDP_NOTIF,
            peer=f"192.0.2.{number % 7}",
            port=4000 + number % 7,
            version=1,
            flags=FLAG_IDS,
            media_type=1,
            publisher_id=number % 3,
            message_id=number,
        )
    return batch


def numbers(batch: ReceivedBatch) -> list[int]:
    """What ``batch_of`` counted."""
    return [int(payload.partition(b":")[0]) for payload in batch.payload]


def columns(batch: ReceivedBatch) -> dict[str, list[object]]:
    """All columns by name, to compare batches."""
    return {name: list(getattr(batch, name)) for name in ReceivedBatch.__slots__}
