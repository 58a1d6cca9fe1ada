"""The benchmark: it runs at a tiny size, counts right, and would notice a loss."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from collector.model import SECOND, DeviceTime
from collector.receivers.recvmmsg import recvmmsg_usable
from collector.wire.notification import decode
from collector.wire.udp_notif import decode_header
from tests.bench import report, traffic
from tests.bench.end_to_end import Bare, EndToEnd, Shape
from tests.bench.report import Report
from tests.bench.sender import Sender
from tests.bench.stages import STAGES, START, Sample, StageCost
from tests.bench.traffic import CARDS, OBSERVED_BEFORE, Traffic

ROOT = Path(__file__).resolve().parent.parent.parent
linux_only = pytest.mark.skipif(not recvmmsg_usable(), reason="needs Linux with glibc")

RUN = EndToEnd(
    rate=60_000, devices=7_500, sent=300_000, measured=300_000, journalled=300_000,
    update_rows=300_000,
    kernel_drops=0, periods=37_500, complete=37_500, other_outcomes={}, cpu_seconds=3.6,
    stop_cpu_seconds=0.1, peak_rss=1 << 28, granted_buffer=32 << 20, late_seconds=0.0, gso=True,
)  # fmt: skip


def test_every_message_of_the_traffic_is_of_its_size_and_says_what_it_should() -> None:
    sent = Traffic(3, 900)
    now = 1_900_000_000 * SECOND + 654_321_000
    sent.stamp(0, 3, 7, now)
    for device in range(3):
        for card in range(CARDS):
            datagram = sent.datagrams[device, card].tobytes()
            header = decode_header(datagram)
            payload = datagram[header.header_length :]
            said = decode(payload, header.media_type)
            assert len(payload) == 900
            assert (header.publisher_id, header.message_id) == (card + 1, 7)
            assert said.generator == str(card + 1)
            assert said.subscription_id == traffic.SUBSCRIPTION
            assert said.event_time == now
            assert said.observation_time == DeviceTime(now - OBSERVED_BEFORE)
            assert json.loads(payload)


def test_several_updates_of_a_card_follow_each_other_in_its_run_of_ids() -> None:
    sent = Traffic(1, 900, updates=3)
    seen: dict[int, list[int]] = {}
    for index in (1, 2):
        sent.stamp(0, 1, index, time.time_ns())
        for message in sent.datagrams[0]:
            header = decode_header(message.tobytes())
            assert json.loads(message.tobytes()[header.header_length :])
            seen.setdefault(header.publisher_id, []).append(header.message_id)
    assert seen == {card: [3, 4, 5, 6, 7, 8] for card in range(1, CARDS + 1)}


def test_stamping_touches_only_the_devices_that_it_names() -> None:
    sent = Traffic(3, 900)
    before = sent.datagrams.copy()
    sent.stamp(1, 2, 9, time.time_ns())
    assert (sent.datagrams[0] == before[0]).all()
    assert (sent.datagrams[2] == before[2]).all()
    assert (sent.datagrams[1] != before[1]).any(axis=1).all()


def test_a_payload_that_is_too_small_for_the_message_is_refused() -> None:
    with pytest.raises(ValueError, match="needs"):
        Traffic(1, 500)


@linux_only
def test_the_sender_speaks_for_every_device_from_its_own_address() -> None:
    sent = Traffic(2, 900)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sender = Sender(receiver.getsockname()[1], sent)
        sent.stamp(0, 2, 3, time.time_ns())
        sender.send(0, 2)
        sender.close()
        seen = []
        for _ in range(2 * CARDS):
            datagram, source = receiver.recvfrom(2000)
            assert len(datagram) == sent.size
            seen.append((source[0], datagram[7]))
    addresses = [traffic.address(0), traffic.address(1)]
    assert seen == [(one, card) for one in addresses for card in range(1, CARDS + 1)]


@linux_only
def test_the_devices_begin_one_part_after_the_other_each_announced() -> None:
    sent = Traffic(4, 900)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sender = Sender(receiver.getsockname()[1], sent)
        periods, late = sender.run(SECOND // 10, 1, ramp=2)
        sender.close()
        seen: dict[str, list[tuple[int, int]]] = {}
        for _ in range(periods * CARDS + 4):
            datagram, source = receiver.recvfrom(2000)
            header = decode_header(datagram)
            seen.setdefault(source[0], []).append((header.publisher_id, header.message_id))
    assert periods == 2 + 4 + 4
    assert late >= 0
    for device in range(4):
        first = 1 if device < 2 else 2
        numbers = [(card, index) for index in range(first, 4) for card in range(1, CARDS + 1)]
        assert seen[traffic.address(device)] == [(traffic.MASTER, 1), *numbers]


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_counts_its_messages(stage: str) -> None:
    sample = Sample(2, 3)
    cost = STAGES[stage](sample)
    assert cost.stage == stage
    assert cost.cpu_seconds > 0
    if stage == "engine":
        assert cost.messages == 2 * CARDS  # the first two periods only warm up
    elif stage == "engine-loss":
        assert 0 < cost.messages <= 2 * CARDS
    elif stage in ("receive", "reassemble"):
        assert cost.messages >= sample.messages // 4  # whole rounds
    else:
        assert cost.messages == sample.messages == 3 * 2 * CARDS


def test_a_sample_has_the_arrivals_of_its_plan() -> None:
    sample = Sample(70, 2)
    arrivals = [time for batch in sample.batches for time in batch.received_at]
    assert arrivals == sorted(arrivals)
    assert arrivals[0] == START
    assert START + SECOND <= arrivals[-1] < START + 2 * SECOND


@pytest.mark.parametrize(
    "change",
    [
        {"kernel_drops": 1},
        {"journalled": 299_999},
        {"update_rows": 299_999},
        {"complete": 37_499, "other_outcomes": {"INCOMPLETE": 1}},
    ],
)
def test_anything_that_is_missing_is_a_loss(change: dict[str, object]) -> None:
    assert RUN.lossless
    assert not msgspec.structs.replace(RUN, **change).lossless


def test_the_best_rate_is_the_highest_without_loss() -> None:
    lost = msgspec.structs.replace(RUN, rate=80_000, kernel_drops=5)
    found = Report("here", 5.0, runs=[RUN, lost], bare=Bare(100, 100, 0.0001))
    assert found.best == RUN
    plain = report.plain(found)
    assert plain["lossless_rate"] == 60_000
    assert [one["lossless"] for one in plain["runs"]] == [True, False]
    assert plain["runs"][0]["microseconds"] == pytest.approx(12.0)
    assert any("60,000 messages/s on one core" in line for line in report.summary(found))
    assert any("12.0 times the bare loop" in line for line in report.summary(found))


def test_no_good_rate_is_said() -> None:
    found = Report("here", 5.0, runs=[msgspec.structs.replace(RUN, kernel_drops=1)])
    assert found.best is None
    assert report.plain(found)["lossless_rate"] == 0
    assert "No rate was without loss." in report.summary(found)


def test_tables_have_a_line_for_each_measurement() -> None:
    assert report.stage_table([StageCost("decode", 10, 0.1)]).row_count == 1
    assert report.run_table([RUN, RUN], None).row_count == 2


def test_a_shape_has_the_devices_for_its_rate() -> None:
    shape = Shape(60_000, 5.0)
    assert (shape.devices, shape.periods) == (1_875, 5)
    assert Shape(60_000, 5.0, updates=1).devices == 7_500
    assert Shape(1, 0.1).devices == Shape(1, 0.1).periods == 1


@linux_only
@pytest.mark.integration
def test_the_whole_benchmark_runs_at_a_tiny_size() -> None:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json", "--stage", "end-to-end"]
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert run["sent"] == 62 * 4 * CARDS * 4
    assert 0 < run["measured"] < run["sent"]
    assert run["journalled"] == run["update_rows"]
    assert run["complete"] + sum(run["other_outcomes"].values()) >= run["periods"]
