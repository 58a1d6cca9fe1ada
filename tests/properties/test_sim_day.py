"""A day of a four-card device in pretend time: every verdict is the one deserved."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from publisher_sim.cli.scenario_argument import read_scenario
from tests.sim_joined import compare_with_truth


@pytest.mark.slow
def test_a_day_of_telemetry(tmp_path: Path) -> None:
    comparison = compare_with_truth(read_scenario("one-day"), tmp_path)
    assert [one.sentence() for one in comparison.differences[:5]] == []
    assert comparison.compared == 8635
    assert comparison.outcomes["INCOMPLETE"] > 100
    assert comparison.agrees


@pytest.mark.parametrize("seed", range(5))
def test_the_packaged_scenario(seed: int, tmp_path: Path) -> None:
    scenario = structs.replace(read_scenario("four-cards"), seed=seed)
    comparison = compare_with_truth(scenario, tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.agrees
