"""Corners of the engine that traffic seldom reaches, and the two ways of taking a message."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from collector.core.context import LISTS_SHARED, Context
from collector.core.engine import Engine
from collector.core.memory.snapshot import thaw
from collector.core.memory.state import NONE_YET
from collector.core.memory.state_parts import ListInForce
from collector.core.placing.update_columns import UpdateColumns
from collector.core.settings import EngineSettings, KnownSubscription, Limits
from collector.model import (
    SECOND,
    CollectorDown,
    CollectorTime,
    DeviceTime,
    Fact,
    NotificationKind,
    Provenance,
    Rejected,
    Unreassembled,
    Update,
    Verdict,
)
from tests.helpers import (
    DEVICE,
    SOURCE,
    Wire,
    changed,
    established,
    letters,
    ns,
    numbered,
    run,
    steady,
    terms,
    update,
)

pytestmark = pytest.mark.usefixtures("either_fold")

Kind = NotificationKind


# --------------------------------------------------------------------------- both ways
def one_by_one(records: list[object]) -> list[Fact]:
    return run(records).facts


def in_batches(records: list[object]) -> list[Fact]:
    engine = Engine(EngineSettings())
    facts: list[Fact] = []
    for record in numbered(records):
        if isinstance(record, Update):
            facts += engine.receive_batch(UpdateColumns.of([record]))[1]
        else:
            facts += engine.receive(record, record.arrival)
    return facts


ODD: dict[str, list[object]] = {
    "no ids": [update(31, "1", None), update(32, "1", None, header=None)],
    "incomplete": [update(61.5, "1", 106, time=61, incomplete=True)],
    "another subscription": [update(61.5, "1", 106, subscription=2)],
    "no subscription": [update(61.5, "1", 106, subscription=None)],
    "a stranger behind the header": [update(61.5, "9", 106, header=1)],
    "an odd time and the one behind it": [
        update(61.5, "1", 106, time=-500), update(71.5, "1", 107, time=71.4),
    ],
    "a gap and the one behind it": [
        update(61.5, "1", 108, time=61.4), update(71.5, "1", 109, time=71.4),
    ],
    "late for a closed period": [update(58, "1", 106, time=50.2)],
    "more than usual": [update(50.3, "1", 106, time=50.2), update(50.4, "1", 107, time=50.3)],
    "without time": [update(61.5, "1", 106, time=None)],
    "another source": [update(61.5, "1", 500, source="192.0.2.99"), update(71.5, "1", 106)],
    "behind an end": [
        changed(55, Kind.SUBSCRIPTION_TERMINATED), update(61.5, "1", 106, time=61.4),
    ],
    "behind a long silence": [update(2000.11, "1", 106, time=2000.06)],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ODD))
def test_a_batch_and_single_messages_say_the_same(name: str) -> None:
    records = [established(), *steady(periods=6), *ODD[name]]
    assert in_batches(records) == one_by_one(records)


def test_a_restored_or_renumbered_originator_goes_the_long_way() -> None:
    again = changed(55, Kind.SUBSCRIPTION_STARTED, generators=("1", "2"), terms=terms(10))
    begin = changed(-1, Kind.SUBSCRIPTION_STARTED, generators=("1", "2"), terms=terms(10))
    records = [begin, *steady(periods=12), again]
    assert in_batches(records) == one_by_one(records)


def test_a_cadence_that_slips_is_the_same_both_ways() -> None:
    sent = [update(30.5 * index + 1, "1", index) for index in range(60)]
    records = [established(-1, ("1",), period=30), *sent]
    assert in_batches(records) == one_by_one(records)


def test_a_burst_faster_than_the_ring_is_the_same_both_ways() -> None:
    sent = steady((1,), periods=5, per_period=40)
    records = [established(-1, ("1",)), *sent]
    assert in_batches(records) == one_by_one(records)


def test_strangers_with_a_usual_count_do_not_complete_a_period() -> None:
    sent = [*steady((1, 2, 3), periods=8)]
    records = [established(-1, ("1", "2")), *[one for one in sent if one.message_id != 106]]
    assert in_batches(records) == one_by_one(records)


def test_several_subscriptions_behind_one_header_are_the_same_both_ways() -> None:
    sent = [*steady((1,), periods=8), *steady((1,), periods=8, subscription=2, offset=0.3)]
    records = [established(-1, ("1",)), established(-1, ("1",), subscription=2, name="b"), *sent]
    assert in_batches(records) == one_by_one(records)
    assert letters(run(records).lasts())[:7] == "C" * 7


def test_a_table_of_names_takes_the_long_way() -> None:
    options = EngineSettings(generators={DEVICE: {"1": "2"}})
    engine = Engine(options)
    engine.receive(established(-1, ("2",)), CollectorTime(ns(-1)))
    sent = [update(10 * index + 1, "1", index) for index in range(4)]
    placed, _ = engine.receive_batch(UpdateColumns.of(sent))
    assert set(placed.generators) == {"2"}


@pytest.mark.parametrize("with_name", [True, False])
def test_names_in_the_header_and_observation_times_are_the_same_both_ways(with_name: bool) -> None:
    sent = [
        replace(
            one,
            generator=str(one.publisher_id) if with_name else None,
            observation_time=one.event_time and DeviceTime(one.event_time - ns(0.2)),
        )
        for one in steady(periods=8)
    ]
    records = [established(-1, ("1", "2")), *sent]
    assert in_batches(records) == one_by_one(records)


@pytest.mark.parametrize("said", [None, 2**63 - 1])
def test_event_times_that_are_not_there_are_the_same_both_ways(said: int | None) -> None:
    """The largest one is far from everything that is possible."""
    sent = steady(periods=8)
    sent = [
        replace(one, observation_time=one.event_time, event_time=said and DeviceTime(said))
        for one in sent
    ]
    records = [established(-1, ("1", "2")), *sent]
    twice = [*records, replace(sent[-1], arrival=CollectorTime(ns(79)))]
    assert in_batches(records) == one_by_one(records)
    assert in_batches(twice) == one_by_one(twice)
    assert letters(run(records).lasts())[:7] == "C" * 7


def test_an_empty_batch_says_nothing() -> None:
    placed, facts = Engine(EngineSettings()).receive_batch(UpdateColumns())
    assert (placed.generators, facts) == ([], [])


# --------------------------------------------------------------------------- after a restart
def test_what_a_restored_device_knows_is_skipped_whatever_it_is() -> None:
    wire = Wire().send(established(), *sorted(steady(periods=3), key=lambda one: one.arrival))
    part = wire.engine.snapshot_device(DEVICE)
    again = Engine.restore(EngineSettings(), {DEVICE: part})
    assert again.receive(established(), CollectorTime(ns(21))) == []
    down = CollectorDown(CollectorTime(ns(22)), CollectorTime(ns(21)), 0)
    assert again.receive(down, CollectorTime(ns(22))) == []
    refused = Rejected(CollectorTime(ns(23)), DEVICE, SOURCE, 1, 1, 103, "bad-json", 0)
    assert again.receive(refused, CollectorTime(ns(23))) == []


def test_updates_that_a_restored_device_knows_are_skipped_in_a_batch() -> None:
    sent = numbered([established(), *sorted(steady(periods=6), key=lambda one: one.arrival)])
    engine = Engine(EngineSettings())
    engine.receive(sent[0], sent[0].arrival)
    known = [one for one in sent[1:9] if isinstance(one, Update)]
    engine.receive_batch(UpdateColumns.of(known))
    part = engine.snapshot_device(DEVICE)
    again = Engine.restore(EngineSettings(), {DEVICE: part})
    placed, said = again.receive_batch(UpdateColumns.of(known))
    assert (set(placed.revisions), said) == ({-1}, [])
    rest = UpdateColumns.of([one for one in sent[9:] if isinstance(one, Update)])
    assert again.receive_batch(rest) == engine.receive_batch(rest)


def test_periods_that_wait_for_a_counter_to_speak_hear_it_in_a_batch() -> None:
    """Its last record is missing: whether ids are will be known when the counter speaks again."""
    sent = [
        one for one in steady((1,), periods=9, per_period=3) if one.message_id not in (112, 113)
    ]
    records = [established(-1, ("1",)), *sent]
    assert in_batches(records) == one_by_one(records)


# --------------------------------------------------------------------------- lists
def test_a_list_that_ended_before_the_window_does_not_count() -> None:
    lists = [
        changed(at, Kind.SUBSCRIPTION_MODIFIED, generators=names)
        for at, names in ((32, ("1",)), (33, ("1", "2")), (41, ("2",)), (42, ("1", "2")))
    ]
    sent = [*steady(periods=8), *lists]
    wire = run([established(), *sent], until=78)
    assert letters(wire.lasts()) == "C" * 8
    assert [len(row.required) for row in wire.lasts()] == [2, 2, 2, 1, 1, 2, 2, 2]


def test_lists_beyond_the_limit_are_forgotten() -> None:
    options = EngineSettings(limits=Limits(lists=3))
    lists = [
        changed(31 + index / 100, Kind.SUBSCRIPTION_MODIFIED, generators=("1", "2"))
        for index in range(9)
    ]
    wire = run([established(), *steady(periods=6), *lists], options, until=58)
    assert letters(wire.lasts()) == "CCCCCC"


def test_a_list_that_comes_late_holds_from_then_on() -> None:
    """No list at first, data is already unknown for two periods: then one is declared."""
    listed = changed(15, Kind.SUBSCRIPTION_MODIFIED, generators=("1", "2"))
    sent = [*steady((1,), periods=5), *steady((2,), start=1, periods=4), listed]
    wire = run([established(generators=None), *sent], until=48)
    assert letters(wire.lasts()) == "uCCCC" or letters(wire.lasts()) == "uuCCC"


def test_who_was_alone_and_stays_away_is_given_up_and_found_again() -> None:
    options = EngineSettings(
        forget_after=100 * SECOND, known={("*", 1): KnownSubscription(terms=terms(10))}
    )
    sent = [*steady((1,), periods=5), *steady((1,), start=100, periods=5, first_id=105)]
    wire = run(sent, options, until=1048)
    assert [row.state for row in _rows(wire)] == ["active", "active", "ended", "active", "active"]
    assert _rows(wire)[2].reason == "forgotten"
    assert letters(wire.lasts())[-5:] == "uuCCC"


def test_a_dynamic_subscription_is_never_given_up() -> None:
    options = EngineSettings(forget_after=100 * SECOND)
    wire = run([established(-1, None), *steady((1,), periods=5)], options, until=300)
    assert {row.state for row in _rows(wire)} == {"active"}


def _rows(wire: Wire) -> list[object]:
    return [fact for fact in wire.facts if hasattr(fact, "state")]


# --------------------------------------------------------------------------- ids
def half_built(at: float, message_id: int, header: int) -> Unreassembled:
    """A message of which a segment came half a second before."""
    return Unreassembled(
        CollectorTime(ns(at)), DEVICE, SOURCE, 5000, header, message_id,
        CollectorTime(ns(at - 0.5)), 0,
    )  # fmt: skip


def test_a_half_built_message_goes_to_the_subscription_that_is_due() -> None:
    """Two runs stand at the same id; the arc of the second meets the first segment."""
    first = [update(10 * index + 1, "1", index) for index in range(8)]
    second = [update(10 * index + 5, "1", index, subscription=2) for index in range(8)]
    kept = [one for one in (*first, *second) if not (one.subscription_id == 2
                                                      and one.message_id == 6)]  # fmt: skip
    both = [
        established(-1, ("1",)), established(-1, ("1",), subscription=2, name="b"),
        established(-1, ("1",), subscription=3, name="c", anchor_time=None),
    ]  # fmt: skip
    wire = run([*both, *kept, half_built(65.5, 6, 1)], until=78)
    row = [one for one in wire.lasts() if one.subscription_id == 2][6]
    assert [str(one.cause) for one in row.missing] == ["unreassembled"]


def test_a_half_built_message_behind_a_gap_opens_both() -> None:
    gone = (112, 113, 114)
    sent = [one for one in steady((1,), periods=9, per_period=3) if one.message_id not in gone]
    wire = run([established(-1, ("1",)), *sent, half_built(40.71, 113, 1)], until=88)
    assert letters(wire.lasts()) == "CCCCICCCC"
    assert [str(one.cause) for one in wire.row(4).missing] == ["unreassembled"]


def test_a_half_built_message_seen_before_is_nothing() -> None:
    wire = run([established(), *steady(periods=5), half_built(41, 104, 1)], until=48)
    assert letters(wire.lasts()) == "CCCCC"


def test_a_half_built_message_before_any_start_is_nobodys() -> None:
    wire = run([half_built(1, 5, 1), update(2, "1", 6, subscription=9)])
    assert wire.verdicts == []


def test_a_restart_without_a_known_arc_is_put_on_its_neighbours() -> None:
    start = [established(-1, ("1", "2"))]
    sent = [update(1, "1", 50, header=7), update(4, "1", 3, header=7)]
    wire = run([*start, *sent], until=48)
    assert wire.kinds() == ["restart"]


def test_a_switch_of_scope_judges_again_what_the_other_book_touched() -> None:
    """Ids per header id; one subscription sends late, so that its run looks cheaper at first."""
    sent: list[Update] = []
    for index in range(9):
        sent.append(update(10 * index + 1, "1", 3 * index, header=7))
        sent.append(update(10 * index + 2, "1", 3 * index + 1, header=7, subscription=2))
        sent.append(update(10 * index + 3, "1", 3 * index + 2, header=7))
    both = [established(-1, ("1",)), established(-1, ("1",), subscription=2, name="b")]
    wire = run([*both, *sent[:4], *sent[5:]], until=88)
    second = [row for row in wire.lasts() if row.subscription_id == 2]
    assert letters(second) == "CICCCCCCC"
    first = [row for row in wire.lasts() if row.subscription_id == 1]
    assert set(letters(first)) == {"C"}


def test_suspects_stop_at_the_limit() -> None:
    options = EngineSettings(limits=Limits(suspects=2))
    sent = [one for one in steady((1,), periods=20) if not 105 <= one.message_id < 112]
    wire = run([established(-1, ("1",)), *sent], options, until=198)
    assert letters(wire.lasts()).count("I") == 7


def test_an_outage_of_a_subscription_says_lost_for_the_periods_it_keeps() -> None:
    sent = [one for one in steady((1,), periods=12) if not 104 <= one.message_id < 108]
    wire = run([established(-1, ("1",)), *sent], until=118)
    rows = [row for row in wire.lasts() if row.missing]
    assert [str(row.missing[0].cause) for row in rows] == ["lost"] * 4


def test_a_silent_counter_makes_room_for_another() -> None:
    options = EngineSettings(limits=Limits(counters_per_device=1), forget_after=10 * SECOND)
    engine = Engine(options)
    engine.receive(update(1, "1", 1), CollectorTime(ns(1)))
    engine.receive(update(5, "2", 1), CollectorTime(ns(5)))
    engine.receive(update(50, "2", 2), CollectorTime(ns(50)))
    assert engine.fell_off() == {DEVICE: {"counters": 2}}


def test_an_unknown_id_that_was_silent_makes_room_for_another() -> None:
    early = [update(number / 1000, "1", number, subscription=number) for number in range(256)]
    late = [update(4000 + at, "1", at, subscription=999) for at in range(2)]
    wire = run([*early, *late])
    assert wire.engine.fell_off() == {DEVICE: {"unknown_ids": 1}}


def test_ports_with_a_start_are_bounded() -> None:
    starts = [
        changed(-1 + port / 1000, Kind.SUBSCRIPTION_STARTED, generators=("1",), terms=terms(10),
                port=port, subscription=port)
        for port in range(1, 300)
    ]  # fmt: skip
    wire = run([*starts, update(5, "1", 5, subscription=7777, port=3)])
    assert "id_differs" not in wire.kinds()


def test_an_id_heard_before_the_start_is_not_that_subscription() -> None:
    start = changed(2, Kind.SUBSCRIPTION_STARTED, generators=("1",), terms=terms(10), port=4000)
    sent = [update(at, "1", at, subscription=77, port=4000) for at in (1, 3)]
    assert run([start, *sent]).kinds() == ["unattributed_loss"]


# --------------------------------------------------------------------------- times
def test_a_held_up_record_of_a_period_kept_no_longer_only_counts() -> None:
    sent = steady((1,), periods=14)
    old = sent.pop(3)
    late = update(128, "1", old.message_id, time=30.06)
    wire = run([established(-1, ("1",)), *sent, late], until=138)
    row = wire.row(3)
    assert (row.outcome, row.final) == ("INCOMPLETE", True)


def test_held_up_records_may_follow_each_other() -> None:
    sent = [
        update(10 * index + 1 + part / 10, "1", 2 * index + part)
        for index in range(10) for part in range(2) if index != 5
    ]  # fmt: skip
    late = [
        update(58, "1", 10, time=51), update(58.1, "1", 11, time=51.1),
    ]  # fmt: skip
    wire = run([established(-1, ("1",)), *sent, *late], until=98)
    assert letters(wire.lasts()) == "C" * 10


def test_a_range_of_record_times_and_arrivals_is_learned_both_ways() -> None:
    """Within one period an earlier time and a later arrival come in any order."""
    sent: list[Update] = []
    for index in range(6):
        base = 10 * index
        for part, (at, time) in enumerate(((1.0, 0.9), (1.2, 0.5), (1.4, 1.3))):
            sent.append(update(base + at, "1", 3 * index + part, time=base + time))
    wire = run([established(-1, ("1",)), *sent], until=58)
    state = wire.engine.states()[0]
    assert letters(wire.lasts()) == "C" * 6
    assert state.arc_start == round(0.5 * SECOND)
    assert state.arc_end == round(1.3 * SECOND)


def test_the_reply_may_come_after_the_first_records() -> None:
    wire = run([*steady(periods=1), established(5), *steady(start=1, periods=5, first_id=101)],
               until=58)  # fmt: skip
    assert letters(wire.lasts())[-4:] == "CCCC"


def test_two_first_rows_at_one_moment_are_said_in_order() -> None:
    both = [established(-1, ("1",)), established(-1, ("1",), subscription=2, name="b")]
    wire = run(both, until=98)
    said: list[Verdict] = wire.verdicts
    assert [row.subscription_id for row in said[:8]] == [1, 1, 1, 1, 2, 2, 2, 2]


# --------------------------------------------------------------------------- seldom reached
def test_a_late_record_after_the_final_row_does_not_sharpen_the_set() -> None:
    sent = [one for one in steady((1, 2), periods=9) if one.message_id != 104]
    late = update(70.5, "1", 104, time=40.06)
    wire = run([established(), *sent, late], until=88)
    assert [one.generator for one in wire.row(4).missing] == ["1", "2"]


def test_a_silence_that_ends_before_its_first_range_does() -> None:
    sent = [*steady((1,), periods=3), update(670.11, "1", 103, time=670.06)]
    wire = run([established(-1, ("1",)), *sent], until=680)
    assert letters(wire.firsts()) == "CCC" + 64 * "I" + "C"


def test_a_slip_is_forgotten_with_its_period() -> None:
    sent = [update(30.5 * index + 1, "1", index) for index in range(160)]
    wire = run([established(-1, ("1",), period=30), *sent])
    assert letters(wire.lasts()).count("n") in (2, 3)


def test_a_duplicate_behind_a_header_with_two_subscriptions_is_dropped() -> None:
    sent = [*steady((1,), periods=4), *steady((1,), periods=4, subscription=2, offset=0.3)]
    both = [established(-1, ("1",)), established(-1, ("1",), subscription=2, name="b")]
    again = update(31, "1", 103, time=30.06)
    assert run([*both, *sent, again], until=38).facts == run([*both, *sent], until=38).facts


def test_ids_missing_where_nobody_is_due_are_put_on_the_neighbours() -> None:
    sent = [*steady((1,), periods=6), update(54, "1", 106, time=53.9)]
    more = [update(54.5, "1", 109, time=54.4)]
    wire = run([established(-1, ("1",)), *sent, *more], until=58)
    assert [str(one.cause) for one in wire.row(5).degraded] == ["loss"]


def test_a_half_built_message_where_nobody_is_due_is_put_on_the_one_behind_it() -> None:
    sent = [*steady((1,), periods=6), update(54, "1", 107, time=53.9)]
    wire = run([established(-1, ("1",)), *sent, half_built(53.5, 106, 1)], until=58)
    assert [str(one.cause) for one in wire.row(5).degraded] == ["loss"]


def test_what_waits_for_a_final_row_survives_a_restart() -> None:
    sent = [one for one in steady(periods=6) if (one.generator, one.message_id) != ("2", 104)]
    over = changed(51, Kind.SUBSCRIPTION_STARTED, generators=("1",), terms=terms(10),
                   subscription=2)  # fmt: skip
    end = changed(52, Kind.SUBSCRIPTION_TERMINATED, subscription=2)
    wire = run([established(), *sent, over, end])
    again = Engine.restore(EngineSettings(), {DEVICE: wire.engine.snapshot_device(DEVICE)})
    assert again.handle_timer(CollectorTime(ns(68))) == wire.engine.handle_timer(
        CollectorTime(ns(68))
    )


def test_rows_of_an_outage_share_who_is_missing() -> None:
    wire = run([established(), *steady(periods=4)], until=130)
    silent = [row for row in wire.firsts() if row.missing]
    assert len(silent) > 2
    assert len({id(row.missing) for row in silent}) == 1


def test_a_restart_makes_equal_texts_and_empty_tables_one_again() -> None:
    wire = run([established(), *steady(periods=4)])
    device, _ = thaw(wire.engine.snapshot_device(DEVICE))
    (one,) = device.subscriptions.values()
    for name, originator in one.originators.items():
        assert originator.holes is originator.restarts is NONE_YET
        assert originator.name is name
        assert all(key is name for p in one.periods.values() for key in p.slots if key == name)
    assert all(counter.each is NONE_YET for counter in device.counters.values())


def test_a_silent_period_while_learning_brings_nothing() -> None:
    sent = [*steady((1,), periods=1), *steady((1,), start=2, periods=3, first_id=101)]
    wire = run([established(-1, None), *sent], until=48)
    assert letters(wire.lasts()) == "uuuCC"


def test_an_incomplete_record_before_the_first_period_belongs_to_nothing() -> None:
    sent = steady((1,), start=3, periods=3)
    stray = update(30.2, "2", 1, time=-500, incomplete=True)
    wire = run([established(29, ("1",)), *sent, stray], until=58)
    assert letters(wire.lasts()) == "CCC"


def test_a_record_of_a_forgotten_period_belongs_to_nothing_even_if_the_clock_stepped() -> None:
    sent = steady((1,), periods=12)
    odd = [
        update(121 + 10 * index, "1", 112 + index, time=31 + 10 * index, incomplete=index == 0)
        for index in range(3)
    ]
    wire = run([established(-1, ("1",)), *sent, *odd], until=148)
    assert wire.kinds() == ["clock_step"]
    assert letters(wire.lasts())[-2:] == "CC"


def test_a_record_that_moves_joins_those_of_the_period_of_its_arrival() -> None:
    sent = [update(10 * index + 1, "1", index) for index in range(7) if index != 5]
    odd = [update(61.1, "1", 7, time=51.1)]
    odd += [update(71 + 10 * index, "1", 8 + index, time=61 + 10 * index) for index in range(3)]
    wire = run([established(-1, ("1",)), *sent, *odd], until=98)
    assert wire.kinds() == ["clock_step"]
    assert wire.row(5).outcome == "INCOMPLETE"


def test_a_record_that_moves_leaves_the_others_where_they_are() -> None:
    sent = [update(10 * index + 1, "1", index) for index in range(7) if index != 5]
    late = [update(58, "1", 5, time=51)]
    odd = [update(61.1, "1", 7, time=51.1)]
    odd += [update(71 + 10 * index, "1", 8 + index, time=61 + 10 * index) for index in range(3)]
    wire = run([established(-1, ("1",)), *sent, *late, *odd], until=98)
    assert wire.kinds() == ["clock_step"]
    assert wire.row(5).outcome == "COMPLETE"


def test_a_gap_between_a_new_start_and_its_first_record_blames_nobody() -> None:
    begin = changed(-1, Kind.SUBSCRIPTION_STARTED, generators=("1",), terms=terms(10))
    again = changed(53, Kind.SUBSCRIPTION_STARTED, generators=("1",), terms=terms(10),
                    header=1, message_id=106)  # fmt: skip
    more = changed(54, Kind.SUBSCRIPTION_MODIFIED, generators=("1",), header=1, message_id=109)
    wire = run([begin, *steady((1,), periods=6), again, more], until=58)
    assert wire.kinds() == ["unattributed_loss"]


@pytest.mark.parametrize("begins", [6, 8])
def test_a_hole_from_before_the_second_key_is_in_both_books(begins: int) -> None:
    sent = [one for one in steady((1,), periods=9) if one.message_id != 104]
    second = [update(10 * index + 3, "1", 500 + index, subscription=2)
              for index in range(begins, 9)]  # fmt: skip
    both = [established(-1, ("1",)), established(-1, ("1",), subscription=2, name="b")]
    wire = run([*both, *sent, *second], until=88)
    row = [one for one in wire.lasts() if one.subscription_id == 1][4]
    assert [str(one.cause) for one in row.missing] == ["lost"]


def test_a_subscription_without_a_name_has_no_predecessor() -> None:
    wire = run([established(-1, ("1",), name=""), *steady((1,), periods=3)], until=28)
    assert letters(wire.lasts()) == "CCC"


def test_what_was_learned_without_ids_is_taken_over_too() -> None:
    begin = changed(-1, Kind.SUBSCRIPTION_STARTED, generators=("1",), terms=terms(10))
    again = changed(55, Kind.SUBSCRIPTION_STARTED, generators=("1",), terms=terms(10))
    sent = [update(10 * index + 1, "1", None) for index in range(12)]
    wire = run([begin, *sent, again], until=118)
    assert letters(wire.lasts()) == "C" * 12
    assert wire.row(7).judged_at == ns(71)


def test_a_record_of_a_period_said_in_a_range_belongs_to_nothing() -> None:
    down = CollectorDown(CollectorTime(ns(192)), CollectorTime(ns(33)), 0)
    late = update(193, "1", 104, time=193)
    more = steady((1,), start=20, periods=2, first_id=105)
    records = [established(-1, ("1",)), *steady((1,), periods=4), down, late, *more]
    options = EngineSettings(grace=SECOND)
    engine = Engine(options)
    facts: list[Fact] = []
    for record in numbered(records):
        if isinstance(record, Update):
            facts += engine.receive_batch(UpdateColumns.of([record]))[1]
        else:
            facts += engine.receive(record, record.arrival)
    assert facts == run(records, options).facts


def test_records_at_the_border_of_a_period_come_in_any_order() -> None:
    sent = steady((1,), periods=5)
    border = [update(54.9, "1", 105, time=55.3), update(54.95, "1", 106, time=54.9)]
    records = [established(-1, ("1",)), *sent, *border]
    assert in_batches(records) == one_by_one(records)


def test_a_jump_of_our_clock_touches_the_period_behind_it_too() -> None:
    sent = [one for one in steady(periods=9) if (one.generator, one.message_id) != ("2", 104)]
    plain = CollectorDown(CollectorTime(ns(32)), CollectorTime(ns(31)), 0)
    moved = CollectorDown(CollectorTime(ns(32)), CollectorTime(ns(31)), 0, clock_moved=True)
    assert letters(run([established(), *sent, plain], until=58).firsts())[4] == "I"
    assert letters(run([established(), *sent, moved], until=58).firsts())[4] == "n"


def test_ids_without_terms_and_revisions_that_are_over_can_be_seen() -> None:
    wire = run([established(), *steady(periods=2), update(12, "1", 7, subscription=9)])
    assert [(one.subscription_id, one.generators) for one in wire.engine.unknown()] == [(9, ("1",))]
    over = changed(13, Kind.SUBSCRIPTION_TERMINATED)
    wire.send(over)
    assert wire.engine.states() == []
    assert len(wire.engine.states(ended=True)) == 2


def test_equal_lists_share_their_members_and_only_so_many_are_remembered() -> None:
    context = Context(EngineSettings())
    first, other = (ListInForce(None, 0, (*"ab",), Provenance.DECLARED) for _ in range(2))
    context.share(first)
    context.share(other)
    assert other.members is first.members
    assert other.allowed is first.allowed
    for number in range(LISTS_SHARED):
        context.share(ListInForce(None, 0, (str(number),), Provenance.DECLARED))
    assert len(context.lists) <= LISTS_SHARED
    assert (*"ab",) not in context.lists
