"""The devices of a soak in pretend time: each personality under the faults of a plan.

Two subscriptions each, as in the soak: what the device does between two ticks of the one falls
anywhere between two ticks of the other. Nobody comes again here after an end, so devices do not
end what they have.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from collector.model import SECOND, DeviceTime, SubscriptionTerms
from publisher_sim.device.simulate import START, default_terms
from publisher_sim.scenario import Fault, Scenario
from tests.sim_joined import compare_with_truth
from tests.soak.plan import PERSONALITIES, devices

ENDS = ("terminate", "cut")
PERIODS = 110
PLAN = devices(3, 2 * len(PERSONALITIES), 4, 1.0, PERIODS, "127.0.0.1:9")


def both(scenario: Scenario) -> tuple[SubscriptionTerms, SubscriptionTerms]:
    """Each period, and every other one."""
    one, period = default_terms(scenario), 2 * SECOND
    anchor = DeviceTime((START // period + 2) * period)
    return one, structs.replace(one, period=period, anchor_time=anchor)


@pytest.mark.parametrize(
    "number", range(len(PERSONALITIES)), ids=["-".join(one) or "plain" for one in PERSONALITIES]
)
def test_a_device_of_the_soak_gets_what_it_deserves(number: int, tmp_path: Path) -> None:
    device = PLAN[len(PERSONALITIES) + number]
    faults = tuple(fault for fault in device.fault if fault.kind not in ENDS)
    device = structs.replace(device, fault=faults)
    comparison = compare_with_truth(device, tmp_path, *both(device))
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.compared > PERIODS


@pytest.mark.parametrize("until", [50, 51])
@pytest.mark.parametrize("at", [45, 46])
def test_a_card_comes_back_on_a_device_that_ticks_elsewhere(
    at: int, until: int, tmp_path: Path
) -> None:
    """In the second subscription's time the list changes between where a tick's window begins by
    the announced anchor, and where it would begin by the instant of the tick."""
    place = PERSONALITIES.index(("anchor-ignored",))
    fault = Fault("kill", at, until, "lc1")
    device = structs.replace(PLAN[place], fault=(fault,), periods=70)
    comparison = compare_with_truth(device, tmp_path, *both(device))
    assert [one.sentence() for one in comparison.differences] == []
    assert not comparison.doubts.keys() - {"list_changed", "killed"}
