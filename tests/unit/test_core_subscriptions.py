"""Subscriptions: states, terms, revisions, lists, first and last periods."""

from __future__ import annotations

import msgspec
import pytest

from collector.core.engine import Engine
from collector.core.inventory import Inventory
from collector.core.memory.snapshot import FORMAT
from collector.core.memory.state_parts import Unknown
from collector.core.placing.learned_period import observe, snapped
from collector.core.placing.update_columns import UpdateColumns
from collector.core.settings import (
    EngineSettings,
    KnownSubscription,
    Limits,
    NamedSubscription,
)
from collector.core.subscriptions.control_modes import mode_of
from collector.errors import UsageError
from collector.model import (
    SECOND,
    CollectorDown,
    CollectorStopped,
    CollectorTime,
    DeviceTime,
    Ended,
    NotificationKind,
    OnChange,
    Provenance,
    SubscriptionRow,
    SubscriptionTerms,
)
from tests.columns import plain
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
    terms,
    tick,
    update,
)

Kind = NotificationKind
STARTED = Kind.SUBSCRIPTION_STARTED
MODIFIED = Kind.SUBSCRIPTION_MODIFIED


def rows(wire: Wire) -> list[SubscriptionRow]:
    """Rows of the subscriptions table."""
    return [fact for fact in wire.facts if isinstance(fact, SubscriptionRow)]


def ended(at: float, number: int | None = 1) -> Ended:
    """The subscription is over without a notification."""
    return Ended(CollectorTime(ns(at)), DEVICE, number, "deleted", 0)


# --------------------------------------------------------------------------- first periods
def test_who_was_not_heard_yet_may_be_starting_for_four_periods() -> None:
    wire = run([established(-1), *steady((1,), periods=8)], until=82)
    assert letters(wire.lasts()) == "nnnnIIII"
    assert wire.row(0).reason == "starting"
    assert not wire.row(0).missing
    assert [(one.generator, str(one.cause)) for one in wire.row(5).missing] == [("2", "silent")]


def test_while_one_is_starting_another_missing_record_still_makes_incomplete() -> None:
    sent = [one for one in steady((1,), periods=8) if one.message_id != 102]
    wire = run([established(-1), *sent], until=82)
    assert letters(wire.lasts()) == "nnInIIII"
    assert [one.generator for one in wire.row(2).missing] == ["1"]


def test_a_card_that_starts_two_periods_later_is_not_missed_before() -> None:
    wire = run([established(-1), *steady((1,), periods=8), *steady((2,), start=2)], until=78)
    assert letters(wire.lasts()) == "nnCCCCCC"


def test_no_record_at_all_is_said_at_the_deadline_of_the_fourth_period() -> None:
    wire = run([established(1)], until=98)
    assert letters(wire.firsts()) == "nnnnIIIII"
    assert {row.judged_at for row in wire.firsts()[:4]} == {ns(1 + 30 + 5 + 5)}
    assert wire.firsts()[4].judged_at == ns(51)
    assert {one.generator for one in wire.firsts()[4].missing} == {"1", "2"}


def test_no_record_and_no_anchor_counts_from_the_reply() -> None:
    wire = run([established(3, anchor_time=None)], until=98)
    assert letters(wire.firsts()) == "nnnnIIIII"
    assert wire.firsts()[0].nominal_time == ns(3)


def test_no_record_and_no_list_says_nothing() -> None:
    assert run([established(1, None)], until=98).verdicts == []


def test_records_before_the_first_period_belong_to_nothing() -> None:
    sent = [update(20.1, "1", 1), *steady((1,), start=3, periods=3)]
    stray = update(20.2, "2", 1, time=-500)
    wire = run([established(-1, ("1",)), *sent, stray], until=58)
    assert min(row.period_index for row in wire.verdicts) == wire.row(2).period_index


# --------------------------------------------------------------------------- lists
def test_a_list_change_is_judged_by_what_the_lists_have_in_common() -> None:
    more = changed(42, MODIFIED, generators=("1", "2", "3"))
    sent = [*steady(periods=8), *steady((3,), start=5, periods=3), more]
    wire = run([established(), *sent], until=78)
    assert letters(wire.lasts()) == "C" * 8
    assert wire.row(4).required == ("1", "2")
    assert wire.row(5).required == ("1", "2", "3")
    assert rows(wire)[-1].generators == ("1", "2", "3")


def test_duplicates_in_a_list_are_merged() -> None:
    wire = run([established(generators=("1", "2", "1")), *steady(periods=3)], until=28)
    assert wire.row(1).required == ("1", "2")


def test_an_event_time_far_off_does_not_date_a_list() -> None:
    fewer = changed(52, MODIFIED, generators=("1",), event=-3000)
    sent = [*steady((1,), periods=8), *steady((2,), periods=5), fewer]
    wire = run([established(), *sent], until=78)
    assert wire.row(4).required == ("1", "2")
    assert wire.row(6).required == ("1",)


