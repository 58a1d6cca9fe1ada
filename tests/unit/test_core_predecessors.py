"""From whom a new revision of a subscription takes over what was learned."""

from __future__ import annotations

import gc
import tracemalloc

from collector.core.engine import Engine
from collector.core.memory.state import NOBODY
from collector.core.settings import EngineSettings, KnownSubscription, Limits
from collector.core.subscriptions.handing_over import WITH_DETAILS
from collector.model import CollectorTime, Ended, EngineInput, NotificationKind, Outcome
from tests.helpers import DEVICE, Wire, changed, established, ns, steady, terms, update

Kind = NotificationKind


def ended(at: float, number: int | None = 1) -> Ended:
    """A subscription, or all that are dynamic, is over without a notification."""
    return Ended(CollectorTime(ns(at)), DEVICE, number, "deleted", 0)


def test_counts_that_were_handed_over_are_not_kept_twice() -> None:
    wire = Wire().send(established(), *steady(periods=3), ended(35)).until(36)
    (device,) = wire.engine._devices.values()
    kept = [one.recent for one in device.subscriptions[1].originators.values()]
    assert len(kept) == 2
    assert all(kept)
    wire.send(established(37, subscription=2))
    over, after = (device.subscriptions[number].originators.values() for number in (1, 2))
    assert [one.recent for one in over] == [[], []]
    assert [one.recent for one in after] == kept


# --------------------------------------------------------------------------- ids dealt out anew
def two_series(first: int, second: int, *, begin: float = 0, periods: int = 5) -> list[EngineInput]:
    """A card that sends twice a period for "ifs", 1 s after the tick, thrice for "cpu" at 4 s."""
    records: list[EngineInput] = [
        established(begin - 1, ("1",), subscription=first, name="ifs"),
        established(begin - 1, ("1",), subscription=second, name="cpu"),
    ]
    number = round(100 * begin)
    for index in range(periods):
        for which, at, count in ((first, 1.0, 2), (second, 4.0, 3)):
            for part in range(count):
                number += 1
                moment = begin + 10 * index + at + part / 10
                records.append(update(moment, "1", number, subscription=which))
    return records


def test_a_device_that_deals_out_its_ids_anew() -> None:
    """It rebooted and both names have the other's id: each series goes on from its own past."""
    wire = Wire().send(*two_series(1, 2), ended(57, None))
    wire.send(*two_series(2, 1, begin=60, periods=1)[:2])
    (device,) = wire.engine._devices.values()
    ifs, cpu = device.subscriptions[2].originators["1"], device.subscriptions[1].originators["1"]
    assert (ifs.usual, cpu.usual) == (2, 3)
    assert ns(1) - ns(0) <= ifs.times_from < ns(2) - ns(0) < cpu.times_from
    assert not device.displaced
    wire.send(*two_series(2, 1, begin=60, periods=4)[2:]).until(99)
    rows = [row for row in wire.lasts() if row.nominal_time >= ns(60)]
    assert {row.outcome for row in rows} == {Outcome.COMPLETE}
    assert len(rows) == 8


def test_a_configured_subscription_keeps_what_was_learned_under_another_name() -> None:
    """The operator gives the id a name while the device is restarted."""
    wire = Wire().send(
        changed(-1, Kind.SUBSCRIPTION_STARTED, generators=("1",), terms=terms()),
        *steady(cards=(1,), periods=5),
    )
    known = KnownSubscription(name="ifs")
    wire.engine.configure(EngineSettings(known={(DEVICE, 1): known}), CollectorTime(ns(51)))
    wire.send(changed(58, Kind.SUBSCRIPTION_STARTED, generators=("1",), terms=terms()))
    (device,) = wire.engine._devices.values()
    assert device.subscriptions[1].name == "ifs"
    assert device.subscriptions[1].originators["1"].usual == 1


def test_another_name_under_a_known_id_is_another_subscription() -> None:
    """A dynamic id says nothing: it learns afresh, and the other one is still known by its name."""
    wire = Wire().send(established(), *steady(periods=5), ended(55))
    wire.send(established(58, name="cpu"), established(59, subscription=2))
    (device,) = wire.engine._devices.values()
    assert device.subscriptions[1].originators == {}
    assert {one.usual for one in device.subscriptions[2].originators.values()} == {1}


def test_displaced_ones_are_bounded_and_only_the_newest_of_a_name_is_kept() -> None:
    settings = EngineSettings(limits=Limits(subscriptions_per_device=2))
    wire = Wire(settings)
    for number, name in enumerate(("a", "b", "c", "d", "")):
        wire.send(established(10 * number, name=name), ended(10 * number + 5))
    (device,) = wire.engine._devices.values()
    assert list(device.displaced) == ["c", "d"]
    assert device.fell_off["subscriptions"] == 2
    wire.send(established(60, name=""), ended(61), established(62, name="x"))
    assert "" not in device.displaced
    wire.send(established(70, name="x", subscription=2), established(72, name="y"))
    assert "x" not in device.displaced


def test_of_many_revisions_only_the_newest_keep_their_originators() -> None:
    """A device whose sessions break again and again, with two subscriptions."""
    wire = Wire()
    for life in range(20):
        first, second = 2 * life + 1, 2 * life + 2
        wire.send(*two_series(first, second, begin=60 * life), ended(60 * life + 55, None))
    (device,) = wire.engine._devices.values()
    known = [number for number, one in device.subscriptions.items() if one.originators]
    assert known == [*range(39 - WITH_DETAILS, 39), 39, 40]
    assert len(device.subscriptions) == 40
    assert len(wire.engine.states(ended=True)) == 40
    wire.send(*two_series(41, 42, begin=1200)).until(1245)
    assert {row.outcome for row in wire.lasts() if row.subscription_id > 40} == {Outcome.COMPLETE}


def test_a_learned_list_begins_afresh_after_an_end() -> None:
    """Who was heard is kept for one revision only, in a snapshot too."""
    wire = Wire().send(established(generators=None), *steady(periods=2))
    (device,) = wire.engine._devices.values()
    assert device.subscriptions[1].known == {"1", "2"}
    again = Engine.restore(EngineSettings(), {DEVICE: wire.engine.snapshot_device(DEVICE)})
    assert again._devices[DEVICE].subscriptions[1].known == {"1", "2"}
    wire.send(ended(35))
    assert device.subscriptions[1].known is device.subscriptions[1].heard_before is NOBODY
    again = Engine.restore(EngineSettings(), {DEVICE: wire.engine.snapshot_device(DEVICE)})
    assert again._devices[DEVICE].subscriptions[1].known is NOBODY


def test_what_a_subscription_that_is_over_leaves_behind() -> None:
    """Five cards, twelve periods each time: below 2 kB for each life, 15 kB once."""

    def lives(count: int) -> int:
        tracemalloc.start()
        wire = Wire()
        number = 0
        for life in range(count):
            begin = 200 * life
            wire.send(established(begin - 1, tuple("12345"), subscription=life + 1))
            for index in range(12):
                number += 1
                wire.send(*(update(begin + 10 * index, card, number, subscription=life + 1)
                            for card in "12345"))  # fmt: skip
            wire.send(ended(begin + 150, life + 1))
            wire.facts.clear()
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return kept

    lives(2)  # what is made once
    left = (lives(70) - lives(30)) / 40
    assert left < 2000
