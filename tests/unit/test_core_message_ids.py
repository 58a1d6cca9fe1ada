"""Message IDs: gaps, duplicates, restarts modulo 2^32, and the two books."""

from __future__ import annotations

import pytest

from collector.core.memory.state import Counter, Run
from collector.core.numbering import message_ids, seen_ids, two_books
from collector.core.numbering.message_ids import Finding
from collector.core.numbering.seen_ids import RING_LIMIT, Signature, seen_at
from collector.model import SECOND

PERIOD = 10 * SECOND
LIMIT = 8


def sent(
    message_id: int,
    at: float = 0.0,
    *,
    event: float | None = -1.0,
    key: int = 1,
    generator: str = "1",
    kind: str = "push-update",
) -> Signature:
    stamp = None if event is None else round((at if event == -1.0 else event) * SECOND)
    return message_id, stamp, key, generator, kind, round(at * SECOND)


def run_of(*ids: int) -> Run:
    run = Counter("192.0.2.1", 1).all
    for place, number in enumerate(ids):
        message_ids.observe(run, sent(number, place), PERIOD, LIMIT)
    return run


def follow(run: Run, *messages: Signature) -> list[Finding]:
    return [message_ids.observe(run, one, PERIOD, LIMIT)[0] for one in messages]


def test_the_first_id_is_never_a_loss_reference() -> None:
    run = Counter("192.0.2.1", 1).all
    assert follow(run, sent(4711, 0), sent(4712, 1)) == [Finding.FIRST, Finding.NEXT]
    assert not run.holes


def test_ids_wrap_to_zero() -> None:
    run = run_of(0xFFFFFFFE)
    assert follow(run, sent(0xFFFFFFFF, 1), sent(0, 2), sent(1, 3)) == [Finding.NEXT] * 3


def test_a_gap_over_the_wrap_is_a_gap() -> None:
    run = run_of(0xFFFFFFFE)
    finding, hole = message_ids.observe(run, sent(2, 1), PERIOD, LIMIT)
    assert finding is Finding.GAP
    assert hole is not None
    assert (hole.first_id, hole.size) == (0xFFFFFFFF, 3)
    assert message_ids.hole_with(run, 0) is hole
    assert message_ids.hole_with(run, 2) is None


def test_an_id_of_an_open_gap_fills_it_once() -> None:
    run = run_of(1, 4)
    assert follow(run, sent(3, 5), sent(3, 5.1, event=5), sent(2, 6)) == [
        Finding.FILLS,
        Finding.DUPLICATE,
        Finding.FILLS,
    ]
    assert not run.holes


def test_an_id_seen_with_the_same_signature_is_a_duplicate() -> None:
    run = run_of(1, 2, 3)
    assert follow(run, sent(2, 9, event=1)) == [Finding.DUPLICATE]


@pytest.mark.parametrize(
    "other",
    [
        sent(2, 9, event=0.5),
        sent(2, 9, event=1, key=2),
        sent(2, 9, event=1, generator="2"),
        sent(2, 9, event=1, kind="push-change-update"),
    ],
)
def test_another_signature_is_no_duplicate(other: Signature) -> None:
    assert follow(run_of(1, 2, 3), other) == [Finding.OVERTAKEN]


def test_without_event_time_a_duplicate_comes_soon() -> None:
    run = Counter("192.0.2.1", 1).all
    first, second = sent(1, 0, event=None), sent(2, 1, event=None)
    follow(run, first, second)
    assert follow(run, sent(1, 4.9, event=None)) == [Finding.DUPLICATE]
    # half a period later it can only be a restart: arrivals stand for event times
    assert follow(run, sent(1, 7, event=None)) == [Finding.RESTART]


def test_a_lower_id_with_a_newer_event_time_is_a_restart() -> None:
    run = run_of(7, 8, 9)
    assert follow(run, sent(0, 5)) == [Finding.RESTART]
    assert run.last_id == 0
    assert run.before_restart == 2 * SECOND