def test_a_list_older_than_the_one_before_begins_with_it() -> None:
    first = changed(43, MODIFIED, generators=("1",))
    second = changed(44, MODIFIED, generators=("2",), event=38)
    wire = run([established(), *steady(periods=8), first, second], until=78)
    assert letters(wire.lasts()) == "C" * 8
    assert wire.row(6).required == ("2",)


def test_the_operators_list_counts_whatever_the_device_declares() -> None:
    options = EngineSettings(
        named={(DEVICE, "interfaces"): NamedSubscription(expect=("1", "2", "3"))}
    )
    modified = changed(33, MODIFIED, generators=("1",))
    wire = run([established(-50), *steady(periods=6), modified], options, until=62)
    assert wire.row(5).provenance is Provenance.CONFIGURED
    assert [one.generator for one in wire.row(5).missing] == ["3"]


def test_without_a_list_the_members_are_learned() -> None:
    wire = run([established(generators=None), *steady(periods=6)], until=58)
    assert letters(wire.lasts()) == "uuCCCC"
    assert wire.row(3).provenance is Provenance.LEARNED
    assert wire.row(0).provenance is None
    assert wire.row(0).received == ("1", "2")


def test_a_learned_list_is_unknown_until_nobody_new_came() -> None:
    sent = [*steady((1,), periods=7), *steady((2,), start=1), *steady((3,), start=2, periods=5)]
    wire = run([established(generators=None), *sent], until=66)
    assert letters(wire.lasts()) == "uuuuCCC"


def test_members_absent_twice_are_left_out_of_what_is_locked() -> None:
    sent = [*steady((1, 2), periods=9), *steady((3,), periods=1), *steady((4,), start=1, periods=1)]
    wire = run([established(generators=None), *sent], until=58)
    assert letters(wire.lasts()) == "uuuICC"[:3] + letters(wire.lasts())[3:]
    assert wire.row(3).required == ("1", "2", "4")


def test_a_newcomer_is_required_once_present_in_two_periods_running() -> None:
    sent = [
        *steady((1,), periods=9),
        *steady((2,), start=3, periods=1),
        *steady((2,), start=5, periods=4),
    ]
    wire = run([established(generators=None), *sent], until=88)
    assert [row.required for row in wire.lasts()[2:]] == [("1",)] * 5 + [("1", "2")] * 2
    assert wire.row(3).unexpected == ("2",)


def test_a_learned_member_that_stays_away_is_forgotten_after_a_while() -> None:
    options = EngineSettings(forget_after=100 * SECOND)
    sent = [*steady((1,), periods=30), *steady((2,), periods=5)]
    wire = run([established(generators=None), *sent], options, until=298)
    assert wire.kinds() == ["forgotten"]
    assert letters(wire.lasts()) == "uuCCC" + 10 * "I" + 15 * "C"
    assert wire.row(20).required == ("1",)


def test_a_declared_list_that_the_data_contradicts_is_an_event_once() -> None:
    wire = run([established(-35, ("1", "2", "9")), *steady((1, 2, 3), periods=15)], until=148)
    assert wire.kinds().count("list_contradicts_data") == 1
    event = next(one for one in wire.events if one.kind == "list_contradicts_data")
    assert "9 never sends" in event.text
    assert "3 sends and is not declared" in event.text


def test_a_list_that_fits_again_is_no_contradiction() -> None:
    stranger = [update(10 * index + 1, "3", index) for index in range(9) if index % 4]
    wire = run([established(-35), *steady((1, 2), periods=9), *stranger], until=88)
    assert "list_contradicts_data" not in wire.kinds()


# --------------------------------------------------------------------------- terms and revisions
def test_other_terms_open_a_new_revision() -> None:
    faster = changed(32, MODIFIED, generators=("1", "2"), terms=terms(5))
    sent = [
        *steady(periods=3),
        *steady(periods=8, period=5, start=7),
        update(30.11, "1", 103, time=30.06),
    ]  # fmt: skip
    wire = run([established(), *sent, faster], until=73)
    assert {row.revision for row in wire.verdicts} == {0, 8}
    old = [row for row in wire.lasts() if row.revision == 0]
    new = [row for row in wire.lasts() if row.revision == 8]
    assert letters(old) == "CCCn"
    assert old[-1].reason == "terms_changed"
    assert set(letters(new[1:])) == {"C"}


def test_the_same_terms_change_the_list_only() -> None:
    again = changed(32, MODIFIED, generators=("1", "2"), terms=terms(10))
    wire = run([established(), *steady(periods=6), again], until=58)
    assert {row.revision for row in wire.verdicts} == {0}


def test_a_modify_reply_with_other_terms_is_a_new_revision_with_the_same_a_list() -> None:
    same = established(22, ("1",), modified=True)
    other = established(42, ("1",), period=5, modified=True)
    wire = run([established(), *steady(periods=4), same], until=41)
    assert [row.period_cs for row in rows(wire)] == [1000, 1000]
    wire.send(other)
    assert rows(wire)[-1].period_cs == 500
    assert rows(wire)[-2].state == "ended"


