"""What is tried again, what is skipped and what fails where a machine stalls."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.comparison import Comparison, Difference
from tests import calm
from tests.calm import calmest, enough, equal_to_the_truth

DIFFERENCE = Difference("core7", 1, 0, "first", "outcome", "COMPLETE", "DEGRADED")


def found(compared: int, doubt: str = "", *differences: Difference) -> Comparison:
    doubts = {doubt: 9 - compared} if doubt else {}
    return Comparison(compared, sum(doubts.values()), 5, {}, differences, doubts)


def check(comparison: Comparison) -> None:
    equal_to_the_truth(comparison, 6)


def runs(folder: Path, *comparisons: Comparison) -> tuple[Comparison, int]:
    """What comes of runs that bring these, and how many it took."""
    left = list(comparisons)
    result = calmest(folder, lambda place: left.pop(0), check)
    calm.NO_LUCK.clear()
    return result, len(comparisons) - len(left)


def test_what_is_proven_is_not_run_again(tmp_path: Path) -> None:
    good = found(9)
    assert runs(tmp_path, good) == (good, 1)
    check(found(3, "slow"))  # half will do


def test_late_devices_are_tried_again(tmp_path: Path) -> None:
    assert runs(tmp_path, found(1, "slow"), found(2, "shaken"), found(8, "slow"))[1] == 3


def test_three_times_and_then_it_is_skipped(tmp_path: Path) -> None:
    last, times = runs(tmp_path, *[found(1, "slow")] * 3)
    assert times == 3
    with pytest.raises(calm.Late, match="the devices were late"):
        check(last)


def test_repeats_have_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calm, "_spent", [calm.BUDGET_SECONDS])
    assert runs(tmp_path, found(1, "slow"))[1] == 1


@pytest.mark.parametrize("doubt", ["slow", ""])
def test_a_difference_fails_at_once(tmp_path: Path, doubt: str) -> None:
    last, times = runs(tmp_path, found(1, doubt, DIFFERENCE))
    assert times == 1
    with pytest.raises(pytest.fail.Exception, match="the truth is COMPLETE"):
        check(last)


def test_what_lacks_for_another_reason_fails(tmp_path: Path) -> None:
    last, times = runs(tmp_path, found(1, "mixed"))
    assert times == 1
    with pytest.raises(pytest.fail.Exception, match="at least 6 periods compared of it"):
        check(last)
    with pytest.raises(pytest.fail.Exception, match="of both"):
        enough(20, "both", [found(9), found(9)])
