"""The devices of a soak in pretend time: each personality under the faults of a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from publisher_sim.scenario import Fault
from tests.soak.plan import PERSONALITIES, devices
from tests.soak.pretend import compare_in_pretend_time, main

PERIODS = 110
PLAN = devices(3, 2 * len(PERSONALITIES), 4, 1.0, PERIODS, "127.0.0.1:9")


@pytest.mark.parametrize(
    "number", range(len(PERSONALITIES)), ids=["-".join(one) or "plain" for one in PERSONALITIES]
)
def test_a_device_of_the_soak_gets_what_it_deserves(number: int, tmp_path: Path) -> None:
    comparison = compare_in_pretend_time(PLAN[len(PERSONALITIES) + number], tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.compared > PERIODS // 2


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
    comparison = compare_in_pretend_time(device, tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert not comparison.doubts.keys() - {"list_changed", "killed"}


@pytest.mark.parametrize(("access", "joins"), [("limited", True), ("full", False)])
def test_a_card_that_is_away_when_somebody_subscribes_who_sees_no_list(
    access: Any, joins: bool, tmp_path: Path
) -> None:
    """Who may not see lists (base draft §13) learns who is there, as on a device without any: from
    when on the card is expected nobody can say."""
    plain = PLAN[0]
    device = structs.replace(
        plain,
        netconf=structs.replace(plain.netconf, access=access),
        fault=(Fault("pull", 30, 50, "lc1"), Fault("terminate", 40)),
        periods=70,
    )
    comparison = compare_in_pretend_time(device, tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert ("joining" in comparison.doubts) == joins
    assert comparison.compared > 30


def test_a_plan_as_people_run_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seconds", "45", "--devices", "2", "--cards", "2", "--seed", "2"]) == 0
    assert "periods of 2 devices compared, 0 differences" in capsys.readouterr().out
