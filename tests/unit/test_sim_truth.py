"""Truth, from accounts written by hand: one case a rule. Times in seconds, period 10, grace 2."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from publisher_sim.truth import PeriodTruth, Truth, accounts, default_grace
from publisher_sim.truth import file as truth_file
from publisher_sim.truth.accounts import OnWire, Produced, TruthFact, decode_facts, encode_fact

Odd = dict[tuple[str, int], dict[str, Any] | None]
"""(generator, tick) -> how it goes there, None: silent."""
SECOND = 1_000_000_000
PERIOD = 10
LAST = 20
"""Ticks 0 to 20 are sent; the subscription ends 8 s after the last."""


def ns(seconds: float) -> int:
    return round(seconds * SECOND)


class Device:
    """Publishers a and b that deliver, but for what a test says."""

    def __init__(self, updates: int = 1) -> None:
        self.updates = updates
        self.facts: list[TruthFact] = [
            accounts.Established(ns(-5), 7, ns(PERIOD), 0, ("a", "b")),
        ]
        self.next_id = {"a": 100, "b": 2**32 - 5}

    def send(self, generator: str, tick: int, run: str = "", **how: Any) -> None:
        for position in range(self.updates):
            self._message(generator, tick, position, run or generator, how)

    def _message(
        self, generator: str, tick: int, position: int, run: str, how: dict[str, Any]
    ) -> None:
        message_id = self.next_id[generator]
        self.next_id[generator] = (message_id + 1) % 2**32
        nominal = tick * PERIOD
        planned = ns(nominal + 1 + position * 0.1)
        skew = ns(float(how.get("skew", 0)))
        self.facts.append(
            Produced(generator, run, message_id, 7, ns(nominal), planned, 2, self.updates, skew)
        )
        if position in how.get("lost", ()):
            return
        at = planned + ns(float(how.get("delay", 0)))
        slack = ns(float(how.get("slow", 0)))
        datagrams = range(1 if position in how.get("cut", ()) else 2)
        for number in datagrams:
            garbled = position in how.get("garbled", ())
            self.facts.append(OnWire(run, message_id, number, at, at + slack, garbled))

    def run(self, odd: Odd) -> None:
        """All ticks."""
        for tick in range(LAST + 1):
            for generator in ("a", "b"):
                how = odd.get((generator, tick), {})
                if how is not None:
                    self.send(generator, tick, **how)

    def rows(self, end: float = LAST * PERIOD + 8, **manners: Any) -> dict[int, PeriodTruth]:
        truth = Truth(ns(2), **manners)
        for fact in (*self.facts, accounts.Ended(ns(end), 7, "deleted")):
            truth.note(fact)
        return {row.number: row for row in truth.rows(ns(end))}


def row(odd: Odd, tick: int, updates: int = 1) -> PeriodTruth:
    device = Device(updates)
    device.run(odd)
    return device.rows()[tick]


def test_all_is_well() -> None:
    device = Device()
    device.run({})
    rows = device.rows()
    assert list(rows) == list(range(LAST + 1))
    assert {one.last.outcome for one in rows.values()} == {"COMPLETE"}
    assert [number for number, one in rows.items() if one.why] == [0, 1, 2, 3, 4]
    assert rows[7].nominal == ns(70)
    assert rows[7].last.required == rows[7].last.received == ("a", "b")


def test_silence_and_loss_look_the_same_at_first() -> None:
    silent = row({("a", 8): None}, 8)
    lost = row({("a", 8): {"lost": (0,)}}, 8)
    assert silent.first == lost.first
    assert silent.first.missing == (("a", "silent"),)
    assert silent.last.missing == (("a", "silent"),)
    assert lost.last.missing == (("a", "lost"),)
    assert not silent.why
    assert not lost.why


def test_what_was_garbled_or_cut_says_so() -> None:
    garbled = row({("a", 8): {"garbled": (0,)}}, 8)
    cut = row({("b", 8): {"cut": (0,)}}, 8)
    assert (garbled.first.outcome, garbled.last.missing) == ("INCOMPLETE", (("a", "rejected"),))
    assert cut.last.missing == (("b", "unreassembled"),)


def test_the_heaviest_cause_counts() -> None:
    found = row({("a", 8): {"garbled": (0,), "cut": (1,), "lost": (2,)}}, 8, updates=3)
    assert found.last.missing == (("a", "rejected"),)
    found = row({("a", 8): {"cut": (1,), "lost": (0, 2)}}, 8, updates=3)
    assert found.last.missing == (("a", "unreassembled"),)


def test_some_of_its_messages_are_a_degraded_period() -> None:
    found = row({("a", 8): {"lost": (1,)}}, 8, updates=3)
    assert (found.first.outcome, found.last.outcome) == ("DEGRADED", "DEGRADED")
    assert found.last.degraded == (("a", "loss"),)
    assert found.last.received == ("a", "b")


def test_a_late_message_amends() -> None:
    found = row({("b", 8): {"delay": 5}}, 8)
    assert (found.first.outcome, found.last.outcome) == ("INCOMPLETE", "COMPLETE")
    assert found.last.late_generators == ("b",)
    in_time = row({("b", 8): {"delay": 0.9}}, 8)
    assert in_time.first.outcome == "COMPLETE"
    assert in_time.last.late_generators == ()


@pytest.mark.parametrize(
    ("odd", "tick", "word"),
    [
        ({("a", 8): {"delay": 2.1}}, 8, "close"),
        ({("a", 8): {"delay": 21}}, 8, "close"),
        ({("a", 8): {"slow": 1.5}}, 8, "slow"),
        ({("a", 8): {"slow": 1.5}}, 10, "slow"),
        ({("a", 8): {"slow": 1.5}}, 11, ""),
        ({("a", 0): {"skew": PERIOD}}, 9, "clock"),
        ({("a", 0): {"skew": PERIOD / 4}}, 9, ""),
        ({("a", 8): {"delay": 5}, ("b", 12): {"delay": 5}}, 12, "delayed_again"),
        ({("a", 8): {"lost": (0,)}, ("a", 9): None}, 8, "mixed"),
        ({("a", 8): {"lost": (0,)}, ("a", 9): None}, 9, "mixed"),
        ({("a", tick): {"lost": (0,)} for tick in range(LAST + 1)}, 8, "unseen"),
        ({("a", 8): {"delay": 5}, ("a", 9): {"lost": (0,)}}, 9, "shaken"),
        ({("a", 8): {"delay": 0.1}, ("a", 9): {"lost": (0,)}}, 9, ""),
        ({("a", 8): {"delay": 5}, ("a", 9): {"lost": (0,)}}, 10, "shaken"),
        ({("a", 8): {"delay": 5}, ("b", 9): {"lost": (0,)}}, 9, ""),
    ],
)
def test_doubts(odd: Odd, tick: int, word: str) -> None:
    assert row(odd, tick).why == word


def test_a_clock_that_steps_back_to_a_tick_of_which_nothing_was_read() -> None:
    ahead: Odd = {("a", tick): {"skew": 20} for tick in (8, 9)}
    assert row(ahead, 10).why == ""  # it seems to be tick 8, and that was read: so a step
    silent_then: Odd = {("a", 8): None, ("a", 9): {"skew": 20}}
    device = Device()
    device.run(silent_then)
    rows = device.rows()
    assert rows[8].why == rows[10].why == "clock"
    assert rows[9].why == ""


def test_a_clock_that_steps_next_to_a_late_message() -> None:
    odd: Odd = {("a", 8): {"delay": 5}, ("a", 9): {"skew": 20}, ("a", 10): {"skew": 20}}
    assert row(odd, 9).why == "clock"


def test_left_when_causes_are_about_to_stop_changing() -> None:
    words = []
    for change in (95.0, 102.5, 104.0, 112.0):
        device = Device()
        device.run({("b", 8): None})
        device.facts.append(accounts.ListChanged(ns(change), 7, ("a",)))
        found = device.rows()[8]
        words.append((found.last.missing[0][1], found.why))
    # tick 8 may be amended until 80 + 1 + 2 + 20 = 103 s
    assert words == [("left", ""), ("left", "left_late"), ("silent", "left_late"), ("silent", "")]


def test_a_newcomer_that_finishes_late_is_not_held_against_the_row() -> None:
    device = Device()
    device.next_id["c"] = 5
    for tick in range(12, LAST + 1):
        device.send("c", tick, delay=3 if tick == 12 else 0)
    device.run({})
    device.facts.append(accounts.ListChanged(ns(117), 7, ("a", "b", "c")))
    assert device.rows()[12].why == "joining"


def test_a_tail_lost_before_a_lost_tick_cannot_be_counted() -> None:
    odd: Odd = {
        ("a", 8): {"lost": (2,)},
        ("a", 9): {"lost": (0, 1, 2)},
    }
    assert row(odd, 8, updates=3).why == "uncounted"


def test_a_list_without_it_explains_what_is_missing() -> None:
    device = Device()
    device.run({("b", tick): None for tick in range(8, LAST + 1)})
    device.facts.append(accounts.ListChanged(ns(92.5), 7, ("a",)))
    rows = device.rows()
    assert rows[8].last.missing == (("b", "left"),)
    assert rows[8].first.missing == (("b", "silent"),)
    # the window of tick 9 is [85, 95): both lists are in force there
    assert rows[9].last.required == ("a",)
    assert rows[9].last.outcome == "COMPLETE"
    assert rows[9].why == "list_changed"  # 92.5 lies within the delivery of tick 9
    assert rows[10].last.required == ("a",)
    assert not rows[10].why


def test_a_newcomer_is_required_from_the_next_window_on() -> None:
    device = Device()
    device.next_id["c"] = 5
    for tick in range(12, LAST + 1):
        device.send("c", tick)
    device.run({})
    device.facts.append(accounts.ListChanged(ns(117), 7, ("a", "b", "c")))
    rows = device.rows()
    assert rows[11].last.required == ("a", "b")
    assert rows[12].last.required == ("a", "b")
    assert "c" in rows[12].last.received
    assert rows[12].last.unexpected == ()
    assert rows[13].last.required == ("a", "b", "c")


def test_nobody_asked_for_it() -> None:
    device = Device()
    device.next_id["x"] = 5
    device.run({})
    device.send("x", 9)
    assert device.rows()[9].last.unexpected == ("x",)


def test_a_new_life_in_its_place() -> None:
    device = Device()
    for tick in range(LAST + 1):
        device.send("a", tick)
        if tick != 8:
            device.send("b", tick, run="b/0" if tick < 8 else "b/1")
    assert device.rows()[8].last.missing == (("b", "restarted"),)


def test_died_among_its_messages() -> None:
    device = Device()
    device.run({})
    device.facts.append(accounts.Killed(ns(81.05), "a"))
    assert device.rows()[8].why == "killed"


def test_suspension_and_end() -> None:
    device = Device()
    device.run({(one, tick): None for one in ("a", "b") for tick in (8, 9)})
    device.facts += [accounts.Suspended(ns(77.5), 7), accounts.Resumed(ns(97.5), 7)]
    rows = device.rows()
    assert [rows[tick].last.reason for tick in (7, 8, 9, 10)] == [
        None, "suspended", "suspended", None,
    ]  # fmt: skip
    assert rows[8].last.missing == ()
    assert not rows[8].why

    device = Device()
    device.run({("a", LAST): None})
    ended = device.rows(end=LAST * PERIOD + 1.5)[LAST]
    assert (ended.last.outcome, ended.last.reason) == ("NOT_JUDGED", "ended")
    assert ended.why == "ending"


def test_other_terms_begin_anew() -> None:
    device = Device()
    device.run({})
    device.facts.append(accounts.TermsChanged(ns(105), 7, ns(PERIOD), 0, ("a", "b")))
    truth = Truth(ns(2))
    for fact in device.facts:
        truth.note(fact)
    rows = truth.rows(ns(180))
    assert [one.number for one in rows] == [*range(11), *range(7)]
    assert [one.why for one in rows[11:]] == ["starting"] * 5 + ["", ""]


def test_while_running_only_what_is_settled_is_said() -> None:
    device = Device()
    device.run({})
    truth = Truth()
    for fact in device.facts:
        truth.note(fact)
    # the default grace is 5 s here; b and a finish 1 s after the tick
    assert [one.number for one in truth.rows(ns(85.9))] == list(range(8))
    assert [one.number for one in truth.rows(ns(86))] == list(range(9))
    assert Truth().rows(ns(100)) == []


def test_default_grace() -> None:
    assert [default_grace(ns(p)) for p in (0.1, 1, 6, 60, 600)] == [
        ns(0.2), ns(0.5), ns(3), ns(5), ns(30),
    ]  # fmt: skip


def facts_of_all_kinds() -> Iterable[TruthFact]:
    device = Device()
    device.run({("a", 3): {"garbled": (0,)}})
    yield from device.facts
    yield accounts.Suspended(1, 7)
    yield accounts.Resumed(2, 7)
    yield accounts.ListChanged(3, 7, ())
    yield accounts.TermsChanged(4, 7, 1, 0, ("x",))
    yield accounts.Killed(5, "a")
    yield accounts.Ended(6, 7, "deleted")


def test_accounts_survive_the_disk_and_a_torn_line() -> None:
    facts = list(facts_of_all_kinds())
    content = b"".join(encode_fact(fact) for fact in facts)
    assert decode_facts(content) == facts
    assert decode_facts(content[:-5]) == facts[:-1]
    assert decode_facts(b'{"torn') == []


def test_the_file(tmp_path: Path) -> None:
    device = Device()
    device.run({("a", 8): {"lost": (0,)}})
    path = tmp_path / "truth.jsonl"
    rows = truth_file.lines("core7", device.rows().values())
    header = truth_file.Header("core7", 3, ns(2), ns(208), "case")
    truth_file.write(path, header, rows)
    assert list(tmp_path.iterdir()) == [path]
    read_header, read_rows = truth_file.read(path)
    assert (read_header.rows, read_header.uncertain) == (21, 5)
    assert read_rows == rows
    line = path.read_text().splitlines()[9]
    assert '"nominal_time":80000000000' in line
    assert '"first":{"outcome":"INCOMPLETE","missing":["a"]}' in line
    assert '"missing":[{"generator":"a","cause":"lost"}]' in line


def unnumbered(odd: Odd, tick: int, updates: int = 1) -> PeriodTruth:
    device = Device(updates)
    device.run(odd)
    truth = Truth(ns(2), counted=False)
    for fact in (*device.facts, accounts.Ended(ns(LAST * PERIOD + 8), 7, "deleted")):
        truth.note(fact)
    return next(row for row in truth.rows(ns(LAST * PERIOD + 8)) if row.number == tick)


def test_without_numbers_a_loss_is_silence() -> None:
    lost = unnumbered({("a", 8): {"lost": (0,)}}, 8)
    assert lost.last.missing == (("a", "silent"),)
    assert not lost.why
    restarted = unnumbered({("a", 8): None, ("a", 9): {"run": "new"}}, 8)
    assert restarted.last.missing == (("a", "silent"),)
    assert unnumbered({("a", 8): {"lost": (1,)}}, 8, updates=3).why == "uncounted"


def test_a_unit_may_be_told_of_before_its_message() -> None:
    """The master forwarded it; the account of the agent is read later."""
    device = Device()
    device.run({})
    wire = [fact for fact in device.facts if isinstance(fact, OnWire)]
    others = [fact for fact in device.facts if not isinstance(fact, OnWire)]
    truth = Truth(ns(2))
    for fact in (*wire, *others, accounts.Ended(ns(LAST * PERIOD + 8), 7, "deleted")):
        truth.note(fact)
    assert {one.last.outcome for one in truth.rows(ns(LAST * PERIOD + 8))} == {"COMPLETE"}


def away(first: int, behind: int) -> Odd:
    return {("a", tick): None for tick in range(first, behind)}


def ended_while_away(end: float, back: float) -> PeriodTruth:
    """``a`` is away from tick 8 on, the terms end, and its next life sends for others at ``back``.
    The row of tick 8."""
    device = Device()
    device.run(away(8, LAST + 1))
    device.facts = [one for one in device.facts if getattr(one, "planned", 0) < ns(end)]
    device.facts.append(Produced("a", "a again", 5, 8, ns(back), ns(back), 1, 1, 0))
    device.facts.append(OnWire("a again", 5, 0, ns(back), ns(back), False))
    return device.rows(end)[8]


def test_what_leaves_after_the_end_sharpens_no_cause() -> None:
    before, after = ended_while_away(95, 94), ended_while_away(95, 96)
    assert (before.last.missing, before.why) == ((("a", "restarted"),), "")
    assert (after.last.missing, after.why) == ((("a", "silent"),), "")
    assert ended_while_away(95, 95.1).why == ended_while_away(95, 94.9).why == "ending"


def test_what_leaves_after_the_end_amends_nothing() -> None:
    device = Device()
    device.run({("a", 8): {"delay": 8}})
    assert device.rows()[8].last.late_generators == ("a",)
    assert device.rows(end=88)[8].last.missing == (("a", "silent"),)


def test_without_a_list_nobody_can_be_expected_who_was_never_heard() -> None:
    untold = Device()
    untold.facts = [accounts.Established(ns(-5), 7, ns(PERIOD), 0, ("a", "b"), told=False)]
    untold.run(away(0, 9))
    rows = untold.rows()
    device = Device()
    device.run(away(0, 9))
    assert [number for number, one in rows.items() if one.why == "joining"] == [5, 6, 7, 8, 9, 10]
    assert not any(one.why for number, one in device.rows().items() if number > 4)
    assert not rows[11].why


@pytest.mark.parametrize(
    ("skew", "anchor_off", "word"),
    [(2, 0.3, "strays"), (0.5, 0.3, ""), (2, 0.0, ""), (-2, 0.3, "")],
)
def test_on_ticks_nobody_announced_a_slow_clock_makes_periods_doubtful(
    skew: float, anchor_off: float, word: str
) -> None:
    device = Device()
    device.run({("a", 8): {"skew": skew}})
    rows = device.rows(anchor_off=anchor_off)
    assert [rows[tick].why for tick in (7, 8, 9, 20)] == ["", word, word, word]


@pytest.mark.parametrize(
    ("anchor_off", "joins_at", "required"),
    [
        (0.0, 73, ("a", "b")),  # before the window of tick 8, which is [75, 85)
        (0.0, 77, ("a",)),
        (0.3, 71, ("a", "b")),  # the tick was announced for 77: [72, 82)
        (0.3, 73, ("a",)),
        (0.3, 77, ("a",)),
        (0.3, 84, ("a",)),
    ],
)
def test_who_is_required_counts_from_where_a_tick_was_announced(
    anchor_off: float, joins_at: float, required: tuple[str, ...]
) -> None:
    """An observer knows no other instant (RFC 8641 §4.2); b is in the list from then on."""
    device = Device()
    device.facts = [
        accounts.Established(ns(-5), 7, ns(PERIOD), 0, ("a",)),
        accounts.ListChanged(ns(joins_at), 7, ("a", "b")),
    ]
    device.run({})
    found = device.rows(anchor_off=anchor_off)
    assert found[8].last.required == required
    assert found[10].last.required == ("a", "b")


@pytest.mark.parametrize(("apart", "word"), [(0.3, "halved"), (5, "")])
def test_half_a_message_beside_one_that_is_lost_is_anybodys(apart: float, word: str) -> None:
    """Both count in one run of numbers, and the half does not say which subscription it is of."""
    device = Device()
    for tick in range(LAST + 1):
        device.send("b", tick)
        device.send("a", tick, lost=(0,) if tick == 8 else ())
        at, number = ns(tick * PERIOD + 1 + apart), 1000 + tick
        device.facts.append(Produced("a", "a", number, 9, at, at, 2, 1))
        for part in range(1 if tick == 8 else 2):
            device.facts.append(OnWire("a", number, part, at, at))
    rows = device.rows()
    assert [rows[tick].why for tick in (7, 8, 9)] == ["", word, ""]
    assert rows[8].last.missing == (("a", "lost"),)


def test_without_a_list_who_comes_later_is_expected_nobody_knows_from_when() -> None:
    """A card that was pulled when the subscription was established: it delivers from tick 8 on."""
    device = Device()
    silent: Odd = {("b", tick): None for tick in [*range(8), LAST - 1]}
    untold = Device()
    untold.facts = [accounts.Established(ns(-5), 7, ns(PERIOD), 0, ("a",), told=False)]
    untold.run(silent)
    rows = untold.rows()
    device.facts = [accounts.Established(ns(-5), 7, ns(PERIOD), 0, ("a",))]
    device.run(silent)
    assert [number for number, one in rows.items() if one.why == "joining"] == [*range(8, LAST + 1)]
    assert not any(one.why for number, one in device.rows().items() if 5 <= number <= LAST - 1)
