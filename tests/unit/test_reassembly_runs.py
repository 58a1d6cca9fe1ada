"""``core.assembly.reassembly``: messages that came whole in a batch, and what is kept of them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from collector.core.assembly.finished import FinishedMessages
from collector.core.assembly.reassembly import Reassembly
from collector.core.assembly.segments import (
    Fact,
    Key,
    ReassemblyLimits,
    Runs,
    SegmentReceived,
)
from collector.model import SECOND, Octets

T0 = 1_700_000_000 * SECOND
JSON = 0x21
"""Version 1, S=0, MT=1."""
KEY: Key = ("192.0.2.1", 10003, 7, 42)
PARTS = [b"one", b"two", b"three"]


def key(message_id: int) -> Key:
    return (*KEY[:3], message_id)


def runs_of(*keys: Key, now: int = T0, parts: list[bytes] = PARTS) -> Runs:
    """The same message under several keys, a segment a nanosecond."""
    starts = [len(parts) * place for place in range(len(keys))]
    return Runs(
        list(keys),
        [JSON] * len(keys),
        starts,
        [start + len(parts) for start in starts],
        [now + row for row in range(len(parts) * len(keys))],
        Octets.of(parts * len(keys)),
    )


def segments(of: Key = KEY, parts: list[bytes] = PARTS) -> list[SegmentReceived]:
    return [
        SegmentReceived(*of, JSON, number, number == len(parts) - 1, b"", part)
        for number, part in enumerate(parts)
    ]


def receive(reassembly: Reassembly, *parts: SegmentReceived, now: int = T0) -> list[Fact]:
    return [fact for part in parts for fact in reassembly.receive(part, now)]


def taken(reassembly: Reassembly, *keys: Key, now: int = T0) -> int:
    return reassembly.receive_runs(runs_of(*keys, now=now), 0, len(keys))


def test_a_message_that_came_whole_is_known_when_it_comes_again() -> None:
    at_once, one_by_one = Reassembly(), Reassembly()
    assert taken(at_once, KEY) == 1
    assert len(receive(one_by_one, *segments())) == 1
    for reassembly in (at_once, one_by_one):
        assert receive(reassembly, *segments()) == []
        assert reassembly.discarded["duplicate"] == 3
        assert len(reassembly) == reassembly.octets == 0


def test_another_message_of_that_key_is_a_new_one() -> None:
    reassembly = Reassembly()
    assert taken(reassembly, KEY) == 1
    (fact,) = receive(reassembly, *segments(parts=[b"one", b"2", b"3"]))
    assert (fact.message_id, reassembly.discarded["duplicate"]) == (42, 0)


def test_many_at_once_up_to_one_that_is_known() -> None:
    reassembly = Reassembly()
    assert taken(reassembly, key(3)) == 1
    assert taken(reassembly, key(1), key(2), key(3), key(4)) == 2
    assert taken(reassembly, key(3), key(4)) == 0
    assert taken(reassembly, key(5), key(5)) == 1  # the second one may be a duplicate


def test_a_part_of_the_runs_is_taken() -> None:
    reassembly = Reassembly()
    runs = runs_of(key(1), key(2), key(3), key(4))
    assert reassembly.receive_runs(runs, 1, 3) == 3
    for message_id, known in ((1, False), (2, True), (3, True), (4, False)):
        before = reassembly.discarded["duplicate"]
        assert (receive(reassembly, *segments(key(message_id))) == []) is known
        assert reassembly.discarded["duplicate"] == before + 3 * known


def test_what_came_at_once_is_remembered_for_as_long() -> None:
    reassembly = Reassembly(ReassemblyLimits(remember=SECOND))
    assert taken(reassembly, KEY) == 1
    assert taken(reassembly, KEY, now=T0 + SECOND + 1) == 0
    assert taken(reassembly, KEY, now=T0 + SECOND + 2) == 1
    forgetful = Reassembly(ReassemblyLimits(remember=0))
    assert taken(forgetful, KEY) == 1
    assert taken(forgetful, KEY) == 1


def test_the_oldest_of_those_remembered_make_room() -> None:
    reassembly = Reassembly(ReassemblyLimits(max_half_built=2, max_per_peer=2))
    assert taken(reassembly, key(0), key(1), key(2)) == 3
    assert [taken(reassembly, key(number)) for number in (2, 1, 0)] == [0, 0, 1]


def test_segments_set_aside_are_settled_when_their_message_makes_room() -> None:
    reassembly = Reassembly(ReassemblyLimits(max_half_built=2, max_per_peer=2))
    assert taken(reassembly, KEY) == 1
    assert receive(reassembly, *segments()[:2]) == []
    assert reassembly.discarded["duplicate"] == 0
    assert taken(reassembly, key(1), key(2)) == 2
    assert reassembly.discarded["duplicate"] == 2
    assert reassembly.octets == 0


@pytest.mark.parametrize(
    "limits",
    [
        ReassemblyLimits(max_segments=2),
        ReassemblyLimits(max_message_octets=10),
        ReassemblyLimits(max_half_built=1),
        ReassemblyLimits(max_per_peer=1),
    ],
)
def test_near_a_limit_segments_are_asked_for_one_by_one(limits: ReassemblyLimits) -> None:
    reassembly = Reassembly(limits)
    receive(reassembly, segments(key(1))[0])
    assert taken(reassembly, KEY) == 0


def test_nearly_out_of_octets_segments_are_asked_for_one_by_one() -> None:
    limits = ReassemblyLimits(max_octets=1, max_message_octets=600, max_segments=3)
    reassembly = Reassembly(limits)
    for number in (1, 2):
        assert taken(reassembly, key(10 + number)) == 1
        receive(reassembly, segments(key(number), [b"h" * 600, b"last"])[0])
    assert taken(reassembly, KEY) == 0


def test_a_key_that_is_being_built_is_asked_for_one_by_one() -> None:
    reassembly = Reassembly()
    receive(reassembly, segments()[1])
    assert taken(reassembly, KEY) == 0
    assert len(receive(reassembly, *segments())) == 1


# --------------------------------------------------------------------------- octets kept
ONE = runs_of(KEY).payload.memory
"""Memory of a batch of one such message."""


def test_octets_are_kept_until_their_last_message_is_forgotten() -> None:
    finished = FinishedMessages(ReassemblyLimits(max_half_built=3, max_per_peer=3), SECOND)
    two = runs_of(key(1), key(2))
    assert finished.add_runs(two, 0, 1) == []
    assert finished.add_runs(two, 1, 2) == []
    assert (len(finished.messages), finished.octets) == (2, two.payload.memory)
    assert finished.add_runs(runs_of(key(3), key(4)), 0, 2) == [key(1)]
    assert finished.octets == 2 * two.payload.memory
    assert finished.add_runs(runs_of(key(5)), 0, 1) == [key(2)]
    assert finished.octets == two.payload.memory + ONE
    assert finished.forget(T0 + 2 * SECOND) == [key(3), key(4), key(5)]
    assert (len(finished.messages), finished.octets) == (0, 0)


def test_above_the_limit_hashes_are_kept_instead() -> None:
    limits = ReassemblyLimits(max_remembered_octets=2 * ONE)
    reassembly, finished = Reassembly(limits), FinishedMessages(limits, SECOND)
    for number in range(5):
        assert taken(reassembly, key(number)) == 1
        finished.add_runs(runs_of(key(number)), 0, 1)
    assert (len(finished.messages), finished.octets) == (5, 2 * ONE)
    for number in range(5):
        assert receive(reassembly, *segments(key(number))) == []
    assert reassembly.discarded["duplicate"] == 15
    finished.clear()
    assert (len(finished.messages), finished.octets) == (0, 0)


@pytest.mark.parametrize("kept", [10 * ONE, 1])
def test_what_differs_in_anything_is_not_known(kept: int) -> None:
    finished = FinishedMessages(ReassemblyLimits(max_remembered_octets=kept), SECOND)
    finished.add_runs(runs_of(key(0), KEY, key(9)), 0, 3)
    assert bool(finished.octets) is (kept > 1)
    message, place = finished.messages[KEY]
    first, middle, last = segments()
    assert message.segments(place) == 3
    assert all(message.knows(place, part) for part in (first, middle, last))
    for odd in (
        replace(middle, form=JSON + 1),
        replace(middle, last=True),
        replace(last, last=False),
        replace(first, options=b"\x09\x04ab"),
        replace(first, payload=b"two"),
        replace(first, payload=b"one "),
        replace(first, number=1),
        replace(first, number=3),
        replace(last, number=5),
    ):
        assert not message.knows(place, odd), odd


def test_a_batch_above_the_limit_is_not_kept_at_all() -> None:
    finished = FinishedMessages(ReassemblyLimits(max_remembered_octets=1), SECOND)
    runs = runs_of(key(1), key(2), key(3))
    for place in range(3):
        assert finished.add_runs(runs, place, place + 1) == []
        assert finished.octets == 0
    found = [finished.messages.get(key(number)) for number in (1, 2, 3)]
    for number, one in enumerate(found, 1):
        assert one is not None
        assert all(one[0].knows(one[1], part) for part in segments(key(number)))
        assert not one[0].knows(one[1], segments(parts=[b"1", b"2", b"3"])[1])


def test_a_message_that_is_finished_again_lets_go_of_the_octets() -> None:
    finished = FinishedMessages(ReassemblyLimits(), SECOND)
    finished.add_runs(runs_of(KEY), 0, 1)
    assert finished.add(KEY, segments(parts=[b"x", b"y"]), T0) == []
    assert (len(finished.messages), finished.octets) == (1, 0)
    finished.add_runs(runs_of(key(1)), 0, 1)
    assert finished.octets == ONE


def test_hashes_are_made_of_all_that_are_still_remembered() -> None:
    two = runs_of(key(1), key(2))
    limits = ReassemblyLimits(
        max_half_built=2, max_per_peer=2, max_remembered_octets=two.payload.memory + ONE - 1
    )
    finished = FinishedMessages(limits, SECOND)
    finished.add_runs(two, 0, 2)
    assert finished.add_runs(runs_of(key(3)), 0, 1) == [key(1)]
    assert finished.octets == ONE
    kept, place = finished.messages[key(2)]
    assert all(kept.knows(place, part) for part in segments(key(2)))
