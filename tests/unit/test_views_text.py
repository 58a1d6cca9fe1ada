"""Words: times, names, lines."""

from __future__ import annotations

import pytest

from collector.model import NotJudgedReason, Outcome
from collector.views.text import (
    card,
    clean,
    clock,
    day_and_clock,
    event_line,
    natural,
    news,
    subscription_line,
    verdict_line,
    verdict_note,
)
from tests.unit.verdict_maker import NOON, event, subscription, verdict


def test_times_are_utc() -> None:
    assert clock(NOON + 5 * 10**9) == "12:00:05"
    assert clock(NOON + 250_000_000, digits=2) == "12:00:00.25"
    assert day_and_clock(NOON, digits=3) == "2026-01-01 12:00:00.000"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("plain", "plain"), ("a\x1b[2Jb", "a\ufffd[2Jb"), ("a\nb", "a\ufffdb"),
     ("\u202eabc", "\ufffdabc"),
     ("Zürich 1", "Zürich 1"), ("x" * 300, "x" * 200 + "...")],
)  # fmt: skip
def test_names_of_peers_are_cleaned(name: str, shown: str) -> None:
    assert clean(name) == shown


def test_cards_have_a_noun_and_a_natural_order() -> None:
    assert card("3") == "card 3"
    assert card("linecard 3") == "linecard 3"
    names = ["card 10", "card 9", "1", "card 2b", "10", "2", "²"]
    assert sorted(names, key=natural) == ["1", "2", "10", "card 2b", "card 9", "card 10", "²"]


def test_a_verdict_in_one_line() -> None:
    row = verdict(5, missing={"3": "silent"}, degraded={"2": "loss"}, unexpected=("9",))
    assert verdict_line(row) == (
        "2026-01-01 12:00:05.00  core7  counters  INCOMPLETE  3/4"
        "  missing: card 3 silent; degraded: card 2 loss; unexpected: card 9"
    )
    assert verdict_line(verdict(5)).endswith("  COMPLETE  4/4")


def test_amendments_ranges_and_reasons_are_said() -> None:
    late = verdict(5, amendment=2, late_generators=("3",), subscription_name="")
    assert verdict_line(late).endswith("id 7  COMPLETE (amendment 2)  4/4  late: card 3")
    silence = verdict(5, period_to=104, missing={"3": "silent"})
    assert verdict_note(silence) == "missing: card 3 silent; 100 periods"
    starting = verdict(
        1, outcome=Outcome.NOT_JUDGED, reason=NotJudgedReason.COLLECTOR_DOWN, required=()
    )
    assert verdict_line(starting).endswith("NOT_JUDGED  0  collector down")
    unknown = verdict(1, outcome=Outcome.UNKNOWN, required=(), received=("1", "2"))
    assert verdict_line(unknown).endswith("UNKNOWN  2  nobody said yet who is expected")


def test_news_are_short() -> None:
    assert news(event(1)) == "12:00:01  core7: The clock of 3 stepped."
    assert news(subscription()) == "12:00:00  core7: counters expects cards 1 to 4"
    some = subscription(generators=("9", "1", "2", "4", "5", "6"))
    assert news(some).endswith("expects cards 1, 2, 4 to 6, 9")
    named = subscription(generators=("linecard 10", "linecard 9", "3"))
    assert news(named).endswith("expects card 3, linecard 9, linecard 10")
    assert news(subscription(generators=())).endswith("there is no list of generators")
    ended = subscription(state="ended", reason="deleted", name="")
    assert news(ended) == "12:00:00  core7: id 7 ended (deleted)"


def test_events_and_subscriptions_in_one_line() -> None:
    assert event_line(event(1)) == (
        "2026-01-01 12:00:01.00  core7  3  clock_step  The clock of 3 stepped."
    )
    assert subscription_line(subscription()) == (
        "2026-01-01 12:00:00.00  core7  counters (id 7)  active every 1 s:"
        " card 1, card 2, card 3, card 4"
    )
    ended = subscription(state="ended", reason="deleted", period_cs=None, generators=())
    assert subscription_line(ended).endswith("ended (deleted): no list of generators")
    stream = subscription(stream="NETCONF", period_cs=None, generators=("1",))
    assert subscription_line(stream).endswith("active stream NETCONF: card 1")
    changes = subscription(trigger="on-change", period_cs=None, generators=("1",))
    assert subscription_line(changes).endswith("active on change: card 1")
