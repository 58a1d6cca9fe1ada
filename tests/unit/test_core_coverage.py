"""Overlap and coverage between the generators of a subscription."""

from __future__ import annotations

import msgspec
import pytest

from collector.core.node_sets.coverage import Coverage
from collector.core.node_sets.coverage_state import Contents, CoverageLimits, Reset
from collector.core.node_sets.moves import PAIRS_KEPT
from collector.model import NotJudgedReason, Outcome
from tests.coverage_inputs import PERIOD, at, judged, row, said_of, sent

A, B, C, D = (f"/m:list[name={name}]" for name in "abcd")


def healthy(index: int) -> list[Contents]:
    """Each card its own nodes."""
    return [sent(index, "1", A, B), sent(index, "2", C, f"{D}/statistics")]


# --------------------------------------------------------------------------- overlap
def test_disjoint_generators_are_fine() -> None:
    assert said_of(row(), *healthy(0), judged(0), *healthy(50), judged(50)) == []


def test_the_same_node_of_two_generators_is_said_once() -> None:
    periods = [
        one
        for index in (0, 50, 100)
        for one in (sent(index, "1", A, B), sent(index, "2", B, C), judged(index))
    ]
    (event,) = said_of(row(), *periods)
    assert (event.kind, event.device, event.subject) == ("overlap", "core7", "interfaces")
    assert event.text == (
        "Generators 1 and 2 of subscription interfaces both sent 1 node in period 0: "
        "/m:list[name=b] (keys guessed)."
    )
    assert event.time == at(5 + 2 * PERIOD)


def test_an_overlap_that_ended_and_came_back_is_said_again() -> None:
    both = [sent(0, "2", A), sent(100, "2", A)]
    periods = [one for index in (0, 50, 100) for one in (sent(index, "1", A), judged(index))]
    assert [event.kind for event in said_of(row(), *periods, *both)] == ["overlap"] * 2


def test_a_period_that_lost_something_does_not_end_an_overlap() -> None:
    periods = [sent(0, "1", A), sent(0, "2", A), judged(0)]
    periods += [sent(1, "1", A), judged(1, Outcome.INCOMPLETE)]
    periods += [sent(2, "1", A), sent(2, "2", A), judged(2)]
    assert len(said_of(row(), *periods)) == 1


@pytest.mark.parametrize("outcome", [Outcome.INCOMPLETE, Outcome.DEGRADED, Outcome.UNKNOWN])
def test_an_overlap_needs_no_complete_period(outcome: Outcome) -> None:
    said = said_of(row(), sent(0, "1", A), sent(0, "2", A), judged(0, outcome))
    assert [event.kind for event in said] == ["overlap"]


@pytest.mark.parametrize(
    ("reason", "count"),
    [
        (NotJudgedReason.STARTING, 1),
        (NotJudgedReason.ENDED, 1),
        (NotJudgedReason.SUSPENDED, 0),
        (NotJudgedReason.TERMS_CHANGED, 0),
        (NotJudgedReason.SLIPPED, 0),
        (NotJudgedReason.COLLECTOR_DOWN, 0),
    ],
)
def test_where_updates_may_be_of_another_period_nothing_is_said(
    reason: NotJudgedReason, count: int
) -> None:
    verdict = judged(0, Outcome.NOT_JUDGED, reason=reason)
    assert len(said_of(row(), sent(0, "1", A), sent(0, "2", A), verdict)) == count


def test_many_pairs_and_names_do_not_flood() -> None:
    nodes = [f"/m:list[name={'x' * 200}{number}]" for number in range(50)]
    cards = [sent(index, str(card), *nodes) for index in (0, 50) for card in range(13)]
    said = said_of(row(), *cards, judged(0), judged(50))
    assert len(said) == 8 + 4, "12 pairs, at most 8 of them a period"
    assert all(len(event.text) < 1000 for event in said)
    assert "both sent 50 nodes" in said[0].text
    assert said[0].text.endswith(", ... (keys guessed).")


def test_leaves_outside_lists_need_no_key() -> None:
    (event,) = said_of(row(), sent(0, "1", "/m:s/cpu"), sent(0, "2", "/m:s/cpu"), judged(0))
    assert event.text.endswith("in period 0: /m:s/cpu.")


