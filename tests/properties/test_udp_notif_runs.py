"""Laws of messages that come in a train: a batch of them is what its datagrams are one by one."""

from __future__ import annotations

import random
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector import fast
from collector.core.assembly.reassembly import Reassembly
from collector.core.assembly.segments import (
    Assembled,
    Fact,
    ReassemblyLimits,
    Runs,
    SegmentReceived,
)
from collector.model import SECOND, Octets
from collector.receivers.datagrams.batcher import Datagram, DatagramBatcher
from collector.receivers.sockets import slab as slabs
from collector.receivers.sockets.slab import DatagramSlab
from collector.wire.udp_notif.datagrams import encode_message

T0 = 1_700_000_000 * SECOND
LARGE, SMALL, ONE_BY_ONE = DatagramSlab(128), DatagramSlab(7), DatagramSlab(1)
SMALL_TABLES = ReassemblyLimits(
    max_segments=6, max_message_octets=300, max_per_peer=2, max_half_built=3, max_octets=1,
    max_remembered_octets=700, remember=2 * SECOND,
)  # fmt: skip

MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 1, SECOND // 100, 3 * SECOND]),  # ns since the one before
        st.sampled_from(["192.0.2.1", "192.0.2.2"]),
        st.integers(1, 2),  # port
        st.integers(0, 3),  # message id
        st.sampled_from([1, 1, 2, 9]),  # media type
        st.sampled_from([b"", b"a" * 30, b"a" * 150, b"a" * 60 + b"b" * 90, b"c" * 400]),
        st.sampled_from(
            ["", "", "", "lose", "double", "refused", "swap", "again", "port", "other", "early"]
        ),
        st.booleans(),  # private
    ),
    max_size=16,
)


def datagrams_of(
    messages: list[tuple[int, str, int, int, int, bytes, str, bool]], seed: int
) -> list[Datagram]:
    chance, now = random.Random(seed), T0
    found: list[Datagram] = []
    for gap, source, port, message_id, media_type, payload, what, private in messages:
        now += gap
        parts = encode_message(
            payload, media_type=media_type, publisher_id=1, message_id=message_id,
            max_segment_size=80, private_space=private,
        )  # fmt: skip
        place = chance.randrange(len(parts))
        sent = [(now, source, port, part) for part in parts]
        if what == "lose":
            del sent[place]
        elif what == "double":
            sent.insert(place, sent[place])
        elif what == "refused":
            sent.insert(place, (now, source, port, b"?" + parts[place][1:]))
        elif what == "swap":
            sent[0], sent[place] = sent[place], sent[0]
        elif what == "again":
            sent += sent
        elif what == "early" and len(parts) > 1:
            octets = bytearray(parts[place])
            octets[15] |= 1  # L
            sent[place] = (now, source, port, bytes(octets))
        elif what == "port":
            sent[place] = (now, source, port + 1, parts[place])
        elif what == "other":
            whole = encode_message(b"w", media_type=1, publisher_id=2, message_id=message_id)[0]
            sent.insert(place, (now, source, port, whole))
        found += sent
    return found


def told(datagrams: list[Datagram], slab: DatagramSlab, limits: ReassemblyLimits) -> object:
    """Every column of every row, and all that was counted."""
    batcher = DatagramBatcher(limits)
    rows: list[tuple[object, ...]] = []
    batches = list(batcher.receive_datagrams(datagrams, slab))
    batches.append(batcher.stop(datagrams[-1][0] if datagrams else T0))
    for batch in batches:
        columns = [getattr(batch, name) for name in type(batch).__slots__]
        rows.extend(zip(*columns, strict=True))
    return rows, batcher.stats()


