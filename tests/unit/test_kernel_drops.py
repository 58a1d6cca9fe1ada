"""``receivers.sockets.drops``: what the kernel dropped, told when everything older was read."""

from __future__ import annotations

from collector.model import SECOND
from collector.receivers.sockets.drops import MAX_WAITING, DropWindow, KernelDrops

START = 1_000 * SECOND


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def window(since: float, until: float, datagrams: int) -> DropWindow:
    return DropWindow(at(since), at(until), datagrams)  # type: ignore[arg-type]  # plain ints


def test_the_first_drop_is_told_at_once_and_then_one_a_second() -> None:
    drops = KernelDrops(7, at(0))
    drops.look(7, at(1))
    assert drops.due(at(1), at(1)) == []
    drops.look(9, at(1.02))
    assert drops.due(at(1.02), at(1.02)) == [window(1, 1.02, 2)]
    for number in range(10):
        drops.look(10 + number, at(1.1 + number / 10))
        assert drops.due(at(2), at(1.1 + number / 10)) == []
    assert drops.due(at(2.1), at(2.1)) == [window(1.02, 2, 10)]
    assert drops.due(at(9), at(9)) == []
    assert drops.total == 12


def test_a_window_waits_until_what_came_before_its_end_was_read() -> None:
    drops = KernelDrops(0, at(0))
    drops.look(5, at(0.5))
    drops.look(6, at(3))
    assert drops.due(at(0.4), at(3)) == []
    assert drops.due(at(0.5), at(3)) == [window(0, 0.5, 5)]
    assert drops.due(at(2.9), at(6)) == []
    assert drops.due(at(3), at(6)) == [window(0.5, 3, 1)]


def test_the_counter_begins_anew_behind_32_bits() -> None:
    drops = KernelDrops(2**32 - 1, at(0))
    drops.look(1, at(1))
    assert drops.due(at(1), at(1)) == [window(0, 1, 2)]


def test_windows_that_wait_are_bounded_and_lose_no_datagram() -> None:
    drops = KernelDrops(0, at(0))
    for second in range(1, 3 * MAX_WAITING):
        drops.look(second, at(second))
    found = drops.due(at(1e6), at(1e6))
    assert len(found) == MAX_WAITING
    assert sum(one.datagrams for one in found) == drops.total == 3 * MAX_WAITING - 1
    assert found[-1].until == at(3 * MAX_WAITING - 1)


def test_at_the_end_nothing_waits_for_a_second() -> None:
    drops = KernelDrops(0, at(0))
    drops.look(1, at(1))
    drops.due(at(1), at(1))
    drops.look(2, at(1.5))
    assert drops.due(at(1.5), at(1.5)) == []
    assert drops.rest(at(1.5), at(1.5)) == [window(1, 1.5, 1)]
