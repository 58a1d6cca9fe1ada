"""Laws of overlap and coverage: no false alarm on disjoint cards, and no dependence on batches."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.node_sets.coverage import Coverage, CoverageInput
from collector.core.node_sets.coverage_state import Contents
from collector.model import Event, Outcome, SubscriptionRow, Verdict
from tests.coverage_inputs import PERIOD, at, judged, row, sent

CARDS = ("1", "2", "3")
NODES = tuple(f"/m:list[name={name}]" for name in "abcdefgh")


def time_of(one: CoverageInput) -> int:
    """When it is known."""
    return one.judged_at if isinstance(one, Verdict) else one.time


@st.composite
def device(draw: st.DrawFn, *, disjoint: bool) -> list[CoverageInput]:
    """Some periods of a device whose nodes move with a word of it, in order of time."""
    owners = {node: draw(st.sampled_from(CARDS)) for node in NODES}
    inputs: list[CoverageInput] = [row()]
    for index in range(draw(st.integers(1, 12))):
        views = dict.fromkeys(CARDS, owners)
        if draw(st.integers(0, 5)) == 0:
            inputs.append(row(index * PERIOD - draw(st.floats(0, 9))))
            node, owner = draw(st.sampled_from(NODES)), draw(st.sampled_from((*CARDS, "")))
            owners = owners | {node: owner}
            # not every card has heard of it when the period begins
            views = {card: draw(st.sampled_from((views[card], owners))) for card in CARDS}
        inputs += draw(period(index, views, disjoint=disjoint))
    return sorted(inputs, key=time_of)


@st.composite
def period(
    draw: st.DrawFn, index: int, views: dict[str, dict[str, str]], *, disjoint: bool
) -> list[CoverageInput]:
    """One period: each node in some message of its card; messages late, doubled or lost."""
    messages: list[Contents] = []
    lost = False
    for card in CARDS:
        mine = [node for node in NODES if views[card][node] == card]
        if not disjoint and draw(st.integers(0, 4)) == 0:
            mine.append(draw(st.sampled_from(NODES)))
        cut = draw(st.integers(0, len(mine)))
        for nodes in (mine[:cut], mine[cut:]):
            after = draw(st.floats(0, 4.9))
            times = draw(st.sampled_from((1, 1, 1, 2, 0)))
            lost = lost or not times
            messages += [sent(index, card, *nodes, after=after)] * times
    outcome = Outcome.COMPLETE
    if lost:
        outcome = draw(st.sampled_from([Outcome.INCOMPLETE, Outcome.DEGRADED, Outcome.UNKNOWN]))
    return [*messages, judged(index, outcome, required=CARDS)]


def told(inputs: list[CoverageInput], cuts: set[int]) -> list[Event]:
    """Events, with a restart at each cut; what is over at the end."""
    coverage, said, before = Coverage(), [], 0
    for cut in [*sorted(cut for cut in cuts if 0 < cut < len(inputs)), len(inputs)]:
        part = inputs[before:cut]
        said += coverage.receive(part, at(time_of(part[-1]) / 1e9))
        again = Coverage()
        again.restore("core7", coverage.snapshot("core7"), cut)
        coverage, before = again, cut
    return said + coverage.handle_timer(at(1e6))


@settings(max_examples=200, deadline=None)
@given(device(disjoint=True), st.sets(st.integers(0, 60), max_size=4))
def test_disjoint_cards_never_give_a_complaint(inputs: list[CoverageInput], cuts: set[int]) -> None:
    assert {event.kind for event in told(inputs, cuts)} <= {"nodes_moved"}


@settings(max_examples=200, deadline=None)
@given(device(disjoint=False), st.sets(st.integers(0, 120), max_size=8), st.randoms())
def test_neither_batches_nor_restarts_change_what_is_said(
    inputs: list[CoverageInput], cuts: set[int], chance: object
) -> None:
    whole = told(inputs, set())
    assert told(inputs, cuts) == whole
    assert told(inputs, set(range(len(inputs)))) == whole


@settings(max_examples=200, deadline=None)
@given(device(disjoint=False))
def test_an_overlap_of_a_settled_period_is_said_and_no_other(inputs: list[CoverageInput]) -> None:
    changes = [time_of(one) for one in inputs if isinstance(one, SubscriptionRow)]
    pairs: set[tuple[str, str]] = set()
    for one in inputs:
        if isinstance(one, Verdict):
            pairs |= naive_pairs(inputs, one.period_index, changes)
    said = [event for event in told(inputs, set()) if event.kind == "overlap"]
    assert {pair_of(event) for event in said} == pairs


def naive_pairs(
    inputs: list[CoverageInput], index: int, changes: list[int]
) -> set[tuple[str, str]]:
    """The pairs of a period, by comparing all messages with all, where no change was near."""
    mine = [one for one in inputs if isinstance(one, Contents) and one.period_index == index]
    first = min((one.time for one in mine), default=0)
    over = at(index * PERIOD + 5 + 2 * PERIOD)
    if any(first - 2 * at(PERIOD) < change <= over for change in changes):
        return set()
    holders = {node: sorted({one.generator for one in mine if node in one.nodes}) for node in NODES}
    return {(cards[0], other) for cards in holders.values() for other in cards[1:]}


def pair_of(event: Event) -> tuple[str, str]:
    """The generators that an overlap names."""
    words = event.text.split()
    return words[1], words[3]
