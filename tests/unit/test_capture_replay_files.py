"""Capture files: which datagrams are taken, several files at once, files that are broken."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from collector.errors import UsageError
from collector.pipeline import CaptureFiles
from collector.pipeline.capture_files import FILES, looks_like_udp_notif
from tests.unit.capture_maker import (
    PORT,
    capture,
    cards,
    judged,
    packets,
    push_update,
    raw,
    stamp,
    started,
    verdicts,
    write,
)

NOTIF = bytes.fromhex("21 0c 0010 00000001 00000002") + b"{  }"
"""Figure of udp-notif-26 §3.2: version 1, JSON, 12 octets of header, 16 in all."""


# --------------------------------------------------------------------------- what is UDP-notif
@pytest.mark.parametrize(
    "datagram",
    [
        NOTIF,
        b"\x01" + NOTIF[1:],  # version 0 of the early drafts: known, and refused later with a word
        bytes.fromhex("22 0c 0010 00000001 00000002") + b"<a/>",
        bytes.fromhex("23 0c 000d 00000001 00000002") + b"\xa0",  # CBOR: a map
        bytes.fromhex("21 10 0014 00000001 00000002 01040000") + b"{   ",  # first segment
        bytes.fromhex("21 10 0014 00000001 00000002 01040003") + b"abcd",  # second and last
        bytes.fromhex("21 0f 0013 00000001 00000002 070300") + b"{  }",  # an unknown option
    ],
)
def test_a_datagram_of_udp_notif_is_recognised(datagram: bytes) -> None:
    assert looks_like_udp_notif(datagram)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        NOTIF[:11],
        NOTIF + b"x",  # longer than it says
        NOTIF[:-1],
        b"\x41" + NOTIF[1:],  # version 2
        b"\x31" + NOTIF[1:],  # the private space: only where the port is named
        b"\x29" + NOTIF[1:],  # media type 9
        NOTIF[:1] + b"\x0b" + NOTIF[2:],  # a header shorter than the fixed one
        NOTIF[:1] + b"\x11" + NOTIF[2:],  # a header longer than the datagram
        NOTIF[:12] + b"abcd",  # nothing that JSON begins with
        bytes.fromhex("21 10 0014 00000001 00000002 01000000") + b"{  }",  # option of 0 octets
        bytes.fromhex("21 0d 0011 00000001 00000002 01") + b"{  }",  # half an option
        bytes.fromhex("21 0e 0012 00000001 00000002 0704") + b"{  }",  # an option beyond the header
        bytes.fromhex("01 2a 0014") + bytes(range(0x80, 0x90)),  # RADIUS: its length fits, too
        bytes.fromhex("000a 0014 655500aa 00000001 00000000 00020004"),  # IPFIX likewise
    ],
)
def test_another_protocol_is_not(datagram: bytes) -> None:
    assert not looks_like_udp_notif(datagram)


def test_ports_are_found_and_others_left_out(tmp_path: Path) -> None:
    noise = [raw(0.5, b"<189>syslog", port=514), raw(0.6, NOTIF[:11], port=4739)]
    second = packets(0.7, push_update(0.7, "3"), header=3, port=57000)
    frames = sorted([*cards(3), *noise, *second], key=lambda one: one.time_ns)
    replayed, _ = judged(write(tmp_path / "a.pcap", frames))
    assert replayed.ports == [PORT, 57000]
    assert replayed.left_out == {"other-udp": 2}
    assert replayed.messages == 7


def test_named_ports_are_taken_as_they_are(tmp_path: Path) -> None:
    frames = [raw(0.0, b"garbage", port=57000), *cards(2)]
    replayed, _ = judged(write(tmp_path / "a.pcap", frames), ports=(57000,))
    assert replayed.ports == [57000]
    assert replayed.left_out == {"other-udp": 4}
    assert sum(replayed.rejected.values()) == 1


def test_only_so_many_ports_are_found(tmp_path: Path) -> None:
    frames = [
        one for n in range(70) for one in packets(n / 100, push_update(0, "1"), port=20_000 + n)
    ]
    replayed, _ = judged(write(tmp_path / "a.pcap", frames))
    assert (len(replayed.ports), replayed.left_out) == (64, {"other-udp": 6})


# --------------------------------------------------------------------------- several files
def test_files_are_merged_by_time(tmp_path: Path) -> None:
    start = packets(0.0, started(0.0, ["1", "2"]), header=9)
    frames = [*start, *cards(8, first=1.0)]
    whole, rows = judged(write(tmp_path / "all.pcap", frames))
    parts = [write(tmp_path / f"{n}.pcap", frames[n::3]) for n in range(3)]
    merged, rows_merged = judged(*parts)
    assert verdicts(rows_merged) == verdicts(rows) != []
    assert merged.messages == whole.messages


def test_too_many_files_and_a_file_twice(tmp_path: Path) -> None:
    file = str(write(tmp_path / "a.pcap", []))
    with pytest.raises(UsageError, match="named twice"):
        CaptureFiles([file, file])
    with pytest.raises(UsageError, match="merge them first"):
        CaptureFiles([str(n) for n in range(FILES + 1)])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    file = str(write(tmp_path / "a.pcap", []))
    with pytest.raises(UsageError, match=r"none\.pcap cannot be read: No such file"):
        CaptureFiles([file, str(tmp_path / "none.pcap")])


def test_standard_input_has_no_size(monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO(capture([*cards(2)]))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=content))
    with CaptureFiles(["-"]) as files:
        assert files.octets is None
        assert len(list(files)) == 4
    assert not content.closed


def test_progress_is_told_in_octets(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", cards(3000))
    told: list[float] = []
    with CaptureFiles([str(path)]) as files:
        files.advance = told.append
        assert files.octets == path.stat().st_size
        assert len(list(files)) == 6000
    assert len(told) == 2
    assert 0 < told[0] < told[1] <= path.stat().st_size


def test_progress_of_a_stream_is_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = io.BytesIO(capture(cards(1100)))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=content))
    told: list[float] = []
    with CaptureFiles(["-"]) as files:
        files.advance = told.append
        assert len(list(files)) == 2200
    assert told == [0]


# --------------------------------------------------------------------------- broken files
def test_half_a_file_is_judged_up_to_its_end(tmp_path: Path) -> None:
    start = packets(0.0, started(0.0, ["1", "2"]), header=9)
    octets = capture([*start, *cards(8, first=1.0)])
    path = tmp_path / "half.pcap"
    path.write_bytes(octets[: len(octets) * 2 // 3])
    replayed, said = judged(path)
    assert len(verdicts(said)) > 3
    assert len(replayed.damage) == 1
    assert replayed.damage[0].startswith(f"{path}: the file ends inside a packet at octet ")


def test_the_other_files_are_read_on(tmp_path: Path) -> None:
    path = tmp_path / "noise.pcap"
    path.write_bytes(b"GIF89a" * 20)
    replayed, _ = judged(path, write(tmp_path / "good.pcap", cards(3)))
    assert replayed.messages == 6
    assert "neither a pcap nor a pcapng file" in replayed.damage[0]


def test_a_disk_that_fails_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 2000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Failing(capture(cards(20)))))
    replayed, _ = judged("-")
    assert replayed.messages > 5
    assert replayed.damage == ("standard input cannot be read on: Input/output error",)


def test_an_empty_capture_says_nothing(tmp_path: Path) -> None:
    replayed, said = judged(write(tmp_path / "a.pcap", []))
    assert (replayed.records, said, replayed.first_arrival) == (0, [], 0)


def test_arrivals_are_the_stamps(tmp_path: Path) -> None:
    replayed, _ = judged(write(tmp_path / "a.pcap", cards(3)))
    assert (replayed.first_arrival, replayed.last_arrival) == (stamp(0.01), stamp(2.11))
