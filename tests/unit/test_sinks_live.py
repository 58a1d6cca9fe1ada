"""The last rows in memory, and their followers; facts as JSON objects and back."""

from __future__ import annotations

from typing import Any

import pytest

from collector.errors import UsageError
from collector.model import Fact
from collector.sinks.live import LiveSink
from collector.sinks.rows import encode_row, fact_to_row, row_to_fact
from tests.unit.verdict_maker import Batch, event, subscription, verdict


def write(sink: LiveSink, *facts: Any) -> None:
    sink.write(Batch(*facts))  # type: ignore[arg-type]


def test_the_newest_rows_are_kept() -> None:
    sink = LiveSink(verdicts_kept=3, events_kept=1)
    sink.start()
    write(sink, *(verdict(n) for n in range(5)), event(1), event(2))
    assert [row.period_index for row in sink.verdicts] == [2, 3, 4]
    assert len(sink.events) == 1


def test_followers_get_everything_from_now_on() -> None:
    sink, woken = LiveSink(), []
    write(sink, verdict(0))
    follower = sink.follow(wake=lambda: woken.append(1))
    write(sink)
    write(sink, verdict(1), event(1), subscription(1))
    facts, lost = follower.take()
    assert [type(fact).__name__ for fact in facts] == ["SubscriptionRow", "Event", "Verdict"]
    assert (lost, len(woken)) == (0, 1)
    assert follower.take() == ([], 0)
    sink.unfollow(follower)
    sink.unfollow(follower)
    write(sink, verdict(2))
    assert follower.take() == ([], 0)


def test_a_slow_follower_loses_its_oldest_facts_and_is_told() -> None:
    sink = LiveSink()
    slow, fast = sink.follow(limit=2), sink.follow()
    write(sink, *(verdict(n) for n in range(5)))
    facts, lost = slow.take()
    assert [fact.period_index for fact in facts if hasattr(fact, "period_index")] == [3, 4]
    assert lost == 3 == sink.followers_dropped
    assert len(fast.take()[0]) == 5
    sink.flush()
    sink.stop()
    sink.stop()


@pytest.mark.parametrize(
    "fact", [verdict(5, missing={"3": "silent"}), event(), subscription(anchor=5, to_time=None)]
)
def test_facts_survive_the_way_through_json(fact: Fact) -> None:
    import json

    line = encode_row(fact_to_row(fact))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert row_to_fact(json.loads(line)) == fact


def test_a_row_says_what_it_is_and_when() -> None:
    row = fact_to_row(verdict(5, missing={"3": "silent"}))
    assert row["row"] == "verdict"
    assert row["nominal_time"] == "2026-01-01T12:00:05Z"
    assert list(row["missing"]) == [{"generator": "3", "cause": "silent"}]
    assert row["outcome"] == "INCOMPLETE"
    assert fact_to_row(subscription())["anchor"] is None


@pytest.mark.parametrize(
    "row",
    [{}, {"row": "x"}, {"row": "event"}, fact_to_row(event()) | {"time": "noon"},
     fact_to_row(event()) | {"time": 5}, fact_to_row(verdict(1)) | {"outcome": "GOOD"}],
)  # fmt: skip
def test_other_objects_are_refused(row: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="not a row of verdicts"):
        row_to_fact(row)


def test_keys_of_a_newer_version_are_left_out() -> None:
    assert row_to_fact(fact_to_row(event()) | {"severity": 5}) == event()
