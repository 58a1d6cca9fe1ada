"""Whatever a known device sends, no record makes the pipeline fail, and every table stays bounded.

Notifications whose members are drawn from values that hurt: times at the edges of what 64 bits
hold, numbers of the wrong size and type, lists in place of words, octets flipped at random.
"""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collector.config import read_config_table
from collector.journal import to_arrow
from collector.model import (
    FLAG_IDS,
    SECOND,
    CollectorTime,
    MediaType,
    ReceivedBatch,
    RecordKind,
    RejectedNote,
    Transport,
    UnreassembledNote,
)
from collector.pipeline import Pipeline
from collector.pipeline.settings import encode_config
from collector.store.said import tables_of
from collector.wire.values.timestamps import format_date_and_time

NOON = 1_800_000_000 * SECOND
TIMES: list[Any] = [
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2262-04-11T23:47:16.854775807Z",
    "2262-04-12T23:47:17Z", "1677-09-20T00:00:00Z", "1970-01-01T00:00:00Z",
    "2027-01-15T08:00:60Z", "2027-02-30T00:00:00Z", "", "x", 5, None, True, [], {},
]  # fmt: skip
NUMBERS: list[Any] = [
    0, 1, 2, 22, 2**32 - 1, 2**32, -1, 2**63, 2**64, "1", "4294967295", "a", "", None, 1.5, True,
    [], {}, "\x00", "e" * 1000,
]  # fmt: skip
KINDS = (
    *["ietf-yang-push:push-update"] * 5,
    "ietf-yang-push:push-change-update",
    *(
        f"ietf-subscribed-notifications:subscription-{word}"
        for word in ("started", "modified", "terminated", "suspended", "resumed", "completed")
    ),
    "other:thing",
)
MEMBERS = (
    "ietf-distributed-notif:message-publisher-id", "message-generator-id",
    "ietf-yp-observation:timestamp", "ietf-yang-push:period", "ietf-yang-push:periodic",
    "ietf-distributed-notif:message-publisher-ids", "message-generator-ids", "reason",
    "incomplete-update", "encoding", "stop-time", "ietf-yang-push:datastore",
)  # fmt: skip
CONFIG = read_config_table(
    {
        "collector": {"data_dir": "/nowhere"},
        "device": [
            {"name": "d", "sources": ["192.0.2.1"]},
            {"name": "e", "sources": ["192.0.2.2"]},
        ],
    },
    file="hostile",
)


class Liar:
    """Draws hostile records from a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = NOON

    def time(self) -> Any:
        chance = self.chance
        if chance.random() < 0.2:
            return chance.choice(TIMES)
        return format_date_and_time(self.now + chance.randint(-3, 3) * SECOND)

    def number(self) -> Any:
        return self.chance.choice([1, 1, 1, 1, 2, self.chance.choice(NUMBERS)])

    def member(self) -> Any:
        period = {"period": self.number(), "anchor-time": self.time()}
        values = [self.number(), self.time(), period, [self.number(), "3"], [None], "linecard1"]
        return self.chance.choice(values)

    def payload(self) -> bytes:
        chance, kind = self.chance, self.chance.choice(KINDS)
        body = {"id": self.number(), "datastore-contents": chance.choice([{"a:b": 1}, None, [], 1])}
        body |= {name: self.member() for name in MEMBERS if chance.random() < 0.25}
        if chance.random() < 0.5:
            message = {"ietf-notification:notification": {"eventTime": self.time(), kind: body}}
        else:
            envelope = {"event-time": self.time(), "sequence-number": self.number()}
            envelope["contents"] = {kind: body}
            message = {"ietf-yp-notification:envelope": envelope}
        octets = json.dumps(message).encode()
        if chance.random() < 0.1:
            at = chance.randrange(len(octets))
            octets = octets[:at] + chance.randbytes(1) + octets[at + chance.randrange(3) :]
        return octets

    def batch(self, number: int) -> ReceivedBatch:
        chance, batch = self.chance, ReceivedBatch()
        self.now += chance.choice([0, 1, SECOND // 10, SECOND, 5 * SECOND])
        if chance.random() < 0.005:
            self.now += 10 ** chance.randint(10, 15)
        for _ in range(chance.randint(1, 4)):
            kind, content = RecordKind.DATA, b""
            draw = chance.random()
            if draw < 0.85:
                content = self.payload()
            elif draw < 0.9:
                kind = RecordKind.UNREASSEMBLED
                note = UnreassembledNote(CollectorTime(self.now - SECOND), 1, 3)
                content = msgspec.json.encode(note)
            elif draw < 0.95:
                kind = RecordKind.REJECTED
                content = msgspec.json.encode(RejectedNote("bad-option", "junk"))
            else:
                kind = RecordKind.TICK
            batch.append(
                self.now,
                kind,
                content,
                transport=Transport.UDP_NOTIF,
                peer=chance.choice(["192.0.2.1", "192.0.2.2", "198.51.100.9"]),
                port=chance.choice([1, 2]),
                flags=FLAG_IDS,
                media_type=MediaType.YANG_DATA_JSON,
                publisher_id=chance.choice([1, 2, 3, 2**32 - 1]),
                message_id=chance.choice([number, number, 0, 2**32 - 1, chance.randrange(2**32)]),
            )
        return batch


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1_000_000))
@example(seed=63)  # a stop-time in the year 1: no snapshot could be taken
def test_no_record_makes_the_pipeline_fail(seed: int) -> None:
    pipeline, liar, offset = Pipeline(), Liar(seed), 1
    first = ReceivedBatch()
    first.append(NOON, RecordKind.CONFIG, encode_config(CONFIG))
    pipeline.receive(0, first, to_arrow(first))
    for number in range(150):
        batch = liar.batch(number)
        said = pipeline.receive(offset, batch, to_arrow(batch))
        tables_of([said])
        offset += len(batch)
    parts = [(name, offset, pipeline.snapshot_part(name)) for name in pipeline.snapshot_names()]
    assert {name for name, _, _ in parts} <= {"", "d", "e"}
    assert Pipeline().restore(parts) == offset
    assert set(pipeline.counts.unknown_sources) <= {"198.51.100.9"}
    assert pipeline.counts.rejected
