"""Limits, overloads and stop-times in pretend time: verdicts against the truth."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from collector.comparison import Comparison, compare, read_truth
from collector.model import SECOND, DeviceTime, SubscriptionTerms
from publisher_sim.device.simulate import START, default_terms, simulate
from publisher_sim.scenario import Scenario, parse_scenario
from publisher_sim.truth import file as truth_file
from tests.sim_joined import LATENCY, Joined

DEVICE = """
name = "core7"
periods = 40
grace_seconds = 0.3
{head}
[push]
updates_per_period = 2
[limits]
{limits}
[master]
interfaces = ["mgmt0"]
[[card]]
name = "lc1"
publisher_id = 101
interfaces = ["eth1", "eth2"]
phase = 0.05
[[card]]
name = "lc2"
publisher_id = 102
interfaces = ["eth3", "eth4"]
phase = 0.1
{faults}
"""
OVERLOAD = '[[fault]]\nkind = "overload"\nat_period = 10\nuntil_period = 15\nshare = 0.4\n'
MOVE = (
    '[[fault]]\nkind = "move"\ncard = "lc1"\nmoves_to = "lc2"\nat_period = 20\nuntil_period = 26\n'
)
PULL = '[[fault]]\nkind = "pull"\ncard = "lc2"\nat_period = 12\nuntil_period = 22\n'


def judged(scenario: Scenario, folder: Path, *terms: SubscriptionTerms) -> Comparison:
    said, header, lines = simulate(scenario, *terms)
    joined = Joined(scenario)
    joined._asked = list(terms)
    joined.take(said)
    verdicts = joined.stop(header.until + LATENCY)
    path = folder / "truth.jsonl"
    truth_file.write(path, header, lines)
    return compare(read_truth(path), verdicts)


def described(limits: str = "", faults: str = "", head: str = "") -> Scenario:
    return parse_scenario(DEVICE.format(limits=limits, faults=faults, head=head))


@pytest.mark.parametrize(
    ("limits", "faults"),
    [
        ("records_per_second = 14.0", OVERLOAD),
        ("kilobytes_per_second = 8.0", OVERLOAD),
        ("nodes_per_update = 1", MOVE),
        ("records_per_second = 14.0\nnodes_per_update = 1", OVERLOAD + MOVE),
        ("records_per_second = 14.0", PULL + OVERLOAD),
        ("records_per_second = 14.0\nsuspension_timeout_seconds = 3.0", OVERLOAD),
    ],
)
def test_one_that_is_suspended_for_a_while(limits: str, faults: str, tmp_path: Path) -> None:
    scenario = described(limits, faults)
    compared = judged(scenario, tmp_path, default_terms(scenario))
    assert not compared.differences, "\n".join(d.sentence() for d in compared.differences)
    assert compared.outcomes.get("NOT_JUDGED", 0) >= 1
    assert compared.compared >= (5 if "timeout" in limits else 10)


def test_the_light_ones_make_room_for_the_heavy_one(tmp_path: Path) -> None:
    scenario = described("records_per_second = 20.0", OVERLOAD + PULL)
    usual = default_terms(scenario)
    terms = [structs.replace(usual, weighting=weighting) for weighting in (0, 200, 20)]
    compared = judged(scenario, tmp_path, *terms)
    assert not compared.differences, "\n".join(d.sentence() for d in compared.differences)
    assert compared.outcomes.get("NOT_JUDGED", 0) >= 8
    assert compared.compared >= 80


@pytest.mark.parametrize("completes", ["all", "configured"])
@pytest.mark.parametrize("seconds", [20.0, 20.4, 20.95])
def test_an_end_that_is_told_and_one_that_is_not(
    completes: str, seconds: float, tmp_path: Path
) -> None:
    """The device may fall silent at the stop-time; both know when that is."""
    scenario = described(head=f'[netconf]\ncompletes = "{completes}"')
    stop = DeviceTime(START + round(seconds * SECOND))
    terms = structs.replace(default_terms(scenario), stop_time=stop)
    compared = judged(scenario, tmp_path, terms)
    assert not compared.differences, "\n".join(d.sentence() for d in compared.differences)
    assert compared.outcomes.get("INCOMPLETE", 0) == 0
    assert compared.compared >= 12
