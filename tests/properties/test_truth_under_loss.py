"""Verdicts against the truth where a loss touches most periods: counts must not be shaken."""

from __future__ import annotations

from pathlib import Path

import pytest

from publisher_sim.scenario import parse_scenario
from tests.lab import fault, scenario_toml
from tests.sim_joined import compare_with_truth

SEEDS = range(1, 9)


@pytest.mark.parametrize("probability", [0.05, 0.12, 0.3])
@pytest.mark.parametrize("kind", ["drop", "corrupt"])
def test_each_loss_is_charged_to_its_own_period(
    kind: str, probability: float, tmp_path: Path
) -> None:
    for seed in SEEDS:
        faults = fault(kind, 7, 40, probability=probability)
        scenario = parse_scenario(scenario_toml("dev", seed, faults, periods=50))
        found = compare_with_truth(scenario, tmp_path)
        assert not found.differences, "\n".join(d.sentence() for d in found.differences)
        assert found.compared > 30
        assert found.outcomes.get("DEGRADED", 0) > 5
