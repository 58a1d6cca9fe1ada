"""Faults of the device: what it does not send, how it counts, what its clocks say.

Each function marks or changes messages in place; ``never`` and new ids here, loss elsewhere. Which
messages are hit depends on the plan, its seed and the capture alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from publisher_sim.distort.messages import (
    MASK,
    SECOND,
    Counter,
    Message,
    Stream,
    counter_of,
    counters,
    sending_order,
    streams,
)
from publisher_sim.distort.plan import ALL, ANY, Plan, Window

YEAR = 365 * 86_400 * SECOND
NONSENSE = (0, 1, 978_307_200 * SECOND, 3_976_214_400 * SECOND)
"""Times of day one: 1970, a ns later, 2001, 2096."""

Bursts = dict[Stream, dict[int, list[Message]]]


class Choice:
    """Who is hit, and when."""

    def __init__(self, messages: Sequence[Message], window: Window, random: Random) -> None:
        self.bursts: Bursts = streams(messages)
        self.window = window
        self._random = random
        self._names = sorted({stream[2] for stream in self.bursts})

    def names(self, generator: str) -> list[str]:
        """The originators that a plan means. Raises ValueError when there is none of this name."""
        if generator == ALL:
            return self._names
        if generator == ANY and self._names:
            return [self._random.choice(self._names)]
        if generator not in self._names:
            known = ", ".join(self._names) or "none"
            raise ValueError(f"no originator {generator} sends periodically here (known: {known})")
        return [generator]

    def moment(self, length: int = 0) -> int:
        """When it begins, so that ``length`` ns fit."""
        return self.window.moment(self._random.random(), length)

    def period(self, generator: str) -> int:
        """ns between the bursts of an originator's slowest stream."""
        return max(
            (_distance(found) for stream, found in self.bursts.items() if stream[2] == generator),
            default=0,
        )

    def from_moment(self, generator: str, moment: int, count: int | None) -> list[Message]:
        """Messages of ``count`` periods (None: all) of each stream from a moment on."""
        found = []
        for stream, bursts in self.bursts.items():
            if stream[2] == generator:
                numbers = [number for number, burst in bursts.items() if burst[0].at >= moment]
                found += [one for number in numbers[:count] for one in bursts[number]]
        return found


def _distance(bursts: dict[int, list[Message]]) -> int:
    first, last = min(bursts), max(bursts)
    return (bursts[last][0].at - bursts[first][0].at) // max(1, last - first)


def keep_silent(messages: Sequence[Message], choice: Choice, plan: Plan) -> None:
    """Silence for some periods, for good, or until late; ids are closed up."""
    gone = []
    for span in plan.silent:
        for name in choice.names(span.generator):
            moment = choice.moment(span.periods * choice.period(name))
            gone += choice.from_moment(name, moment, span.periods)
    for generator in plan.leave:
        for name in choice.names(generator):
            gone += choice.from_moment(name, choice.moment(), None)
    for generator in plan.join:
        for name in choice.names(generator):
            there = {one.number for one in choice.from_moment(name, choice.moment(), None)}
            gone += [one for one in _all(choice, name) if one.number not in there]
    for one in gone:
        one.never = True
    if gone:
        count_again(messages, {})


def _all(choice: Choice, name: str) -> list[Message]:
    return choice.from_moment(name, 0, None)


def restart(messages: Sequence[Message], choice: Choice, plan: Plan) -> None:
    """Ids of a publisher begin at 0 again, with or without a period that is not sent."""
    moments: dict[int, int] = {}
    for generators, missed in ((plan.restart, 0), (plan.restart_missed, 1)):
        for name in (name for one in generators for name in choice.names(one)):
            publisher = next(one.publisher_id for one in messages if one.generator == name)
            behind = [one for one in messages if one.publisher_id == publisher]
            length = max(choice.period(one) for one in {one.generator for one in behind})
            moments[publisher] = moment = choice.moment(missed * length)
            if missed:
                for other in {one.generator for one in behind}:
                    _miss(choice, other, moment, moment + length)
    if moments:
        count_again(messages, moments)


def _miss(choice: Choice, generator: str, since: int, until: int) -> None:
    """Bursts that begin in a window are not sent."""
    for stream, bursts in choice.bursts.items():
        if stream[2] == generator:
            for burst in bursts.values():
                if since <= burst[0].at < until:
                    for one in burst:
                        one.never = True


def count_again(messages: Sequence[Message], restarts: dict[int, int]) -> None:
    """Give ids anew: none for what was never sent, from 0 after a restart.

    Args:
        messages: in the order in which they arrived; ``rank`` says where they were sent otherwise.
        restarts: header id -> moment of its restart.
    """
    own = counters(messages)
    less: dict[Counter, int] = {}
    restarted = set()
    for one in sending_order(messages):
        key = counter_of(one, own)
        if one.never:
            less[key] = less.get(key, 0) + 1
            continue
        moment = restarts.get(one.publisher_id)
        if moment is not None and one.at >= moment and key not in restarted:
            restarted.add(key)
            less[key] = one.message_id
        one.message_id = (one.message_id - less.get(key, 0)) & MASK


def set_clocks(messages: Sequence[Message], choice: Choice, plan: Plan, random: Random) -> None:
    """Record times move, turn to nonsense, or are left out."""
    for clock in plan.clock:
        always = clock.generator == ALL and not plan.begin
        moment = 0 if always else choice.moment()
        names = set() if always else set(choice.names(clock.generator))
        for one in messages:
            if one.at >= moment and (one.generator in names or clock.generator == ALL):
                _move(one, clock.by)
    if plan.garbage_time:
        for one in messages:
            inside = choice.window.since <= one.at < choice.window.until
            if one.update and inside and random.random() < plan.garbage_time:
                _nonsense(one, random)
    if plan.no_time:
        for one in messages:
            if one.update:
                one.event_time = one.observation_time = None


def _move(message: Message, by: int) -> None:
    if message.event_time is not None:
        message.event_time += by
    if message.observation_time is not None:
        message.observation_time += by


def _nonsense(message: Message, random: Random) -> None:
    chosen = random.randrange(6)
    times = (*NONSENSE, message.time + YEAR, message.time - 3600 * SECOND)
    if message.event_time is not None:
        message.event_time = times[chosen]
    if message.observation_time is not None:
        message.observation_time = times[chosen]