@pytest.mark.parametrize("native", [None, fast.native], ids=["python", "compiled"])
@pytest.mark.parametrize("limits", [ReassemblyLimits(), SMALL_TABLES], ids=["usual", "small"])
@settings(max_examples=150, deadline=None)
@given(messages=MESSAGES, seed=st.integers(0, 2**32 - 1))
def test_a_read_says_what_its_datagrams_say_one_by_one(
    native: fast.Native | None,
    limits: ReassemblyLimits,
    messages: list[tuple[int, str, int, int, int, bytes, str, bool]],
    seed: int,
) -> None:
    datagrams = datagrams_of(messages, seed)
    with patch.object(slabs, "native", native):
        expected = told(datagrams, ONE_BY_ONE, limits)
        assert told(datagrams, LARGE, limits) == expected
        assert told(datagrams, SMALL, limits) == expected, "messages that go over the end of a read"


# --------------------------------------------------------------------------- reassembly alone
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, SECOND, 3 * SECOND]),  # ns since the step before
        st.lists(
            st.tuples(
                st.sampled_from(["192.0.2.1", "192.0.2.2"]),
                st.integers(0, 4),  # message id
                st.lists(st.sampled_from([b"", b"a", b"bb", b"c" * 90]), min_size=2, max_size=7),
            ),
            max_size=8,
        ),
        st.integers(0, 9),  # a segment of the first one comes alone before them
    ),
    max_size=12,
)


def one_by_one(reassembly: Reassembly, runs: Runs, place: int) -> list[Fact]:
    facts = []
    start, end = runs.starts[place], runs.ends[place]
    for row in range(start, end):
        segment = SegmentReceived(
            *runs.keys[place], runs.forms[place], row - start, row == end - 1, b"",
            runs.payload[row],
        )  # fmt: skip
        facts += reassembly.receive(segment, runs.arrivals[row])
    return facts


def as_runs(reassembly: Reassembly, runs: Runs) -> list[Fact]:
    facts: list[Fact] = []
    place = 0
    while place < len(runs.keys):
        before = place
        place = reassembly.receive_runs(runs, place, len(runs.keys))
        for one in range(before, place):
            start, end = runs.starts[one], runs.ends[one]
            payload = b"".join(runs.payload[start:end])
            facts.append(
                Assembled(
                    *runs.keys[one], runs.forms[one], end - start, b"", payload,
                    runs.arrivals[start],  # type: ignore[arg-type]  # int
                )
            )  # fmt: skip
        if place == before:
            facts += one_by_one(reassembly, runs, place)
            place += 1
    return facts


@pytest.mark.parametrize("limits", [ReassemblyLimits(), SMALL_TABLES], ids=["usual", "small"])
@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_runs_are_segments_one_by_one(
    limits: ReassemblyLimits, steps: list[tuple[int, list[tuple[str, int, list[bytes]]], int]]
) -> None:
    at_once, slowly = Reassembly(limits), Reassembly(limits)
    now = T0
    for gap, messages, alone in steps:
        now += gap
        parts = [part for _, _, of_message in messages for part in of_message]
        ends = [sum(len(one[2]) for one in messages[: n + 1]) for n in range(len(messages))]
        runs = Runs(
            [(source, 1, 1, message_id) for source, message_id, _ in messages],
            [0x21] * len(messages),
            [0, *ends][:-1],
            ends,
            [now + row for row in range(len(parts))],
            Octets.of(parts),
        )
        if messages and alone < len(messages[0][2]):
            source, message_id, of_message = messages[0]
            segment = SegmentReceived(
                source, 1, 1, message_id, 0x21, alone, alone == len(of_message) - 1, b"",
                of_message[alone],
            )  # fmt: skip
            assert at_once.receive(segment, now) == slowly.receive(segment, now)
        expected = [fact for one in range(len(messages)) for fact in one_by_one(slowly, runs, one)]
        assert as_runs(at_once, runs) == expected
        now += len(parts)
        assert at_once.discarded == slowly.discarded
        assert (len(at_once), at_once.octets) == (len(slowly), slowly.octets)
        assert at_once.next_deadline() == slowly.next_deadline()
        assert at_once.handle_timer(now) == slowly.handle_timer(now)
    assert at_once.stop() == slowly.stop()
    assert at_once.discarded == slowly.discarded
