"""What a flood of half-built messages takes: memory within the limit in octets, counted."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from collector.config import parse_config
from collector.core.assembly.reassembly import Reassembly
from collector.core.assembly.segments import ReassemblyLimits, SegmentReceived
from collector.model import SECOND
from collector.pipeline.settings import reassembly_limits
from collector.receivers.datagrams.batcher import Datagram, DatagramBatcher
from collector.receivers.sockets.slab import DatagramSlab

NOON = 1_800_000_000 * SECOND
MEBIBYTE = 1 << 20
TEXT = "[reassembly]\nmax_half_built_bytes = 2097152\n"
BESIDE = MEBIBYTE
"""Octets that anything else may take: what Python keeps for next time, the rows of one batch."""


def segment_of(message: int, number: int, octets: int) -> bytes:
    """A segment that is not the last one (draft-ietf-netconf-udp-notif-26 §4.1)."""
    head = bytes((0x21, 16)) + (16 + octets).to_bytes(2) + (7).to_bytes(4) + message.to_bytes(4)
    return head + bytes((1, 4)) + (number << 1).to_bytes(2) + bytes(octets)


def flood(messages: int, segments: int, octets: int, sources: int) -> Iterator[Datagram]:
    """Messages that never end, a segment of each after the other."""
    for number in range(segments):
        for message in range(messages):
            source = f"192.0.2.{message % sources}"
            yield NOON, source, 5000, segment_of(message, number, octets)


def kept_by(work: Callable[[], None]) -> int:
    """Octets that are still there when the work is done."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("messages", "segments", "octets"), [(400, 3, 8_000), (4_000, 2, 10), (40, 2, 60_000)]
)
def test_half_built_messages_hold_no_more_than_they_may(
    messages: int, segments: int, octets: int
) -> None:
    limits = reassembly_limits(parse_config(TEXT))
    assert limits.max_octets == 2 * MEBIBYTE
    batcher, slab = DatagramBatcher(limits), DatagramSlab(64)

    def receive() -> None:
        for _ in batcher.receive_datagrams(flood(messages, segments, octets, 200), slab):
            pass

    receive()  # everything that is made once
    assert kept_by(receive) < limits.max_octets + BESIDE


def test_what_is_given_up_for_octets_is_counted_as_that() -> None:
    reassembly = Reassembly(reassembly_limits(parse_config(TEXT)))
    most, said = 0, 0
    for number in range(600):
        source = f"192.0.2.{number % 100}"
        part = SegmentReceived(source, 5000, 7, number, 0x21, 0, False, b"", bytes(60_000))
        said += len(reassembly.receive(part, NOON))
        most = max(most, reassembly.octets)
    assert most <= 2 * MEBIBYTE
    assert said == reassembly.discarded["too-many-octets"] == 600 - len(reassembly)
    assert reassembly.discarded["too-many-half-built"] == 0
    assert len(reassembly) == 2 * MEBIBYTE // 60_512


def test_the_default_is_what_the_text_of_the_key_says() -> None:
    limits = reassembly_limits(parse_config(""))
    assert limits.max_octets == ReassemblyLimits().max_octets == 64 * MEBIBYTE
    assert limits.max_remembered_octets == 48 * MEBIBYTE


def test_finished_messages_hold_hardly_anything_once_their_octets_are_let_go_of() -> None:
    limits = ReassemblyLimits(max_remembered_octets=MEBIBYTE)
    batcher, slab = DatagramBatcher(limits), DatagramSlab(88)

    def receive() -> None:
        for _ in batcher.receive_datagrams(whole(200), slab):
            pass

    def whole(messages: int) -> Iterator[Datagram]:
        for message in range(messages):
            for number in range(22):
                part = bytearray(segment_of(message, number, 1_384))
                part[15] |= number == 21
                yield NOON, "192.0.2.1", 5000, bytes(part)

    kept = kept_by(receive)  # 6 MB in all
    assert batcher.counters.messages == 200
    assert kept < limits.max_remembered_octets + BESIDE
