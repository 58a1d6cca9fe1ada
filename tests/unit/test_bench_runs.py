"""The benchmark: it runs at a tiny size, counts right, and would notice a loss."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.model import SECOND
from collector.receivers.sockets.recvmmsg import recvmmsg_usable
from tests.bench import lines, on_disk, report
from tests.bench.bare import Bare
from tests.bench.end_to_end import EndToEnd
from tests.bench.load import Load, Plan
from tests.bench.report import Report
from tests.bench.search import Found, search
from tests.bench.stages import STAGES, START, Sample

ROOT = Path(__file__).resolve().parent.parent.parent
linux_only = pytest.mark.skipif(not recvmmsg_usable(), reason="needs Linux with glibc")

RUN = EndToEnd(
    load=Load(devices=1000, updates=6, period=SECOND * 4 // 5), lanes=1, begun=0, sent=300_000,
    measured=300_000, journalled=300_000, update_rows=300_000, verdict_rows=6_250, kernel_drops=0,
    periods=6_250, true=6_250, said={"COMPLETE": 6_250}, wrong={}, examples=(), cpu_seconds=3.6,
    stop_cpu_seconds=0.1, seconds=5.0, peak_rss=1 << 28, granted_buffer=32 << 20,
    late_seconds=0.0, sender_microseconds=0.7, gso=True, datagrams_a_train=6.0, status=0,
)  # fmt: skip
BARE = Bare(60_000, 900, 100, 100, 1, 0, 0.0001, 1.0, 0.0)


def changed(**values: Any) -> EndToEnd:
    return msgspec.structs.replace(RUN, **values)


# --------------------------------------------------------------------------- stages
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_counts_its_messages(stage: str) -> None:
    sample = Sample(Load(devices=2), 3)
    cost = STAGES[stage](sample)
    assert cost.stage == stage
    assert cost.cpu_seconds > 0
    if stage == "engine":
        assert cost.messages == 2 * 8  # the first two periods only warm up
    elif stage == "engine-loss":
        assert 0 < cost.messages <= 2 * 8
    elif stage in ("receive", "reassemble", "dtls"):
        assert cost.messages >= sample.messages // 4  # whole rounds
    else:
        assert cost.messages == sample.messages == 3 * 2 * 8


def test_a_sample_has_the_arrivals_of_its_plan() -> None:
    sample = Sample(Load(devices=70), 2)
    arrivals = [time for batch in sample.batches for time in batch.received_at]
    assert len(arrivals) == 2 * 70 * 8
    assert arrivals == sorted(arrivals)
    assert arrivals[0] == START
    assert START + SECOND <= arrivals[-1] < START + 2 * SECOND


# --------------------------------------------------------------------------- runs
@pytest.mark.parametrize(
    "change",
    [
        {"kernel_drops": 1},
        {"journalled": 299_999},
        {"update_rows": 299_999},
        {"true": 6_249, "wrong": {"COMPLETE -> INCOMPLETE": 1}},
        {"status": 1},
    ],
)
def test_anything_that_is_missing_is_a_loss(change: dict[str, object]) -> None:
    assert RUN.lossless
    assert RUN.result == "no loss"
    assert changed(**change).result == "loss"


def test_a_rate_that_takes_more_than_a_core_is_not_sustained() -> None:
    behind = changed(cpu_seconds=6.0)
    assert behind.lossless
    assert not behind.sustained
    assert behind.result == "behind"
    assert changed(cpu_seconds=6.0, lanes=2).sustained


def test_a_rate_that_the_sender_could_not_send_is_not_sustained() -> None:
    late = changed(late_seconds=1.0)
    assert late.lossless
    assert late.result == "sender late"
    assert msgspec.structs.replace(BARE, received=90, kernel_drops=10).narrow is False
    assert msgspec.structs.replace(BARE, late_seconds=1.0).sustained is False
    assert BARE.sustained


def test_the_bare_loop_is_compared_by_message_not_by_datagram() -> None:
    seven = msgspec.structs.replace(BARE, received=700, pieces=7, cpu_seconds=0.0007)
    assert seven.microseconds == pytest.approx(1.0)
    assert Report("here", runs=[RUN], bare=seven).times_the_bare_loop == pytest.approx(12.0 / 7)
    assert seven.sustained
    assert not msgspec.structs.replace(seven, received=699).sustained


def test_the_best_rate_is_the_highest_without_loss() -> None:
    lost = changed(load=Load(updates=8), kernel_drops=5)
    found = Report("here", runs=[RUN, lost], bare=BARE, flat_out=BARE)
    assert found.best == RUN
    plain = report.plain(found)
    assert plain["lossless_rate"] == 60_000
    assert [one["lossless"] for one in plain["runs"]] == [True, False]
    assert plain["runs"][0]["microseconds"] == pytest.approx(12.0)
    assert plain["runs"][0]["megabytes"] == pytest.approx(54.0)
    assert any("60,000 messages/s" in line for line in lines.summary(found))
    assert any("12.0 times the bare loop" in line for line in lines.summary(found))


def test_a_folder_with_lanes_has_a_journal_in_each(tmp_path: Path) -> None:
    assert on_disk.lane_folders(tmp_path) == [tmp_path]
    for name in ("lane-0", "lane-1"):
        (tmp_path / name / "journal").mkdir(parents=True)
    assert on_disk.lane_folders(tmp_path) == [tmp_path / "lane-0", tmp_path / "lane-1"]


# --------------------------------------------------------------------------- the search
class Collector:
    """Takes so many messages a second, and each run takes ten seconds."""

    def __init__(self, capacity: int, *, sender: int = 10**9, hiccups: int = 0) -> None:
        self.capacity, self.sender, self.hiccups = capacity, sender, hiccups
        self.rates: list[int] = []
        self.seconds = 0.0

    def attempt(self, rate: int) -> EndToEnd:
        self.rates.append(rate)
        self.seconds += 10.0
        lost = 0 if rate <= self.capacity else rate // 5
        if not lost and len(self.rates) == self.hiccups:
            lost = rate // 100
        load = Load(devices=1, cards=1, updates=rate)
        late = 1.0 if rate > self.sender else 0.0
        return changed(
            load=load, sent=rate, journalled=rate - lost, update_rows=rate - lost,
            kernel_drops=lost, late_seconds=late, cpu_seconds=1.0,
        )  # fmt: skip

    def search(self, budget: float = 1000.0, start: int = 10_000) -> Found[EndToEnd]:
        return search(self.attempt, start=start, budget_seconds=budget, clock=lambda: self.seconds)


@pytest.mark.parametrize("capacity", [10_000, 31_000, 99_000, 1_234_567])
def test_the_search_comes_near_the_capacity(capacity: int) -> None:
    found = Collector(capacity).search()
    assert found.best is not None
    assert capacity / 1.05 <= found.best.rate <= capacity
    assert found.worst is not None
    assert found.worst > capacity


def test_a_search_that_begins_too_high_comes_down() -> None:
    found = Collector(3_000).search(start=20_000)
    assert found.best is not None
    assert 2_850 <= found.best.rate <= 3_000
    nothing = Collector(10).search(start=20_000)
    assert nothing.best is None
    assert "nothing" in nothing.why


def test_a_narrow_loss_is_tried_again() -> None:
    shaky = Collector(31_000, hiccups=2)
    found = shaky.search()
    assert shaky.rates[1] == shaky.rates[2] == 20_000
    assert found.best is not None
    assert found.best.rate >= 29_000


def test_the_search_keeps_its_budget_and_stops_at_a_late_sender() -> None:
    short = Collector(10**6)
    found = short.search(budget=35.0)
    assert short.seconds <= 35.0
    assert "budget" in found.why
    late = Collector(10**6, sender=30_000).search()
    assert late.best is not None
    assert 28_500 <= late.best.rate <= 30_000
    assert "sender" in late.why


# --------------------------------------------------------------------------- the whole tool
def bench(*options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json", *options]
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@linux_only
@pytest.mark.integration
def test_a_run_at_a_tiny_size_finds_every_message_and_every_verdict() -> None:
    (run,) = bench("--stage", "end-to-end", "--cards", "3", "--loss", "0.05")["runs"]
    load = msgspec.convert(run["load"], Load)
    plan = Plan(load, periods=2, ramp=1, learning=2, closing=2)
    assert (load.devices, load.cards) == (20, 3)
    assert run["periods"] == 20 * plan.total == sum(run["said"].values())
    assert run["sent"] < run["periods"] * load.burst
    assert run["journalled"] == run["update_rows"] == run["sent"]
    assert run["said"].get("DEGRADED", 0) > 0


@linux_only
@pytest.mark.integration
def test_a_search_at_a_tiny_size_goes_up_until_its_budget_is_used() -> None:
    found = bench("--search", "--budget", "1", "--octets", "3000", "--encoding", "cbor", "--pure")
    (step,) = found["found"]["steps"]
    assert step["good"] == (found["lossless_rate"] == step["rate"])
    assert found["bare"]["received"] == 3 * found["bare"]["sent"]
    assert found["path"] == "pure Python"


@linux_only
@pytest.mark.integration
def test_latency_start_and_memory_at_a_tiny_size() -> None:
    names = ("ingest", "latency", "lone", "start", "memory")
    found = bench(*(word for name in names for word in ("--stage", name)))
    assert found["ingest"]["disk"]["synced"] > 0
    assert found["ingest"]["flat_out"]["received"] > 0
    (followed,) = found["latency"]
    early, sent = followed["early"], followed["since_sent"]
    assert followed["lost_rows"] == 0
    if early is None:  # a machine that stalled all the while
        assert followed["deadline"]["count"] > 0
    else:
        assert 0 < early["count"] <= 2 * 20
        assert 0 < early["p50"] <= sent["p50"]
    assert all(found["lone"][name]["count"] > 0 for name in ("journal", "folded", "stored"))
    assert found["start"]["listening"] > found["start"]["python"] > 0
    assert found["start"]["imports"]
    (memory,) = found["memory"]
    assert 0 < memory["started"] <= memory["peak"]


@linux_only
@pytest.mark.integration
def test_pictures_and_equality_at_a_tiny_size(tmp_path: Path) -> None:
    found = bench("--plot", str(tmp_path), "--axis", "cards", "--compare", "--loss", "0.02")
    assert [one["value"] for one in found["scaling"]] == [1, 2]
    assert found["pictures"] == [str(tmp_path / "scaling-cards.svg")]
    (equality,) = found["equality"]
    rows = {one["name"]: one["slow"] for one in equality["tables"]}
    assert equality["equal"], equality
    assert rows["updates"] == equality["run"]["sent"]
    assert rows["verdicts"] >= 20 * 7
