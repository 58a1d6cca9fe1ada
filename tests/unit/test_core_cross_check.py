"""A device's view of its subscriptions against ours: said when it lasts, and when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from collector.core.subscriptions.cross_check import (
    MARKS,
    RECEIVERS,
    SERIES_PER_DEVICE,
    CrossCheck,
    Entry,
    Looked,
    Receiver,
    Running,
)
from collector.model import SECOND, CollectorTime, Event

EVERY = 300
"""Seconds between looks."""
PERIOD = 10


def running(**more: Any) -> Running:
    values: dict[str, Any] = {
        "id": 7, "name": "interfaces", "revision": 40, "period": PERIOD * SECOND, "active": True,
        "generators": ("1", "2"),
    }  # fmt: skip
    return Running(**(values | more))


def entry(sent: int | None = None, *, state: str | None = "active", **more: Any) -> Entry:
    values: dict[str, Any] = {"id": 7, "generators": ("1", "2")}
    values["receivers"] = (Receiver("r", state, sent),)
    return Entry(**(values | more))


class Looks:
    """A device that is looked at every five minutes."""

    def __init__(self) -> None:
        self.check = CrossCheck()
        self.said: list[Event] = []
        self.times = 0

    def look(
        self, *entries: Entry, ours: Sequence[Running] | None = None, arrived: int = 0
    ) -> list[tuple[str, str]]:
        """(kind, subject) of what is said; ``arrived``: records since the last look."""
        if arrived and 40 in self.check.watched:
            self.check.count(40, arrived)
        self.times += 1
        time = CollectorTime(self.times * EVERY * SECOND)
        held = [running()] if ours is None else ours
        said = self.check.receive(Looked(time, "core7", self.times, entries), held)
        self.said += said
        assert {one.time for one in said} <= {time}
        return [(one.kind, one.subject) for one in said]

    def counts(self, *pairs: tuple[int, int]) -> list[str]:
        """(sent, arrived) in each stretch -> kinds of events, from a first look at 1000 on."""
        total, kinds = 1000, []
        self.look(entry(total))
        for sent, arrived in pairs:
            total += sent
            kinds.append(" ".join(kind for kind, _ in self.look(entry(total), arrived=arrived)))
        return kinds


# --------------------------------------------------------------------------- lists
def test_a_list_that_differs_in_two_looks_is_said_once_and_its_end_too() -> None:
    looks = Looks()
    other = entry(generators=("1", "9"))
    assert looks.look(other) == []
    assert looks.look(other) == [("device_lists_others", "interfaces")]
    assert looks.look(other) == []
    assert looks.look(entry()) == []
    assert looks.look(entry()) == [("device_lists_the_same", "interfaces")]
    assert looks.look(entry()) == []
    assert [one.text for one in looks.said] == [
        "core7 lists 9, which we do not know, and does not list 2 in /subscriptions of interfaces.",
        "core7 lists the generators of interfaces that we know in /subscriptions.",
    ]


def test_a_list_that_differs_otherwise_is_said_again() -> None:
    looks = Looks()
    looks.look(entry(generators=("1",)))
    looks.look(entry(generators=("1",)))
    looks.look(entry(generators=("2",)))
    looks.look(entry(generators=("2",)))
    assert [one.text for one in looks.said] == [
        "core7 does not list 2 in /subscriptions of interfaces.",
        "core7 does not list 1 in /subscriptions of interfaces.",
    ]


def test_a_change_that_is_under_way_says_nothing() -> None:
    looks = Looks()
    looks.look(entry(generators=("1", "2", "3")))
    assert looks.look(entry(generators=("1", "2", "3")), ours=[running(generators=("1",))]) == []
    ours = [running(generators=("1", "2", "3"))]
    assert looks.look(entry(generators=("3", "2", "1")), ours=ours) == []
    assert looks.look(entry(generators=("3", "2", "1")), ours=ours) == []


def test_many_names_are_told_in_part() -> None:
    looks = Looks()
    many = tuple(str(n) for n in range(100, 150))
    looks.look(entry(generators=("1", "2", *many)))
    looks.look(entry(generators=("1", "2", *many)))
    assert looks.said[0].text.endswith(
        "114, 115 and 34 more, which we do not know in /subscriptions of interfaces."
    )


@pytest.mark.parametrize(
    ("entries", "ours"),
    [
        ((), [running()]),
        ((entry(generators=None, receivers=()),), [running()]),
        ((entry(state=None),), [running()]),
        ((entry(generators=("9",)),), [running(generators=None)]),
        ((entry(), entry(id=99, generators=("5",))), [running()]),
        ((entry(state="suspended"),), [running(active=False)]),
        ((entry(),), []),
    ],
)
def test_what_a_device_does_not_give_is_not_compared(
    entries: tuple[Entry, ...], ours: list[Running]
) -> None:
    looks = Looks()
    for _ in range(5):
        assert looks.look(*entries, ours=ours, arrived=50) == []


# --------------------------------------------------------------------------- states
def test_a_subscription_that_the_device_does_not_show() -> None:
    looks = Looks()
    another = entry(id=8)
    looks.look(another)
    assert looks.look(another) == [("not_at_device", "interfaces")]
    looks.look(entry())
    assert looks.look(entry()) == [("at_device_again", "interfaces")]
    assert [one.text for one in looks.said] == [
        "core7 does not show subscription 7 (interfaces) in /subscriptions.",
        "core7 shows interfaces in /subscriptions again.",
    ]


def test_a_hostile_answer_fills_nothing() -> None:
    looks = Looks()
    names = tuple(str(n) for n in range(10_000))
    for step in range(MARKS):
        receivers = [Receiver("r" * 100_000 + str(n), "?" * 100_000, 5 + step) for n in range(50)]
        looks.look(entry(generators=names, receivers=tuple(receivers)), entry(id=7 + step))
        looks.look(entry(generators=names, receivers=tuple(receivers)))
    assert all(len(one.text) < 300 for one in looks.said)
    assert len(looks.check.snapshot("core7")) < 100_000


def test_a_receiver_that_is_not_active() -> None:
    looks = Looks()
    looks.look(entry(state="disconnected"))
    assert looks.look(entry(state="suspended")) == [("receiver_not_active", "interfaces")]
    looks.look(entry())
    looks.look(entry(state="connecting"))
    looks.look(entry())
    assert looks.look(entry()) == [("receiver_active", "interfaces")]
    assert [one.text for one in looks.said] == [
        "core7 says that the receiver of interfaces is suspended.",
        "core7 says that the receiver of interfaces is active again.",
    ]


# --------------------------------------------------------------------------- counts
def test_counts_that_agree_say_nothing() -> None:
    assert Looks().counts((60, 60), (60, 60), (60, 58), (60, 62)) == ["", "", "", ""]


def test_what_is_under_way_at_a_look_is_no_loss() -> None:
    """A burst, and what the cards have not told their master yet, on either side of both ends."""
    assert Looks().counts((62, 60), (58, 60), (61, 60), (59, 60)) == [""] * 4
    assert Looks().counts((60, 62), (60, 58), (60, 61), (60, 59)) == [""] * 4


def test_a_loss_is_said_once_and_its_end_too() -> None:
    looks = Looks()
    kinds = looks.counts(*[(60, 60)] * 2, *[(60, 30)] * 4, *[(60, 60)] * 3)
    assert kinds == ["", "", "", "records_differ", "", "", "", "records_agree", ""]
    assert [one.kind for one in looks.said] == ["records_differ", "records_agree"]
    assert looks.said[0].text == (
        "core7 says that it sent 240 records of interfaces in 1200 s, 180 arrived here."
    )
    assert looks.said[1].text == ("core7 sent as many records of interfaces as arrived here again.")


def test_a_small_loss_adds_up() -> None:
    kinds = Looks().counts(*[(60, 58)] * MARKS)
    assert kinds.count("records_differ") == 1
    assert kinds.index("records_differ") > 2


def test_more_than_the_device_counted_is_a_difference_too() -> None:
    assert "records_differ" in Looks().counts(*[(60, 120)] * 3)


def test_a_long_period_allows_a_burst_at_each_end() -> None:
    slow = [running(period=300 * SECOND)]
    looks = Looks()
    for total in (1000, 1020, 1020, 1040):
        assert looks.look(entry(total), ours=slow, arrived=10) == []


def test_a_counter_that_began_anew_is_a_new_beginning() -> None:
    looks = Looks()
    looks.look(entry(1000))
    looks.look(entry(1060), arrived=60)
    for total in (5, 65, 125):
        assert looks.look(entry(total), arrived=60) == []


def test_a_counter_that_stands_at_nothing_is_none() -> None:
    looks = Looks()
    for _ in range(5):
        assert looks.look(entry(0), arrived=60) == []
    assert not looks.check.watched


def test_a_counter_that_comes_and_goes() -> None:
    looks = Looks()
    for total in (1000, None, 5000, None, 9000, 9060):
        assert looks.look(entry(total), arrived=60) == []


def test_of_several_receivers_the_one_that_fits_counts() -> None:
    def two(ours: int, others: int) -> Entry:
        return entry(receivers=(Receiver("a", "active", others), Receiver("b", None, ours)))

    looks = Looks()
    for step in range(6):
        assert looks.look(two(1000 + 60 * step, 1000 + 700 * step), arrived=60) == []
    many = [Receiver(str(n), "active", 5) for n in range(3 * RECEIVERS)]
    looks.look(entry(receivers=tuple(many)))
    assert len(looks.check.watched[40].marks[-1].sent) == RECEIVERS


def test_a_suspension_begins_anew() -> None:
    looks = Looks()
    looks.look(entry(1000))
    looks.look(entry(1060), ours=[running(active=False)])
    assert not looks.check.watched
    looks.look(entry(2000))
    assert looks.look(entry(2060), arrived=60) == []


def test_events_of_a_stream_are_not_counted() -> None:
    looks = Looks()
    ours = [running(period=0, counted=False, generators=None)]
    for total in (1000, 2000, 3000, 4000):
        assert looks.look(entry(total), ours=ours) == []
    assert not looks.check.watched


def test_our_own_loss_is_not_the_devices() -> None:
    looks = Looks()
    looks.look(entry(1000))
    for total in (1300, 1600, 1900):
        looks.check.forget_counts()
        assert looks.look(entry(total), arrived=5) == []


# --------------------------------------------------------------------------- bounds, restarts
def test_a_revision_that_is_over_is_forgotten() -> None:
    looks = Looks()
    looks.look(entry(1000))
    assert set(looks.check.watched) == {40}
    looks.look(entry(1000), ours=[running(revision=50)])
    assert set(looks.check.watched) == {50}
    looks.look(entry(1000), ours=[])
    assert not looks.check.watched


def test_two_subscriptions_of_one_revision_are_not_mixed_up() -> None:
    looks = Looks()
    both = [running(), running(id=8, generators=("5",))]
    entries = (entry(), entry(id=8, generators=("6",)))
    for _ in range(3):
        assert looks.look(*entries, ours=both) == []


def test_only_so_many_subscriptions_are_compared() -> None:
    looks = Looks()
    ours = [running(id=n, revision=n) for n in range(2 * SERIES_PER_DEVICE)]
    looks.look(entry(5), *(entry(5, id=n) for n in range(2 * SERIES_PER_DEVICE)), ours=ours)
    assert len(looks.check.watched) == SERIES_PER_DEVICE


@pytest.mark.parametrize("cut", range(1, 7))
def test_a_restart_changes_nothing(cut: int) -> None:
    def told(looks: Looks, first: int, last: int) -> None:
        for step in range(first, last):
            looks.look(entry(1000 + 60 * step, generators=("1",)), arrived=10)

    whole, first, second = Looks(), Looks(), Looks()
    told(whole, 0, 7)
    told(first, 0, cut)
    second.check.restore("core7", first.check.snapshot("core7"), cut + 1)
    second.times = cut - 1
    assert second.look(entry(1)) == []  # it is known already
    told(second, cut, 7)
    assert {one.kind for one in whole.said} == {"device_lists_others", "records_differ"}
    assert first.said + second.said == whole.said


def test_snapshots_of_nothing_and_of_something_else() -> None:
    check = CrossCheck()
    assert check.snapshot("core7") == b""
    check.restore("core7", b"", 0)
    with pytest.raises(msgspec.MsgspecError):
        check.restore("core7", b"\xc1", 0)
