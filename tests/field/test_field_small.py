"""A small part of the field test: few sets, few devices, every fault once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace

from collector.core.engine import Engine
from collector.model import CollectorStopped, CollectorTime
from collector.wire.captures.pcap import write_pcap
from publisher_sim.distort.faults import distort
from publisher_sim.distort.writing import packets
from tests.field.cases import Result, run
from tests.field.devices import device_case
from tests.field.faults import BESIDE, EVERY, FAULTS, plan
from tests.field.play import play
from tests.field.score import COLUMNS, Score
from tests.field.sets import CAPTURES, Case, capture_cases
from tests.integration.test_captures_verdicts import final_letters, records_of

needs_captures = pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"no captures in {CAPTURES}")
SETS = (
    "n7 8 cards spread",
    "6wind-json",
    "6wind-cbor 8 cards together",
    "olt",
    "olt 8 cards spread",
)
DEVICES = (0, 5, 7, 14, 21, 28, 35)


def total(results: Iterable[Result]) -> Score:
    """All cases in one."""
    found = Score()
    for result in results:
        found.add(result.score)
    return found


def columns(score: Score) -> dict[str, int]:
    """Columns that are not 0."""
    return {column: score.counts[column] for column in COLUMNS if score.counts[column]}


@pytest.fixture(scope="module")
def sets() -> dict[str, Case]:
    return {case.name: case for case in capture_cases()}


@needs_captures
@pytest.mark.parametrize("fault", [*FAULTS, *BESIDE])
def test_small_sets_of_real_messages_under_every_fault(sets: dict[str, Case], fault: str) -> None:
    found = total(run(sets[name], fault, 1) for name in SETS)
    assert found.judged > 500
    assert columns(found) == {}


@pytest.mark.parametrize("fault", [*FAULTS, *BESIDE])
def test_random_devices_under_every_fault(fault: str) -> None:
    found = total(run(device_case(number), fault, 1) for number in DEVICES)
    assert found.judged > 500
    assert set(columns(found)) <= {"false loss"}  # where several may be short nobody can tell
    assert found.counts["false loss"] * 100 < found.judged


def test_the_score_sees_what_is_wrong() -> None:
    """A judge of its own: the truth of one seed held against the verdicts on another."""
    case = device_case(5)
    messages = distort(case.messages, plan("out3", 1, case.slowest), case.slowest)
    other = replace(case, messages=messages.messages)
    assert columns(run(other, "none", 1).score) != {}
    assert set(EVERY) > set(FAULTS)


@needs_captures
@pytest.mark.parametrize(
    ("name", "fault"),
    [("olt", "combo"), ("olt", "drop5"), ("6wind-cbor 8 cards spread", "garbage"), ("n7", "msg1")],
)
def test_a_distorted_file_and_the_same_in_memory_get_the_same_verdicts(
    sets: dict[str, Case], tmp_path: Path, name: str, fault: str
) -> None:
    """Payloads, headers and segments written, read back and received: nothing was forgotten."""
    case = sets[name]
    made = distort(case.messages, plan(fault, 3, case.slowest), case.slowest)
    path = tmp_path / "distorted.pcap"
    with path.open("wb") as file:
        write_pcap(file, packets(made.messages))
    records = records_of(str(path))
    engine = Engine(case.settings)
    facts = [fact for record in records for fact in engine.receive(record, record.arrival)]
    end = CollectorTime(made.messages[-1].at + 1)
    facts += engine.receive(CollectorStopped(end, len(records)), end)
    letters = final_letters(facts)
    assert letters == final_letters(play(made.messages, case.settings).facts)
    assert set("".join(letters[min(letters)])) > {"C"}