def test_a_start_with_the_same_terms_takes_over_what_was_learned() -> None:
    """A usual count of 2 is known at once: a loss shows in the first period of the revision."""
    second = changed(-1, STARTED, generators=("1",), terms=terms(10))
    sent = steady((1,), periods=12, per_period=2)
    again = changed(55, STARTED, generators=("1",), terms=terms(10))
    wire = run([second, *sent[:12], again, *sent[12:]], until=118)
    assert wire.row(7).judged_at == ns(70.16)
    assert len({row.revision for row in wire.verdicts}) == 2
    assert letters(wire.lasts()) == "C" * 12


def test_a_reestablished_subscription_takes_over_by_its_name() -> None:
    again = established(55, ("1",), subscription=2)
    sent = steady((1,), periods=6, per_period=2)
    more = steady((1,), start=6, periods=6, per_period=2, subscription=2, first_id=112)
    wire = run([established(-1, ("1",)), *sent, ended(54), again, *more], until=118)
    assert next(row.judged_at for row in wire.verdicts if row.subscription_id == 2) == ns(60.16)
    assert set(letters(wire.lasts())) == {"C"}


def test_other_terms_take_nothing_over() -> None:
    again = established(55, ("1",), subscription=2, encoding="encode-xml")
    sent = steady((1,), periods=6, per_period=2)
    more = steady((1,), start=6, periods=6, per_period=2, subscription=2, first_id=112)
    wire = run([established(-1, ("1",)), *sent, ended(54), again, *more], until=118)
    assert next(row.judged_at for row in wire.verdicts if row.subscription_id == 2) == ns(65.11)


def test_data_after_an_end_without_a_start_goes_on_with_the_last_known_terms() -> None:
    start = changed(-1, STARTED, generators=("1", "2"), terms=terms(10))
    over = changed(33, Kind.SUBSCRIPTION_TERMINATED, reason="receiver-unavailable")
    sent = [*steady(periods=4), *steady(start=6, periods=5, first_id=106)]
    wire = run([start, *sent, over], until=108)
    assert letters(wire.lasts()) == "CCCC" + "uuCCC"
    assert [row.state for row in rows(wire)] == ["active", "ended", "active", "active"]


def test_what_was_made_before_an_end_is_only_late() -> None:
    start = changed(-1, STARTED, generators=("1", "2"), terms=terms(10))
    over = changed(33, Kind.SUBSCRIPTION_TERMINATED)
    late = update(36, "1", 200, time=32)
    wire = run([start, *steady(periods=4), over, late], until=108)
    assert len({row.revision for row in wire.verdicts}) == 1


def test_a_revived_subscription_keeps_the_operators_list() -> None:
    known = KnownSubscription(terms=terms(10), expect=("1", "2"))
    over = changed(33, Kind.SUBSCRIPTION_TERMINATED)
    sent = [*steady(periods=4), *steady(start=6, periods=3, first_id=104)]
    wire = run([*sent, over], EngineSettings(known={("*", 1): known}), until=88)
    assert letters(wire.lasts()) == "CCCC" + "CCC"


def test_a_dynamic_subscription_is_never_revived() -> None:
    wire = run([established(), *steady(periods=6), ended(33)], until=88)
    assert letters(wire.lasts()) == "CCCC"
    assert wire.engine.fell_off() == {DEVICE: {"after_end": 4}}


def test_an_overtaken_state_change_is_for_the_predecessor() -> None:
    start = changed(-1, STARTED, generators=("1", "2"), terms=terms(10), header=9, message_id=50)
    late = changed(33, MODIFIED, generators=("1",), header=9, message_id=49, event=-3)
    other = changed(34, MODIFIED, generators=("1", "2"), header=8, message_id=3)
    wire = run([start, *steady(periods=6), late, other], until=58)
    assert wire.row(5).required == ("1", "2")
    assert wire.kinds() == ["overtaken_state_change", "decomposed_anew"]


def test_a_doubled_state_change_is_dropped() -> None:
    start = changed(-2, STARTED, generators=("1", "2"), terms=terms(10), header=9, message_id=50)
    again = changed(-0.5, STARTED, generators=("1", "2"), terms=terms(10), header=9,
                    message_id=50, event=-2)  # fmt: skip
    wire = run([start, again, *steady(periods=3)], until=28)
    assert len(rows(wire)) == 1


def test_a_start_without_terms_uses_the_operators() -> None:
    options = EngineSettings(known={(DEVICE, 1): KnownSubscription(name="cpu", terms=terms(10))})
    start = changed(-1, STARTED, generators=("1", "2"), bare=True)
    wire = run([start, *steady(periods=6)], options, until=58)
    assert rows(wire)[0].name == "cpu"
    assert rows(wire)[0].generators == ()
    assert wire.row(5).period_source == "configured"


def test_a_start_without_terms_uses_the_last_known_ones() -> None:
    start = changed(-1, STARTED, generators=("1", "2"), terms=terms(10))
    again = changed(43, STARTED, generators=("1", "2"))
    wire = run([start, *steady(periods=8), again], until=78)
    assert letters(wire.lasts()) == "C" * 8


