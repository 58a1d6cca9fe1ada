"""A trial of the rules: random devices under the faults that real captures were tried with.

Each device has its own period, cards that stand anywhere in the period, one to three messages a
period and card, one header id for all or for each. A fault hits it in a steady part. What was made
and what was sent is known, so that every verdict on every card can be scored: nothing may be called
missing or short that came whole, and nothing that is missing or short may be overlooked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import pytest

from collector.model import SECOND, Update, Verdict
from tests.helpers import START, Wire, established, ns, run, update

PERIODS = 40
STEADY = range(6, PERIODS - 3)
SEEDS = range(6)
FAULTS = (
    "none", "drop1", "drop5", "out1", "out3", "silent1", "silent3", "dup1", "reorder", "late",
    "clock+10", "clock-10", "clock+10all", "clock-10all", "restart", "restart1", "outage",
    "garbage", "notime dup1", "drop1 dup1 reorder clock+3all", "delay", "leaves", "joins",
)  # fmt: skip
MISSING = ("drop", "out", "silent", "restart1", "leaves")
"""Faults after which something is missing, as a whole or in part."""
SHORT = ("drop", "outage")


class Card(NamedTuple):
    """How one card sends."""

    offset: float
    """s from the tick to its first message."""
    messages: int
    spread: float
    """s from its first message to its last."""


class Message(NamedTuple):
    """What a card means to send."""

    at: float
    card: str
    period: int


class Trial:
    """One device under one fault."""

    def __init__(self, seed: int, fault: str) -> None:
        self.random = random = Random(seed)
        self.faults = fault.split()
        self.period = random.choice([10, 10, 30, 60])
        self.cards = {str(one): self._card() for one in range(1, random.randint(2, 5))}
        self.shared_header = random.random() < 0.5
        self.jitter = random.choice([0, 0.01, 0.03]) * self.period
        self.begins = random.randint(8, 20)
        self.victim = random.choice(sorted(self.cards))
        self.made: Counter[tuple[str, int]] = Counter()
        self.sent: Counter[tuple[str, int]] = Counter()

    def _card(self) -> Card:
        random, period = self.random, self.period
        apart = random.random() < 0.5
        offset = random.uniform(-0.2, 0.45) if apart else random.uniform(0, 0.05)
        return Card(offset * period, random.choice([1, 1, 2, 3]), random.uniform(0, 0.1) * period)

    def _meant(self) -> list[Message]:
        found = []
        for index in range(PERIODS):
            for name, card in self.cards.items():
                for part in range(card.messages):
                    at = (index + 1) * self.period + card.offset
                    at += card.spread * part / max(1, card.messages - 1)
                    found.append(Message(at + self.random.uniform(0, self.jitter), name, index))
        return sorted(found)

    def updates(self) -> Iterator[Update]:
        """What arrives."""
        ids: dict[str, int] = {}
        restarted = False
        for message in self._meant():
            if "joins" in self.faults and self._is_victim(message, 0, self.begins):
                continue
            self.made[message.card, message.period] += 1
            if self._is_silent(message):
                continue
            header = "7" if self.shared_header else message.card
            restarts = any(one.startswith("restart") for one in self.faults)
            concerned = self.shared_header or message.card == self.victim
            if restarts and not restarted and message.period >= self.begins and concerned:
                ids[header], restarted = 0, True
            number = ids[header] = ids.get(header, 1000) + 1
            if not self._is_lost(message):
                self.sent[message.card, message.period] += 1
                yield from self._arrivals(message, number, int(header))

    def _is_victim(self, message: Message, first: int, end: int = PERIODS) -> bool:
        return message.card == self.victim and first <= message.period < end

    def _is_silent(self, message: Message) -> bool:
        for fault in self.faults:
            if fault == "leaves" and self._is_victim(message, self.begins):
                return True
            if fault.startswith("silent"):
                return self._is_victim(message, self.begins, self.begins + int(fault[-1]))
        return False

    def _is_lost(self, message: Message) -> bool:
        for fault in self.faults:
            if fault.startswith("drop") and message.period >= STEADY.start:
                if self.random.random() < int(fault[-1]) / 100:
                    return True
            elif fault == "outage":
                return 0 <= message.at - (self.begins + 1) * self.period < 1.2 * self.period
            elif fault == "restart1":
                return self._is_victim(message, self.begins, self.begins + 1)
            elif fault.startswith("out"):
                return self._is_victim(message, self.begins, self.begins + int(fault[-1]))
        return False

    def _arrivals(self, message: Message, number: int, header: int) -> Iterator[Update]:
        random = self.random
        at, time = message.at + random.uniform(0, 0.02), message.at - 0.05
        for fault in self.faults:
            if fault == "reorder":
                at += random.uniform(0, 0.2)
            elif fault == "delay":
                at += random.expovariate(1.0)
            elif fault == "late" and self._is_victim(message, self.begins, self.begins + 1):
                at += min(8, 0.8 * self.period)
            elif fault.startswith("clock") and message.period >= self.begins:
                if fault.endswith("all") or message.card == self.victim:
                    time += int(fault.removeprefix("clock").removesuffix("all"))
            elif fault == "garbage" and random.random() < 0.01:
                time = random.choice([-START, -8e8, 1.2e9, time + 31_536_000, time - 3600])
        stamp = None if "notime" in self.faults else time
        yield update(at, message.card, number, time=stamp, header=header)
        if "dup1" in self.faults and random.random() < 0.01:
            again = at + random.uniform(0, 0.05)
            yield update(again, message.card, number, time=stamp, header=header)

    def judge(self, *, declared: bool) -> Wire:
        """Let it run through an engine."""
        names = tuple(self.cards) if declared else None
        start = established(self.period - 6, names, period=self.period, anchor_time=None)
        return run([start, *self.updates()], until=(PERIODS + 0.7) * self.period)

    def score(self, wire: Wire) -> Counter[str]:
        """Each card in each steady period: rightly or wrongly called missing or short."""
        rows = {row.period_index: row for row in wire.lasts()}
        found: Counter[str] = Counter()
        for (card, index), made in self.made.items():
            row = rows.get(self._index(wire, card, index))
            if index not in STEADY or row is None or card not in row.required:
                continue
            if row.outcome in ("NOT_JUDGED", "UNKNOWN"):
                continue
            missing = card in {one.generator for one in row.missing}
            short = card in {one.generator for one in row.degraded}
            sent = self.sent[card, index]
            found["judged"] += 1
            found["truly missing"] += sent == 0
            found["truly short"] += 0 < sent < made
            found["false missing"] += missing and sent > 0
            found["missing not seen"] += sent == 0 and not missing
            found["false loss"] += short and sent == made
            found["loss not seen"] += 0 < sent < made and not short
        return found

    def _index(self, wire: Wire, card: str, index: int) -> int:
        row: Verdict = wire.verdicts[0]
        length = self.period * SECOND
        time = ns((index + 1) * self.period + self.cards[card].offset - 0.05)
        return row.period_index + (time - row.nominal_time + length // 2) // length


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_called_missing_that_came_and_nothing_missing_is_overlooked(
    fault: str,
) -> None:
    scores: Counter[str] = Counter()
    for seed in SEEDS:
        for declared in (True, False):
            trial = Trial(seed, fault)
            scores += trial.score(trial.judge(declared=declared))
    assert scores["judged"] > 500
    assert (scores["truly missing"] > 0) == fault.startswith(MISSING)
    assert (scores["truly short"] > 0) == fault.startswith(SHORT)
    wrong = ("false missing", "missing not seen", "false loss", "loss not seen")
    assert {name: scores[name] for name in wrong} == dict.fromkeys(wrong, 0)