def test_a_lower_id_with_an_older_event_time_was_overtaken_and_moves_nothing() -> None:
    run = run_of(7, 8, 9)
    assert follow(run, sent(5, 5, event=1.5), sent(10, 6)) == [Finding.OVERTAKEN, Finding.NEXT]


def test_far_ahead_is_a_jump_and_a_jump_is_a_restart() -> None:
    run = run_of(1, 2)
    assert follow(run, sent(2 + 4096, 2)) == [Finding.GAP]
    assert follow(run, sent(2 + 2 * 4096 + 1, 3)) == [Finding.RESTART]


def test_a_busy_counter_may_lose_more_than_4096() -> None:
    run = Counter("192.0.2.1", 1).all
    for number in range(2001):
        message_ids.observe(run, sent(number, number / 1000), PERIOD, LIMIT)
    # 1000 a second, silent for five seconds: 10,000 ahead is a gap, 11,000 is not
    assert follow(run, sent(2000 + 10_000, 7)) == [Finding.GAP]
    assert follow(run, sent(2000 + 10_000 + 5_000, 7.1)) == [Finding.RESTART]


def test_after_a_restart_the_holes_before_it_are_no_longer_filled() -> None:
    run = run_of(1, 3)
    assert follow(run, sent(0, 5), sent(2, 6, event=1)) == [Finding.RESTART, Finding.GAP]


def test_a_duplicate_of_a_message_from_before_a_restart_opens_no_gap() -> None:
    run = run_of(11, 12)
    assert follow(run, sent(0, 5), sent(12, 5.1, event=1)) == [
        Finding.RESTART,
        Finding.DUPLICATE,
    ]


def test_at_the_limit_the_oldest_hole_gives_way() -> None:
    run = run_of(*range(0, 40, 2))
    assert len(run.holes) == LIMIT
    assert run.holes[-1].first_id == 37


def test_the_ring_grows_while_what_it_would_forget_is_young() -> None:
    run = Counter("192.0.2.1", 1).all
    for number in range(100):
        message_ids.observe(run, sent(number, number / 10), PERIOD, LIMIT)
    assert len(run.speakers) == 128
    assert follow(run, sent(3, 10, event=0.3)) == [Finding.DUPLICATE]
    slow = Counter("192.0.2.1", 1).all
    for number in range(100):
        message_ids.observe(slow, sent(number, number * 10), PERIOD, LIMIT)
    assert len(slow.speakers) == 4


def test_the_ring_grows_at_once_to_what_its_speed_needs() -> None:
    steady = Counter("192.0.2.1", 1).all
    lengths = []
    for number in range(100):  # four last 0.4 s, so 10 s need a hundred
        message_ids.observe(steady, sent(number, number / 10), PERIOD, LIMIT)
        lengths.append(len(steady.speakers))
    assert sorted(set(lengths)) == [4, 128]
    burst = Counter("192.0.2.1", 1).all
    for number in range(20):  # at one time: nobody knows how many come in 10 s
        message_ids.observe(burst, sent(number, 1), PERIOD, LIMIT)
    assert len(burst.speakers) == 32


def test_at_its_limit_the_ring_forgets_what_is_young() -> None:
    run = Counter("192.0.2.1", 1).all
    for number in range(RING_LIMIT + 1):
        message_ids.observe(run, sent(number, number / 1000), PERIOD, LIMIT)
    assert len(run.speakers) == RING_LIMIT
    assert seen_at(run, sent(0, 9, event=0)) is None
    assert seen_at(run, sent(1, 9, event=0.001)) == SECOND // 1000


def test_without_event_time_is_another_message_than_with_any() -> None:
    run = Counter("192.0.2.1", 1).all
    follow(run, sent(0, 1, event=None), sent(1, 1, event=0))
    assert seen_at(run, sent(0, 1, event=None)) == SECOND
    assert seen_at(run, sent(0, 1, event=0)) is None
    assert seen_at(run, sent(1, 1, event=None)) is None


