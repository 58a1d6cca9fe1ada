"""Personalities: what each name means, and what leaves the device because of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from collector.errors import ConfigError
from publisher_sim.cli.scenario_argument import read_scenario
from publisher_sim.scenario import Fault, Master, Push, Scenario, check, parse_scenario
from publisher_sim.scenario.behaviour import NAMES, QUIRKS, ROUTERS, behaviour_of, quirks_of
from tests.sim_joined import compare_with_truth
from tests.sim_scenarios import small

JSON = Push(updates_per_period=1, encodings=("encode-json",))


def like(*names: str, faults: tuple[Fault, ...] = (), **more: Any) -> Scenario:
    """A device like that, with two cards, or without where it has none."""
    behaviour = behaviour_of(names)
    if behaviour.publisher_id is not None:
        own = Master(interfaces=("eth1/0", "eth1/1", "eth1/2"), phase=0.02, arc=0.1)
        scenario = Scenario(
            name="core7", grace_seconds=0.5, periods=30, master=own, behaves_like=names,
            fault=tuple(structs.replace(one, card="") for one in faults), push=JSON, **more,
        )  # fmt: skip
        check(scenario)
        return scenario
    more.setdefault("push", JSON)
    return small(*faults, behaves_like=names, **more)


def test_a_router_is_its_quirks_and_a_later_one_wins() -> None:
    assert quirks_of(["cisco-xr", "no-list"]) == ROUTERS["cisco-xr"]
    assert behaviour_of(("clock-ahead", "clock-behind")).clock_seconds < 0
    assert behaviour_of(()).lists


def test_every_quirk_changes_something() -> None:
    for name in QUIRKS:
        assert behaviour_of((name,)) != behaviour_of(()), name
    assert len(set(NAMES)) == len(NAMES)


def test_one_name_or_several() -> None:
    one = parse_scenario('behaves_like = "huawei-olt"')
    several = parse_scenario('behaves_like = ["no-list", "ids-from-0"]')
    assert not one.lists
    assert several.behaves == ("no-list", "ids-from-0")


@pytest.mark.parametrize(
    "text",
    [
        'behaves_like = "router"',
        'behaves_like = ["no-list", "nonsense"]',
        'behaves_like = "cisco-xr"\n[[card]]\nname = "a"\npublisher_id = 7',
        'behaves_like = "mixed-root"',
        'behaves_like = "last-flag-in-top-bit"\n[receiver]\ntransport = "netconf"',
    ],
)
def test_what_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_scenario(text)
    assert raised.value.key == "behaves_like"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_verdicts_are_those_that_it_deserves(name: str, tmp_path: Path) -> None:
    comparison = compare_with_truth(like(name), tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.agrees, comparison


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop", 10, 12, "lc1"),
        Fault("silent", 10, 13, "lc1"),
        Fault("duplicate", 10, 14, seconds=0.2),
        Fault("corrupt", 10, 11, "lc1"),
        Fault("suspend", 10, 14),
    ],
    ids=lambda fault: fault.kind,
)
def test_with_faults_as_well(name: str, fault: Fault, tmp_path: Path) -> None:
    comparison = compare_with_truth(like(name, faults=(fault,)), tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.compared > 0


def test_a_clock_that_strays_on_ticks_that_nobody_announced_shifts_periods(tmp_path: Path) -> None:
    scenario = like(
        "anchor-ignored",
        faults=(Fault("clock_skew", 10, 12, "lc2", seconds=0.2), Fault("silent", 20, 22, "lc2")),
    )
    late = structs.replace(scenario.card[1], phase=0.25, arc=0.1)
    scenario = structs.replace(scenario, card=(scenario.card[0], late))
    comparison = compare_with_truth(scenario, tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.compared > 0


def test_all_quirks_of_time_and_numbers_together(tmp_path: Path) -> None:
    names = ("no-list", "ids-per-subscription", "ids-from-0", "clock-ahead", "measured-early")
    faults = (Fault("drop", 10, 12, "lc1"),)
    comparison = compare_with_truth(like(*names, faults=faults), tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.agrees


def test_the_packaged_one_is_a_device_of_the_field(tmp_path: Path) -> None:
    scenario = structs.replace(read_scenario("field-olt"), periods=20)
    assert scenario.behaves == ("huawei-olt",)
    assert compare_with_truth(scenario, tmp_path).agrees