# --------------------------------------------------------------------------- gone
def test_a_node_that_nobody_sends_any_more_is_said_once() -> None:
    periods = [*healthy(0), judged(0)]
    for index in (50, 100, 150):
        periods += [sent(index, "1", A), sent(index, "2", C, f"{D}/statistics"), judged(index)]
    (event,) = said_of(row(), *periods)
    assert (event.kind, event.subject) == ("node_gone", "1")
    assert event.text == (
        "1 node that generator 1 sent for subscription interfaces in period 0 came from nobody in "
        "period 50, without a change of the list: /m:list[name=b] (keys guessed)."
    )


def test_a_container_that_comes_and_goes_within_an_entry_is_not_gone() -> None:
    first = [sent(0, "1", A, f"{A}/statistics"), judged(0)]
    assert said_of(row(), *first, sent(50, "1", f"{A}/statistics"), judged(50)) == []


def test_nodes_that_always_change_are_said_once_and_again_after_a_rest() -> None:
    inputs = [row()]
    for index, name in enumerate(["a", "b", "c", "d", "d", "e"]):
        inputs += [sent(index, "1", f"/m:session[id={name}]"), judged(index)]
    said = said_of(*inputs)
    assert [event.text.partition("in period ")[2][:1] for event in said] == ["0", "4"]


def test_a_node_that_moved_to_another_card_is_neither() -> None:
    moved = [sent(50, "1", A), sent(50, "2", B, C, f"{D}/statistics"), judged(50)]
    said = said_of(row(), *healthy(0), judged(0), *moved)
    assert [event.kind for event in said] == ["nodes_moved"]


# --------------------------------------------------------------------------- moved
def test_nodes_that_moved_to_another_card_are_said() -> None:
    moved = [sent(50, "1", A), sent(50, "2", B, C, f"{D}/statistics"), judged(50)]
    (event,) = said_of(row(), *healthy(0), judged(0), *moved, *moved)
    assert (event.kind, event.subject, event.time) == ("nodes_moved", "2", at(525))
    assert event.text == (
        "1 node of subscription interfaces moved from generator 1 to 2 by period 50: "
        "/m:list[name=b] (keys guessed)."
    )


def test_nodes_of_a_card_that_left_the_list_are_found_at_its_heir() -> None:
    heir = [sent(50, "2", A, B, C, D), judged(50, required=("2",))]
    assert [
        (event.kind, event.subject)
        for event in said_of(row(), *healthy(0), judged(0), row(300), row(301), *heir)
    ] == [("nodes_moved", "2")]
    # once they have been looked at they are where they are
    again = [sent(100, "2", A, B, C, D), judged(100, required=("2",))]
    assert len(said_of(row(), *healthy(0), judged(0), row(300), *heir, row(700), *again)) == 1


def test_an_entry_that_two_cards_share_has_not_moved() -> None:
    first = [sent(0, "1", f"{A}/x"), sent(0, "2", f"{A}/y", after=0.2), judged(0)]
    second = [sent(50, "2", f"{A}/y"), sent(50, "1", f"{A}/x", after=0.2), judged(50)]
    assert said_of(row(), *first, *second) == []


def test_nodes_that_always_move_are_said_less_and_less() -> None:
    inputs = [row()]
    for index in range(42):
        one, other = ("1", "2") if index % 2 else ("2", "1")
        inputs += [sent(index, one, A), sent(index, other, B), judged(index)]
    said = said_of(*inputs)
    assert {event.kind for event in said} == {"nodes_moved"}
    assert len(said) == 2 * (8 + 2)  # 16 and 32


def test_only_so_many_pairs_are_followed() -> None:
    inputs = [row()]
    for index in range(3 * PAIRS_KEPT):
        inputs += [sent(index, f"g{index}", A), judged(index, required=(f"g{index}",))]
    said = said_of(*inputs)
    assert len(said) == PAIRS_KEPT