@pytest.mark.parametrize("event", [2**63, -(2**63) - 1, 2**80])
def test_a_time_beyond_64_bits_is_never_known_again(event: int) -> None:
    """The wire says no such time; whoever hands one over is not stopped by it."""
    run = Counter("192.0.2.1", 1).all
    message = (5, event, 1, "1", "push-update", SECOND)
    seen_ids.remember(run, message)
    assert seen_at(run, message) is None
    seen_ids.remember(run, sent(1, 2))
    assert len(run.speakers) == 4


def test_many_messages_of_one_speaker_are_told_by_one_object() -> None:
    run = run_of(*range(12))
    assert len({id(speaker) for speaker in run.speakers if speaker}) == 1


def test_patience_is_half_a_period_and_at_most_ten_seconds() -> None:
    assert message_ids.patience(0) == 10 * SECOND
    assert message_ids.patience(4 * SECOND) == 2 * SECOND
    assert message_ids.patience(900 * SECOND) == 10 * SECOND


# --------------------------------------------------------------------------- two books
def both(counter: Counter, message: Signature) -> bool:
    each = two_books.run_for_key(counter, message[2], 4)
    message_ids.observe(counter.all, message, PERIOD, LIMIT)
    if each is None:
        return False
    message_ids.observe(each, message, PERIOD, LIMIT)
    return two_books.decide(counter)


def test_with_one_key_there_is_one_book() -> None:
    counter = Counter("192.0.2.1", 1)
    both(counter, sent(1))
    both(counter, sent(2, 1))
    assert not counter.each
    assert counter.run_of(1) is counter.all


def test_ids_per_subscription_are_found_with_the_second_key() -> None:
    counter = Counter("192.0.2.1", 1)
    both(counter, sent(8, 0, key=1))
    assert both(counter, sent(0, 1, key=2))
    assert counter.per_key
    assert not counter.all.in_force
    assert counter.run_of(2) is counter.each[2]
    both(counter, sent(9, 2, key=1))
    both(counter, sent(1, 3, key=2))
    assert counter.per_key
    assert not counter.each[1].holes


def test_ids_per_header_stay_in_one_run() -> None:
    counter = Counter("192.0.2.1", 1)
    for number in range(12):
        both(counter, sent(number, number, key=1 + number % 2))
    assert counter.decided
    assert not counter.per_key
    assert counter.cost_each == two_books.COST_LIMIT


def test_a_lead_of_two_switches_back() -> None:
    counter = Counter("192.0.2.1", 1)
    both(counter, sent(8, 0, key=1))
    both(counter, sent(3, 1, key=2))
    assert counter.per_key
    switched = [
        both(counter, sent(9 + number, 2 + number, key=1 + number % 2)) for number in range(6)
    ]
    assert switched.count(True) == 1
    assert not counter.per_key
    assert counter.all.in_force
    assert not any(run.in_force for run in counter.each.values())


def test_a_hole_that_fills_soon_is_given_back() -> None:
    counter = Counter("192.0.2.1", 1)
    both(counter, sent(1, 0, key=1))
    both(counter, sent(3, 1, key=2))  # the second book sees two first ids
    assert counter.cost_all == 1
    both(counter, sent(2, 2, key=1))
    assert counter.cost_all == 0


def test_an_id_that_fills_late_costs() -> None:
    counter = Counter("192.0.2.1", 1)
    both(counter, sent(1, 0, key=1))
    both(counter, sent(3, 1, key=2))
    both(counter, sent(2, 20, key=1))
    assert counter.cost_all == 2


def test_the_copied_run_keeps_its_holes_and_what_it_saw() -> None:
    counter = Counter("192.0.2.1", 1)
    both(counter, sent(1, 0))
    both(counter, sent(3, 1))
    both(counter, sent(100, 2, key=2))
    twin = counter.each[1]
    assert [hole.first_id for hole in twin.holes] == [2]
    assert twin.holes[0] is not counter.all.holes[0]
    assert twin.last_id == 3


def test_keys_beyond_the_limit_are_not_followed_one_by_one() -> None:
    counter = Counter("192.0.2.1", 1)
    for key in range(10):
        both(counter, sent(key, key, key=key))
    assert len(counter.each) == 4


