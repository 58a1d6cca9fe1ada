"""Verdicts: causes, outcomes, deadlines, amendments, as the engine says them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from collector.core.judging.judge import cause_of_degraded, cause_of_missing, outcome_of
from collector.core.placing.update_columns import UpdateColumns
from collector.core.settings import EngineSettings, Limits
from collector.model import (
    SECOND,
    Cause,
    CollectorTime,
    Dropped,
    NotificationKind,
    Outcome,
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
    run,
    steady,
    tick,
    update,
)

pytestmark = pytest.mark.usefixtures("either_fold")


def without(sent: list[Update], generator: str, *ids: int) -> list[Update]:
    """The messages that are not of ``generator`` with one of ``ids``."""
    return [one for one in sent if not (one.generator == generator and one.message_id in ids)]


def closed_up(sent: list[Update], generator: str, *ids: int) -> list[Update]:
    """The same, the publisher never made them: later ids move up."""
    found = []
    for one in without(sent, generator, *ids):
        less = sum(1 for number in ids if one.generator == generator and one.message_id > number)
        at = (one.arrival - ns(0)) / 1e9
        found.append(update(at, one.generator, one.message_id - less, time=at - 0.05))
    return found


def causes(row: Verdict) -> dict[str, str]:
    """Generator -> cause, of what is missing or degraded."""
    return {one.generator: str(one.cause) for one in (*row.missing, *row.degraded)}


def rows_of(wire: Wire, index: int) -> list[Verdict]:
    """All rows of a period."""
    wanted = wire.row(index).period_index
    return [row for row in wire.verdicts if row.period_index == wanted]


# --------------------------------------------------------------------------- plain rules
@pytest.mark.parametrize(
    ("holes", "flags", "expected"),
    [
        ([], {}, Cause.SILENT),
        ([], {"restarted": True}, Cause.RESTARTED),
        ([], {"restarted": True, "left": True}, Cause.LEFT),
        ([Cause.LOST], {"restarted": True, "left": True}, Cause.LOST),
        ([Cause.LOST, Cause.UNREASSEMBLED], {}, Cause.UNREASSEMBLED),
        ([Cause.UNREASSEMBLED, Cause.REJECTED], {}, Cause.REJECTED),
        ([Cause.REJECTED], {"dropped": True}, Cause.LOST_HERE),
    ],
)
def test_of_several_causes_the_heaviest_counts(
    holes: list[Cause], flags: dict[str, bool], expected: Cause
) -> None:
    given = {"dropped": False, "left": False, "restarted": False, **flags}
    assert cause_of_missing(holes, **given) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"charged": True}, Cause.LOSS),
        ({"charged": True, "incomplete": True}, Cause.LOSS),
        ({"records": 1, "past": True}, None),
        ({"records": 1, "past": False}, Cause.LOSS),
        ({"records": 1, "touched": True}, Cause.LOSS),
        ({"usual": None, "possible": True}, Cause.POSSIBLE_LOSS),
        ({"usual": None, "touched": True}, None),
        ({"possible": True, "touched": True}, None),
        ({"incomplete": True}, Cause.INCOMPLETE_UPDATE),
    ],
)
def test_why_an_originator_is_degraded(given: dict[str, Any], expected: Cause | None) -> None:
    values = {
        "records": 2, "usual": 2, "charged": False, "touched": False, "possible": False,
        "past": True, "incomplete": False, **given,
    }  # fmt: skip
    assert cause_of_degraded(**values) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (set(), Outcome.COMPLETE),
        ({"stretch"}, Outcome.COMPLETE),
        ({"missing", "stretch"}, Outcome.NOT_JUDGED),
        ({"missing", "excused", "degraded"}, Outcome.INCOMPLETE),
        ({"excused", "degraded"}, Outcome.NOT_JUDGED),
        ({"degraded"}, Outcome.DEGRADED),
        ({"degraded", "stretch"}, Outcome.NOT_JUDGED),
    ],
)
def test_the_outcome_by_precedence(given: set[str], expected: Outcome) -> None:
    names = ("missing", "degraded", "excused", "stretch")
    assert outcome_of(**{name: name in given for name in names}) is expected


# --------------------------------------------------------------------------- when
def test_complete_is_said_by_the_record_that_completes_it() -> None:
    wire = run([established(), *steady(periods=6)])
    assert wire.row(5).outcome is Outcome.COMPLETE
    assert wire.row(5).judged_at == ns(50.12)


def test_while_counts_are_unknown_a_later_period_or_the_deadline_completes() -> None:
    wire = run([established(), *steady(periods=2)], until=100)
    assert wire.row(0).judged_at == ns(0.12 + 5)


def test_with_an_unknown_count_the_next_period_completes_before_a_long_deadline() -> None:
    wire = run([established(), *steady(periods=2)], EngineSettings(grace=15 * SECOND), until=100)
    assert wire.row(0).judged_at == ns(10.12)


def test_the_deadline_is_nominal_plus_the_latest_arc_plus_grace() -> None:
    sent = without(steady(periods=6), "1", 105)
    wire = run([established(), *sent], EngineSettings(grace=2 * SECOND), until=100)
    first = rows_of(wire, 5)[0]
    assert first.deadline == first.judged_at == ns(50.12 + 2)


def test_a_required_one_never_heard_moves_the_deadline_to_half_a_period() -> None:
    wire = run([established(-35, ("1", "2")), *steady((1,), periods=6)], until=100)
    assert wire.row(3).deadline == ns(30.11 + 5 + 5)


def test_a_record_at_the_very_deadline_is_in_time() -> None:
    sent = without(steady(periods=6), "1", 104)
    sent.append(update(45.12, "1", 104, time=40.06))
    wire = run([established(), *sent], until=48)
    assert [row.outcome for row in rows_of(wire, 4)] == ["COMPLETE"]
    assert not wire.row(4).late_generators


def test_the_default_grace_is_half_a_period_in_bounds() -> None:
    for period, grace in ((0.2, 0.2), (1, 0.5), (10, 5), (60, 5), (300, 15)):
        sent = [update(period * index, "1", index) for index in range(6)]
        wire = run([established(-1, ("1",), period=period), *sent], until=period * 20)
        last = wire.row(7)
        assert last.deadline - last.nominal_time == round(grace * SECOND), period


# --------------------------------------------------------------------------- causes of missing
def test_lost_on_the_way_is_said_when_the_counter_speaks_again() -> None:
    sent = without(steady(periods=8), "2", 104)
    rows = rows_of(run([established(), *sent], until=200), 4)
    assert [(row.amendment, causes(row), row.final) for row in rows] == [
        (0, {"2": "silent"}, False),
        (1, {"2": "lost"}, False),
        (2, {"2": "lost"}, True),
    ]
    assert [row.judged_at for row in rows] == [ns(45.12), ns(50.12), ns(65.12)]


def test_never_sent_stays_silent() -> None:
    wire = run([established(), *closed_up(steady(periods=8), "2", 104, 105)], until=78)
    assert letters(wire.lasts()) == "CCCCIICC"
    assert causes(wire.row(4)) == causes(wire.row(5)) == {"2": "silent"}


def test_a_new_run_of_ids_explains_the_missing_record() -> None:
    sent = [
        one if one.generator == "1" or one.arrival < ns(50)
        else update((one.arrival - ns(0)) / 1e9, "2", one.message_id - 106)
        for one in without(steady(periods=9), "2", 105)
    ]  # fmt: skip
    wire = run([established(), *sent], until=88)
    assert letters(wire.lasts()) == "CCCCCICCC"
    assert causes(wire.row(5)) == {"2": "restarted"}
    assert wire.kinds() == ["restart"]


def half_built(at: float, message_id: int, header: int = 2) -> Unreassembled:
    """A message of which a segment came half a second before."""
    return Unreassembled(
        CollectorTime(ns(at)), DEVICE, SOURCE, 5000, header, message_id,
        CollectorTime(ns(at - 0.5)), 0,
    )  # fmt: skip


def test_a_half_built_message_names_its_cause() -> None:
    sent = without(steady(periods=8), "2", 104)
    wire = run([established(), *sent, half_built(40.62, 104)], until=78)
    assert letters(wire.firsts()) == "CCCCICCC"
    assert causes(rows_of(wire, 4)[0]) == {"2": "unreassembled"}
    assert causes(wire.row(4)) == {"2": "unreassembled"}


def test_a_half_built_message_that_gets_whole_is_no_loss() -> None:
    sent = without(steady(periods=8), "2", 104)
    late = update(41.5, "2", 104, time=40.07)
    wire = run([established(), *sent, half_built(40.62, 104), late], until=78)
    assert letters(wire.firsts()) == "C" * 8
    assert wire.row(4).judged_at == ns(41.5)


def test_a_half_built_message_keeps_a_period_of_several_records_open() -> None:
    sent = without(steady(periods=8, per_period=2), "2", 109)
    wire = run([established(), *sent, half_built(40.67, 109)], until=78)
    assert causes(wire.row(4)) == {"2": "loss"}


def test_a_half_built_message_without_a_known_arc_waits_for_the_next_one() -> None:
    wire = run([established(-1, ("1",)), half_built(0.6, 5, header=1), update(1, "1", 6)], until=58)
    assert causes(wire.row(0)) == {"1": "loss"}


def refused(at: float, message_id: int | None, header: int | None = 2) -> Rejected:
    """A message with a good header whose payload could not be read."""
    return Rejected(CollectorTime(ns(at)), DEVICE, SOURCE, 5000, header, message_id, "bad-json", 0)


def test_a_refused_payload_names_its_cause() -> None:
    sent = without(steady(periods=8), "2", 104)
    wire = run([established(), *sent, refused(40.12, 104)], until=78)
    assert causes(rows_of(wire, 4)[0]) == {"2": "rejected"}
    assert letters(wire.lasts()) == "CCCCICCC"


def test_a_refused_datagram_without_a_good_header_is_nobodys() -> None:
    wire = run([established(), *steady(periods=5), refused(40.12, None, None)], until=48)
    assert letters(wire.lasts()) == "CCCCC"


def test_our_own_drops_explain_a_gap_across_them() -> None:
    sent = without(steady(periods=8), "2", 104)
    drop = Dropped(CollectorTime(ns(42)), CollectorTime(ns(40)), 7, 0)
    wire = run([established(), *sent, drop], until=78)
    assert causes(rows_of(wire, 4)[0]) == {"2": "lost_here"}
    assert causes(wire.row(4)) == {"2": "lost_here"}


def test_our_own_drops_do_not_explain_what_was_never_sent() -> None:
    drop = Dropped(CollectorTime(ns(42)), CollectorTime(ns(40)), 7, 0)
    wire = run([established(), *closed_up(steady(periods=8), "2", 104), drop], until=78)
    assert [causes(row)["2"] for row in rows_of(wire, 4)] == ["lost_here", "silent", "silent"]


def test_drops_that_are_known_after_the_verdict_amend_it() -> None:
    sent = without(steady(periods=8), "2", 104)
    drop = Dropped(CollectorTime(ns(47)), CollectorTime(ns(40)), 7, 0)
    wire = run([established(), *sent, drop], until=78)
    assert [causes(row)["2"] for row in rows_of(wire, 4)[:2]] == ["silent", "lost_here"]


def test_drops_elsewhere_explain_nothing() -> None:
    sent = closed_up(steady(periods=8), "2", 104)
    drop = Dropped(CollectorTime(ns(44)), CollectorTime(ns(43)), 7, 0)
    unheard = established(-50, ("1", "2", "9"))
    assert causes(run([established(), *sent, drop], until=78).row(4)) == {"2": "silent"}
    both = run([unheard, *sent, drop], until=78).row(4)
    assert causes(both) == {"2": "silent", "9": "silent"}


def test_a_list_without_it_soon_after_says_that_it_left() -> None:
    modified = changed(58, NotificationKind.SUBSCRIPTION_MODIFIED, generators=("1",))
    sent = [*steady((1,), periods=9), *steady((2,), periods=4), modified]
    wire = run([established(), *sent], until=88)
    assert letters(wire.lasts()) == "CCCCIICCC"
    assert causes(rows_of(wire, 4)[0]) == {"2": "silent"}
    assert causes(wire.row(4)) == causes(wire.row(5)) == {"2": "left"}
    assert wire.row(6).required == ("1",)


def test_a_list_without_it_long_after_does_not() -> None:
    modified = changed(98, NotificationKind.SUBSCRIPTION_MODIFIED, generators=("1",))
    sent = [*steady((1,), periods=12), *steady((2,), periods=4), modified]
    wire = run([established(), *sent], until=118)
    assert causes(wire.row(4)) == {"2": "silent"}
    assert causes(wire.row(8)) == {"2": "left"}


# --------------------------------------------------------------------------- degraded
def test_a_lost_message_among_several_degrades() -> None:
    sent = without(steady(periods=9, per_period=3), "2", 113)
    wire = run([established(), *sent], until=88)
    assert letters(wire.lasts()) == "CCCCDCCCC"
    assert causes(wire.row(4)) == {"2": "loss"}


def test_two_short_ones_behind_one_header_do_not_excuse_each_other() -> None:
    sent: list[Update] = []
    number = 0
    for index in range(9):
        for part in range(2):
            for card in ("1", "2"):
                at = 10 * index + 1 + 0.1 * part + 0.02 * int(card)
                if not (index == 5 and part == 1):
                    sent.append(update(at, card, number, header=7))
                number += 1
    wire = run([established(), *sent], until=88)
    assert letters(wire.lasts()) == "CCCCCDCCC"
    assert causes(wire.row(5)) == {"1": "loss", "2": "loss"}


def test_the_absent_one_explains_the_gap_of_its_sibling() -> None:
    sent = [
        update(10 * index + 1 + 0.02 * card, str(card), 2 * index + card, header=7)
        for index in range(9) for card in (1, 2)
    ]  # fmt: skip
    wire = run([established(), *without(sent, "2", 12)], until=88)
    assert letters(wire.lasts()) == "CCCCCICCC"
    assert causes(wire.row(5)) == {"2": "lost"}


def test_more_ids_than_the_absent_one_owes_are_charged_to_its_sibling() -> None:
    """Three ids are gone, one originator is absent and owes one, the other sent all it sends."""
    sent = [
        update(10 * index + 1 + 0.02 * card, str(card),
               2 * index + card + (2 if index > 5 else 0), header=7)
        for index in range(9) for card in (1, 2)
    ]  # fmt: skip
    wire = run([established(), *without(sent, "2", 12)], until=120)
    assert causes(wire.row(5)) == {"2": "lost"}


def test_a_low_count_with_unbroken_ids_is_cleared_by_the_next_message() -> None:
    sent = closed_up(steady(periods=9, per_period=2), "2", 111)
    wire = run([established(), *sent], until=88)
    assert [(row.outcome, causes(row)) for row in rows_of(wire, 5)] == [
        ("DEGRADED", {"2": "loss"}),
        ("COMPLETE", {}),
    ]


def test_a_variable_count_with_a_gap_is_a_possible_loss() -> None:
    """Behind one header id: one absent, the other with no usual count."""
    sent: list[Update] = []
    number = 0
    for index in range(9):
        for card, parts in (("1", 1 + index % 3), ("2", 1)):
            for part in range(parts):
                at = 10 * index + 1 + 0.1 * part + 0.02 * int(card)
                sent.append(update(at, card, number, header=7))
                number += 1
    gone = [one for one in sent if one.generator == "2" and ns(50) < one.arrival < ns(60)]
    assert len(gone) == 1
    more = [
        one if one.arrival < ns(60)
        else update((one.arrival - ns(0)) / 1e9, one.generator, one.message_id + 1, header=7)
        for one in sent if one is not gone[0]
    ]  # fmt: skip
    wire = run([established(), *more], until=88)
    assert causes(wire.row(5)) == {"2": "lost", "1": "possible_loss"}


def test_without_ids_a_low_count_cannot_be_proved_harmless() -> None:
    sent = [
        update(10 * index + 1 + part / 10, "1", None)
        for index in range(9) for part in range(2) if (index, part) != (6, 1)
    ]  # fmt: skip
    wire = run([established(-1, ("1",)), *sent], until=88)
    assert letters(wire.lasts()) == "CCCCCCDCC"


def test_the_publisher_admits_an_incomplete_update() -> None:
    sent = steady(periods=6)
    sent[-1] = update(50.12, "2", 105, time=50.07, incomplete=True)
    wire = run([established(), *sent], until=58)
    assert causes(wire.row(5)) == {"2": "incomplete_update"}
    assert wire.row(5).outcome is Outcome.DEGRADED


def test_ids_that_nobody_owes_are_an_event() -> None:
    wire = Wire().send(update(1, "1", 1, subscription=9), update(2, "1", 5, subscription=9))
    assert wire.kinds() == ["unattributed_loss"]


def test_ids_beyond_what_is_owed_are_an_event_in_the_end() -> None:
    """Between two arcs nobody is due; the neighbours are not short."""
    settled = steady((1,), periods=6)
    extra = update(55, "1", 106, time=50.06)
    after = [update(10 * index + 0.11, "1", index + 102, time=10 * index + 0.06)
             for index in range(6, 80)]  # fmt: skip
    wire = run([established(-1, ("1",)), *settled, extra, *after])
    assert set(wire.kinds()) <= {"unattributed_loss", "restart"}


# --------------------------------------------------------------------------- amendments
def test_a_late_record_amends_as_if_in_time_and_is_named() -> None:
    sent = without(steady(periods=8), "2", 104)
    late = update(58, "2", 104, time=40.07)
    rows = rows_of(run([established(), *sent, late], until=100), 4)
    assert [row.outcome for row in rows] == ["INCOMPLETE", "INCOMPLETE", "COMPLETE"]
    assert rows[-1].late_generators == ("2",)
    assert not rows[-1].final


def test_after_the_final_row_a_late_record_only_counts() -> None:
    sent = without(steady(periods=9), "2", 104)
    late = update(66, "2", 104, time=40.07)
    rows = rows_of(run([established(), *sent, late], until=100), 4)
    assert [(row.outcome, row.final) for row in rows] == [
        ("INCOMPLETE", False), ("INCOMPLETE", False), ("INCOMPLETE", True),
    ]  # fmt: skip


def test_a_gap_found_after_complete_amends_it() -> None:
    """No usual count yet: the lost message shows only with the next one."""
    sent = without(steady(periods=6, per_period=2), "2", 101)
    rows = rows_of(run([established(), *sent], until=100), 0)
    assert [row.outcome for row in rows][:2] == ["COMPLETE", "DEGRADED"]
    assert rows[-1].final


def test_an_outage_is_told_from_a_dead_card_long_after_the_final_rows() -> None:
    sent = without(steady((1,), periods=40), "1", *range(105, 135))
    wire = run([established(-1, ("1",)), *sent], until=398)
    assert letters(wire.lasts()) == "CCCCC" + 30 * "I" + "CCCCC"
    assert {causes(row)["1"] for row in wire.lasts() if row.missing} == {"lost"}
    assert rows_of(wire, 6)[-1].judged_at == ns(350.11)
    assert [row.final for row in rows_of(wire, 6)] == [False, True, True]


def test_a_cause_sharpens_for_64_periods_only() -> None:
    sent = without(steady((1,), periods=90), "1", *range(105, 85 + 100))
    wire = run([established(-1, ("1",)), *sent], until=898)
    said = [causes(row)["1"] for row in wire.lasts() if row.missing]
    assert said[0] == "silent"
    assert said.count("lost") in range(1, 65)


def test_one_arrival_amends_several_periods_in_order() -> None:
    sent = without(steady(periods=9), "2", 104, 105)
    wire = run([established(), *sent], until=88)
    amended = [row.period_index for row in wire.verdicts if row.judged_at == ns(60.12)]
    assert amended == sorted(amended)
    assert len(amended) == 2


def test_an_unexpected_generator_is_named_even_after_complete() -> None:
    sent = [*steady(periods=6), update(54, "9", 1, time=50.1)]
    wire = run([established(), *sent], until=58)
    assert [row.unexpected for row in rows_of(wire, 5)] == [(), ("9",)]


# --------------------------------------------------------------------------- silence
def test_a_long_silence_closes_as_ranges() -> None:
    wire = run([established(-1, ("1",)), *steady((1,), periods=5)], until=100_000)
    rows = [row for row in wire.verdicts if row.amendment == 0]
    assert len(rows) < 100
    assert all(row.period_to == row.period_index for row in rows[:69])
    assert rows[69].period_to - rows[69].period_index == 63
    assert rows[69].final
    assert all(b.period_index == a.period_to + 1 for a, b in pairwise(rows))


def test_the_end_of_a_silence_closes_the_range_where_it_stands() -> None:
    sent = [*steady((1,), periods=5), update(2005, "1", 105, time=2004.9)]
    wire = run([established(-1, ("1",)), *sent], until=2018)
    firsts = wire.firsts()
    assert all(b.period_index == a.period_to + 1 for a, b in pairwise(firsts))
    assert letters(firsts) == "C" * 5 + "I" * 195 + "C"


def test_extra_ticks_do_not_cut_a_range() -> None:
    plain = run([established(-1, ("1",)), *steady((1,), periods=5)], until=5000)
    ticks = [tick(at) for at in range(60, 5000, 7)]
    ticked = run([established(-1, ("1",)), *steady((1,), periods=5), *ticks], until=5000)
    assert plain.verdicts == ticked.verdicts


# --------------------------------------------------------------------------- bounds
def test_at_the_limit_no_further_originator_is_followed() -> None:
    limits = Limits(originators_per_subscription=3)
    sent = [update(1 + card / 100, str(card), 1) for card in range(1, 9)]
    wire = run([established(-1, ("1",)), *sent], EngineSettings(limits=limits), until=9)
    assert len(wire.engine.states()) == 3


def test_at_the_limit_no_further_counter_is_followed() -> None:
    limits = Limits(counters_per_device=2)
    sent = [update(1 + card / 100, str(card), 1) for card in range(1, 6)]
    more = [refused(2, 5, header=77)]
    wire = run([established(-1, ("1",)), *sent, *more], EngineSettings(limits=limits), until=9)
    assert wire.engine.fell_off() == {DEVICE: {"counters": 4}}


def test_a_day_of_telemetry_runs_in_seconds() -> None:
    """4 cards, 10 s period: 8,640 periods, a message lost now and then."""
    sent = [
        one for one in steady((1, 2, 3, 4), periods=8640)
        if one.message_id % 1000 or one.generator != "2"
    ]  # fmt: skip
    wire = Wire()
    wire.engine.receive(established(-1, ("1", "2", "3", "4")), CollectorTime(ns(-1)))
    sent.sort(key=lambda one: one.arrival)
    _, wire.facts = wire.engine.receive_batch(UpdateColumns.of(sent))
    wire.until(86_399)
    assert letters(wire.lasts()).count("I") == 8
    assert letters(wire.lasts()).count("C") == 8632


def test_a_stranger_that_is_always_late_still_has_a_usual_count() -> None:
    """Its records come after the deadline, which waits for listed originators only.

    Eight periods have to agree: the listed card sends now one, now two.
    """
    sent = []
    number = 0
    for index in range(14):
        for card, at, count in (("1", 0.1, 1 + index % 2), ("9", 4.0, 3)):
            for part in range(count):
                lost = card == "9" and index == 11
                if not lost:
                    when = index * 10 + at + part * 0.01
                    sent.append(update(when, card, number, header=7))
                number += 1
    wire = run([established(generators=("1",)), *sent], EngineSettings(grace=SECOND), until=135)
    assert letters(wire.lasts()) == "C" * 14  # what is missing was the stranger's
    assert [row.unexpected for row in wire.lasts()].count(("9",)) == 13
