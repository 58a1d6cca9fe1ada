"""Every fault of the timeline on real processes and sockets: verdict log equals truth log.

One run: one collector, one simulated device for each fault, all at the same time.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from collector.comparison import Comparison
from tests.calm import calmest, equal_to_the_truth, proven
from tests.lab import fault, lab, scenario_toml

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

PERIODS = 26
GRACE = 1.2
"""Seconds; wide, since all devices share a machine."""
ENOUGH = PERIODS - 10
"""Periods of each device that must have been compared."""

FAULTS: dict[str, str] = {
    "well": "",
    "drop": fault("drop", 7, 18, probability=0.12),
    "lose-datagrams": fault("drop", 7, 18, probability=0.1, datagrams=True),
    "duplicate": fault("duplicate", 7, 20, probability=0.3),
    "reorder": fault("reorder", 7, 20, probability=0.3, seconds=0.05),
    "late": fault("delay", 12, 13, card="linecard2", seconds=2.5),
    "held-back": fault("delay", 8, 16, card="linecard1", probability=0.5, seconds=0.15),
    "corrupt": fault("corrupt", 7, 16, probability=0.1),
    "clock-skew": fault("clock_skew", 8, 20, card="linecard3", seconds=3.0),
    "silent": fault("silent", 8, 12, card="linecard2"),
    "killed": fault("kill", 9, 16, card="linecard3"),
    "pulled": fault("pull", 9, 16, card="linecard4"),
    "moved": fault("move", 9, 17, card="linecard2", moves_to="linecard3"),
    "suspended": fault("suspend", 9, 14),
    "overloaded": fault("overload", 9, 14, share=0.3),
    "too-big": fault("move", 9, 17, card="linecard2", moves_to="linecard3"),
    "all-on-one-message": fault("drop", 8, 15, card="linecard1", probability=0.5),
}
LIMITS = {
    "overloaded": "[limits]\nrecords_per_second = 20.0",
    "too-big": "[limits]\nnodes_per_update = 1",
}
"""The device affords what is asked, and less of it for a while."""
PROCESSES = frozenset({"killed", "pulled"})


def scenarios() -> dict[str, str]:
    found = {}
    for number, (name, faults) in enumerate(FAULTS.items(), start=1):
        updates = 1 if name == "all-on-one-message" else 3
        push = "max_segment_size = 500" if name == "lose-datagrams" else ""
        found[name] = scenario_toml(
            name, number, faults, periods=PERIODS, updates=updates, push=push, grace=GRACE,
            head=LIMITS.get(name, ""),
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def comparisons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Comparison]:
    """All devices at once; their comparisons by name."""

    async def whole(folder: Path) -> dict[str, Comparison]:
        async with lab(folder, scenarios(), processes=PROCESSES, grace_seconds=GRACE) as running:
            await running.finished()
            await asyncio.sleep(1.0)
        return {name: running.comparison(name) for name in FAULTS}

    def check(found: dict[str, Comparison]) -> None:
        for name in FAULTS:
            equal_to_the_truth(found[name], ENOUGH, name)
        for name, outcome in SHOWS:
            it_shows(found[name], outcome)

    folder = Path(tmp_path_factory.mktemp("lab"))
    return calmest(folder, lambda place: asyncio.run(whole(place)), check)


def it_shows(found: Comparison, outcome: str) -> None:
    proven(found.outcomes.get(outcome), f"{outcome} among {found.outcomes}", [found])


@pytest.mark.parametrize("name", FAULTS)
def test_the_verdicts_equal_the_truth(comparisons: dict[str, Comparison], name: str) -> None:
    equal_to_the_truth(comparisons[name], ENOUGH)


SHOWS = (
    ("drop", "DEGRADED"),
    ("lose-datagrams", "DEGRADED"),
    ("corrupt", "DEGRADED"),
    ("silent", "INCOMPLETE"),
    ("killed", "INCOMPLETE"),
    ("pulled", "INCOMPLETE"),
    ("suspended", "NOT_JUDGED"),
    ("overloaded", "NOT_JUDGED"),
    ("too-big", "NOT_JUDGED"),
    ("all-on-one-message", "INCOMPLETE"),
)
"""fault -> an outcome that it brings."""


@pytest.mark.parametrize(("name", "outcome"), SHOWS)
def test_the_fault_shows(comparisons: dict[str, Comparison], name: str, outcome: str) -> None:
    it_shows(comparisons[name], outcome)
