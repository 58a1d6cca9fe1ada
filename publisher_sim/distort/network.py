"""Faults on the way: datagrams and messages lost, doubled, shuffled, held up.

Marks and moves messages; duplicates are new messages. What was never sent is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from msgspec.structs import replace

from publisher_sim.distort.device import Choice
from publisher_sim.distort.messages import SECOND, Message
from publisher_sim.distort.plan import Plan

DUPLICATE_WITHIN = SECOND // 20
SHUFFLED = 8
"""Messages at most whose order is shuffled together."""
LATE_AT_MOST = 0.8
"""Periods."""


def lose(messages: Sequence[Message], choice: Choice, plan: Plan, random: Random) -> None:
    """Whole periods, an outage, single messages and datagrams."""
    for span in plan.lost:
        for name in choice.names(span.generator):
            moment = choice.moment(span.periods * choice.period(name))
            for one in choice.from_moment(name, moment, span.periods):
                _lose(one)
    if plan.outage:
        moment = choice.moment(plan.outage)
        for one in messages:
            if moment <= one.at < moment + plan.outage:
                _lose(one)
    if not (plan.lose or plan.drop):
        return
    for one in messages:
        if not one.never and choice.window.since <= one.at < choice.window.until:
            if random.random() < plan.lose:
                _lose(one)
            if plan.drop:
                hit = (random.random() < plan.drop for _ in range(one.datagrams))
                one.lost |= {number for number, gone in enumerate(hit) if gone}


def _lose(message: Message) -> None:
    message.lost = frozenset(range(message.datagrams))


def double(
    messages: Sequence[Message], choice: Choice, plan: Plan, random: Random
) -> list[Message]:
    """Duplicates of some messages; a copy of a message that was lost has come alone."""
    copies = []
    for one in messages:
        inside = choice.window.since <= one.at < choice.window.until
        if not one.never and inside and random.random() < plan.duplicate:
            at = one.at + random.randrange(1, DUPLICATE_WITHIN)
            copies.append(replace(one, at=at, lost=frozenset(), copy_of=one.number))
    return copies


def hold_up(messages: Sequence[Message], choice: Choice, plan: Plan, random: Random) -> None:
    """A whole period late, and an own delay for each message."""
    for late in plan.late:
        for name in choice.names(late.generator):
            period = choice.period(name)
            by = min(late.by, round(LATE_AT_MOST * period))
            for one in choice.from_moment(name, choice.moment(period), 1):
                _delay(one, by)
    if plan.jitter:
        for one in messages:
            if choice.window.since <= one.at < choice.window.until:
                _delay(one, round(random.expovariate(1 / plan.jitter)))


def _delay(message: Message, by: int) -> None:
    message.at += by
    message.late += by


def shuffle(messages: list[Message], choice: Choice, plan: Plan, random: Random) -> None:
    """Let messages that arrive near one another change places."""
    if not plan.reorder:
        return
    messages.sort(key=lambda one: one.at)
    group: list[Message] = []
    for one in messages:
        full = len(group) == SHUFFLED or (group and one.at - group[0].at > plan.reorder)
        if full:
            _shuffle(group, random)
            group = []
        if choice.window.since <= one.at < choice.window.until:
            group.append(one)
    _shuffle(group, random)


def _shuffle(group: list[Message], random: Random) -> None:
    times = [one.at for one in group]
    random.shuffle(group)
    for one, at in zip(group, times, strict=True):
        one.late += max(0, at - one.at)
        one.at = at