def test_the_operators_period_fills_in() -> None:
    options = EngineSettings(
        named={("*", "interfaces"): NamedSubscription(period=10 * SECOND, grace=SECOND)}
    )
    wire = run([established(-1, period=0), *steady(periods=5)], options, until=48)
    assert letters(wire.lasts())[-2:] == "CC"
    assert wire.row(4).period_source == "configured"
    assert wire.row(4).deadline == ns(40.12 + 1)


@pytest.mark.parametrize(
    "terms", [SubscriptionTerms(on_change=OnChange()), SubscriptionTerms(stream="NETCONF")]
)
def test_what_has_no_period_is_followed_and_not_judged(terms: SubscriptionTerms) -> None:
    start = changed(-1, STARTED, generators=("1", "2"), terms=terms)
    wire = run([update(-2, "1", 99), start, *steady(periods=5)], until=48)
    assert wire.verdicts == []
    assert rows(wire)[0].period_cs is None


# --------------------------------------------------------------------------- stop-time
def stop(at: float) -> DeviceTime:
    return DeviceTime(ns(at))


def test_what_would_come_after_the_stop_time_is_not_owed() -> None:
    """RFC 8639 §2.7.3: reaching it is nothing that a publisher has to announce."""
    wire = run([established(stop_time=stop(40)), *steady(periods=4)], until=200)
    assert letters(wire.lasts()) == "CCCC"
    assert [(row.state, row.reason) for row in rows(wire)][-1] == ("ended", "stop-time")


def test_what_was_due_before_the_stop_time_is_owed() -> None:
    sent = [one for one in steady(periods=4) if one.message_id != 103]
    wire = run([established(stop_time=stop(40)), *sent], until=200)
    assert letters(wire.lasts()) == "CCCI"
    assert rows(wire)[-1].reason == "stop-time"


def test_a_stop_time_in_the_middle_of_a_period_excuses_its_records() -> None:
    sent = [one for one in steady(periods=4) if (one.message_id, one.generator) != (103, "1")]
    wire = run([established(stop_time=stop(30.01)), *sent], until=200)
    assert letters(wire.lasts()) == "CCCn"
    assert wire.row(3).reason == "ended"
    nobody = [one for one in sent if one.message_id != 103]
    wire = run([established(stop_time=stop(30.01)), *nobody], until=200)
    assert letters(wire.lasts()) == "CCC"


def test_a_prolonged_subscription_goes_on() -> None:
    more = established(35, stop_time=stop(70), modified=True)
    wire = run([established(stop_time=stop(40)), *steady(periods=7), more], until=300)
    assert letters(wire.lasts()) == "CCCCCCC"
    assert [row.state for row in rows(wire)] == ["active", "active", "ended"]


def test_a_silent_one_ends_at_its_stop_time() -> None:
    wire = run([established(-1, stop_time=stop(12))], until=200)
    assert wire.verdicts == []
    assert rows(wire)[-1].reason == "stop-time"
    without_list = run([established(-1, None, stop_time=stop(12))], until=200)
    assert rows(without_list)[-1].reason == "stop-time"


@pytest.mark.parametrize("target", [{"on_change": OnChange()}, {"stream": "NETCONF"}])
def test_what_has_no_period_ends_at_its_stop_time(target: dict[str, object]) -> None:
    start = established(-1, period=None, stop_time=stop(40), **target)  # type: ignore[arg-type]
    wire = run([start, update(39, "1", 99), update(41, "1", 100)], until=44.9)
    assert rows(wire)[-1].state == "active"
    wire = run([start, update(39, "1", 99), update(41, "1", 100)], until=46)
    assert (rows(wire)[-1].reason, rows(wire)[-1].to_time) == ("stop-time", ns(45))
    assert wire.verdicts == []


# --------------------------------------------------------------------------- states
def test_a_suspension_is_not_judged() -> None:
    stop = changed(33, Kind.SUBSCRIPTION_SUSPENDED, reason="insufficient-resources")
    again = changed(52, Kind.SUBSCRIPTION_RESUMED)
    sent = [*steady(periods=4), *steady(start=6, periods=3, first_id=104)]
    wire = run([established(), *sent, stop, again], until=88)
    assert letters(wire.lasts()) == "CCCCnnCCC"
    assert wire.row(4).reason == "suspended"
    assert [row.state for row in rows(wire)] == ["active", "suspended", "active"]


def test_the_end_of_a_replay_changes_no_state() -> None:
    start = established(-1, period=None, stream="NETCONF")  # type: ignore[arg-type]
    wire = run([start, changed(1, Kind.REPLAY_COMPLETED)], until=10)
    assert [row.state for row in rows(wire)] == ["active"]


