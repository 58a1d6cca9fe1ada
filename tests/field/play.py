"""Distorted messages -> the product's engine, in memory, in pretend time.

Segments of messages that lost some of theirs go through the product's reassembly; whole messages
enter as the updates that the decoder would have made of them (payloads are not rewritten here).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from collector.core.assembly.reassembly import Reassembly
from collector.core.assembly.segments import HalfBuilt, SegmentReceived
from collector.core.engine import Engine
from collector.core.placing.update_columns import UpdateColumns
from collector.core.settings import EngineSettings
from collector.model import (
    NOTHING,
    CollectorStopped,
    CollectorTime,
    DeviceTime,
    EngineInput,
    Fact,
    NotificationKind,
    StateChanged,
    Unreassembled,
    Update,
    Verdict,
)
from collector.wire.notifications.notification import decode
from publisher_sim.distort.messages import Message

FORM = 0x21
"""Version 1, JSON."""


class Played(Struct):
    """What the product said of one case."""

    verdicts: list[Verdict]
    facts: list[Fact]
    placed: dict[int, tuple[int, int]]
    """number of a message -> (revision, period index)."""


def play(
    messages: Sequence[Message], settings: EngineSettings, first: Sequence[EngineInput] = ()
) -> Played:
    """Let messages arrive; the collector stops right after the last one."""
    engine = Engine(settings)
    records = list(_records(messages, first))
    facts: list[Fact] = []
    placed: dict[int, tuple[int, int]] = {}
    waiting: list[Update] = []
    numbers: list[int] = []

    def flush() -> None:
        placements, said = engine.receive_batch(UpdateColumns.of(waiting))
        facts.extend(said)
        found = zip(numbers, placements.revisions, placements.period_indexes, strict=True)
        for number, revision, index in found:
            if index != NOTHING and number >= 0:
                placed.setdefault(number, (revision, index))
        waiting.clear()
        numbers.clear()

    for number, record in records:
        if isinstance(record, Update):
            waiting.append(record)
            numbers.append(number)
        else:
            flush()
            facts.extend(engine.receive(record, record.arrival))
    flush()
    end = CollectorTime(max(record.arrival for _, record in records) + 1)
    facts.extend(engine.receive(CollectorStopped(end, len(records)), end))
    return Played([fact for fact in facts if isinstance(fact, Verdict)], facts, placed)


def _records(
    messages: Sequence[Message], first: Sequence[EngineInput]
) -> Iterable[tuple[int, EngineInput]]:
    """Engine inputs in order of arrival, each with the number of its message."""
    found: list[tuple[int, int, EngineInput]] = [(one.arrival, -1, one) for one in first]
    found += [(one.at, one.number, _whole(one)) for one in messages if not one.lost]
    found += [(record.arrival, -1, record) for record in _half_built(messages)]
    found.sort(key=lambda entry: entry[0])
    for offset, (_, number, record) in enumerate(found):
        record_with_offset = replace(record, offset=offset)
        yield number, record_with_offset


def _whole(one: Message) -> EngineInput:
    """What the decoder makes of a message."""
    arrival = CollectorTime(one.at)
    if not one.update:
        assert one.captured is not None
        heard = decode(one.captured.payload, one.captured.media_type)
        stamp = None if one.event_time is None else DeviceTime(one.event_time)
        heard = replace(heard, event_time=stamp)
        return StateChanged(
            arrival, one.source, one.source, one.port, one.publisher_id, one.message_id, heard, 0
        )
    names_it = one.captured is not None and one.captured.generator is not None
    return Update(
        arrival,
        one.source,
        one.source,
        one.port,
        one.publisher_id,
        one.message_id,
        one.subscription_id,
        one.generator if names_it else None,
        NotificationKind.PUSH_UPDATE,
        None if one.event_time is None else DeviceTime(one.event_time),
        None if one.observation_time is None else DeviceTime(one.observation_time),
        False,
        0,
    )


def _half_built(messages: Sequence[Message]) -> Iterable[Unreassembled]:
    """Notes of the product's reassembly on messages of which only a part came."""
    reassembly = Reassembly()
    for one in messages:
        if not one.lost or len(one.lost) == one.datagrams:
            continue
        yield from _timer(reassembly, one.at)
        for number in range(one.datagrams):
            if number not in one.lost:
                last = number == one.datagrams - 1
                segment = SegmentReceived(
                    one.source, one.port, one.publisher_id, one.message_id, FORM,
                    number, last, b"", b"%d" % one.number,
                )  # fmt: skip
                yield from _notes(reassembly.receive(segment, one.at), one.at)
    yield from _timer(reassembly, None)


def _timer(reassembly: Reassembly, now: int | None) -> Iterable[Unreassembled]:
    while (due := reassembly.next_deadline()) is not None and (now is None or due <= now):
        yield from _notes(reassembly.handle_timer(due), due)


def _notes(facts: Iterable[object], now: int) -> Iterable[Unreassembled]:
    for fact in facts:
        if isinstance(fact, HalfBuilt):
            yield Unreassembled(
                CollectorTime(now), fact.source, fact.source, fact.port, fact.publisher_id,
                fact.message_id, fact.first_arrival, 0,
            )  # fmt: skip
