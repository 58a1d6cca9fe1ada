"""Hostile and broken captures: each oddity is counted with a reason, and the rest is judged."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from collector.config import KnownSubscriptionSettings
from collector.model import SECOND, MediaType, Outcome
from collector.pipeline import Replayed
from collector.store.said import Said
from collector.wire.captures.packets import ETHERNET, UdpPacket
from tests.unit.capture_maker import (
    START as BEGIN,
)
from tests.unit.capture_maker import (
    capture,
    cards,
    judged,
    kinds,
    last_rows,
    packets,
    push_update,
    raw,
    started,
    write,
)

START = packets(0.0, started(0.0, ["1", "2"]), header=9)
HEADER = bytes.fromhex("21 0c")


def by_time(*parts: Iterable[UdpPacket]) -> list[UdpPacket]:
    return sorted((one for part in parts for one in part), key=lambda one: one.time_ns)


def judge(path: Path, *parts: Iterable[UdpPacket], **settings: Any) -> tuple[Replayed, list[Said]]:
    return judged(write(path / "a.pcap", by_time(*parts)), **settings)


def all_complete(said: list[Said], at_least: int = 10) -> bool:
    """Whether nobody was blamed for anything."""
    outcomes = [row.outcome for row in last_rows(said)]
    blamed = {Outcome.INCOMPLETE, Outcome.DEGRADED} & set(outcomes)
    return not blamed and outcomes.count(Outcome.COMPLETE) >= at_least


# --------------------------------------------------------------------------- garbage
@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "too-short"),
        (b"\x00" * 40, "bad-message-length"),
        (b"\x01" + bytes.fromhex("04 0010 00000001 00000002") + b"{  }", "version-0"),
        (b"\x01" + bytes.fromhex("0c 0010 00000063 00000002") + b"{  }", "no-notification"),
        (b"\xff" * 1400, "unknown-version"),
        (HEADER + bytes.fromhex("ffff 00000001 00000002") + b"{}", "bad-message-length"),
        (b"\x21\x04" + bytes.fromhex("000e 00000001 00000002") + b"{}", "bad-header-length"),
        (b"\x21\x0e" + bytes.fromhex("0010 00000001 00000002 0700") + b"{}", "bad-option"),
        (HEADER + bytes.fromhex("000e 00000063 00000002") + b"{}", "no-notification"),
        (HEADER + bytes.fromhex("0010 00000063 00000002") + b"<a/>", "bad-json"),
        (b"\x29\x0c" + bytes.fromhex("000e 00000063 00000002") + b"{}", "unknown-media-type"),
    ],
)
def test_garbage_between_datagrams(tmp_path: Path, octets: bytes, reason: str) -> None:
    garbage = [raw(3.0 + n, octets) for n in range(5)]
    replayed, said = judge(tmp_path, START, cards(14, first=1.0), garbage)
    assert replayed.rejected == {reason: 5}
    assert all_complete(said)


def test_a_flood_of_garbage_is_counted_but_not_kept(tmp_path: Path) -> None:
    garbage = [raw(3.0 + n / 1e5, b"x" * 50) for n in range(3000)]
    replayed, said = judge(tmp_path, START, cards(14, first=1.0), garbage)
    assert sum(replayed.rejected.values()) == 3000
    assert replayed.records < 400
    assert all_complete(said)


def test_only_version_0(tmp_path: Path) -> None:
    old = [replace(one, payload=b"\x01" + one.payload[1:]) for one in cards(5)]
    replayed, said = judge(tmp_path, START, old)
    assert replayed.rejected == {}
    assert {row.outcome for row in last_rows(said)} >= {Outcome.COMPLETE}


def test_a_message_refused_is_a_cause(tmp_path: Path) -> None:
    """The header is sound, so its id is known and who is missing is not called silent."""
    frames = list(cards(14, first=1.0))
    broken = next(n for n, one in enumerate(frames) if n > 14 and one.source_port == 5001)
    octets = frames[broken].payload
    frames[broken] = replace(frames[broken], payload=octets[:12] + b"\x00" * (len(octets) - 12))
    replayed, said = judge(tmp_path, START, frames)
    assert sum(replayed.rejected.values()) == 1
    causes = [(p.generator, p.cause.value) for row in last_rows(said) for p in row.missing]
    assert causes == [("2", "rejected")]


# --------------------------------------------------------------------------- other protocols
def test_frames_of_other_protocols(tmp_path: Path) -> None:
    """Ethernet frames: ARP, TCP over IPv4, an IPv4 header cut off, and ours."""
    ethernet = bytes(12)
    arp = ethernet + b"\x08\x06" + bytes(28)
    tcp = ethernet + b"\x08\x00" + bytes.fromhex(
        "45000028 00000000 4006 0000 c0000207 c0000201"
    ) + bytes(20)  # fmt: skip
    cut = ethernet + b"\x08\x00" + bytes.fromhex("4500 0400 0000")
    ours = capture([*START, *cards(14, first=1.0)])[24:]
    octets = bytearray(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, ETHERNET))
    position = 0
    while position < len(ours):
        seconds, fraction, size, _ = struct.unpack_from("<IIII", ours, position)
        ip = ours[position + 16 : position + 16 + size]
        for frame in (arp, tcp, cut, ethernet + b"\x08\x00" + ip):
            octets += struct.pack("<IIII", seconds, fraction, len(frame), len(frame)) + frame
        position += 16 + size
    path = tmp_path / "a.pcap"
    path.write_bytes(bytes(octets))
    replayed, said = judged(path)
    assert replayed.left_out == {"not-ip": 29, "not-udp": 29, "cut-off": 29}
    assert all_complete(said)


# --------------------------------------------------------------------------- ids
def test_ids_wrap_at_their_limit(tmp_path: Path) -> None:
    replayed, said = judge(tmp_path, START, cards(20, first=1.0, first_id=2**32 - 10))
    assert all_complete(said, 18)
    assert "restart" not in kinds(said)
    assert replayed.messages == 41


def test_ids_used_again_after_a_restart_by_messages_whose_segments_are_partly_equal(
    tmp_path: Path,
) -> None:
    """The same id twice within a second; the second time the first segment has the same octets."""

    def large(at: float, message_id: int, tail: str) -> list[UdpPacket]:
        head = push_update(0.0, "1", size=1300)[:-3]
        # same head, so that the first of the segments is equal; the tail tells them apart
        payload = head + b'"}}' if not tail else head + tail.encode() + b'"}}'
        return packets(at, payload, header=1, message_id=message_id)

    first, again = large(5.2, 4, "a" * 50), large(5.6, 4, "b" * 60)
    assert first[0].payload == again[0].payload
    assert first[1].payload != again[1].payload
    replayed, _ = judge(tmp_path, START, cards(14, first=1.0), first, again)
    assert replayed.messages == 1 + 28 + 2


def test_two_subscriptions_with_the_same_ids_on_one_port(tmp_path: Path) -> None:
    """Some routers count per subscription: neither is the other's duplicate."""
    second = packets(0.1, started(0.1, ["1", "2"], 2), header=9, message_id=1)
    both = [cards(14, first=1.0), cards(14, first=1.03, subscription=2)]
    _, said = judge(tmp_path, START, second, *both)
    assert all_complete(said, 24)
    assert {row.subscription_id for row in last_rows(said)} == {1, 2}