@pytest.mark.parametrize("outcome", [Outcome.INCOMPLETE, Outcome.DEGRADED, Outcome.UNKNOWN])
def test_a_period_that_is_not_complete_says_nothing_of_what_is_gone(outcome: Outcome) -> None:
    lost = [sent(50, "1", A), judged(50, outcome)]
    assert said_of(row(), *healthy(0), judged(0), *lost, *healthy(99), judged(99)) == []


def test_the_last_row_before_it_is_looked_at_counts() -> None:
    rows = [judged(50), judged(50, Outcome.DEGRADED, after=12, amendment=1)]
    assert said_of(row(), *healthy(0), judged(0), sent(50, "1", A), *rows) == []
    late = judged(50, Outcome.DEGRADED, after=26, amendment=1)
    said = said_of(row(), *healthy(0), judged(0), sent(50, "1", A), judged(50), late)
    assert [event.subject for event in said] == ["1", "2"]


def test_what_comes_late_but_in_time_counts() -> None:
    late = [sent(50, "1", A), sent(50, "2", C, D), judged(50), sent(50, "1", B, after=24)]
    assert said_of(row(), *healthy(0), judged(0), *late) == []
    late[-1] = sent(50, "1", B, after=26)
    assert len(said_of(row(), *healthy(0), judged(0), *late)) == 1


def test_a_period_with_another_list_begins_anew() -> None:
    other = [sent(50, "1", A, B), judged(50, required=("1",))]
    assert said_of(row(), *healthy(0), judged(0), *other) == []


def test_what_somebody_not_required_sent_may_go() -> None:
    guest = [sent(0, "9", "/m:list[name=x]")]
    assert said_of(row(), *healthy(0), *guest, judged(0), *healthy(50), judged(50)) == []


# --------------------------------------------------------------------------- changes
def test_a_change_of_the_list_begins_anew_and_leaves_the_nodes_time_to_move() -> None:
    inputs = [row(), *healthy(0), judged(0), sent(50, "1", A, B), row(501)]
    inputs += [sent(50, "2", A, after=1.5), judged(50)]  # B and A on their way to card 2
    inputs += [sent(52, "1", A), sent(52, "2", A), judged(52)]
    inputs += [sent(53, "1", A), sent(53, "2", C), judged(53)]
    inputs += [sent(54, "1", A), sent(54, "2", C), judged(54)]
    assert said_of(*inputs) == []


def test_a_change_between_verdict_and_look_leaves_the_period_out() -> None:
    both = [sent(0, "1", A), sent(0, "2", A), judged(0)]
    assert said_of(row(), *both, row(20)) == []


def test_a_subscription_that_ended_is_forgotten() -> None:
    inputs = [row(), sent(0, "1", A), sent(0, "2", A), row(1, state="ended"), judged(0)]
    assert said_of(*inputs, sent(50, "1", A), sent(50, "2", A), judged(50)) == []
    on_change = [row(), sent(0, "1", A), sent(0, "2", A), row(1, period_cs=None), judged(0)]
    assert said_of(*on_change) == []


def test_a_new_revision_takes_the_place_of_the_one_before() -> None:
    old = [sent(50, "1", A), sent(50, "2", A), judged(50)]
    new = [
        sent(50, card, A, revision=9) for card in "12"
    ] + [judged(50, revision=9)]  # fmt: skip
    said = said_of(row(), row(1, revision=9), row(2, revision=0, id=2), *old, *new)
    assert len(said) == 2, "one each: another id keeps its own"
    assert len(said_of(row(), row(1, revision=9), *old, *new)) == 1


def test_what_nobody_subscribed_to_is_left_out() -> None:
    inputs = [sent(0, "1", A), sent(0, "2", A), judged(0)]
    assert said_of(*inputs) == []
    assert said_of(row(device="other"), row(revision=5, id=5), *inputs) == []


def test_a_verdict_that_came_before_the_data_opens_nothing() -> None:
    first = judged(0, Outcome.INCOMPLETE, after=5)
    late = [sent(0, "1", A, after=6), sent(0, "2", A, after=6)]
    amended = judged(0, Outcome.DEGRADED, after=7, amendment=1)
    assert said_of(row(), first, *late, amended) == []
    assert said_of(row(), first, *late, amended, *healthy(50), judged(50)) == []


