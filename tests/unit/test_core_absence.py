"""Our clock jumped: until a period later nobody is judged for what is missing."""

from __future__ import annotations

import pytest

from collector.model import CollectorDown, CollectorTime, NotJudgedReason, Outcome
from tests.helpers import established, ns, run, update


def records(gap_from: int, gap_to: int, until: int) -> list[object]:
    """Two generators, one record a period of 10 s, none of the second in [from, to)."""
    found: list[object] = []
    for number, at in enumerate(range(10, until, 10)):
        found.append(update(at + 1, "1", number))
        if not gap_from <= at < gap_to:
            found.append(update(at + 2, "2", number))
    return found


@pytest.mark.parametrize(
    ("moved", "outcome"), [(True, Outcome.NOT_JUDGED), (False, Outcome.INCOMPLETE)]
)
def test_the_period_after_a_jump(moved: bool, outcome: Outcome) -> None:
    jump = CollectorDown(CollectorTime(ns(65)), CollectorTime(ns(64)), 0, clock_moved=moved)
    wire = run([established(), *records(70, 80, 150), jump], until=160)  # type: ignore[list-item]
    rows = {row.nominal_time: row for row in wire.lasts()}
    row = rows[ns(70)]  # type: ignore[index]
    assert row.outcome is outcome
    assert (row.reason is NotJudgedReason.COLLECTOR_DOWN) is moved


def test_later_periods_are_judged_again() -> None:
    jump = CollectorDown(CollectorTime(ns(65)), CollectorTime(ns(64)), 0, clock_moved=True)
    wire = run([established(), *records(90, 100, 150), jump], until=160)  # type: ignore[list-item]
    rows = {row.nominal_time: row for row in wire.lasts()}
    assert rows[ns(90)].outcome is Outcome.INCOMPLETE  # type: ignore[index]
