"""Who is blamed for a message that came late and could not be read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from collector.core.memory.arcs import Arc
from collector.core.memory.state import ALL_KEYS
from collector.core.numbering import gaps

PERIOD = 1000


def originator(number: int, arc: Arc | None, *, first: int = 0, live: bool = True) -> Any:
    subscription = SimpleNamespace(
        id=number, period=PERIOD, offset=0, live=live, first_index=first
    )  # fmt: skip
    return SimpleNamespace(subscription=subscription, arrival_arc=arc)


def run(*originators: Any, key: Any = ALL_KEYS) -> Any:
    return SimpleNamespace(key=key, counter=SimpleNamespace(originators=originators))


EARLY, LATE = originator(7, Arc(0, 100)), originator(8, Arc(500, 700))


def test_the_period_whose_arc_is_nearest() -> None:
    both = run(EARLY, LATE)
    assert gaps.nearest(both, 5250) == [(EARLY, 5)]
    assert gaps.nearest(both, 5350) == [(LATE, 5)]
    assert gaps.nearest(both, 5750) == [(LATE, 5)]
    assert gaps.nearest(both, 5900) == [(EARLY, 6)]


def test_only_those_whose_ids_these_are() -> None:
    assert gaps.nearest(run(EARLY, LATE, key=8), 5050) == [(LATE, 4)]
    assert gaps.nearest(run(originator(7, None), LATE), 5050) == [(LATE, 4)]


def test_nobody_is_blamed_before_the_first_period_or_after_the_end() -> None:
    assert gaps.nearest(run(originator(7, Arc(0, 100), first=9)), 5050) == []
    assert gaps.nearest(run(originator(7, Arc(0, 100), live=False)), 5050) == []
    assert gaps.nearest(run(), 5050) == []
