"""``core.assembly.reassembly``: whole messages out of segments, duplicates, conflicts, options."""

from __future__ import annotations

from itertools import permutations

import pytest

from collector.core.assembly.reassembly import Reassembly
from collector.core.assembly.segments import (
    Assembled,
    Fact,
    HalfBuilt,
    SegmentReceived,
)
from collector.model import SECOND

T0 = 1_700_000_000 * SECOND
JSON = 0x21
"""Version 1, S=0, MT=1."""


def segment(
    number: int,
    payload: bytes = b"",
    *,
    last: bool = False,
    source: str = "192.0.2.1",
    port: int = 10003,
    publisher_id: int = 7,
    message_id: int = 42,
    form: int = JSON,
    options: bytes = b"",
) -> SegmentReceived:
    return SegmentReceived(
        source, port, publisher_id, message_id, form, number, last, options, payload
    )


def receive(reassembly: Reassembly, *segments: SegmentReceived, now: int = T0) -> list[Fact]:
    return [fact for one in segments for fact in reassembly.receive(one, now)]


def payloads(facts: list[Fact]) -> list[bytes]:
    return [fact.payload for fact in facts if isinstance(fact, Assembled)]


A, B, C = segment(0, b"aaa"), segment(1, b"bb"), segment(2, b"c", last=True)


@pytest.mark.parametrize("order", list(permutations((A, B, C))))
def test_any_order(order: tuple[SegmentReceived, ...]) -> None:
    reassembly = Reassembly()
    assert receive(reassembly, *order[:2]) == []
    assert len(reassembly) == 1
    assert receive(reassembly, order[2], now=T0 + 5) == [
        Assembled("192.0.2.1", 10003, 7, 42, JSON, 3, b"", b"aaabbc", T0)
    ]
    assert len(reassembly) == 0
    assert reassembly.octets == 0
    assert reassembly.next_deadline() is None
    assert sum(reassembly.discarded.values()) == 0


def test_a_single_segment_is_a_message() -> None:
    facts = receive(Reassembly(), segment(0, b"all", last=True))
    assert payloads(facts) == [b"all"]


def test_segments_without_payload() -> None:
    facts = receive(Reassembly(), segment(0), segment(1, last=True))
    assert payloads(facts) == [b""]


def test_the_options_are_those_of_segment_0() -> None:
    first = segment(0, b"a", options=b"\xf0\x02")
    last = segment(1, b"b", last=True, options=b"\xf1\x02")
    for order in ((first, last), (last, first)):
        (fact,) = receive(Reassembly(), *order)
        assert isinstance(fact, Assembled)
        assert fact.options == b"\xf0\x02"


@pytest.mark.parametrize(
    "other",
    [{"source": "192.0.2.2"}, {"port": 10004}, {"publisher_id": 8}, {"message_id": 43}],
)
def test_every_part_of_the_key_keeps_messages_apart(other: dict[str, object]) -> None:
    reassembly = Reassembly()
    facts = receive(
        reassembly,
        segment(0, b"a"),
        segment(0, b"x", **other),  # type: ignore[arg-type] # one of them
        segment(1, b"y", last=True, **other),  # type: ignore[arg-type] # one of them
        segment(1, b"b", last=True),
    )
    assert payloads(facts) == [b"xy", b"ab"]
    assert sum(reassembly.discarded.values()) == 0


# --------------------------------------------------------------------------- duplicates
def test_duplicates_are_dropped_and_counted() -> None:
    reassembly = Reassembly()
    assert payloads(receive(reassembly, A, A, B, A, B, C)) == [b"aaabbc"]
    assert reassembly.discarded["duplicate"] == 3


def test_a_duplicate_after_the_end_is_set_aside_then_counted() -> None:
    reassembly = Reassembly()
    receive(reassembly, A, B, C)
    assert receive(reassembly, B, B) == []
    assert len(reassembly) == 0, "nothing is half built"
    assert reassembly.discarded["duplicate"] == 1
    assert reassembly.octets > 0
    assert reassembly.next_deadline() is None
    assert reassembly.handle_timer(T0 + 10 * SECOND) == []
    assert reassembly.discarded["duplicate"] == 2
    assert reassembly.octets == 0


def test_a_whole_message_that_comes_again_is_dropped_at_once() -> None:
    reassembly = Reassembly()
    receive(reassembly, A, B, C)
    assert receive(reassembly, C, A, B) == []
    assert reassembly.discarded["duplicate"] == 3
    assert reassembly.octets == 0


