"""``core.assembly.reassembly``: windows, notices, caps, bounded tables."""

from __future__ import annotations

import pytest

from collector.core.assembly.reassembly import OVERHEAD, Reassembly
from collector.core.assembly.segments import Assembled, HalfBuilt, ReassemblyLimits
from collector.model import SECOND
from tests.unit.test_reassembly_messages import T0, A, B, C, payloads, receive, segment

HALF = SECOND // 2


# --------------------------------------------------------------------------- time
def test_half_built_is_said_once_and_building_goes_on() -> None:
    reassembly = Reassembly()
    receive(reassembly, A)
    receive(reassembly, C, now=T0 + 1)
    assert reassembly.next_deadline() == T0 + HALF
    assert reassembly.handle_timer(T0 + HALF - 1) == []
    assert reassembly.handle_timer(T0 + HALF) == [
        HalfBuilt("192.0.2.1", 10003, 7, 42, T0, segments_had=2, segments_total=3)
    ]
    assert reassembly.next_deadline() == T0 + 10 * SECOND
    assert reassembly.handle_timer(T0 + HALF + 1) == []
    assert payloads(receive(reassembly, B, now=T0 + 9 * SECOND)) == [b"aaabbc"]
    assert reassembly.next_deadline() is None


def test_a_message_is_given_up_at_the_end_of_its_window() -> None:
    reassembly = Reassembly()
    receive(reassembly, A, B)
    reassembly.handle_timer(T0 + HALF)
    assert reassembly.handle_timer(T0 + 10 * SECOND - 1) == []
    assert len(reassembly) == 1
    assert reassembly.handle_timer(T0 + 10 * SECOND) == [], "it was said before"
    assert len(reassembly) == 0
    assert reassembly.discarded["expired"] == 2
    assert reassembly.octets == 0


def test_a_timer_that_runs_late_says_it_and_gives_up() -> None:
    reassembly = Reassembly()
    receive(reassembly, A)
    facts = reassembly.handle_timer(T0 + 60 * SECOND)
    assert [type(fact) for fact in facts] == [HalfBuilt]
    assert reassembly.discarded["expired"] == 1


def test_the_window_holds_without_a_timer() -> None:
    reassembly = Reassembly()
    receive(reassembly, A, B)
    facts = receive(reassembly, C, now=T0 + 10 * SECOND)
    assert facts == [HalfBuilt("192.0.2.1", 10003, 7, 42, T0, 2, None)]
    assert reassembly.discarded["expired"] == 2
    assert len(reassembly) == 1, "the late segment opened a new window"


def test_deadlines_are_those_of_the_oldest() -> None:
    reassembly = Reassembly()
    receive(reassembly, segment(0, message_id=1))
    receive(reassembly, segment(0, message_id=2), now=T0 + 1)
    assert reassembly.next_deadline() == T0 + HALF
    assert len(reassembly.handle_timer(T0 + HALF)) == 1
    assert reassembly.next_deadline() == T0 + HALF + 1


def test_stop_says_what_is_half_built() -> None:
    reassembly = Reassembly()
    receive(reassembly, segment(0, message_id=1))
    reassembly.handle_timer(T0 + HALF)
    receive(reassembly, segment(0, message_id=2), now=T0 + SECOND)
    receive(reassembly, segment(0, b"a", message_id=3), segment(1, b"b", last=True, message_id=3))
    receive(reassembly, segment(0, b"a", message_id=3))
    facts = reassembly.stop()
    assert [fact.message_id for fact in facts] == [2]
    assert reassembly.discarded["stopped"] == 2
    assert reassembly.discarded["duplicate"] == 1
    assert (len(reassembly), reassembly.octets) == (0, 0)
    assert reassembly.stop() == []


def test_window_and_memory_together_stay_below_20_seconds() -> None:
    reassembly = Reassembly(ReassemblyLimits(window=15 * SECOND))
    receive(reassembly, A, B, C)
    assert receive(reassembly, A, now=T0 + 5 * SECOND - 1) == []
    assert len(reassembly) == 0
    receive(reassembly, A, now=T0 + 5 * SECOND)
    assert len(reassembly) == 1


def test_nothing_is_remembered_with_the_longest_window() -> None:
    reassembly = Reassembly(ReassemblyLimits(window=20 * SECOND))
    receive(reassembly, A, B, C)
    receive(reassembly, A)
    assert len(reassembly) == 1


# --------------------------------------------------------------------------- caps of a message
def test_too_many_segments() -> None:
    reassembly = Reassembly(ReassemblyLimits(max_segments=64))
    receive(reassembly, A, segment(63, b"x"))
    facts = receive(reassembly, segment(64, b"y"))
    assert facts == [HalfBuilt("192.0.2.1", 10003, 7, 42, T0, 2, None)]
    assert reassembly.discarded["too-many-segments"] == 3
    assert reassembly.octets == 0
    receive(reassembly, B, C, now=T0 + SECOND)
    assert reassembly.discarded["too-many-segments"] == 5, "the key is refused for the window"
    assert len(reassembly) == 1
    assert reassembly.handle_timer(T0 + 10 * SECOND) == []
    assert len(reassembly) == 0
    assert payloads(receive(reassembly, A, B, C, now=T0 + 11 * SECOND)) == [b"aaabbc"]


def test_a_message_of_128_segments_is_the_default_limit() -> None:
    reassembly = Reassembly()
    for number in range(127):
        assert receive(reassembly, segment(number, b"x")) == []
    assert payloads(receive(reassembly, segment(127, b"x", last=True))) == [b"x" * 128]
    facts = receive(reassembly, segment(128, b"x", last=True, message_id=43))
    assert [type(fact) for fact in facts] == [HalfBuilt]


