"""Subscriptions that never brought anything: when it is said, and when not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.core.subscriptions.never_sent import KEPT_PER_DEVICE, NeverSent, Waiting
from collector.model import CollectorTime, Event, SubscriptionRow
from tests.unit.store_rows import subscription

SECOND = 10**9
REVISION = 5


def at(seconds: float) -> CollectorTime:
    return CollectorTime(round(seconds * SECOND))


def row(seconds: float, *, began: float | None = None, **more: Any) -> SubscriptionRow:
    """Every 10 s, as it stands at that time; it began then, or at ``began``."""
    values = {"period_cs": 1000, "name": "counters", "device": "core7", **more}
    since = at(seconds if began is None else began)
    return msgspec.structs.replace(subscription(0), time=at(seconds), from_time=since, **values)


def said(never: NeverSent, seconds: float) -> list[tuple[str, float]]:
    """(kind, seconds) of what was said up to then."""
    return [(one.kind, one.time / SECOND) for one in never.handle_timer(at(seconds))]


def begun(**more: Any) -> NeverSent:
    never = NeverSent()
    never.told(row(100, **more))
    return never


def test_after_five_periods_it_is_said_once_and_once_when_it_sends() -> None:
    never = begun()
    assert said(never, 150) == []  # what is due then may still come then
    assert said(never, 150.1) == [("never_sent", 150)]
    assert said(never, 1000) == []
    assert never.is_looked_at(REVISION, at(1001))
    never.heard(REVISION, at(1001))
    (event,) = never.handle_timer(at(1001))
    assert event == Event(
        at(1001), "core7", "counters", "began_to_send",
        "Subscription counters of core7 brings data now, 901 s after it became active.",
    )  # fmt: skip
    assert not never.waiting


def test_what_sends_in_time_is_never_mentioned() -> None:
    never = begun()
    assert never.is_looked_at(REVISION, at(129))
    never.heard(REVISION, at(129))
    assert said(never, 9999) == []
    assert not never.is_looked_at(REVISION, at(130))


def test_a_record_behind_the_moment_does_not_hide_that_it_was_late() -> None:
    never = begun()
    assert never.is_looked_at(REVISION, at(151))
    never.heard(REVISION, at(151))
    assert said(never, 151) == [("never_sent", 150), ("began_to_send", 151)]


def test_updates_without_contents_are_nothing() -> None:
    never = begun()
    for moment in (110, 120, 130):
        assert never.is_looked_at(REVISION, at(moment))
        never.heard(REVISION, at(moment), empty=True)
    (event,) = never.handle_timer(at(200))
    assert (event.kind, event.time) == ("nothing_yet", at(150))
    assert "empty updates only" in event.text
    # from then on those of one period in five are looked at
    looked = [moment for moment in range(200, 300, 10) if never.is_looked_at(REVISION, at(moment))]
    assert looked == [200, 250]
    never.heard(REVISION, at(250))
    assert said(never, 250) == [("brings_data", 250)]


@pytest.mark.parametrize(
    ("more", "due"),
    [
        ({"period_cs": 10}, 20),
        ({"period_cs": 6000}, 300),
        ({"period_cs": None, "trigger": "on-change", "sync_on_start": True}, 60),
    ],
)
def test_how_long_is_waited(more: dict[str, Any], due: float) -> None:
    kind = "never_sent" if more["period_cs"] else "nothing_yet"
    assert said(begun(**more), 9999) == [(kind, 100 + due)]


@pytest.mark.parametrize(
    "more",
    [
        {"period_cs": None, "trigger": "on-change", "sync_on_start": False},
        {"period_cs": None, "stream": "NETCONF"},
        {"period_cs": None},  # nobody knows when it is to send
        {"state": "suspended"},
    ],
)
def test_what_may_be_silent_is_not_waited_for(more: dict[str, Any]) -> None:
    assert not begun(**more).waiting


def test_an_ended_one_is_not_waited_for() -> None:
    never = begun()
    never.told(row(120, began=100, state="ended"))
    assert said(never, 9999) == []


def test_a_row_about_one_that_sends_begins_nothing() -> None:
    never = NeverSent()
    never.told(row(120, began=100))
    assert not never.waiting


def test_while_it_is_suspended_nothing_is_due() -> None:
    never = begun()
    never.told(row(110, began=100))  # another list
    never.told(row(120, began=100, state="suspended"))
    assert said(never, 500) == []
    never.told(row(600, began=100))
    assert said(never, 9999) == [("never_sent", 650)]
    never.told(row(9999, began=100))
    assert said(never, 99999) == []


def test_what_nobody_could_hear_is_due_later() -> None:
    never = begun()
    never.told(row(105, revision=6, id=8))
    assert said(never, 153) == [("never_sent", 150)]
    never.nobody_listened(at(154), at(200))
    assert said(never, 250) == []
    assert said(never, 251) == [("never_sent", 250)]
    late = begun()
    late.nobody_listened(at(151), at(200))  # it was due before
    assert said(late, 200) == [("never_sent", 150)]


def test_of_two_the_one_that_is_due_first_comes_first() -> None:
    never = begun(period_cs=2000)
    never.told(row(101, revision=6, id=8, name="other"))
    found = never.handle_timer(at(9999))
    assert [(one.subject, one.time) for one in found] == [
        ("other", at(151)),
        ("counters", at(200)),
    ]


def test_of_a_device_with_too_many_the_oldest_is_forgotten() -> None:
    never = NeverSent()
    never.told(row(1, device="core8", revision=1))
    for number in range(KEPT_PER_DEVICE + 1):
        never.told(row(100, revision=10 + number))
    assert len(never.waiting) == KEPT_PER_DEVICE + 1
    assert 1 in never.waiting
    assert 10 not in never.waiting


def test_a_snapshot_goes_on_where_it_was() -> None:
    never = begun()
    never.told(row(100, device="core8", revision=9))
    assert NeverSent().snapshot("core7") == b""
    state, other = never.snapshot("core7"), NeverSent()
    other.restore(state)
    other.restore(b"")
    assert other.waiting == {REVISION: never.waiting[REVISION]}
    assert isinstance(other.waiting[REVISION], Waiting)
    assert said(other, 9999) == [("never_sent", 150)]
    again = NeverSent()
    again.restore(other.snapshot("core7"))
    assert said(again, 99999) == []
    with pytest.raises(msgspec.MsgspecError):
        again.restore(b"\x93")
