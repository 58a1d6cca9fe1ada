"""Any octets as a capture, any stamps: nothing is raised, time never goes back, nothing is lost."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.pipeline.chronology import LATEST, Chronology
from collector.wire.captures.packets import UdpPacket
from tests.unit.capture_maker import capture, cards, judged, packets, push_update, started

WHOLE = capture(
    [
        *packets(0.0, started(0.0, ["1", "2"]), header=9),
        *cards(6, first=1.0),
        *packets(7.5, push_update(7.5, "1", size=3000), header=1, message_id=6),
    ]
)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "number"]),
        st.integers(0, len(WHOLE)),
        st.binary(min_size=1, max_size=12),
    ),
    max_size=6,
)
TIMES = st.one_of(
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, 1, LATEST, LATEST + 1, 2**63 - 1, 2**64]),
    st.integers(0, 100).map(lambda n: 1_700_000_000 * 10**9 + n * 10**8),
)


def changed(changes: list[tuple[str, int, bytes]]) -> bytes:
    octets = bytearray(WHOLE)
    for kind, place, content in changes:
        end = min(place + len(content), len(octets))
        if kind == "flip":
            octets[place:end] = bytes(
                a ^ b for a, b in zip(octets[place:end], content, strict=False)
            )
        elif kind == "cut":
            del octets[place:end]
        elif kind == "insert":
            octets[place:place] = content
        else:
            octets[place:end] = content[: end - place]
    return bytes(octets)


def replayed(octets: bytes) -> Any:
    with mock.patch.object(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(octets))):
        return judged("-")


@given(CHANGES)
@settings(max_examples=150, deadline=None)
def test_a_capture_with_changed_octets_is_judged_or_said_to_be_damaged(
    changes: list[tuple[str, int, bytes]],
) -> None:
    result, said = replayed(changed(changes))
    assert "internal-error" not in result.rejected
    assert result.records > 0 or result.damage or result.left_out or result.odd_stamps
    assert all(one.first_offset < one.next_offset for one in said)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_octets_are_a_damaged_capture(octets: bytes) -> None:
    result, _ = replayed(octets)
    assert len(result.damage) == 1
    assert result.damage[0].startswith("standard input: ")


@given(st.lists(TIMES, max_size=40))
@settings(max_examples=300, deadline=None)
def test_arrivals_never_go_back_and_only_the_first_without_a_time_are_left_out(
    times: list[int],
) -> None:
    frames = [
        UdpPacket(time, "192.0.2.7", number, "192.0.2.1", 2, b"")
        for number, time in enumerate(times)
    ]
    found = list(Chronology(frames))
    arrivals = [arrival for arrival, _ in found]
    assert arrivals == sorted(arrivals)
    assert all(0 < arrival <= LATEST for arrival in arrivals)
    kept = [packet for _, packet in found]
    assert kept == frames[len(frames) - len(kept) :]
    assert not any(0 < one.time_ns <= LATEST for one in frames[: len(frames) - len(kept)])