def test_a_book_behind_by_the_limit_is_laid_aside_until_the_other_one_pays() -> None:
    counter = Counter("192.0.2.1", 1)
    for number in range(12):
        both(counter, sent(number, number, key=1 + number % 2))
    assert two_books.is_far_behind(counter)
    assert two_books.followed(counter, counter.each[1]) == (counter.all,)
    two_books.lay_aside(counter)
    assert [(run.last_id, run.holes) for run in counter.each.values()] == [(None, ())] * 2
    assert counter.all.last_id == 11
    message_ids.observe(counter.all, sent(13, 13, key=1), PERIOD, LIMIT)  # 12 is lost
    assert not two_books.decide(counter)
    assert two_books.followed(counter, counter.each[1]) == (counter.all, counter.each[1])
    assert follow(counter.each[1], sent(14, 14)) == [Finding.FIRST]


def test_the_one_book_may_be_laid_aside_as_well() -> None:
    counter = Counter("192.0.2.1", 1)
    for number in range(12):
        both(counter, sent(number, 2 * number, key=1))
        both(counter, sent(1000 + number, 2 * number + 1, key=2))
    assert two_books.followed(counter, counter.each[2]) == (counter.each[2],)
    two_books.lay_aside(counter)
    assert counter.all.last_id is None
    assert [run.last_id for run in counter.each.values()] == [11, 1011]
    assert message_ids.runs_for_lone_id(counter, 1012, 25 * SECOND) == (counter.each[2],)


# --------------------------------------------------------------------------- ids without a message
def lone(run: Run, message_id: int, at: float) -> tuple[object, object]:
    return message_ids.arrive_without_message(
        run, message_id, round(at * SECOND), "unreassembled", LIMIT
    )


def test_a_half_built_message_next_in_line_moves_the_counter_on() -> None:
    run = run_of(1, 2)
    before, own = lone(run, 3, 2)
    assert before is None
    assert own is run.holes[0]
    assert follow(run, sent(4, 3)) == [Finding.NEXT]
    assert follow(run, sent(3, 4)) == [Finding.FILLS]


def test_a_half_built_message_is_taken_off_its_gap() -> None:
    run = run_of(1, 3)
    before, own = lone(run, 2, 2)
    assert before is None
    assert [hole.cause for hole in run.holes] == ["unreassembled"]
    assert own is run.holes[0]


def test_a_half_built_message_further_on_opens_the_gap_before_it() -> None:
    run = run_of(1)
    before, own = lone(run, 4, 2)
    assert before is not None
    assert own is not None
    assert [(hole.first_id, hole.size) for hole in run.holes] == [(2, 2), (4, 1)]


def test_a_half_built_message_that_was_there_before_is_nothing() -> None:
    assert lone(run_of(1, 2, 3), 2, 3) == (None, None)
    assert lone(run_of(1, 2, 3), 3, 3) == (None, None)
    assert lone(run_of(1, 2, 3), 9000, 3) == (None, None)


def test_a_half_built_message_may_be_the_first() -> None:
    run = Counter("192.0.2.1", 1).all
    lone(run, 17, 2)
    assert follow(run, sent(18, 3)) == [Finding.NEXT]


def test_a_lone_id_belongs_to_the_run_with_that_hole_else_to_the_nearest_behind() -> None:
    counter = Counter("192.0.2.1", 1)
    for message in (sent(10, 0, key=1), sent(50, 1, key=2), sent(12, 2, key=1)):
        both(counter, message)
    assert message_ids.runs_for_lone_id(counter, 11, 0)[1] is counter.each[1]
    assert message_ids.runs_for_lone_id(counter, 51, 0)[1] is counter.each[2]
    assert message_ids.runs_for_lone_id(counter, 13, 0)[1] is counter.each[1]
    counter.each[3] = Run(counter, 3, True)
    assert message_ids.runs_for_lone_id(counter, 13, 0)[1] is counter.each[1]
