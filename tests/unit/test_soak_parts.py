"""The soak's own parts: its plan, its bounds, its judgement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from publisher_sim.scenario import MESSAGE_FAULTS, check
from tests.soak.devices import SCENARIOS, write
from tests.soak.figures import Growth, Sample, creep, growths
from tests.soak.judging import Judgement
from tests.soak.plan import KINDS, PERSONALITIES, devices


def test_a_plan_is_good_and_can_be_repeated() -> None:
    plan = devices(7, 60, 4, 1.0, 595, "127.0.0.1:9")
    for one in plan:
        check(one)
    assert plan == devices(7, 60, 4, 1.0, 595, "127.0.0.1:9")
    assert plan != devices(8, 60, 4, 1.0, 595, "127.0.0.1:9")
    assert len({one.address for one in plan}) == 60


def test_a_plan_has_faults_of_all_kinds_and_all_personalities() -> None:
    plan = devices(1, 50, 4, 1.0, 595, "127.0.0.1:9")
    assert {fault.kind for one in plan for fault in one.fault} == set(KINDS)
    assert {one.behaves for one in plan} == set(PERSONALITIES)
    assert set(MESSAGE_FAULTS) < set(KINDS)


def test_nodes_change_hands_also_where_nobody_says_who_delivers() -> None:
    plan = devices(1, 50, 4, 1.0, 595, "127.0.0.1:9")
    moving = [one for one in plan if any(fault.moves_to for fault in one.fault)]
    assert {one.behaviour.lists for one in moving} == {True, False}


def test_devices_are_written_for_their_process(tmp_path: Path) -> None:
    write(tmp_path, devices(1, 3, 2, 1.0, 60, "127.0.0.1:9"))
    assert len(json.loads((tmp_path / SCENARIOS).read_text())) == 3


def samples(memory: list[float]) -> list[Sample]:
    return [Sample(5.0 * n, value, 30, 20, 8) for n, value in enumerate(memory)]


def test_what_rises_is_found_and_what_wobbles_is_not() -> None:
    steady = [130.0 + n % 3 for n in range(100)]
    rising = [130.0 + n * 0.3 for n in range(100)]
    warming = [100.0 + min(n, 20) for n in range(100)]
    judged = [growths(samples(memory))[0] for memory in (steady, rising, warming)]
    assert [one.is_bounded for one in judged] == [True, False, True]
    assert judged[1].rise == pytest.approx(0.3 * 69)
    assert "ABOVE" in judged[1].sentence()
    assert not growths(samples(rising), ended=300)[0].is_bounded
    assert growths(samples(rising), ended=2000)[0].is_bounded


def test_what_is_given_back_is_no_growth() -> None:
    peak = [130.0 + (80.0 if 85 <= n < 96 else 0.0) for n in range(100)]
    assert growths(samples(peak))[0].is_bounded


def test_descriptors_that_are_not_closed_are_found() -> None:
    leaking = [Sample(5.0 * n, 130, 30 + n // 5, 20, 8) for n in range(100)]
    assert [one.name for one in growths(leaking) if not one.is_bounded] == ["files"]


def test_too_few_samples_say_nothing() -> None:
    assert growths([]) == []
    assert growths(samples([1.0, 2.0, 3.0])) == []
    assert creep([1.0, 1.5, 9.0], 3.0) == 0.5


def test_the_bound_is_what_it_says() -> None:
    assert Growth("files", 30, 4.0, 4.0).is_bounded
    assert not Growth("files", 30, 4.1, 4.0).is_bounded


@pytest.mark.parametrize(
    ("judgement", "right", "enough"),
    [
        (Judgement(2, 100, {"COMPLETE": 100}, {}, [], [], []), True, True),
        (Judgement(2, 100, {"COMPLETE": 100}, {}, ["different"], [], []), False, True),
        (Judgement(2, 100, {"COMPLETE": 100}, {}, [], ["soak-0001"], []), False, True),
        (Judgement(2, 100, {"COMPLETE": 100}, {}, [], [], ["soak-0001"]), True, False),
        (Judgement(2, 100, {"COMPLETE": 100}, {"list_changed": 30}, [], [], []), True, False),
        (Judgement(2, 100, {"COMPLETE": 100}, {"slow": 30}, [], [], []), True, True),
        (Judgement(2, 100, {"COMPLETE": 100}, {"slow": 130}, [], [], []), True, False),
    ],
)
def test_when_a_soak_is_good(judgement: Judgement, right: bool, enough: bool) -> None:
    assert (judgement.is_right, judgement.is_enough) == (right, enough)