def test_another_sample_begins_anew_except_where_it_is_known() -> None:
    before, after = [row(), *healthy(0), judged(0)], [sent(50, "1", A), judged(50)]
    assert said_of(*before, Reset(at(100), 7), *after) == []
    coverage, again = Coverage(), Coverage()
    assert said_of(*before, coverage=coverage) == []
    again.restore("core7", coverage.snapshot("core7"), 8)
    assert len(said_of(Reset(at(100), 7), *after, coverage=again)) == 2


# --------------------------------------------------------------------------- limits
def test_more_nodes_than_the_limit_are_counted_and_not_compared() -> None:
    nodes = [f"/m:list[name={number}]" for number in range(6)]
    for limits in (CoverageLimits(nodes_per_generator=5), CoverageLimits(nodes_per_device=11)):
        coverage = Coverage(limits)
        inputs = [row(), sent(0, "1", *nodes), judged(0), sent(50, "1", A), judged(50)]
        assert said_of(*inputs, coverage=coverage) == []
        assert coverage.not_judged == {"too-many-nodes": 1}


def test_what_is_over_makes_room() -> None:
    coverage = Coverage(CoverageLimits(nodes_per_device=8))
    inputs = [row()]
    for index in range(9):
        inputs += [sent(index * 50, "1", A, B), judged(index * 50)]
    assert said_of(*inputs, coverage=coverage) == []
    assert coverage.not_judged == {}


def test_an_update_that_was_not_read_whole_is_counted_and_not_compared() -> None:
    coverage = Coverage()
    partly = sent(50, "2", whole=False)
    inputs = [row(), *healthy(0), judged(0), sent(50, "1", A), partly, judged(50)]
    assert said_of(*inputs, coverage=coverage) == []
    assert coverage.not_judged == {"not-whole": 1}


def test_the_oldest_open_period_makes_room() -> None:
    coverage = Coverage(CoverageLimits(open_periods=2))
    both = [sent(index, card, A) for index in range(3) for card in "12"]
    assert said_of(row(), *both, judged(0, after=25), coverage=coverage) == []


def test_the_oldest_subscription_makes_room() -> None:
    coverage = Coverage(CoverageLimits(subscriptions_per_device=2))
    rows = [row(id=number, revision=number) for number in range(3)]
    both = [sent(0, card, A, revision=revision) for card in "12" for revision in range(3)]
    verdicts = [judged(0, revision=revision) for revision in range(3)]
    assert len(said_of(*rows, *both, *verdicts, coverage=coverage)) == 2


# --------------------------------------------------------------------------- time, snapshots
def test_deadlines() -> None:
    coverage = Coverage()
    assert coverage.next_deadline() is None
    both = [sent(0, "1", A), sent(0, "2", A)]
    assert coverage.receive([row(), *both, judged(0)], at(6)) == []
    due = coverage.next_deadline()
    assert due == at(25) + 1
    assert coverage.handle_timer(at(25)) == []
    assert len(coverage.handle_timer(due)) == 1
    assert coverage.handle_timer(at(99)) == []


@pytest.mark.parametrize("cut", range(8))
def test_a_restart_changes_nothing(cut: int) -> None:
    inputs = [row(), *healthy(0), judged(0), sent(50, "1", A), sent(50, "2", A, C), judged(50)]
    whole = said_of(*inputs)
    assert {event.kind for event in whole} == {"overlap", "node_gone"}
    first, second = Coverage(), Coverage()
    said = first.receive(inputs[:cut], at(-200))
    second.restore("core7", first.snapshot("core7"), cut)
    if cut == 4:
        assert second.next_deadline() == first.next_deadline() == at(25) + 1
    assert said + said_of(*inputs[cut:], coverage=second) == whole


def test_the_snapshot_of_an_unknown_device_is_empty_and_a_foreign_one_refused() -> None:
    coverage = Coverage()
    coverage.restore("x", coverage.snapshot("x"), 0)
    with pytest.raises(msgspec.MsgspecError):
        coverage.restore("x", b"\xc1", 0)
