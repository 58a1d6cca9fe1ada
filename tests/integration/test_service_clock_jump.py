"""Time goes wrong while devices push: the machine's clock jumps by an hour, forward and later back,
or the whole collector stands still. Nobody is blamed for it, what was missed is
NOT_JUDGED(collector_down), and verdicts go on.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from collector.model import SECOND, NotJudgedReason, Outcome
from tests.lab import Lab, lab, scenario_toml

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

HOUR = 3600 * SECOND
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
    assert blamed == []


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
@pytest.fixture(scope="module")
def stalled(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Four seconds in which nothing of the collector runs, as if stopped or swapped out."""

    async def whole() -> Lab:
        scenarios = {"well": scenario_toml("well", 64, periods=12)}
        folder = Path(tmp_path_factory.mktemp("stalled"))
        async with lab(folder, scenarios) as running:
            await asyncio.sleep(6.5)
            time.sleep(4.0)
            await running.finished()
            await asyncio.sleep(1.0)
            assert running.service.health() == (True, "ok")
        return running

    return asyncio.run(whole())


def test_nobody_is_blamed_while_we_stood_still(stalled: Lab) -> None:
    rows = stalled.facts.verdicts["well"]
    assert {row.outcome for row in rows} <= {Outcome.COMPLETE, Outcome.NOT_JUDGED}


def test_what_waited_in_the_socket_completes_the_periods(stalled: Lab) -> None:
    last = {row.period_index: row for row in stalled.facts.verdicts["well"]}
    complete = [row for row in last.values() if row.outcome is Outcome.COMPLETE]
    assert len(complete) >= 7
