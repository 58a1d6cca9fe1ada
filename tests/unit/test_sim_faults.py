"""Faults: what leaves, when, and how spoilt."""

from __future__ import annotations

from publisher_sim.agent.faults import Breaker, Sending
from publisher_sim.scenario import Fault

SECOND = 1_000_000_000
HEADER = bytes.fromhex("210c00100000000100000005")
"""draft-ietf-netconf-udp-notif-26 §3.2: version 1, JSON, 12 octets, 16 in all, ids 1 and 5."""


def messages(count: int = 1, datagrams: int = 1) -> list[tuple[int, list[bytes]]]:
    return [(n * SECOND, [HEADER + b'{"a"' for _ in range(datagrams)]) for n in range(1, count + 1)]


def broken(
    *faults: Fault, tick: int = 6, count: int = 1, datagrams: int = 1
) -> list[list[Sending]]:
    return Breaker("lc1", 1, faults).break_messages(tick, 7, messages(count, datagrams))


def dues(sendings: list[list[Sending]]) -> list[list[float]]:
    return [[one.due / SECOND for one in message] for message in sendings]


def test_without_a_fault_everything_leaves_as_planned() -> None:
    (first, second) = broken(count=2, datagrams=2)
    assert [(one.due, one.number, one.garbled) for one in first] == [
        (SECOND, 0, False), (SECOND, 1, False),
    ]  # fmt: skip
    assert second[0].octets == HEADER + b'{"a"'


def test_only_its_ticks_and_its_card_are_hit() -> None:
    fault = Fault("drop", 6, 8, "lc1")
    assert [broken(fault, tick=tick) == [[]] for tick in (5, 6, 7, 8)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert broken(Fault("drop", 6, card="lc2")) != [[]]
    assert broken(Fault("drop", 6)) == [[]]


def test_probability_is_repeatable_and_about_right() -> None:
    fault = Fault("drop", 6, 1000, probability=0.25)
    gone = [broken(fault, tick=tick) == [[]] for tick in range(6, 806)]
    assert gone == [broken(fault, tick=tick) == [[]] for tick in range(6, 806)]
    assert 150 < sum(gone) < 250


def test_single_datagrams_can_be_dropped() -> None:
    fault = Fault("drop", 6, probability=0.5, datagrams=True)
    (message,) = broken(fault, datagrams=40)
    assert 8 < len(message) < 32
    numbers = [one.number for one in message]
    assert numbers == sorted(set(numbers))


def test_duplicates_delays_and_overtaking() -> None:
    assert dues(broken(Fault("duplicate", 6, seconds=0.5))) == [[1.0, 1.5]]
    assert dues(broken(Fault("delay", 6, seconds=2), count=2)) == [[3.0], [4.0]]
    (message,) = broken(Fault("reorder", 6, seconds=0.2), datagrams=3)
    assert [one.number for one in message] == [2, 1, 0]
    assert {one.due for one in message} == {1_200_000_000}


def test_garbling_leaves_the_header_alone() -> None:
    ((one,),) = broken(Fault("corrupt", 6))
    assert one.garbled
    assert one.octets == HEADER + b"\xff\xff\xff\xff"


def test_faults_add_up_in_the_order_of_the_file() -> None:
    ((one, copy),) = broken(Fault("corrupt", 6), Fault("duplicate", 6, seconds=1))
    assert one.garbled
    assert copy.garbled
    assert broken(Fault("drop", 6), Fault("duplicate", 6)) == [[]]


def test_silence_and_clocks_are_asked_for() -> None:
    breaker = Breaker("lc1", 1, [Fault("silent", 6), Fault("clock_skew", 7, 9, seconds=-2.5)])
    assert [breaker.silent(tick) for tick in (5, 6, 7)] == [False, True, False]
    assert [breaker.skew(tick) for tick in (6, 7, 8, 9)] == [
        0, -2_500_000_000, -2_500_000_000, 0,
    ]  # fmt: skip
    assert breaker.break_messages(7, 7, messages())[0][0].due == SECOND
