"""Tests in real time on a machine that stalls now and then: what fails, and what is tried again.

Rules: a verdict that differs from the truth is a failure, unless the machine gave the collector no
processor around that period, which is measured (``tests.starving``). That too little could be
compared, since the devices themselves were late and the truth says so, is none either. Then the run
is repeated, ``TRIES`` in all while the budget lasts, and then skipped with a word and the figure.
What lacks for any other reason fails.

Such a failure beside other tests may be the machine's, too: when only a few failed and nothing
differed, the test command runs those once more, alone, and says so. Who fails alone has failed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from collector.comparison import Comparison
from tests.starving import WATCH

TRIES = 3
BUDGET_SECONDS = 150.0
"""For all repeats of a process: on a machine that is busy all the time they prove nothing."""
LATE = frozenset({"slow", "close", "straddles", "delayed_again", "shaken", "ending", "killed"})
"""The truth's words for what may hang on when a device got round to sending."""
FEW = 3
"""So many tests may get a second run: if more fail, it is not by chance."""
FINAL_WORDS = ("differ", "crashed while running")
"""Of failures that no second run may clear; the second is said by those who spread tests."""
ONCE_MORE = 64
"""Exit status of a run where few failed and nothing differed; no status of pytest's own."""
SHOWN = 8
"""Differences that are printed; the first of them matters most."""
NO_LUCK: list[str] = []
"""Why runs were repeated; taken out and said at the end of the test run (``conftest``)."""
_spent = [0.0]
"""Seconds that repeats took so far."""

T = TypeVar("T")
Late = pytest.skip.Exception


def calmest(folder: Path, attempt: Callable[[Path], T], check: Callable[[T], object]) -> T:
    """What ``attempt`` brings in the first run of which ``check`` does not say that devices were
    late; the last one when all were. Whoever gets it checks again: that fails or skips.

    ``attempt`` gets an empty folder each time.
    """
    WATCH.start()
    for number in range(1, TRIES + 1):
        place = folder / f"try-{number}"
        place.mkdir()
        began = time.monotonic()
        found = attempt(place)
        took = time.monotonic() - began
        _spent[0] += took if number > 1 else 0
        try:
            check(found)
        except Late as late:
            if number < TRIES and _spent[0] + took <= BUDGET_SECONDS:
                NO_LUCK.append(f"{folder.name}: {late}")
                continue
        except (AssertionError, pytest.fail.Exception):
            pass  # whoever checks again says so
        break
    return found


def proven(holds: object, what: str, comparisons: Iterable[Comparison]) -> None:
    """Fails unless it holds; where devices of these comparisons were late, it is tried again.

    ``what``: a sentence for people, what should be and what is.
    """
    if holds:
        return
    doubts: Counter[str] = Counter()
    compared = 0
    for one in comparisons:
        doubts.update(one.doubts)
        compared += one.compared
    if LATE.isdisjoint(doubts):
        pytest.fail(f"{what} (compared: {compared}, doubts: {dict(doubts)})", pytrace=False)
    pytest.skip(f"the devices were late, {dict(doubts)} besides {compared} compared: {what}")


def equal(comparison: Comparison, about: object = "") -> None:
    """Fails with a few sentences when a verdict differs from the truth."""
    times = [one.nominal_time for one in comparison.differences]
    told = [one.sentence() for one in comparison.differences]
    none_wrong(times, f"{about}: the verdicts differ from the truth", told)


def none_wrong(times: Sequence[int], what: str, told: Sequence[object]) -> None:
    """Fails when something was wrong in periods that began then, ns since 1970; skips where the
    machine explains all of it. ``told``: what was wrong, for people."""
    if not times:
        return
    more = [f"and {len(told) - SHOWN} more"] if len(told) > SHOWN else []
    text = "\n".join([what, *map(str, told[:SHOWN]), *more])
    starved = [WATCH.near(one) for one in times]
    if not all(starved):
        pytest.fail(text, pytrace=False)
    pytest.skip(f"no processor for {max(starved):.1f} s at a stretch; {text}")


def enough(at_least: int, about: object, comparisons: Sequence[Comparison]) -> None:
    """So many periods were compared in all; of late devices half as many will do."""
    late = any(not LATE.isdisjoint(one.doubts) for one in comparisons)
    wanted = at_least // 2 if late else at_least
    compared = sum(one.compared for one in comparisons)
    proven(compared >= wanted, f"at least {wanted} periods compared of {about}", comparisons)


def equal_to_the_truth(comparison: Comparison, at_least: int, about: object = "it") -> None:
    """No difference, and enough was compared."""
    equal(comparison, about)
    enough(at_least, about, [comparison])


def may_run_once_more(reports: Sequence[str]) -> bool:
    """Few failures, and none that speaks of differences, be it only in the test's own lines; nor of
    a process that died: that is no matter of time, and what it had still to run was never run."""
    few = 0 < len(reports) <= FEW
    return few and not any(word in report for report in reports for word in FINAL_WORDS)