def test_a_modification_ends_a_suspension() -> None:
    """RFC 8639 §2.4.3; prolonging one by another stop-time leaves its terms as they are."""
    stop = changed(33, Kind.SUBSCRIPTION_SUSPENDED, reason="insufficient-resources")
    sent = [*steady(periods=4), *steady(start=6, periods=3, first_id=104)]
    wire = run([established(), *sent, stop, established(52, modified=True)], until=88)
    assert [row.state for row in rows(wire)] == ["active", "suspended", "active"]
    assert letters(wire.lasts()) == "CCCCnnCCC"


def test_a_second_suspension_and_a_needless_resumption_change_nothing() -> None:
    stop = [changed(at, Kind.SUBSCRIPTION_SUSPENDED) for at in (33, 34)]
    again = [changed(at, Kind.SUBSCRIPTION_RESUMED) for at in (52, 53)]
    other = changed(54, Kind.REPLAY_COMPLETED)
    sent = [*steady(periods=4), *steady(start=6, periods=3, first_id=104)]
    wire = run([established(), *sent, *stop, *again, other], until=88)
    assert letters(wire.lasts()) == "CCCCnnCCC"


def test_a_modification_that_the_device_tells_ends_a_suspension() -> None:
    stop = changed(33, Kind.SUBSCRIPTION_SUSPENDED)
    again = changed(52, MODIFIED, generators=("1", "2"))
    sent = [*steady(periods=4), *steady(start=6, periods=3, first_id=104)]
    wire = run([established(), *sent, stop, again], until=88)
    assert letters(wire.lasts()) == "CCCCnnCCC"


def test_at_the_end_open_periods_are_complete_or_not_judged() -> None:
    sent = [one for one in steady(periods=6) if (one.generator, one.message_id) != ("2", 105)]
    wire = run([established(), *sent, ended(53)], until=88)
    assert letters(wire.lasts()) == "CCCCCn"
    assert wire.row(5).reason == "ended"
    assert wire.row(5).final


def test_the_end_of_a_session_ends_every_dynamic_subscription() -> None:
    other = changed(-1, STARTED, generators=("1",), terms=terms(10), subscription=7)
    wire = run([established(), established(subscription=2, name="b"), other, ended(3, None)])
    assert [(row.id, row.state) for row in rows(wire)][-2:] == [(1, "ended"), (2, "ended")]
    assert len(rows(wire)) == 5


def test_an_end_of_what_is_over_or_unknown_is_nothing() -> None:
    wire = run([ended(1), established(2), ended(3), ended(4), ended(5, 99)])
    assert [row.state for row in rows(wire)] == ["active", "ended"]
    unknown = run(
        [changed(1, Kind.SUBSCRIPTION_TERMINATED), changed(2, STARTED, subscription=None)]
    )
    assert unknown.facts == []


def test_an_end_makes_pending_rows_final() -> None:
    sent = [one for one in steady(periods=6) if (one.generator, one.message_id) != ("2", 104)]
    wire = run([established(), *sent, ended(55.5)], until=88)
    assert wire.row(4).final
    assert wire.row(4).judged_at == ns(55.5)


def test_a_completed_subscription_ends() -> None:
    start = changed(-1, STARTED, generators=("1", "2"), terms=terms(10))
    wire = run([start, *steady(periods=3), changed(24, Kind.SUBSCRIPTION_COMPLETED)])
    assert (rows(wire)[-1].state, rows(wire)[-1].reason) == ("ended", "subscription-completed")


def test_an_orderly_stop_closes_the_books() -> None:
    sent = [one for one in steady(periods=6) if (one.generator, one.message_id) != ("2", 105)]
    wire = run([established(), *sent, CollectorStopped(CollectorTime(ns(52)), 0)])
    assert letters(wire.lasts()) == "CCCCCn"
    assert wire.row(5).reason == "ended"


# --------------------------------------------------------------------------- our own absence
def down(since: float, at: float) -> CollectorDown:
    """We did not listen in between."""
    return CollectorDown(CollectorTime(ns(at)), CollectorTime(ns(since)), 0)


def test_a_long_absence_is_one_row() -> None:
    sent = [*steady(periods=4), *steady(start=20, periods=3, first_id=120)]
    wire = run([established(), *sent, down(33, 198)], until=228)
    absent = [row for row in wire.verdicts if row.reason == "collector_down"]
    assert len(absent) == 1
    assert absent[0].period_to - absent[0].period_index == 15
    assert letters(wire.firsts()) == "CCCC" + 16 * "n" + "CCC"


def test_a_period_already_said_keeps_its_row() -> None:
    sent = [one for one in steady(periods=4) if (one.generator, one.message_id) != ("2", 102)]
    more = steady(start=6, periods=3, first_id=106)
    wire = run([established(), *sent, *more, down(33, 52)], until=88)
    assert wire.row(2).outcome == "INCOMPLETE"
    assert letters(wire.lasts())[:6] == "CCICnn"


def test_a_period_touched_by_a_short_absence_is_not_judged() -> None:
    sent = [one for one in steady(periods=6) if (one.generator, one.message_id) != ("2", 103)]
    wire = run([established(), *sent, down(30.11, 32)], until=58)
    assert letters(wire.lasts()) == "CCCnCC"
    assert wire.row(3).reason == "collector_down"


