"""``publisher-sim distort`` from file to file."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.wire.captures.pcap import UdpPacket, read_pcap, write_pcap
from collector.wire.notifications.notification import decode
from collector.wire.udp_notif.datagrams import decode_header, encode_message
from publisher_sim.cli import status_of

SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND


def payload(card: int, number: int, second: int) -> bytes:
    """A push-update of subscription 1; long enough for two segments."""
    stamp = f"2027-01-15T08:{second // 60:02d}:{second % 60:02d}Z"
    update = {
        "id": 1,
        "ietf-yp-observation:timestamp": stamp,
        "ietf-distributed-notif:message-publisher-id": card,
        "datastore-contents": {"a:b": "x" * 900},
    }
    outer = {"eventTime": stamp, "sequenceNumber": number, "ietf-yang-push:push-update": update}
    return json.dumps({"ietf-notification:notification": outer}).encode()


def capture(path: Path, cards: int = 2, periods: int = 12) -> Path:
    """Two cards, an update each 10 s, in two segments."""
    packets = []
    for period in range(periods):
        for card in range(1, cards + 1):
            at = period * 10 + card
            for part, datagram in enumerate(
                encode_message(
                    payload(card, period, at),
                    media_type=1,
                    publisher_id=card,
                    message_id=50 + period,
                    max_segment_size=700,
                )
            ):
                time = START + at * SECOND + part * 1000
                packets.append(UdpPacket(time, "192.0.2.7", 5000, "192.0.2.1", 10003, datagram))
    packets.append(UdpPacket(START, "192.0.2.9", 53, "192.0.2.1", 53, b"no udp-notif"))
    with path.open("wb") as file:
        write_pcap(file, packets)
    return path


def read(path: Path) -> list[UdpPacket]:
    with path.open("rb") as file:
        return list(read_pcap(file))


def truth(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_repeat_and_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = capture(tmp_path / "in.pcap"), tmp_path / "out.pcap"
    arguments = ["distort", str(source), str(target), "--repeat", "3", "--silent", "2:3"]
    assert status_of([*arguments, "--drop", "0.05", "--seed", "4"]) == 0
    header, *rows = truth(tmp_path / "out.truth.jsonl")
    assert header["rows"] == len(rows) == 66
    assert header["periods"] == {"1": 10 * SECOND}
    assert header["faults"] == {
        "drop": 0.05,
        "seed": 4,
        "silent": [{"generator": "2", "periods": 3}],
    }
    silent = [row for row in rows if row["cause"] == "silent"]
    assert [row["generator"] for row in silent] == ["2"] * 3
    assert "left out" in capsys.readouterr().err
    parts = [decode_header(one.payload) for one in read(target)]
    whole = {(one.publisher_id, one.message_id) for one in parts}
    assert {number for card, number in whole if card == 2} == set(range(50, 80))
    assert len(parts) < 2 * 63
    lost = [row for row in rows if row["cause"] == "lost"]
    assert lost  # one update a period: half a message is a period missing


def test_what_is_written_says_its_new_times_and_ids(tmp_path: Path) -> None:
    source, target = capture(tmp_path / "in.pcap"), tmp_path / "out"
    clock = ["--clock", "all:+86400", "--begin", "0"]
    clones = ["--clone-cards", "3", "--clone", "1"]
    assert status_of(["distort", str(source), str(target), *clones, *clock]) == 0
    parts: dict[tuple[int, int], bytes] = {}
    times: dict[tuple[int, int], int] = {}
    for packet in read(target):
        header = decode_header(packet.payload)
        key = header.publisher_id, header.message_id
        parts[key] = parts.get(key, b"") + packet.payload[header.header_length :]
        times.setdefault(key, packet.time_ns)
    heard = {key: decode(octets, 1) for key, octets in parts.items()}
    assert {key[0]: one.generator for key, one in heard.items()} == {1: "1", 2: "2", 3: "3", 4: "4"}
    for key, one in heard.items():
        assert one.event_time is not None
        # the spelling has whole seconds
        assert 0 <= times[key] + 86_400 * SECOND - one.event_time < SECOND + 2000
    assert (tmp_path / "out.truth.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--silent", "7:3"], "no originator 7"),
        (["--silent", "7"], "GEN:PERIODS"),
        (["--clock", "1:x"], "SECONDS is a number"),
        (["--period", "1"], "ID=SECONDS"),
        (["--period", "1=60", "--period", "2=5", "--period", "1=30"], "subscription 1 has two"),
        (["--period", "1=x"], "SECONDS is a number from 0.001"),
        (["--period", "1=inf"], "SECONDS is a number from 0.001"),
        (["--period", "1=nan"], "SECONDS is a number from 0.001"),
        (["--outage", "nan"], '"nan" is no number'),
        (["--outage", "inf"], "--outage"),
        (["--jitter", "1e300"], "--jitter"),
        (["--drop", "nan"], '"nan" is no number'),
        (["--begin", "inf"], "--begin"),
        (["--drop", "2"], "--drop"),
        (["--repeat", "4", "--period", "1=0.001"], "steady part"),
    ],
)
def test_bad_requests_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    source = capture(tmp_path / "in.pcap")
    assert status_of(["distort", str(source), str(tmp_path / "out.pcap"), *options]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert "unexpected" not in said
    assert not list(tmp_path.glob("out*"))


def test_files_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = capture(tmp_path / "in.pcap"), tmp_path / "out.pcap"
    assert status_of(["distort", str(source), str(source)]) == 2
    assert "overwritten" in capsys.readouterr().err
    assert status_of(["distort", str(tmp_path / "none.pcap"), str(target)]) == 2
    assert "cannot be read" in capsys.readouterr().err
    (tmp_path / "text").write_text("no capture")
    assert status_of(["distort", str(tmp_path / "text"), str(target)]) == 2
    assert "neither a pcap" in capsys.readouterr().err
    assert status_of(["distort", str(source), str(tmp_path / "no" / "out.pcap")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@contextmanager
def room_for(octets: int) -> Iterator[None]:
    """No file may grow larger; as on a full disk a write fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("octets", [100, 10_000])
