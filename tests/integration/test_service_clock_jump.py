"""Time goes wrong while devices push: the machine's clock jumps by an hour, forward and later back,
or the whole collector stands still. Nobody is blamed for it; what a jump leaves out is
NOT_JUDGED(collector_down), what waited while we stood still is judged, and verdicts go on.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from collector.comparison import Comparison
from collector.model import SECOND, NotJudgedReason, Outcome, Verdict
from tests.calm import calmest, equal_to_the_truth, none_wrong
from tests.lab import Collecting, Lab, lab, scenario_toml
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

HOUR = 3600 * SECOND
STILL = 2.6
"""Seconds that the collector stands still: five times the grace."""
PERIODS = 15


class Wall:
    """A clock that somebody sets."""

    moved = 0

    def __call__(self) -> int:
        return time.time_ns() + self.moved


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    async def whole() -> Lab:
        wall = Wall()
        scenarios = {"well": scenario_toml("well", 61, periods=PERIODS)}
        folder = Path(tmp_path_factory.mktemp("clock"))
        async with lab(folder, scenarios, wall=wall) as running:
            await asyncio.sleep(6.5)
            wall.moved = HOUR
            await asyncio.sleep(4.5)
            wall.moved = 0
            await running.finished()
            await asyncio.sleep(1.0)
            assert running.service.health() == (True, "ok")
        return running

    return asyncio.run(whole())


def test_nobody_is_blamed(run: Lab) -> None:
    rows = run.facts.verdicts["well"]
    blamed = [row for row in rows if row.outcome in (Outcome.INCOMPLETE, Outcome.DEGRADED)]
    none_wrong([row.nominal_time for row in blamed], "nobody is to blame", blamed)


def test_what_was_jumped_over_is_not_judged(run: Lab) -> None:
    rows = run.facts.verdicts["well"]
    down = [row for row in rows if row.reason == NotJudgedReason.COLLECTOR_DOWN]
    assert down
    assert sum(row.period_to - row.period_index + 1 for row in down) > 3000
    assert len(down) < 50


def test_verdicts_go_on(run: Lab) -> None:
    complete = [row for row in run.facts.verdicts["well"] if row.outcome is Outcome.COMPLETE]
    after = [row for row in complete if row.judged_at > time.time_ns() + HOUR // 2]
    assert len(complete) >= PERIODS - 8
    assert len(after) >= 3


def test_both_jumps_are_events(run: Lab) -> None:
    texts = [event.text for event in run.facts.events if event.kind == "clock_moved"]
    assert len(texts) == 2
    assert "+3600" in texts[0]
    assert "-3600" in texts[1]


# --------------------------------------------------------------------------- standing still
class Stalled(NamedTuple):
    """What was said of each device, and of us."""

    comparisons: dict[str, Comparison]
    verdicts: dict[str, list[Verdict]]
    stalls: list[str]


async def stalled(folder: Path) -> Stalled:
    """Twice some seconds in which nothing of the collector runs, as if stopped or swapped out."""
    in_session = '[receiver]\ntransport = "netconf"\n'
    heads = {"datagrams": "", "in-session": in_session}
    scenarios = {
        name: scenario_toml(name, number, cards=2, periods=PERIODS, head=head)
        for number, (name, head) in enumerate(heads.items(), start=62)
    }
    collecting = Collecting(subscriptions={"in-session": {"transport": "netconf"}})
    async with lab(folder, scenarios, together=2, collecting=collecting) as running:
        udp: Any = next(one for one in running.service.receivers if one.name == "udp-notif")
        for _ in range(2):
            await asyncio.sleep(2.5)
            await until(lambda: udp._gathering is not None)  # its socket is not watched just then
            time.sleep(STILL)
        await running.finished()
        assert running.service.health() == (True, "ok")
    told = [event.text for event in running.facts.events if event.kind == "stood_still"]
    comparisons = {name: running.comparison(name) for name in scenarios}
    return Stalled(comparisons, running.facts.verdicts, told)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Stalled:
    folder = Path(tmp_path_factory.mktemp("stalled"))
    return calmest(folder, lambda place: asyncio.run(stalled(place)), as_if_awake)


def as_if_awake(found: Stalled) -> None:
    for name, comparison in found.comparisons.items():
        equal_to_the_truth(comparison, PERIODS - 8, name)


def test_nobody_is_blamed_while_we_stood_still(still: Stalled) -> None:
    as_if_awake(still)


def test_nothing_is_called_late_or_not_judged_for_it(still: Stalled) -> None:
    for rows in still.verdicts.values():
        assert not any(row.late_generators for row in rows)
        assert NotJudgedReason.COLLECTOR_DOWN not in {row.reason for row in rows}


def test_standing_still_is_an_event(still: Stalled) -> None:
    assert len(still.stalls) >= 2
    assert all(text.endswith("s: nothing of it ran.") for text in still.stalls)
