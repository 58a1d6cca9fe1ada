"""Missing Message IDs behind which an on-change subscription may have lost something."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.core.on_change.sync_state import Filled, Missed
from collector.core.settings import EngineSettings
from collector.model import (
    CollectorTime,
    NotificationKind,
    OnChange,
    Rejected,
    Unreassembled,
    Update,
)
from tests.helpers import DEVICE, SOURCE, Wire, changed, established, ns, terms, update

CHANGES = 9
"""Subscription id of the on-change one."""


def on_change(at: float = -5, number: int = CHANGES) -> Any:
    asked = established(at, ("1",), subscription=number, name=f"changes{number}")
    return msgspec.structs.replace(asked, terms=terms(None, on_change=OnChange()))


def change(at: float, message_id: int | None, *, number: int = CHANGES, **more: Any) -> Update:
    made = update(at, "1", message_id, subscription=number, **more)
    return msgspec.structs.replace(made, kind=NotificationKind.PUSH_CHANGE_UPDATE)


def found(wire: Wire) -> list[tuple[str, int, str, int]]:
    """Missed or Filled, subscription, generator and first id of each."""
    return [
        (type(one).__name__, one.subscription_id, one.generator, one.hole)
        for one in wire.engine.take_missed()
    ]


def begun(**settings: Any) -> Wire:
    """Ids 10 to 12 came."""
    wire = Wire(EngineSettings(**settings)).send(on_change())
    return wire.send(*(change(n / 10, 10 + n) for n in range(3)))


def test_next_ids_miss_nothing() -> None:
    assert found(begun().send(change(1, 13))) == []


def test_a_gap_is_missed_and_what_fills_it_found() -> None:
    wire = begun().send(change(1, 16))
    (missed,) = wire.engine.take_missed()
    assert missed == Missed(
        CollectorTime(ns(1)),
        4,
        DEVICE,
        CHANGES,
        0,
        "1",
        13,
        "3 messages from id 13 on did not come",
    )
    assert found(wire.send(change(1.1, 14))) == []
    assert found(wire.send(change(1.2, 13), change(1.3, 15))) == [("Filled", CHANGES, "1", 13)]
    assert found(wire.send(change(1.4, 15, time=1.3))) == []  # it came twice


def test_one_missing_message_is_one() -> None:
    (missed,) = begun().send(change(1, 14)).engine.take_missed()
    assert isinstance(missed, Missed)
    assert missed.why == "a message from id 13 on did not come"


def test_ids_that_began_anew() -> None:
    (missed,) = begun().send(change(30, 500_000)).engine.take_missed()
    assert isinstance(missed, Missed)
    assert (missed.hole, missed.why) == (-1, "Message IDs began anew at 500000")


def test_a_gap_that_another_subscription_of_the_card_shows() -> None:
    wire = begun().send(established(0.5, ("1",), subscription=1))
    wire.send(update(1, "1", 13), update(11, "1", 14))
    assert found(wire) == []
    assert found(wire.send(update(21, "1", 17))) == [("Missed", CHANGES, "1", 15)]


def test_where_each_subscription_counts_alone_only_its_own_gap_counts() -> None:
    wire = begun(per_subscription={DEVICE: True}).send(established(0.5, ("1",), subscription=1))
    wire.send(update(1, "1", 700), update(11, "1", 701), change(12, 13))
    found(wire)
    assert found(wire.send(update(21, "1", 705))) == []
    assert found(wire.send(change(22, 15))) == [("Missed", CHANGES, "1", 14)]


def test_without_an_on_change_subscription_nobody_asks() -> None:
    wire = Wire().send(established(-5, ("1",), subscription=1))
    wire.send(*(update(10 * n + 1, "1", 10 + 3 * n) for n in range(4)))
    assert found(wire) == []


def test_a_subscription_that_is_over_misses_nothing() -> None:
    wire = begun().send(established(0.5, ("1",), subscription=1))
    wire.send(changed(1, NotificationKind.SUBSCRIPTION_TERMINATED, subscription=CHANGES))
    assert found(wire.send(update(2, "1", 17))) == []


def test_messages_of_no_subscription_and_without_ids_miss_nothing() -> None:
    wire = Wire().send(on_change())
    wire.send(*(update(n / 10, "1", 10 + 5 * n, subscription=None) for n in range(3)))
    wire.send(*(change(1 + n / 10, None) for n in range(3)))
    assert found(wire) == []


def test_a_state_change_may_show_a_gap() -> None:
    wire = begun().send(
        changed(
            1, NotificationKind.SUBSCRIPTION_MODIFIED, subscription=CHANGES, header=1, message_id=15
        )
    )
    assert [one[:2] for one in found(wire)] == [("Missed", CHANGES)]


def test_a_state_change_with_the_next_id_shows_none() -> None:
    modified = changed(
        1, NotificationKind.SUBSCRIPTION_MODIFIED, subscription=CHANGES, header=1, message_id=13
    )
    assert found(begun().send(modified, modified)) == []


@pytest.mark.parametrize(("mapped", "name"), [({}, "1"), ({"1": "lc1"}, "lc1")])
def test_a_message_that_cannot_be_read(mapped: dict[str, str], name: str) -> None:
    wire = begun(generators={DEVICE: mapped})
    where = (DEVICE, SOURCE, 5000, 1, 13)
    wire.send(Rejected(CollectorTime(ns(1)), *where, "bad-json", 0))
    (missed,) = wire.engine.take_missed()
    assert isinstance(missed, Missed)
    assert (missed.generator, missed.hole, missed.why) == (name, 13, "message 13 could not be read")


def test_a_message_that_comes_in_part_and_whole_after_all() -> None:
    wire = begun()
    at, first = CollectorTime(ns(1)), CollectorTime(ns(0.9))
    wire.send(Unreassembled(at, DEVICE, SOURCE, 5000, 1, 13, first, 0))
    (missed,) = wire.engine.take_missed()
    assert isinstance(missed, Missed)
    assert missed.why == "message 13 came in part"
    (filled,) = wire.send(change(1.1, 13)).engine.take_missed()
    assert filled == Filled(CollectorTime(ns(1.1)), 5, DEVICE, CHANGES, 0, "1", 13)


def test_what_cannot_be_read_and_has_no_good_header_is_nobodys() -> None:
    wire = begun()
    wire.send(Rejected(CollectorTime(ns(1)), DEVICE, SOURCE, 5000, None, None, "bad-json", 0))
    wire.send(Rejected(CollectorTime(ns(1)), DEVICE, SOURCE, 5000, 1, None, "bad-json", 0))
    assert found(wire) == []
    limits = msgspec.structs.replace(EngineSettings().limits, counters_per_device=1)
    wire = begun(limits=limits)
    wire.send(Rejected(CollectorTime(ns(1)), DEVICE, SOURCE, 5000, 77, 5, "bad-json", 0))
    assert found(wire) == []