def test_too_large() -> None:
    limits = ReassemblyLimits(max_message_octets=100_000)
    reassembly = Reassembly(limits)
    receive(reassembly, segment(0, b"x" * 60_000))
    facts = receive(reassembly, segment(1, b"x" * 40_000, last=True))
    assert [len(payload) for payload in payloads(facts)] == [100_000]
    receive(reassembly, segment(0, b"x" * 60_000, message_id=43))
    reassembly.handle_timer(T0 + HALF)
    facts = receive(reassembly, segment(1, b"x" * 40_001, last=True, message_id=43))
    assert facts == [], "it was said at its notice"
    assert reassembly.discarded["too-large"] == 2
    assert reassembly.octets == 0


# --------------------------------------------------------------------------- caps of the tables
def test_the_oldest_of_a_peer_makes_room() -> None:
    reassembly = Reassembly(ReassemblyLimits(max_per_peer=2))
    receive(reassembly, segment(0, message_id=1), segment(0, source="192.0.2.2"))
    facts = receive(reassembly, segment(0, message_id=2), segment(0, message_id=3))
    assert [(fact.source, fact.message_id) for fact in facts] == [("192.0.2.1", 1)]
    assert reassembly.discarded["too-many-half-built"] == 1
    assert len(reassembly) == 3


def test_the_oldest_of_all_makes_room() -> None:
    reassembly = Reassembly(ReassemblyLimits(max_half_built=3))
    sources = [f"192.0.2.{number}" for number in range(1, 5)]
    facts = receive(reassembly, *(segment(0, source=source) for source in sources))
    assert [fact.source for fact in facts] == ["192.0.2.1"]
    assert reassembly.discarded["too-many-half-built"] == 1
    assert len(reassembly) == 3


def test_finished_messages_are_remembered_within_bounds() -> None:
    reassembly = Reassembly(ReassemblyLimits(max_half_built=2))
    pieces = [
        (segment(0, b"a", message_id=n), segment(1, b"b", last=True, message_id=n))
        for n in range(3)
    ]
    for pair in pieces:
        receive(reassembly, *pair)
    receive(reassembly, pieces[1][0])
    assert len(reassembly) == 0, "known: set aside"
    receive(reassembly, pieces[0][0])
    assert len(reassembly) == 1, "forgotten: a new message"
    receive(reassembly, segment(0, b"z", last=True, message_id=9))
    assert reassembly.discarded["duplicate"] == 1, "what was set aside was forgotten with it"


def small() -> Reassembly:
    """Room for two messages of 10,000 octets in 4 segments: 24,096 octets."""
    return Reassembly(ReassemblyLimits(max_segments=4, max_message_octets=10_000, max_octets=1))


def test_the_oldest_gives_up_its_octets() -> None:
    reassembly = small()
    facts = receive(
        reassembly,
        *(segment(0, b"x" * 9000, message_id=number) for number in (1, 2)),
        segment(0, b"x" * 5000, message_id=3),
    )
    assert [fact.message_id for fact in facts] == [1]
    assert reassembly.octets == 9000 + 5000 + 2 * OVERHEAD
    assert reassembly.discarded["too-many-octets"] == 1


def test_the_message_at_hand_is_not_given_up_for_itself() -> None:
    reassembly = small()
    receive(reassembly, segment(0, b"x" * 5000, message_id=1))
    receive(reassembly, *(segment(0, b"x" * 9000, message_id=number) for number in (2,)))
    facts = receive(reassembly, segment(1, b"x" * 4900, message_id=1))
    assert facts == []
    facts = receive(reassembly, segment(0, b"x" * 9000, message_id=3))
    assert [fact.message_id for fact in facts] == [1]
    facts = receive(
        reassembly, segment(1, b"x" * 1000, message_id=2), segment(0, b"", message_id=4)
    )
    assert facts == []
    facts = receive(reassembly, segment(1, b"x" * 9000, message_id=4))
    assert [fact.message_id for fact in facts] == [2]


def test_the_oldest_at_hand_lets_the_next_one_go() -> None:
    reassembly = small()
    receive(reassembly, segment(0, b"x" * 1000, message_id=1))
    receive(reassembly, *(segment(0, b"x" * 9000, message_id=number) for number in (2, 3)))
    facts = receive(reassembly, segment(1, b"x" * 9000, message_id=1))
    assert [fact.message_id for fact in facts] == [2]


def test_what_was_set_aside_goes_first() -> None:
    reassembly = small()
    for number in (1, 2, 3):
        receive(
            reassembly,
            segment(0, b"x" * 9000, message_id=number),
            segment(1, b"y", last=True, message_id=number),
        )
    receive(reassembly, segment(0, b"x" * 9000, message_id=1))
    receive(reassembly, segment(0, b"x" * 9000, message_id=2))
    assert reassembly.discarded["duplicate"] == 0
    receive(reassembly, segment(0, b"x" * 9000, message_id=3))
    assert reassembly.discarded["duplicate"] == 1
    assert receive(reassembly, segment(0, b"x" * 9000, message_id=4)) == []
    assert reassembly.discarded["duplicate"] == 2
    assert reassembly.discarded["too-many-octets"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0},
        {"window": 20 * SECOND + 1},
        {"notice": -1},
        {"notice": 11 * SECOND},
        {"remember": -1},
        {"max_segments": 0},
        {"max_message_octets": 0},
        {"max_per_peer": 0},
        {"max_half_built": 0},
        {"max_octets": 0},
    ],
)
def test_limits_have_ranges(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        ReassemblyLimits(**wrong)


def test_the_longest_window_is_20_seconds() -> None:
    assert ReassemblyLimits(window=20 * SECOND).window == 20_000_000_000
    facts = receive(Reassembly(), A, B, C)
    assert isinstance(facts[0], Assembled)