def test_an_absence_before_any_record_is_nothing() -> None:
    wire = run([established(-1), down(0, 8), *steady(start=1, periods=3)], until=38)
    assert letters(wire.lasts()) == "CCC"


# --------------------------------------------------------------------------- unknown subscriptions
def test_data_before_the_reply_is_held() -> None:
    sent = steady(periods=3)
    wire = run([established(0.5), *sent], until=28)
    assert letters(wire.lasts()) == "CCC"


def test_held_messages_are_dropped_when_older_than_a_period() -> None:
    wire = run([established(25), *steady(periods=5)], until=48)
    assert min(row.nominal_time for row in wire.verdicts) == ns(20)


def test_at_most_64_messages_are_held() -> None:
    early = [update(0.5 + number / 1000, "1", number) for number in range(80)]
    wire = run([*early, established(0.9, ("1",))], until=9)
    assert wire.engine.fell_off() == {DEVICE: {"held_messages": 16}}


def test_at_most_so_many_unknown_ids_are_followed() -> None:
    wire = run([update(number / 100, "1", number, subscription=number) for number in range(300)])
    assert wire.engine.fell_off() == {DEVICE: {"unknown_ids": 44}}
    assert wire.verdicts == []


def test_data_under_another_id_than_the_one_started_is_found_by_its_port() -> None:
    start = changed(-1, STARTED, generators=("1", "2"), terms=terms(10), port=4000)
    sent = steady(periods=4, subscription=77, port=4000)
    over = changed(38, Kind.SUBSCRIPTION_TERMINATED)
    wire = run(
        [start, *sent, over, *steady(start=4, periods=2, subscription=77, first_id=104)], until=78
    )
    assert wire.kinds() == ["id_differs"]
    assert letters(wire.lasts()) == "CCCC"
    assert {row.subscription_id for row in wire.verdicts} == {1}


def test_a_port_with_two_starts_names_nobody() -> None:
    starts = [
        changed(-1, STARTED, generators=("1",), terms=terms(10), port=4000, subscription=number)
        for number in (1, 2)
    ]
    assert run([*starts, update(1, "1", 5, subscription=77, port=4000)]).kinds() == []


def test_a_port_whose_start_is_over_names_nobody() -> None:
    start = changed(-1, STARTED, generators=("1",), terms=terms(10), port=4000)
    over = changed(0, Kind.SUBSCRIPTION_TERMINATED)
    assert run([start, over, update(1, "1", 5, subscription=77, port=4000)]).kinds() == []


def test_a_message_without_a_subscription_id_is_not_placed() -> None:
    engine = Engine(EngineSettings())
    placed, _ = engine.receive_batch(UpdateColumns.of([update(1, "1", 1, subscription=None)]))
    assert (list(placed.revisions), plain(placed.period_indexes)) == ([-1], [None])


# --------------------------------------------------------------------------- learned periods
def test_a_distance_snaps_within_five_percent() -> None:
    assert snapped(round(9.51 * SECOND)) == 10 * SECOND
    assert snapped(round(9.4 * SECOND)) is None
    assert snapped(60 * SECOND) == 60 * SECOND


def test_a_period_is_learned_from_three_distances_that_agree() -> None:
    unknown = Unknown()
    found = [
        observe(unknown, "1", ns(60 * index + part)) for index in range(5) for part in (0, 1, 2)
    ]
    assert [one for one in found if one][:1] == [60 * SECOND]


def test_a_period_is_learned_behind_a_lost_burst() -> None:
    """A distance of two periods must not make every later one look like half of a burst."""
    unknown = Unknown()
    times = [0, 120, 180, 240, 300, 360, 420, 480]
    found = [observe(unknown, "1", ns(at)) for at in times]
    assert [one for one in found if one][:1] == [60 * SECOND]


def test_records_of_one_burst_a_second_apart_are_no_period() -> None:
    unknown = Unknown()
    found = [
        observe(unknown, "1", ns(60 * index + part)) for index in range(6) for part in range(9)
    ]
    assert [one for one in found if one][:1] == [60 * SECOND]
    alone = Unknown()
    seconds = [observe(alone, "1", ns(part)) for part in range(12)]
    assert seconds == [None] * 10 + [SECOND] * 2


def test_two_updates_a_period_are_no_shorter_period() -> None:
    unknown = Unknown()
    times = [60 * index + part for index in range(6) for part in (0, 20)]
    found = [observe(unknown, "1", ns(at)) for at in times]
    assert {one for one in found if one} == {60 * SECOND}


def test_an_irregular_one_is_never_learned() -> None:
    unknown = Unknown()
    assert not any(observe(unknown, "1", ns(at)) for at in (0, 10, 17, 27, 34, 44, 51, 61, 75))


def test_starts_are_kept_for_sixteen_originators() -> None:
    unknown = Unknown()
    for number in range(40):
        assert observe(unknown, str(number), 0) is None
    assert len(unknown.last_time) == 16


