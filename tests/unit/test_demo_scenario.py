"""The demo's scenario is one that the simulator accepts, whatever is asked for."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.demo import SHORTEST, run_demo
from collector.demo_scenario import demo_scenario
from collector.errors import UsageError
from publisher_sim.scenario import parse_scenario


@settings(max_examples=60, deadline=None)
@given(
    duration=st.floats(SHORTEST, 7200),
    cards=st.integers(2, 64),
    seed=st.integers(0, 2**31),
)
def test_every_length_and_size_keeps_the_rules(duration: float, cards: int, seed: int) -> None:
    made = demo_scenario(duration, cards, seed)
    scenario = parse_scenario(made.toml)
    assert len(scenario.card) == cards
    assert {fault.kind for fault in scenario.fault} == {"silent", "drop", "pull"}
    assert all(a < b for (a, _), (b, _) in pairwise(made.timeline))
    assert scenario.periods < duration


def test_too_short_a_demo_is_refused_before_anything_starts() -> None:
    with pytest.raises(UsageError, match="--duration"):
        run_demo(duration_seconds=5, cards=4)