def test_capture_and_truth_appear_together_or_not_at_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], octets: int
) -> None:
    """Without room for both, or with room for the truth alone."""
    source, target = capture(tmp_path / "in.pcap"), tmp_path / "out.pcap"
    with room_for(octets):
        assert status_of(["distort", str(source), str(target)]) == 2
    assert "cannot be written: File too large" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.pcap"]
    (tmp_path / "out.truth.jsonl").mkdir()
    assert status_of(["distort", str(source), str(target)]) == 2
    assert "out.truth.jsonl cannot be written" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.pcap", "out.truth.jsonl"]
    assert len(list((tmp_path / "out.truth.jsonl").iterdir())) == 0


def test_half_a_file_is_used_as_far_as_it_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = capture(tmp_path / "in.pcap"), tmp_path / "out.pcap"
    octets = source.read_bytes()
    source.write_bytes(octets[: len(octets) * 3 // 4])
    assert status_of(["distort", str(source), str(target)]) == 2
    assert "is damaged" in capsys.readouterr().err
    assert len(read(target)) > 20


def test_nothing_periodic(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = capture(tmp_path / "in.pcap", periods=2), tmp_path / "out.pcap"
    assert status_of(["distort", str(source), str(target)]) == 0
    assert "nothing periodic" in capsys.readouterr().err
    assert truth(tmp_path / "out.truth.jsonl")[0]["rows"] == 0
    assert len(read(target)) == 8


def test_a_period_of_a_subscription_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = capture(tmp_path / "in.pcap"), tmp_path / "out.pcap"
    assert status_of(["distort", str(source), str(target), "--period", "99=10"]) == 2
    assert "no subscription 99 is in the capture (known: 1)" in capsys.readouterr().err
    assert not target.exists()
    assert status_of(["distort", str(source), str(target), "--period", "1=10"]) == 0