def test_a_subscription_nobody_knows_is_learned_and_judged() -> None:
    wire = run(steady(periods=9), until=88)
    assert wire.kinds() == ["period_source"]
    assert {row.period_source for row in wire.verdicts} == {"learned"}
    assert letters(wire.lasts())[:2] == "uu"
    assert set(letters(wire.lasts())[2:]) == {"C"}


def test_a_start_without_a_period_learns_it() -> None:
    start = changed(-1, STARTED, generators=("1", "2"), terms=terms(None))
    wire = run([start, *steady(periods=9)], until=88)
    assert wire.kinds() == ["period_source"]
    assert set(letters(wire.lasts())) == {"C"}
    assert wire.lasts()[0].provenance is Provenance.DECLARED


def test_an_operators_subscription_needs_no_start() -> None:
    options = EngineSettings(
        known={("*", 1): KnownSubscription(terms=terms(10)), ("*", 2): KnownSubscription()}
    )
    wire = run([*steady(periods=5), *steady(periods=5, subscription=2)], options, until=48)
    assert {row.period_source for row in wire.verdicts} == {"configured", "learned"}


# --------------------------------------------------------------------------- small things
def test_control_modes() -> None:
    """Leaf-lists as the drafts name them, from the base document to -19."""
    assert mode_of("dynamic", "message-generator-id") == "mso"
    assert mode_of("configured", "message-generator-id") == "mso"
    older = ("message-observation-domain-id", "message-publisher-ids")
    for leaf in (*older, "message-publisher-id"):
        assert mode_of("dynamic", leaf) == "distributed-notif-18"
    for leaf in older:
        assert mode_of("configured", leaf) == "distributed-notif-18"
    assert mode_of("configured", "message-publisher-id") == "distributed-notif-19"
    assert mode_of("configured", None) == mode_of("dynamic", None) == "unknown"


def test_the_mode_is_what_the_device_says_last() -> None:
    """Numeric ids are no sign: the base document's are numbers as often as not."""
    listed = established(-1, ("1", "2"), leaf="message-generator-id")
    later = changed(15, MODIFIED, generators=("1",), leaf="message-publisher-id")
    unlisted = changed(25, MODIFIED)
    wire = run([listed, *steady(periods=3), later, unlisted], until=38)
    modes = [row.mode for row in rows(wire)]
    assert modes[0] == "mso"
    assert modes[-2:] == ["distributed-notif-18"] * 2


def test_the_operators_list_leaves_the_mode_to_the_device() -> None:
    listed = established(-1, ("1",), expect=("1", "2"))
    later = changed(15, MODIFIED, generators=("1",), leaf="message-publisher-id")
    wire = run([listed, *steady(periods=3), later], until=38)
    first, last = rows(wire)[0], rows(wire)[-1]
    assert (first.mode, last.mode) == ("unknown", "distributed-notif-18")
    assert last.provenance is Provenance.CONFIGURED


def test_who_began_without_a_reply_is_configured() -> None:
    for leaf, mode in (
        ("message-publisher-id", "distributed-notif-19"),
        ("message-publisher-ids", "distributed-notif-18"),
        ("message-generator-id", "mso"),
    ):
        start = changed(-1, STARTED, generators=("1",), terms=terms(10), leaf=leaf)
        wire = run([start, *steady(periods=2)], until=18)
        assert rows(wire)[0].mode == mode


def test_the_inventory_finds_devices_by_address() -> None:
    known = Inventory({"192.0.2.1": "a", "192.0.2.2": "a"})
    assert known.device("192.0.2.2") == "a"
    assert known.device("192.0.2.9") is None
    assert known.devices() == ["a"]
    capture = Inventory({}, each_source=True)
    assert capture.device("192.0.2.9") == "192.0.2.9"
    assert capture.device("192.0.2.9", "certificate:core7") == "192.0.2.9"
    assert capture.device("") is None


def test_the_inventory_asks_a_certificate_before_an_address() -> None:
    known = Inventory({"192.0.2.1": "a", "certificate:core7.example": "b"})
    assert known.device("192.0.2.1", "certificate:Core7.Example") == "b"
    assert known.device("192.0.2.9", "certificate:core7.example") == "b"
    assert known.device("192.0.2.1", "certificate:core8.example") == "a"
    assert known.device("192.0.2.1", "7") == "a"
    assert known.device("192.0.2.9", "certificate:core8.example") is None
    assert known.devices() == ["a", "b"]


def test_the_generator_table_maps_header_ids_and_addresses() -> None:
    options = EngineSettings(generators={DEVICE: {"7": "card 7", "192.0.2.99": "other"}})
    engine = Engine(options)
    sent = [
        update(1, None, 1, header=7), update(2, None, 1, header=8, source="192.0.2.99"),
        update(3, None, 1, header=9), update(4, None, 1, header=None),
        update(5, "linecard 1", 1),
    ]  # fmt: skip
    placed, _ = engine.receive_batch(UpdateColumns.of(sent))
    assert placed.generators == ["card 7", "other", "9", SOURCE, "linecard 1"]


