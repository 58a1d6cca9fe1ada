"""Stamps of a capture that are not what they should be, and what becomes of the verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from collector.model import Outcome
from collector.pipeline.chronology import LATEST, Chronology
from collector.wire.captures.packets import UdpPacket
from tests.unit.capture_maker import (
    cards,
    judged,
    kinds,
    last_rows,
    packets,
    raw,
    stamp,
    started,
    write,
)


def ordered(*seconds: float | None) -> tuple[list[float], dict[str, int], list[float]]:
    """Arrivals in s, counts, and the steps back in s; None is a packet without a time."""
    frames = [raw(0.0 if one is None else one, b"") for one in seconds]
    frames = [
        replace(frame, time_ns=0) if one is None else frame
        for frame, one in zip(frames, seconds, strict=True)
    ]
    chronology = Chronology(frames)
    times = [round((time - stamp(0)) / 1e9, 3) for time, _ in chronology]
    notes = [note.moved / 1e9 for note in chronology.take_notes()]
    assert chronology.take_notes() == []
    return times, chronology.odd, notes


def test_times_in_order_stay() -> None:
    assert ordered(0, 0, 0.5, 3000, 3000.5) == ([0, 0, 0.5, 3000, 3000.5], {}, [])


def test_a_little_out_of_order_is_simultaneous() -> None:
    assert ordered(1, 0.6, 1.2) == ([1, 1, 1.2], {"out-of-order": 1}, [])


def test_a_single_wild_stamp_moves_nobody() -> None:
    year = 365 * 86_400
    assert ordered(0, 1, year, 2, -year, 3, 4) == (
        [0, 1, 2, 2, 3, 3, 4], {"odd-stamp": 2}, [],
    )  # fmt: skip


def test_the_last_packet_cannot_vouch_for_itself() -> None:
    assert ordered(0, 1, 9e6) == ([0, 1, 1], {"odd-stamp": 1}, [])


def test_a_long_silence_is_believed_where_others_follow() -> None:
    assert ordered(0, 7200, 14_400) == ([0, 7200, 14_400], {}, [])
    assert ordered(0, 1, 90_000, 90_001, 90_002) == ([0, 1, 90_000, 90_001, 90_002], {}, [])


def test_a_stamp_that_the_next_ones_contradict_is_no_silence() -> None:
    assert ordered(0, 1, 7200, 2, 3, 4) == ([0, 1, 2, 2, 3, 4], {"odd-stamp": 1}, [])


def test_a_clock_that_was_set_back_goes_on() -> None:
    assert ordered(100, 101, 41, 42, 43) == (
        [100, 101, 101, 102, 103], {"clock-set-back": 1}, [-60],
    )  # fmt: skip


def test_the_first_stamp_is_judged_by_the_next_ones() -> None:
    assert ordered(-9e8, 10, 11, 12) == ([10, 10, 11, 12], {"odd-stamp": 1}, [])
    assert ordered(9e8, 10, 11, 12) == ([10, 10, 11, 12], {"odd-stamp": 1}, [])
    assert ordered(5) == ([5], {}, [])


def test_packets_without_a_time_come_with_those_behind() -> None:
    assert ordered(None, 1, None, 2, None) == ([1, 2, 2, 2], {"no-stamp": 3}, [])


def test_all_packets_without_a_time_are_left_out() -> None:
    assert ordered(None, None) == ([], {"no-stamp": 2}, [])


@pytest.mark.parametrize("time", [0, -1, LATEST + 1, 2**64])
def test_times_at_their_limits(time: int) -> None:
    frames = [raw(1, b""), UdpPacket(time, "192.0.2.7", 1, "192.0.2.1", 2, b""), raw(2, b"")]
    chronology = Chronology(frames)
    assert [at for at, _ in chronology] == [stamp(1), stamp(2), stamp(2)]
    assert chronology.odd == {"no-stamp": 1}


def test_steps_without_end_are_bounded() -> None:
    _, odd, notes = ordered(*(second for n in range(300) for second in (-100 * n, -100 * n + 50)))
    assert odd["clock-set-back"] > 100
    assert len(notes) == 100


# --------------------------------------------------------------------------- and the verdicts
START = packets(0.0, started(0.0, ["1", "2"]), header=9)


def test_a_capture_whose_clock_was_set_back(tmp_path: Path) -> None:
    """The devices' clocks go on: a live collector, whose time never goes back, says the same."""
    frames = [*START, *cards(20, first=1.0)]
    back = [replace(one, time_ns=one.time_ns - 30 * 10**9) for one in frames[20:]]
    replayed, said = judged(write(tmp_path / "a.pcap", [*frames[:20], *back]))
    assert replayed.odd_stamps == {"clock-set-back": 1}
    assert "clock_moved" in kinds(said)
    outcomes = [row.outcome for row in last_rows(said)]
    assert outcomes.count(Outcome.COMPLETE) >= 18
    assert Outcome.INCOMPLETE not in outcomes


def test_one_wild_stamp_costs_nothing(tmp_path: Path) -> None:
    frames = [*START, *cards(20, first=1.0)]
    frames[15] = replace(frames[15], time_ns=frames[15].time_ns + 10**18)
    replayed, said = judged(write(tmp_path / "a.pcap", frames))
    assert replayed.odd_stamps == {"odd-stamp": 1}
    outcomes = [row.outcome for row in last_rows(said)]
    assert outcomes.count(Outcome.COMPLETE) >= 19
    assert Outcome.INCOMPLETE not in outcomes


def test_a_capture_backwards_is_survived(tmp_path: Path) -> None:
    frames = [*START, *cards(20, first=1.0)][::-1]
    replayed, said = judged(write(tmp_path / "a.pcap", frames))
    assert replayed.messages == 41
    assert replayed.odd_stamps["out-of-order"] + replayed.odd_stamps.get("clock-set-back", 0) > 30
    assert len(said) > 0