def test_a_single_segment_that_comes_again() -> None:
    reassembly = Reassembly()
    only = segment(0, b"all", last=True)
    assert payloads(receive(reassembly, only, only)) == [b"all"]
    assert reassembly.discarded["duplicate"] == 1


def test_what_was_set_aside_goes_to_the_new_message_that_follows() -> None:
    reassembly = Reassembly()
    receive(reassembly, A, B, C)
    assert receive(reassembly, A, now=T0 + SECOND) == []
    facts = receive(reassembly, segment(1, b"new"), C, now=T0 + 2 * SECOND)
    (fact,) = facts
    assert isinstance(fact, Assembled)
    assert fact.payload == b"aaanewc"
    assert fact.first_arrival == T0 + SECOND, "the first segment is the one set aside"
    assert sum(reassembly.discarded.values()) == 0
    assert reassembly.octets == 0


def test_what_was_set_aside_does_not_fit_the_new_message() -> None:
    reassembly = Reassembly()
    receive(reassembly, A, B, C)
    receive(reassembly, A, B)
    facts = receive(reassembly, segment(0, b"new"), segment(1, b"er", last=True))
    assert payloads(facts) == [b"newer"]
    assert reassembly.discarded == dict.fromkeys(reassembly.discarded, 0) | {"duplicate": 2}
    assert reassembly.octets == 0


def test_what_was_set_aside_is_of_another_media_type() -> None:
    reassembly = Reassembly()
    receive(reassembly, A, B, C)
    receive(reassembly, A)
    facts = receive(reassembly, segment(1, b"x", last=True, form=0x22))
    assert facts == []
    assert reassembly.discarded["duplicate"] == 1
    assert payloads(receive(reassembly, segment(0, b"<", form=0x22))) == [b"<x"]


def test_a_late_duplicate_of_the_message_before_does_not_spoil_the_new_one() -> None:
    reassembly = Reassembly()
    receive(reassembly, A, B, C)
    facts = receive(reassembly, segment(0, b"new"), A, segment(1, b"er", last=True))
    assert payloads(facts) == [b"newer"]
    assert reassembly.discarded["duplicate"] == 1
    assert reassembly.discarded["conflict"] == 0


def test_a_message_that_was_forgotten_starts_again() -> None:
    reassembly = Reassembly()
    receive(reassembly, A, B, C)
    assert payloads(receive(reassembly, A, B, C, now=T0 + 10 * SECOND)) == [b"aaabbc"]
    assert reassembly.discarded["duplicate"] == 0


# --------------------------------------------------------------------------- conflicts
CONFLICTS = {
    "same number, other octets": (segment(1, b"bb"), segment(1, b"XX")),
    "same number, other options": (segment(0, b"a"), segment(0, b"a", options=b"\xf0\x02")),
    "same octets, now the last": (segment(1, b"bb"), segment(1, b"bb", last=True)),
    "a second last segment": (segment(3, b"d", last=True), segment(5, b"f", last=True)),
    "a last segment before others": (segment(5, b"f"), segment(3, b"d", last=True)),
    "behind the last segment": (segment(3, b"d", last=True), segment(4, b"e")),
    "another media type": (segment(0, b"a"), segment(1, b"b", form=0x22)),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_a_contradiction_starts_a_new_generation(name: str) -> None:
    old, new = CONFLICTS[name]
    reassembly = Reassembly()
    receive(reassembly, old)
    facts = receive(reassembly, new, now=T0 + 1)
    assert facts == [
        HalfBuilt("192.0.2.1", 10003, 7, 42, T0, 1, old.number + 1 if old.last else None)
    ]
    assert reassembly.discarded["conflict"] == 1
    assert len(reassembly) == 1, "the new generation"
    (rest,) = reassembly.stop()
    assert isinstance(rest, HalfBuilt)
    assert rest.first_arrival == T0 + 1


def test_the_new_generation_is_delivered() -> None:
    reassembly = Reassembly()
    facts = receive(reassembly, A, segment(0, b"new"), segment(1, b"er", last=True))
    assert payloads(facts) == [b"newer"]
    assert reassembly.discarded["conflict"] == 1


def test_a_restarted_publisher_reuses_an_id_with_other_octets() -> None:
    reassembly = Reassembly()
    receive(reassembly, A, B, C)
    facts = receive(reassembly, segment(0, b"x"), segment(1, b"y", last=True), now=T0 + SECOND)
    assert payloads(facts) == [b"xy"]