@pytest.mark.parametrize("identifier", [2**32, -1, "x", None, 2**70, 1.5])
def test_subscription_ids_beyond_their_limits(tmp_path: Path, identifier: object) -> None:
    body = {"eventTime": "2023-11-14T22:14:05Z", "ietf-yang-push:push-update": {"id": identifier}}
    odd = packets(
        5.5, json.dumps({"ietf-notification:notification": body}).encode(), header=77, message_id=1
    )
    replayed, said = judge(tmp_path, START, cards(14, first=1.0), odd)
    assert all_complete(said)
    assert replayed.rejected == {"bad-value": 1}


# --------------------------------------------------------------------------- times
@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2096-02-29T23:59:60Z",
        "9999-12-31T23:59:59.999999999+23:59",
    ],
)  # fmt: skip
def test_record_times_at_their_limits(tmp_path: Path, text: str) -> None:
    frames = list(cards(20, first=1.0))
    octets = json.loads(frames[21].payload[12:])
    octets["ietf-notification:notification"]["eventTime"] = text
    (odd,) = packets(
        (frames[21].time_ns - BEGIN * SECOND) / SECOND, json.dumps(octets).encode(),
        header=2, message_id=10, source_port=5001,
    )  # fmt: skip
    frames[21] = odd
    _, said = judge(tmp_path, START, frames)
    outcomes = [row.outcome for row in last_rows(said)]
    assert outcomes.count(Outcome.COMPLETE) >= 18
    assert len(outcomes) < 30  # no year full of periods


@pytest.mark.parametrize("seconds", [0, 2**32 - 1])
def test_stamps_at_their_limits(tmp_path: Path, seconds: int) -> None:
    octets = capture([*START, *cards(14, first=1.0)])
    frame = octets[24 : 24 + 16 + struct.unpack_from("<I", octets, 32)[0]]
    odd = struct.pack("<I", seconds) + frame[4:]
    path = tmp_path / "a.pcap"
    path.write_bytes(octets[:24] + odd + octets[24:] + odd)
    replayed, said = judged(path)
    assert sum(replayed.odd_stamps.values()) == 2
    assert all_complete(said)


def test_a_private_media_type_is_refused_on_its_port(tmp_path: Path) -> None:
    private = [replace(one, payload=b"\x31" + one.payload[1:]) for one in cards(3, ("7",))]
    replayed, said = judge(tmp_path, START, cards(14, first=1.0), private)
    assert replayed.rejected == {"unknown-media-type": 3}
    assert all_complete(said)


def test_a_device_that_sends_everything_twice(tmp_path: Path) -> None:
    frames = [*START, *cards(14, first=1.0)]
    replayed, said = judge(tmp_path, frames, frames)
    assert replayed.messages == 58
    assert all_complete(said)


def test_another_encoding_than_announced(tmp_path: Path) -> None:
    wrong = packets(3.3, push_update(3.3, "1"), header=66, media_type=MediaType.YANG_DATA_CBOR)
    replayed, said = judge(tmp_path, START, cards(14, first=1.0), wrong)
    assert sum(replayed.rejected.values()) == 1
    assert all_complete(said)


def test_a_thousand_sources_are_a_thousand_devices(tmp_path: Path) -> None:
    strangers = [
        one
        for n in range(1000)
        for one in packets(
            2 + n / 1000, push_update(2, "1"), source=f"10.0.{n // 250}.{n % 250}", header=1
        )
    ]
    known = (KnownSubscriptionSettings(id=1, period_seconds=1.0, devices=("192.0.2.7",)),)
    replayed, said = judge(
        tmp_path, START, cards(14, first=1.0), strangers, known_subscriptions=known
    )
    assert len(replayed.unknown) == 1000
    assert all_complete(said)