def test_other_settings_take_effect_while_it_runs() -> None:
    wire = Wire().send(established(), *sorted(steady(periods=3), key=lambda one: one.arrival))
    named = {(DEVICE, "interfaces"): NamedSubscription(expect=("1", "2", "3"), grace=SECOND)}
    wire.facts += wire.engine.configure(EngineSettings(named=named), CollectorTime(ns(22)))
    wire.facts += wire.engine.configure(EngineSettings(named=named), CollectorTime(ns(23)))
    wire.send(*sorted(steady(start=3, periods=3, first_id=103), key=lambda one: one.arrival))
    wire.until(58)
    assert wire.row(4).required == ("1", "2", "3")
    wire.facts += wire.engine.configure(EngineSettings(), CollectorTime(ns(59)))
    wire.send(changed(60, MODIFIED, generators=("1", "2")))
    assert rows(wire)[-1].generators == ("1", "2")


def test_the_state_of_each_originator_can_be_seen() -> None:
    sent = [one for one in steady(periods=6) if (one.generator, one.message_id) != ("2", 105)]
    wire = run([established(-35, ("1", "2", "9")), *sent], until=62)
    first, second, never = wire.engine.states(DEVICE)
    assert (first.generator, first.usual_count, first.missing) == ("1", 1, False)
    assert first.counter == f"{SOURCE} 1"
    assert first.scope == "header"
    assert second.missing
    assert (never.last_arrival, never.required, never.counter) == (None, True, "")
    assert wire.engine.states("nobody") == []
    assert wire.engine.states() == wire.engine.states(DEVICE)
    wire.send(ended(63))
    assert wire.engine.states() == []


def test_at_the_limit_the_oldest_revision_that_is_over_is_forgotten() -> None:
    options = EngineSettings(limits=Limits(subscriptions_per_device=2))
    wire = run(
        [
            established(1, subscription=1, name="a"), ended(2, 1),
            established(3, subscription=2, name="b"), established(4, subscription=3, name="c"),
            established(5, subscription=4, name="d"),
        ],
        options,
    )  # fmt: skip
    assert wire.engine.fell_off() == {DEVICE: {"subscriptions": 1}}
    assert {state.subscription_id for state in wire.engine.states()} == {2, 3, 4}


def test_next_deadline_is_just_behind_the_deadline() -> None:
    wire = Wire()
    assert wire.engine.next_deadline() is None
    wire.send(established(), update(0.1, "1", 1, time=0))
    assert wire.engine.next_deadline() == ns(0.1 + 5 + 5) + 1
    assert wire.engine.handle_timer(CollectorTime(ns(10.1))) == []
    assert len(wire.engine.handle_timer(CollectorTime(ns(10.1) + 1))) == 1


def test_receive_lets_time_pass_to_now() -> None:
    engine = Engine(EngineSettings())
    engine.receive(established(), CollectorTime(ns(-5)))
    facts = engine.receive(update(0.1, "1", 1, time=0), CollectorTime(ns(20)))
    assert [fact.period_index for fact in facts] == [ns(0) // (10 * SECOND)]
    assert engine.receive(tick(20.05), CollectorTime(ns(20.05))) == []


# --------------------------------------------------------------------------- snapshots
def test_a_snapshot_of_another_format_is_refused() -> None:
    for part in (b"", b"nonsense", msgspec.msgpack.encode([99, 0, []])):
        with pytest.raises(UsageError):
            Engine.restore(EngineSettings(), {"a": part})


@pytest.mark.parametrize(
    "rows_",
    [
        [],
        [[8, [0, 0, None, 0, 0, 0]]],
        [[99, []]],
        [[0, []]],
        [[0, [["o", 9]] * 9]],
        [[0, [["?", 9]] * 9]],
        [["0", []]],
    ],
)
def test_a_broken_snapshot_is_refused(rows_: list[object]) -> None:
    with pytest.raises(UsageError):
        Engine.restore(EngineSettings(), {"a": msgspec.msgpack.encode([FORMAT, 0, rows_])})


def test_a_snapshot_knows_its_place_in_the_journal() -> None:
    wire = Wire().send(established(), *sorted(steady(periods=3), key=lambda one: one.arrival))
    part = wire.engine.snapshot_device(DEVICE)
    again = Engine.restore(EngineSettings(), {DEVICE: part})
    known = update(20.12, "2", 102, time=20.07)
    placed, facts = again.receive_batch(UpdateColumns.of([known]))
    assert (list(placed.revisions), facts) == ([-1], [])
    assert again.states() == wire.engine.states()


def test_times_of_the_device_are_its_own() -> None:
    """An anchor may be any tick: only its distance from a whole period counts."""
    far = established(-1, ("1",), anchor_time=DeviceTime(ns(1003)))
    sent = [update(10 * index + 3.1, "1", index) for index in range(4)]
    wire = run([far, *sent], until=38)
    assert [row.nominal_time for row in wire.lasts()] == [ns(10 * index + 3) for index in range(4)]
