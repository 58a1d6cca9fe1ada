"""The life of originators: each case is said once, in one sentence, and nothing flaps."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.comparison import compare, read_truth
from collector.core.engine import Engine
from collector.core.memory.snapshot import thaw
from collector.core.originators.contradictions import STRANGERS
from collector.core.originators.life import LONGEST_HOLD, MOST_SAID
from collector.core.settings import EngineSettings, Limits, NamedSubscription
from collector.model import (
    CollectorTime,
    Ended,
    Event,
    NotificationKind,
    OnChange,
    SelectionFilter,
)
from publisher_sim.device.simulate import simulate
from publisher_sim.scenario import Fault, Scenario
from publisher_sim.truth import file as truth_file
from tests.helpers import DEVICE, Wire, changed, established, ns, run, steady, terms, update
from tests.sim_joined import LATENCY, Joined, compare_with_truth
from tests.sim_scenarios import small

MODIFIED = NotificationKind.SUBSCRIPTION_MODIFIED
LIFE = (
    "originator_", "list_", "declares_", "decomposed_",
)  # fmt: skip


def listed(at: float, *names: str, **more: Any) -> Any:
    """The device declares a list."""
    return changed(at, MODIFIED, generators=names, **more)


def life(wire: Wire) -> list[tuple[str, str]]:
    """(kind, subject) of what was said of originators."""
    return [(one.kind, one.subject) for one in wire.events if one.kind.startswith(LIFE)]


def texts(wire: Wire, kind: str) -> list[str]:
    return [one.text for one in wire.events if one.kind == kind]


def expecting(*names: str) -> EngineSettings:
    return EngineSettings(named={(DEVICE, "interfaces"): NamedSubscription(expect=names)})


def device_with(*cards: int, until: int = 20, **more: Any) -> list[Any]:
    return steady(cards, periods=until, **more)


# --------------------------------------------------------------------------- the declared list
def test_a_card_that_is_added_and_one_that_leaves() -> None:
    wire = run(
        [
            established(-50),
            *steady((1,), periods=20),
            *steady((2,), periods=12),
            *steady((3,), start=6, periods=14),
            listed(58, "1", "2", "3"),
            listed(118, "1", "3"),
        ],
        until=198,
    )
    assert life(wire) == [("originator_added", "3"), ("originator_removed", "2")]
    assert texts(wire, "originator_added") == ["Generator 3 is on the list of interfaces now."]
    assert texts(wire, "originator_removed") == [
        "Generator 2 is no longer on the list of interfaces."
    ]
    assert [one.time for one in wire.events] == [ns(58), ns(118)]


def test_a_card_that_comes_back_is_on_the_list_again() -> None:
    sent = [*steady((1,), periods=20), *steady((2,), periods=6), *steady((2,), start=12, periods=8)]
    wire = run([established(-50), *sent, listed(58, "1"), listed(118, "1", "2")], until=198)
    assert texts(wire, "originator_added") == ["Generator 2 is on the list of interfaces again."]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (("1", "2"), ("1", "3"), [("originator_replaced", "3")]),
        (("2", "1"), ("1", "3"), [("originator_replaced", "3")]),
        (
            ("1", "2", "3"),
            ("1", "8", "9"),
            [("originator_replaced", "8"), ("originator_replaced", "9")],
        ),
        (
            ("1", "2", "3"),
            ("1", "3", "8", "9"),
            [("originator_added", "8"), ("originator_added", "9"), ("originator_removed", "2")],
        ),
    ],
)
def test_who_stands_where_another_stood_took_its_place(
    before: tuple[str, ...], after: tuple[str, ...], said: list[tuple[str, str]]
) -> None:
    wire = run([established(-50, before), *steady((1,), periods=3), listed(12, *after)], until=13)
    assert life(wire) == said


def test_a_list_that_changes_again_and_again_is_told_in_steps() -> None:
    """Boot: cards register one after the other, each with a new list."""
    grows = [listed(2 * n, *map(str, range(1, n + 2))) for n in range(1, 6)]
    wire = run([established(0, ("1",)), *steady((1,), periods=6), *grows], until=58)
    added = [one.time for one in wire.events if one.kind == "originator_added"]
    assert added == [ns(2)] + [ns(22)] * 4


@pytest.mark.parametrize("every", [11, 30])
def test_a_list_that_is_never_steady_is_told_less_and_less(every: int) -> None:
    """The hold doubles up to an hour."""
    lists = [
        listed(every * n, *(("1",) if n % 2 else ("1", "2"))) for n in range(1, 9_000 // every)
    ]
    wire = Wire().send(established(-1, ("1", "2")), *lists).until(9_500)
    told = [one for one in wire.events if one.kind.startswith(LIFE)]
    assert 6 < len(told) < 16
    waits = [later.time - one.time for one, later in pairwise(told)]
    assert waits == sorted(waits)
    assert LONGEST_HOLD // 4 < waits[-1] <= 1.1 * LONGEST_HOLD
    # steady again: the next one is told at once
    wire.send(listed(40_000, "1", "2", "3"))
    assert wire.events[-1].time == ns(40_000)


def test_a_list_that_flaps_within_the_hold_is_said_as_that() -> None:
    wire = run(
        [established(-1), listed(3, "1"), listed(6, "1", "2"), listed(9, "1"), listed(60, "1")],
        until=60,
    )
    assert life(wire) == [("originator_removed", "2"), ("list_unsteady", "interfaces")]
    assert texts(wire, "list_unsteady") == [
        "The list of interfaces changed 2 times within 20 s and names the same generators as "
        "before."
    ]


def test_another_order_of_the_list_changes_nobody() -> None:
    wire = run([established(-50), listed(3, "2", "1")], until=60)
    assert life(wire) == [("decomposed_anew", "interfaces")]


def test_a_whole_chassis_at_once_does_not_flood() -> None:
    many = tuple(str(n) for n in range(100, 200))
    wire = run([established(-50, ("1",)), listed(3, "1", *many), listed(63, "1")], until=70)
    assert life(wire).count(("originator_added", "interfaces")) == 1
    assert life(wire).count(("originator_removed", "interfaces")) == 1
    assert len(life(wire)) == 2 * (MOST_SAID + 1)
    assert texts(wire, "originator_added")[-1] == (
        "100 generators came at once in the list of interfaces."
    )


def test_a_modification_that_changes_nothing_hints_at_moved_nodes() -> None:
    wire = run(
        [
            established(-50),
            *steady(periods=12),
            listed(33, "1", "2"),
            listed(38, "1", "2"),
            listed(73, "1", "2"),
            changed(103, MODIFIED),
        ],
        until=118,
    )
    assert life(wire) == [("decomposed_anew", "interfaces")] * 2
    assert texts(wire, "decomposed_anew")[0] == (
        "core7 modified interfaces and kept its list of generators: nodes may have moved between "
        "them."
    )


def test_a_resumption_by_modification_hints_at_nothing() -> None:
    suspended = changed(33, NotificationKind.SUBSCRIPTION_SUSPENDED)
    wire = run([established(-50), *steady(periods=6), suspended, listed(43, "1", "2")], until=58)
    assert life(wire) == []


def test_who_left_while_no_session_was_up_is_said_with_the_next_list() -> None:
    wire = run(
        [
            established(-50),
            *steady(periods=3),
            Ended(CollectorTime(ns(35)), DEVICE, None, "session-lost", 0),
            established(65, ("1", "4"), subscription=2),
        ],
        until=66,
    )
    assert life(wire) == [("originator_replaced", "4")]


def test_what_waits_to_be_said_is_said_in_the_next_revision() -> None:
    lost = Ended(CollectorTime(ns(5)), DEVICE, None, "session-lost", 0)
    again = established(60, ("1", "3"), subscription=2)
    lists = [listed(3, "1"), listed(4, "1", "3")]
    wire = run([established(-1), *lists, lost, again], expecting("1", "2"), until=90)
    said = [(one.time, one.kind) for one in wire.events if one.kind.startswith(LIFE)]
    assert said == [
        (ns(3), "originator_removed"), (ns(60), "originator_added"), (ns(60), "declares_less"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        {"name": "hardware"},
        {"selection_filter": SelectionFilter("xpath", "/ietf-hardware:hardware")},
    ],
)
def test_another_series_or_selection_begins_anew(more: dict[str, Any]) -> None:
    wire = run([established(-50), established(35, ("7",), **more)], until=36)
    assert life(wire) == []


# --------------------------------------------------------------------------- before the list
def test_a_card_that_sends_before_it_is_announced() -> None:
    wire = run(
        [
            established(-50),
            *steady(periods=20),
            *steady((3,), start=5, periods=15),
            listed(83, "1", "2", "3"),
        ],
        until=198,
    )
    assert life(wire) == [
        ("originator_unannounced", "3"),
        ("originator_announced_late", "3"),
    ]
    assert texts(wire, "originator_announced_late") == [
        "Generator 3 is on the list of interfaces now; it had been sending for 33 s before."
    ]
    assert wire.row(6).unexpected == ("3",)
    assert wire.row(9).required == ("1", "2", "3")


def test_an_update_that_only_overtook_the_list_is_no_late_announcement() -> None:
    early = update(51, "3", 100, time=50.9)
    wire = run([established(-50), *steady(periods=8), early, listed(52, "1", "2", "3")], until=58)
    assert life(wire) == [("originator_added", "3")]


def test_a_card_that_is_never_announced_is_said_once_and_its_end_too() -> None:
    wire = run(
        [established(-50), *steady(periods=40), *steady((3,), start=5, periods=12)], until=398
    )
    assert life(wire) == [
        ("originator_unannounced", "3"),
        ("originator_never_announced", "3"),
        ("list_contradicts_data", "interfaces"),
        ("list_fits_data", "interfaces"),
    ]
    assert texts(wire, "list_fits_data") == [
        "The declared list of interfaces and the data agree again."
    ]


def test_a_stranger_that_comes_and_goes_is_said_once() -> None:
    odd = [update(10 * n + 1, "3", n, time=10 * n + 0.9) for n in range(5, 40) if n % 2]
    wire = run([established(-50), *steady(periods=40), *odd], until=398)
    assert life(wire) == [
        ("originator_unannounced", "3"),
        ("originator_never_announced", "3"),
    ]


def test_a_stranger_that_a_list_names_for_a_moment_only() -> None:
    stranger = steady((3,), start=5, periods=30)
    lists = [listed(83, "1", "2", "3"), listed(84, "1", "2"), listed(85, "1", "2", "3")]
    wire = run([established(-50), *steady(periods=35), *stranger, *lists], until=348)
    assert [one for one in life(wire) if one[1] == "3"] == [
        ("originator_unannounced", "3"),
        ("originator_announced_late", "3"),
    ]
    device, _ = thaw(wire.engine.snapshot_device(DEVICE))
    known = device.subscriptions[1].life
    assert known is not None
    assert not known.strangers
    assert not known.is_open


def test_only_so_many_strangers_are_followed() -> None:
    odd = [
        update(10 * n + 1 + g / 1000, str(g), n, time=10 * n + 0.9, header=g)
        for g in range(100, 200)
        for n in range(5, 8)
    ]
    wire = run([established(-50), *steady(periods=9), *odd], until=88)
    assert life(wire).count(("originator_unannounced", "100")) == 1
    assert sum(kind == "originator_unannounced" for kind, _ in life(wire)) == STRANGERS


# --------------------------------------------------------------------------- after the list
def test_a_declared_card_that_never_sends_and_one_that_does_at_last() -> None:
    wire = run(
        [established(-50, ("1", "2", "3")), *steady(periods=40), *steady((3,), start=15)], until=398
    )
    assert life(wire) == [
        ("originator_never_sends", "3"),
        ("list_contradicts_data", "interfaces"),
        ("originator_sends_at_last", "3"),
        ("list_fits_data", "interfaces"),
    ]
    assert texts(wire, "originator_sends_at_last") == [
        "Generator 3 sends updates of interfaces at last, 15 periods after it was announced."
    ]
    assert wire.row(20).outcome == "COMPLETE"


def test_a_card_that_starts_a_little_later_is_no_news() -> None:
    wire = run([established(-1), *steady((1,), periods=9), *steady((2,), start=3)], until=88)
    assert life(wire) == []


def test_a_card_that_never_sent_and_leaves_the_list_is_only_removed() -> None:
    wire = run(
        [established(-50, ("1", "2", "3")), *steady(periods=20), listed(83, "1", "2")], until=198
    )
    assert life(wire) == [
        ("originator_never_sends", "3"),
        ("list_contradicts_data", "interfaces"),
        ("originator_removed", "3"),
        ("list_fits_data", "interfaces"),
    ]


def test_another_difference_that_stays_is_news_again() -> None:
    wire = run(
        [
            established(-50, ("1", "2", "3")),
            *steady(periods=40),
            *steady((4,), start=20, periods=20),
        ],
        until=398,
    )
    assert len(texts(wire, "list_contradicts_data")) == 2
    assert "4 sends and is not declared" in texts(wire, "list_contradicts_data")[1]


def test_silence_of_all_contradicts_nothing() -> None:
    wire = run([established(-50, ("1", "2", "3")), *steady(periods=3)], until=198)
    assert life(wire) == []


def test_a_long_difference_is_told_in_part() -> None:
    names = tuple(str(n) for n in range(1, 60))
    wire = run([established(-50, names), *steady(periods=9)], until=88)
    assert texts(wire, "list_contradicts_data")[0].endswith(" and 41 more.")


# --------------------------------------------------------------------------- the learned list
def test_a_newcomer_of_a_learned_list_is_said() -> None:
    sent = [*steady((1,), periods=12), *steady((2,), start=5, periods=7)]
    wire = run([established(generators=None), *sent], until=118)
    assert texts(wire, "originator_added") == [
        "Generator 2 sends updates of interfaces and is expected from now on."
    ]


def test_a_newcomer_may_have_taken_the_place_of_who_fell_silent() -> None:
    sent = [
        *steady((1,), periods=14), *steady((2,), periods=5), *steady((9,), start=8, periods=6),
    ]  # fmt: skip
    wire = run([established(generators=None), *sent], until=138)
    assert life(wire) == [("originator_replaced", "9")]
    assert texts(wire, "originator_replaced")[0].endswith(
        "; it came when 2 had fallen silent and may have taken its place."
    )
    assert wire.row(12).required == ("1", "2", "9")  # nobody said that 2 is gone


# --------------------------------------------------------------------------- the operator
def test_an_expectation_that_is_not_declared_is_said_after_a_while_and_its_end() -> None:
    wire = run(
        [
            established(-5, ("1", "2")),
            *steady((1, 2, 3), periods=30),
            listed(103, "1", "2", "3"),
        ],
        expecting("1", "2", "3"),
        until=298,
    )
    said = [one for one in wire.events if one.kind.startswith("declares")]
    assert [(one.time, one.kind, one.subject) for one in said] == [
        (ns(15), "declares_less", "interfaces"),
        (ns(123), "declares_enough", "interfaces"),
    ]
    assert [one.text for one in said] == [
        "core7 declares 2 of the 3 generators that are expected for interfaces; not 3.",
        "core7 declares all 3 generators that are expected for interfaces again.",
    ]
    assert {row.required for row in wire.verdicts} == {("1", "2", "3")}
    assert {str(row.provenance) for row in wire.verdicts} == {"configured"}


def test_a_list_that_is_short_for_a_moment_raises_nothing() -> None:
    short, whole = listed(33, "1"), listed(48, "1", "2")
    wire = run([established(-50), *steady(periods=9), short, whole], expecting("1", "2"), until=88)
    assert not [kind for kind in wire.kinds() if kind.startswith("declares")]


def test_who_is_missing_may_change_while_it_is_short() -> None:
    wire = run(
        [established(-50, ("1", "2")), *steady(periods=9), listed(33, "1", "3")],
        expecting("1", "2", "3"),
        until=88,
    )
    assert [text[-6:] for text in texts(wire, "declares_less")] == ["not 3.", "not 2."]


def test_a_device_that_declares_nothing_is_short_of_nothing() -> None:
    wire = run([established(-50, None), *steady(periods=9)], expecting("1", "2"), until=88)
    assert life(wire) == []


def test_a_long_shortfall_is_told_in_part() -> None:
    wire = run([established(-50, ("1",))], expecting(*map(str, range(1, 60))), until=88)
    assert texts(wire, "declares_less")[0].endswith("16, 17 and 42 more.")


def test_other_expectations_take_effect_while_it_runs() -> None:
    wire = run([established(-50), *steady(periods=3)], until=28)
    wire.facts += wire.engine.configure(expecting("1", "2", "3"), CollectorTime(ns(29)))
    wire.until(48)
    assert life(wire) == []
    wire.until(50)
    assert life(wire) == [("declares_less", "interfaces")]
    wire.facts += wire.engine.configure(EngineSettings(), CollectorTime(ns(51)))
    assert texts(wire, "declares_enough") == [
        "No generators are expected for interfaces of core7 any more."
    ]


def test_an_on_change_subscription_has_a_list_and_expectations_too() -> None:
    asked = established(-50, ("1",), period=10, on_change=OnChange())
    asked = type(asked)(
        **{
            **{name: getattr(asked, name) for name in asked.__struct_fields__},
            "terms": terms(None, on_change=OnChange()),
        }
    )
    wire = run([asked, listed(8, "1", "2")], expecting("1", "2", "3"), until=70)
    assert life(wire) == [("declares_less", "interfaces"), ("originator_added", "2")] or set(
        life(wire)
    ) == {("declares_less", "interfaces"), ("originator_added", "2")}
    wire.facts += wire.engine.configure(EngineSettings(), CollectorTime(ns(71)))
    assert wire.kinds()[-1] == "declares_enough"


def test_what_waits_outlives_a_restart() -> None:
    wire = run(
        [established(-1), listed(2, "1", "2", "3"), listed(3, "1")], expecting("1", "2"), until=5
    )
    part = wire.engine.snapshot_device(DEVICE)
    again = Engine.restore(expecting("1", "2"), {DEVICE: part})
    said = [
        (one.time, one.kind)
        for one in again.handle_timer(CollectorTime(ns(40)))
        if isinstance(one, Event)
    ]
    events = wire.until(40).events[1:]
    assert said == [(one.time, one.kind) for one in events]
    assert {kind for _, kind in said} == {
        "originator_removed", "declares_less",
    }  # fmt: skip


# --------------------------------------------------------------------------- room
@pytest.mark.parametrize("named", [True, False])
def test_ids_that_change_for_years_fill_no_table(named: bool) -> None:
    """A publisher that takes its process id for its name: each restart brings another one."""
    limits = EngineSettings(limits=Limits(originators_per_subscription=4))
    wire = Wire(limits).send(established(-50, ("1", "1000")))
    for life_ in range(20):
        name = 1000 + life_
        wire.send(listed(life_ * 1000 - 5, "1", str(name)))
        sent = steady((1, name), start=life_ * 100, periods=90, offset=0.1 - name / 100)
        for one in sorted(sent, key=lambda one: one.arrival):
            wire.send(one if named else msgspec.structs.replace(one, generator=None))
    device, _ = thaw(wire.engine.snapshot_device(DEVICE))
    (one,) = device.subscriptions.values()
    assert "1019" in one.originators
    assert len(one.originators) <= 4
    assert wire.row(1950).outcome == "COMPLETE"


def test_where_all_are_alive_a_further_one_is_refused() -> None:
    limits = EngineSettings(limits=Limits(originators_per_subscription=2))
    wire = run([established(-50), *steady((1, 2, 3), periods=90)], limits, until=898)
    assert wire.engine.fell_off() == {DEVICE: {"originators": 90}}
    assert {state.generator for state in wire.engine.states()} == {"1", "2"}


# --------------------------------------------------------------------------- the simulator
def listened(scenario: Scenario) -> tuple[Joined, list[Event]]:
    """The device joined with an engine, and the events that it will say."""
    joined = Joined(scenario)
    events: list[Event] = []
    hand = joined.engine.receive

    def receive(record: Any, now: CollectorTime) -> Any:
        facts = hand(record, now)
        events.extend(one for one in facts if isinstance(one, Event))
        return facts

    joined.engine.receive = receive  # type: ignore[method-assign]
    return joined, events


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            Fault("pull", 10, 18, "lc2"),
            [("originator_removed", "102"), ("originator_added", "102")],
        ),
        (
            Fault("pull", 10, 18, "lc2", moves_to="master"),
            [("originator_replaced", "1"), ("originator_replaced", "102")],
        ),
        (Fault("kill", 10, card="lc1"), [("originator_removed", "101")]),
        (
            Fault("move", 10, 18, "lc1", moves_to="lc2"),
            [("originator_removed", "101"), ("originator_added", "101")],
        ),
        (
            Fault("move", 30, 38, "lc1", moves_to="lc2", interfaces=("eth1/0",)),
            [("decomposed_anew", "simulated")],
        ),
    ],
    ids=["pulled", "inherited", "killed", "moved", "moved-in-part"],
)
def test_what_a_simulated_device_does_is_said(
    fault: Fault, said: list[tuple[str, str]], tmp_path: Path
) -> None:
    scenario = small(fault, periods=60)
    joined, events = listened(scenario)
    stream, header, _ = simulate(scenario)
    joined.take(stream)
    joined.stop(header.until + LATENCY)
    found = [(one.kind, one.subject) for one in events if one.kind.startswith(LIFE)]
    assert found == said
    comparison = compare_with_truth(scenario, tmp_path)
    assert comparison.differences == ()
    assert comparison.agrees


def test_hold_is_never_shorter_than_twenty_seconds() -> None:
    lists = [listed(3, "1"), listed(15, "1", "2"), listed(70, "1")]
    wire = run([established(0, ("1", "2"), period=1), *lists], until=71)
    assert [one.time for one in wire.events] == [ns(3), ns(23), ns(70)]


@pytest.mark.clause("mso-7-d")
@pytest.mark.parametrize("late", [2.4, 7.4])
@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        (Fault("pull", 10, 22, "lc2"), {"removed", "unannounced", "announced_late"}),
        (Fault("pull", 10, 22, "lc2", moves_to="master"), {"unannounced", "replaced"}),
        (Fault("kill", 10, card="lc1"), {"removed"}),
        (
            Fault("move", 10, 22, "lc1", moves_to="lc2"),
            {"removed", "unannounced", "announced_late"},
        ),
    ],
    ids=["pulled", "inherited", "killed", "moved"],
)
def test_a_list_that_comes_late_is_judged_as_if_it_had_been_in_time(
    fault: Fault, kinds: set[str], late: float, tmp_path: Path
) -> None:
    """Data comes before the list says so; the last rows are those that the device deserves."""
    scenario = small(fault, periods=60)
    stream, header, lines = simulate(scenario)
    held = [
        msgspec.structs.replace(one, at=one.at + round(late * 1e9))
        if one.kind == "notification" and one.at < header.until
        else one
        for one in stream
    ]
    joined, events = listened(scenario)
    joined.take(sorted(held, key=lambda one: one.at))
    verdicts = joined.stop(header.until + LATENCY)
    found = {one.kind.removeprefix("originator_") for one in events if one.kind.startswith(LIFE)}
    assert found - {"never_announced", "list_contradicts_data", "list_fits_data"} == kinds
    path = tmp_path / "truth.jsonl"
    truth_file.write(path, header, lines)
    differences = compare(read_truth(path), verdicts).differences
    assert [one.sentence() for one in differences if one.row == "last"] == []


def test_what_runs_is_held_against_the_device_by_its_newest_list() -> None:
    stream = established(-50, None, subscription=3, name="alarms")
    stream = msgspec.structs.replace(stream, terms=terms(None, anchor_time=None, stream="NETCONF"))
    wire = run(
        [
            established(-50, ("1", "2")),
            established(-50, ("5", "6"), subscription=2, name="other"),
            stream,
            *steady(periods=3),
            listed(12, "1"),
            changed(13, NotificationKind.SUBSCRIPTION_SUSPENDED, subscription=2),
        ],
        expecting("1", "2", "3"),
        until=28,
    )
    assert [
        (one.id, one.active, one.generators, one.counted) for one in wire.engine.running(DEVICE)
    ] == [(1, True, ("1",), True), (2, False, ("5", "6"), True), (3, True, None, False)]
    assert wire.engine.running("nobody") == []


def test_a_list_of_the_operator_alone_is_not_the_devices() -> None:
    wire = run([established(-50, None), *steady(periods=3)], expecting("1", "2"), until=28)
    assert [one.generators for one in wire.engine.running(DEVICE)] == [None]
    wire = run([established(-50, None), *steady(periods=5)], until=48)
    assert [one.generators for one in wire.engine.running(DEVICE)] == [("1", "2")]


def test_a_stream_has_no_settings_to_take_over() -> None:
    stream = established(-50, ("1",), subscription=3, name="interfaces")
    stream = msgspec.structs.replace(stream, terms=terms(None, anchor_time=None, stream="NETCONF"))
    wire = run([stream], until=5)
    assert wire.engine.configure(expecting("1", "2"), CollectorTime(ns(6))) == []
    assert life(wire.until(100)) == []
