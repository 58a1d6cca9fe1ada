"""What the benchmark makes of its figures: spreads, goals, pictures, comparisons, plain values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from collector.model import SECOND
from tests.bench import charts, lines, report
from tests.bench.charts import Panel
from tests.bench.end_to_end import EndToEnd
from tests.bench.equality import Equality, compared
from tests.bench.goals import goals
from tests.bench.latency import Lone, Spread, UnderLoad
from tests.bench.limits import Disk, Ingest, disk_speed
from tests.bench.load import Load
from tests.bench.netconf_device import Stream
from tests.bench.netconf_handover import HandOver, Way
from tests.bench.options import PARTS, Options
from tests.bench.report import Report
from tests.bench.scaling import AXES, Point, load_of, plot
from tests.bench.search import Found, Step
from tests.bench.stages import STAGES, StageCost
from tests.bench.startup import Memory, Start, slowest_imports
from tests.unit.test_bench_runs import BARE, RUN, changed

HANDED = HandOver(
    Stream(1000, 900), Way("bare library", 1000, 0.008, 0.01),
    Way("handed over", 1000, 0.01, 0.01), Way("into the journal", 1000, 0.012, 0.012),
    Way("judged and stored", 1000, 0.05, 0.05), 25.0,
)  # fmt: skip
SPREAD = Spread(10, 5.0, 50.0, 99.0)


def whole() -> Report:
    """A report in which nothing is empty."""
    lost = changed(load=Load(updates=8), kernel_drops=5)
    return Report(
        "here", reference_microseconds=5.0, stages=[StageCost("decode", 10, 0.1)],
        runs=[RUN, lost],
        found=Found((Step(60_000, True, RUN),), RUN, 80_000, 30.0, "a reason"),
        bare=BARE, flat_out=BARE,
        ingest=Ingest(BARE, 3, "another reason", BARE, Disk(900.0, 300.0, 100.0)),
        latency=[UnderLoad(RUN, SPREAD, SPREAD, None, 0)],
        lone=Lone(SPREAD, Spread(3, 1.0, 2.0, 3.0), None),
        sessions=[HANDED],
        start=Start(0.02, 0.004, ("numpy",), 0.5, 1.5, 10_000, (("numpy", 0.1),)),
        memory=[Memory(10_000, 1 << 27, 1 << 28, 700_000_000, 9, RUN, 650_000_000, 12.5)],
        scaling=[Point("devices", 100, RUN), Point("devices", 1000, RUN)],
        pictures=["scaling-devices.svg"],
        equality=[Equality(RUN, "compiled", 10, (compared("events", [], []),))],
    )  # fmt: skip


def test_everything_is_plain_and_has_what_follows_from_it() -> None:
    plain = report.plain(whole())
    assert json.loads(json.dumps(plain)) == plain
    assert plain["lossless_rate"] == 60_000
    assert plain["best"]["microseconds"] == pytest.approx(12.0)
    assert plain["times_the_bare_loop"] == pytest.approx(12.0)
    assert plain["latency"][0]["early"]["most"] == 99.0
    assert plain["equality"][0]["equal"] is True
    assert plain["ingest"]["best"]["a_core"] == pytest.approx(1e6)


def test_people_get_a_table_or_a_sentence_of_everything() -> None:
    console = Console(width=200, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        for table in lines.tables(whole()):
            console.print(table)
        for line in lines.summary(whole()):
            console.print(line)
    said = capture.get()
    for word in (
        "decode", "60,000", "no loss", "a reason", "another reason", "900 MB/s", "12.0 times",
        "into the journal", "125,000", "25.0 µs, judging", "13.0 µs",
        "max 99.0 ms", "numpy 0.10 s", "700 MB", "scaling-devices.svg", "json.loads", "events",
    ):  # fmt: skip
        assert word in said, word


def test_goals_are_met_or_missed() -> None:
    found = {goal.what: goal.met for goal in goals(whole())}
    assert found["verdict at a live sink, early, 60,000 messages/s"]
    assert not found["a lone datagram is in the journal file"]
    assert found["a lone datagram is folded, its verdict at a live sink"]
    assert found["NETCONF, 900 octets, single packets: of the bare library's"]
    assert not found["NETCONF, 900 octets, single packets, into the journal: of the bare library's"]
    assert found["collector run listens"]
    assert not found["the same with 10,000 devices"]
    assert not found["import collector loads"]
    assert not found["memory, 10,000 devices x 8 cards, 60,000 messages/s"]
    assert found["into the journal, messages/s a core"]
    assert not any(goals(Report("here")))


@pytest.mark.parametrize(("octets", "updates", "met"), [(8_950, 5, True), (8_950, 4, False)])
def test_long_messages_have_a_goal_in_octets(octets: int, updates: int, met: bool) -> None:
    run = changed(load=Load(octets=octets, updates=updates))
    (goal,) = goals(Report("here", runs=[run]))
    assert "MB/s" in goal.what
    assert goal.met is met


def test_no_good_rate_is_said() -> None:
    found = Report("here", runs=[changed(kernel_drops=1)])
    assert found.best is None
    assert found.lossless_rate == 0
    assert found.times_the_bare_loop is None
    assert "No rate was without loss." in list(lines.summary(found))


def test_a_spread_is_in_ms() -> None:
    found = Spread.of(number * 1_000_000 for number in range(101))
    assert found is not None
    assert (found.count, found.p50, found.p99, found.most) == (101, 50.0, 99.0, 100.0)
    assert Spread.of([]) is None


# --------------------------------------------------------------------------- pictures
def test_a_picture_is_well_formed_and_shows_every_value() -> None:
    text = charts.draw(
        "A <title>", "what & why", ["100", "1,000"],
        [Panel("one", [1.25, 12.5]), Panel("other", [250.0, 0.0])],
    )  # fmt: skip
    root = ElementTree.fromstring(text)
    said = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    for word in ("A <title>", "what & why", "100", "1,000", "1.2", "12.5", "250", "0.0", "other"):
        assert word in said
    assert len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) == 4
    heights = [float(one.attrib["cy"]) for one in root.iter("{http://www.w3.org/2000/svg}circle")]
    assert heights[0] > heights[1]
    assert heights[2] < heights[3]
    assert max(heights) < float(root.attrib["height"])


@pytest.mark.parametrize("most", [0.0, 0.7, 1.0, 9.99, 10.0, 123.0, 4_567.0, 1e6])
def test_marks_are_round_and_reach_the_largest(most: float) -> None:
    marks = charts.ticks(most)
    assert marks[0] == 0.0
    assert marks[-1] >= most
    assert 2 <= len(marks) <= 6
    if most:
        assert marks[-1] <= most * 2


def test_every_axis_has_a_picture(tmp_path: Path) -> None:
    points = []
    for axis, values in AXES.items():
        for value in values:
            load = load_of(Load(), axis, value)
            assert load.octets * load.rate <= 110_000_000 or axis == "rate"
            points.append(Point(axis, value, changed(load=load)))
    files = plot(points, tmp_path / "new")
    assert [file.name for file in files] == [f"scaling-{axis}.svg" for axis in AXES]
    for file in files:
        ElementTree.fromstring(file.read_text())


# --------------------------------------------------------------------------- comparing
def test_rows_that_differ_are_counted_and_named() -> None:
    fast: list[dict[str, Any]] = [{"a": 1, "b": 2}, {"a": 2, "b": 2}, {"a": 3, "b": 3}]
    assert compared("updates", fast, fast).differing == 0
    found = compared("updates", fast, [{"a": 1, "b": 2}, {"a": 2, "b": 7}])
    assert (found.fast, found.slow, found.differing) == (3, 2, 2)
    assert found.examples == ("b: 2 fast, 7 slow",)
    bad = Equality(RUN, "compiled", 10, (found,))
    assert not bad.equal


def test_the_slowest_imports_are_named_by_package() -> None:
    text = """
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   numpy.core
import time:      2000 |       2100 | numpy
import time:       900 |        900 | rich.text
import time:        10 |         10 | zipimport
something else
"""
    assert slowest_imports(text)[:2] == (("numpy", 0.0021), ("rich", 0.0009))


def test_the_disk_writes_at_some_speed(tmp_path: Path) -> None:
    found = disk_speed(tmp_path, 2 << 20)
    assert found.buffered >= found.synced > 0
    assert found.committed > 0
    assert not list(tmp_path.iterdir())


# --------------------------------------------------------------------------- what is asked for
def test_what_is_measured_follows_from_the_options() -> None:
    assert Options().parts() == PARTS
    assert Options(stages=("store", "decode")).parts() == ("decode", "store")
    assert Options(searching=True).parts() == ("end-to-end",)
    assert Options(comparing=True).parts() == ()
    assert Options(plot=Path("x"), stages=("lone",)).parts() == ("lone",)
    assert set(STAGES) < set(PARTS)


def test_a_rate_becomes_a_load() -> None:
    assert Options().load_at(80_000) == Load(devices=1000, updates=10)
    assert Options(updates=4).load_at(60_000).devices == 1_875
    both = Options(updates=4, devices=100, period=5.0).load_at(3_200)
    assert (both.devices, both.updates, both.period) == (100, 4, SECOND)
    quick = Options(quick=True).settled()
    assert quick.load_at(2_000).devices == 20
    assert quick.plan(quick.load()).total == 5


def test_a_run_knows_its_busy_cores() -> None:
    run: EndToEnd = changed(cpu_seconds=5.1, stop_cpu_seconds=0.1, seconds=10.0)
    assert run.busy == pytest.approx(0.5)
    assert run.a_core == pytest.approx(300_000 / 5.1)
