"""Verdicts on captures of real routers: capture file -> receiver code -> decoder -> engine.

The expected letters are those that independent prototypes of the same rules agreed on (README of
the captures). The captures stay where they are; without them these tests are skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import msgspec
import pytest

from collector.core.engine import Engine
from collector.core.settings import EngineSettings, KnownSubscription
from collector.errors import WireError
from collector.model import (
    FLAG_IDS,
    SECOND,
    CollectorTime,
    EngineInput,
    Event,
    Fact,
    NotificationKind,
    ReceivedBatch,
    RecordKind,
    Rejected,
    StateChanged,
    SubscriptionTerms,
    Unreassembled,
    UnreassembledNote,
    Update,
    Verdict,
)
from collector.receivers.datagrams.batcher import DatagramBatcher
from collector.wire.captures.pcap import read_pcap
from collector.wire.notifications.notification import decode
from tests.helpers import letters

CAPTURES = Path(
    os.environ.get(
        "YANG_PUSH_CAPTURES", Path(__file__).resolve().parents[2].parent / "shared" / "captures"
    )
)
CONTENTS = (NotificationKind.PUSH_UPDATE, NotificationKind.PUSH_CHANGE_UPDATE)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"no captures in {CAPTURES}"),
]


def records_of(name: str) -> list[EngineInput]:
    """The engine's inputs that a capture holds, in order; each source is a device."""
    found: list[EngineInput] = []
    batcher = DatagramBatcher()
    with (CAPTURES / name).open("rb") as file:
        packets = [
            (one.time_ns, one.source, one.source_port, one.payload) for one in read_pcap(file)
        ]
    for batch in batcher.receive_datagrams(sorted(packets, key=lambda one: one[0])):
        for row in range(len(batch)):
            record = _record(batch, row, len(found))
            if record is not None:
                found.append(record)
    return found


def _record(batch: ReceivedBatch, row: int, offset: int) -> EngineInput | None:
    arrival, peer, port = CollectorTime(batch.received_at[row]), batch.peer[row], batch.port[row]
    ids = batch.flags[row] & FLAG_IDS
    publisher_id, message_id = batch.publisher_id[row], batch.message_id[row]
    if batch.kind[row] == RecordKind.UNREASSEMBLED:
        note = msgspec.json.decode(batch.payload[row], type=UnreassembledNote)
        return Unreassembled(
            arrival, peer, peer, port, publisher_id, message_id, note.first_arrival, offset
        )
    if batch.kind[row] != RecordKind.DATA or not ids:
        return None
    try:
        heard = decode(batch.payload[row], batch.media_type[row])
    except WireError as error:
        return Rejected(arrival, peer, peer, port, publisher_id, message_id, error.reason, offset)
    if heard.kind not in CONTENTS:
        return StateChanged(arrival, peer, peer, port, publisher_id, message_id, heard, offset)
    return Update(
        arrival, peer, peer, port, publisher_id, message_id, heard.subscription_id,
        heard.generator, heard.kind, heard.event_time, heard.observation_time,
        heard.incomplete_update, offset,
    )  # fmt: skip


def settings_for(known: dict[int, float]) -> EngineSettings:
    """Terms as an operator gives them: subscription id -> period in s."""
    return EngineSettings(
        known={
            ("*", number): KnownSubscription(
                terms=SubscriptionTerms(period=round(seconds * SECOND))
            )
            for number, seconds in known.items()
        }
    )


def judged(name: str, known: dict[int, float]) -> list[Fact]:
    """Everything said of a capture."""
    engine = Engine(settings_for(known))
    return [fact for record in records_of(name) for fact in engine.receive(record, record.arrival)]


def final_letters(facts: Iterable[Fact]) -> dict[int, list[str]]:
    """subscription id -> letters of the last rows, one text for each revision, in order."""
    last: dict[tuple[int, int, int], Verdict] = {}
    for row in facts:
        if not isinstance(row, Verdict):
            continue
        last[row.subscription_id, row.revision, row.period_index] = row
    found: dict[int, list[str]] = {}
    for (number, _), keys in groupby(sorted(last), key=lambda key: key[:2]):
        found.setdefault(number, []).append(letters(last[key] for key in keys))
    return found


IPF = "ipf-zbl1243-r-daisy-21-yangpush-20241102-1030.pcap"
N7 = "n7-sa1_yang-push.pcap"
SIXWIND_JSON = "6wind-vsr-yang-push-20250304-0811-receiver-json.pcap"
SIXWIND_CBOR = "6wind-vsr-yang-push-20250305-1133-receiver-cbor.pcap"
OLT = "huawei-MA5800T-X17-yang-push-20250306-1330-receiver.pcap"
NE8000 = "huawei-NE8000-yang-push-20250315-1025-receiver.pcap"


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        (IPF, {1: 60}, {1: ["uuuICCCCCCC"]}),
        (N7, {0: 30}, {0: ["uuCC"]}),
        (SIXWIND_JSON, {}, {12345678: ["C" * 40, "C" * 10]}),
        (SIXWIND_CBOR, {}, {12345678: ["C" * 10]}),
        (OLT, {}, {1: ["uu" + 32 * "C"], 2: ["uu" + 33 * "C"]}),
        # the third is said once more, since nothing ends it
        (NE8000, {1: 60}, {1: ["uu", "uu", "nIIIIIIII"], 6: ["C"]}),
    ],
)
def test_the_verdicts_of_a_capture(
    name: str, known: dict[int, float], expected: dict[int, list[str]]
) -> None:
    assert final_letters(judged(name, known)) == expected


def test_a_restart_behind_one_header_id_names_who_misses_its_period() -> None:
    rows = [fact for fact in judged(IPF, {1: 60}) if isinstance(fact, Verdict)]
    missing = {
        (one.generator, str(one.cause))
        for row in rows
        if row.outcome == "INCOMPLETE"
        for one in row.missing
    }
    assert missing == {("16974839", "restarted")}
    assert {row.provenance for row in rows if row.required} == {"learned"}


def test_a_subscription_that_sends_under_another_id_is_found_by_its_port() -> None:
    kinds = [fact.kind for fact in judged(SIXWIND_JSON, {}) if isinstance(fact, Event)]
    assert kinds.count("id_differs") == 3  # two periodic subscriptions and an on-change one


def test_a_hole_over_periods_in_which_the_source_port_changed_names_the_lost_card() -> None:
    facts = judged(NE8000, {1: 60})
    rows = [fact for fact in facts if isinstance(fact, Verdict) and fact.subscription_id == 1]
    last = {row.period_index: row for row in rows if row.revision == rows[-1].revision}
    causes = [
        {one.generator: str(one.cause) for one in last[index].missing} for index in sorted(last)
    ]
    assert ["16973828" in one and one["16973828"] for one in causes[1:6]] == ["lost"] * 5
    assert all("16974828" in one for one in causes[6:])
    assert {name for row in last.values() for name in row.unexpected} == {"16974853"}
