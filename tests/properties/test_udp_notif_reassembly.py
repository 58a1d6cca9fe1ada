"""Laws of the way from datagrams to messages: loss-free round trip, bounds, one count each."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.assembly.reassembly import OVERHEAD, Reassembly
from collector.core.assembly.segments import Assembled, ReassemblyLimits, SegmentReceived
from collector.model import SECOND, RecordKind
from collector.receivers.datagrams.batcher import Datagram, DatagramBatcher
from collector.receivers.sockets.slab import DatagramSlab
from collector.wire.udp_notif.datagrams import encode_message

T0 = 1_700_000_000 * SECOND
SLAB = DatagramSlab(64)

MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
        st.integers(0, 2),  # publisher id
        st.binary(max_size=400),
    ),
    max_size=12,
)


def rows_of(datagrams: list[Datagram], batcher: DatagramBatcher) -> list[tuple[object, ...]]:
    """What the batcher made of them: every column of every row."""
    rows: list[tuple[object, ...]] = []
    for batch in batcher.receive_datagrams(datagrams, SLAB):
        columns = [getattr(batch, name) for name in type(batch).__slots__]
        assert len({len(column) for column in columns}) == 1
        rows.extend(zip(*columns, strict=True))
    return rows


@settings(max_examples=100, deadline=None)
@given(MESSAGES, st.integers(30, 200), st.integers(0, 2**32 - 1), st.booleans())
def test_segmented_shuffled_and_doubled_messages_come_out_once(
    messages: list[tuple[str, int, bytes]], max_segment_size: int, seed: int, double: bool
) -> None:
    rng = random.Random(seed)
    datagrams: list[Datagram] = []
    sent = []
    segmented = 0
    for message_id, (source, publisher_id, payload) in enumerate(messages):
        parts = encode_message(
            payload,
            media_type=1,
            publisher_id=publisher_id,
            message_id=message_id,
            max_segment_size=max_segment_size,
        )
        copies = parts * (2 if double and len(parts) > 1 else 1)
        segmented += len(copies) - len(parts)
        datagrams += [(T0, source, 1, part) for part in copies]
        sent.append((source, publisher_id, message_id, len(parts), payload))
    rng.shuffle(datagrams)
    batcher = DatagramBatcher()
    rows = rows_of(datagrams, batcher)
    names = list(type(batcher.stop(T0)).__slots__)
    place = [names.index(name) for name in ("peer", "publisher_id", "message_id", "segments")]
    got = [(*(row[index] for index in place), row[names.index("payload")]) for row in rows]
    assert sorted(got) == sorted(sent)
    assert all(row[names.index("kind")] == RecordKind.DATA for row in rows)
    assert batcher.discarded["duplicate"] == segmented
    assert sum(batcher.discarded.values()) == segmented


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3 * SECOND),  # ns since the one before
            st.sampled_from(["192.0.2.1", "192.0.2.2"]),
            st.integers(0, 3),  # message id
            st.integers(0, 400),  # octets
            st.integers(0, 6),  # which segments get lost: every n-th
        ),
        max_size=20,
    ),
    st.integers(1, 7),
)
def test_batch_borders_change_no_row(
    messages: list[tuple[int, str, int, int, int]], rows: int
) -> None:
    now = T0
    datagrams: list[Datagram] = [(now, "192.0.2.9", 9, b"no header")]
    for gap, source, message_id, octets, lost in messages:
        now += gap
        parts = encode_message(
            b"x" * octets, media_type=1, publisher_id=1, message_id=message_id, max_segment_size=100
        )
        datagrams += [
            (now, source, 1, part)
            for number, part in enumerate(parts)
            if not lost or (number + 1) % lost
        ]
    few, many = DatagramBatcher(), DatagramBatcher()
    one = [
        row
        for batch in few.receive_datagrams(datagrams, DatagramSlab(rows))
        for row in zip(*(getattr(batch, name) for name in type(batch).__slots__), strict=True)
    ]
    assert one == rows_of(datagrams, many)
    assert few.stats() == many.stats()
    times = [row[0] for row in one]
    assert times == sorted(times)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, SECOND), st.binary(max_size=60)), max_size=30))
def test_hostile_octets_are_refused_and_counted_once(octets: list[tuple[int, bytes]]) -> None:
    now = T0
    datagrams: list[Datagram] = []
    for gap, payload in octets:
        now += gap
        datagrams.append((now, "192.0.2.1", 1, payload))
    batcher = DatagramBatcher()
    rows_of(datagrams, batcher)
    batcher.stop(now)
    counters = batcher.counters
    assert counters.datagrams == len(datagrams)
    not_whole = sum(counters.rejected.values()) + counters.segments
    assert not_whole <= counters.datagrams <= not_whole + counters.messages


SEGMENTS = st.builds(
    SegmentReceived,
    source=st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
    port=st.integers(0, 1),
    publisher_id=st.integers(0, 1),
    message_id=st.integers(0, 2),
    form=st.sampled_from([0x21, 0x22]),
    number=st.integers(0, 5),
    last=st.booleans(),
    options=st.sampled_from([b"", b"\xf0\x02"]),
    payload=st.sampled_from([b"", b"a", b"b", b"c" * 600]),
)
LIMITS = ReassemblyLimits(
    max_segments=5, max_message_octets=1000, max_per_peer=2, max_half_built=4, max_octets=1
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4 * SECOND), st.booleans(), SEGMENTS), max_size=80),
)
def test_memory_is_bounded_and_every_segment_has_one_fate(
    steps: list[tuple[int, bool, SegmentReceived]],
) -> None:
    reassembly = Reassembly(LIMITS)
    now, delivered = T0, 0
    for gap, timer, segment in steps:
        now += gap
        facts = reassembly.receive(segment, now)
        if timer:
            facts += reassembly.handle_timer(now)
            deadline = reassembly.next_deadline()
            assert deadline is None or deadline > now
        for fact in facts:
            if isinstance(fact, Assembled):
                delivered += fact.segments
                assert fact.segments <= LIMITS.max_segments
                assert len(fact.payload) <= LIMITS.max_message_octets
        assert len(reassembly) <= LIMITS.max_half_built
        assert 0 <= reassembly.octets <= 2 * (1000 + 5 * OVERHEAD)
    reassembly.stop()
    assert (len(reassembly), reassembly.octets) == (0, 0)
    assert reassembly.next_deadline() is None
    assert delivered + sum(reassembly.discarded.values()) == len(steps)
