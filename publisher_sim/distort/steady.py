"""The steady part of a capture again and again, and one originator as many line cards.

Does: find the longest stretch in which no state changes, no id is missing and every originator
sends in each of its periods; append it to itself with times and ids continued; copy an originator.
Does not: rewrite octets.

Rules: everything of a repetition moves by one distance, a whole number of cadences, so that all
originators keep their phases. Originals come before copies; results are in order of arrival.
"""

from __future__ import annotations

from collections import Counter as Count
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from publisher_sim.distort.device import count_again
from publisher_sim.distort.messages import (
    MASK,
    Counter,
    Message,
    copied,
    counter_of,
    counters,
    streams,
)
from publisher_sim.distort.periods import assign


class Steady(Struct):
    """A stretch that can be repeated."""

    before: list[Message]
    """What the capture holds before it: state changes, first attempts."""
    messages: list[Message]
    periods: int
    """Whole periods of the slowest subscription."""
    length: int
    """ns from one repetition to the next."""


def steady_part(messages: Sequence[Message], periods: Mapping[int, int]) -> Steady:
    """The longest steady part.

    Raises:
        ValueError: nothing periodic for at least two periods.
    """
    own = counters(messages)
    best: Steady | None = None
    for stretch in _stretches(messages, own, periods):
        found = _whole_periods(stretch, periods)
        if found is not None and (best is None or found.length > best.length):
            found.before = _before(messages, found.messages[0])
            best = found
    if best is None:
        raise ValueError("the capture has no steady part of two periods to repeat")
    return best


def _before(messages: Sequence[Message], first: Message) -> list[Message]:
    """State changes before the steady part, moved up to it over the updates that are left out."""
    said = [one for one in messages if one.number < first.number and not one.update]
    if not said:
        return []
    skipped = next(one for one in messages if one.number > said[-1].number)
    return [shifted(one, first.at - skipped.at) for one in said]


def repeat(steady: Steady, times: int, periods: Mapping[int, int]) -> list[Message]:
    """The steady part ``times`` times, state changes before it once; periods numbered anew."""
    own = counters(steady.messages)
    ids: dict[Counter, list[int]] = defaultdict(list)
    for one in steady.messages:
        ids[counter_of(one, own)].append(one.message_id)
    spans = {key: (found[-1] - found[0] + 1) & MASK for key, found in ids.items()}
    last = {counter_of(one, own): one.message_id for one in steady.before}
    # what lay between a state change and the steady part left no hole in the ids
    begin = {key: last.get(key, found[0] - 1) + 1 - found[0] for key, found in ids.items()}
    result = copied(steady.before)
    for turn in range(times):
        by = turn * steady.length
        for one in steady.messages:
            key = counter_of(one, own)
            number = (one.message_id + begin[key] + turn * spans[key]) & MASK
            result.append(shifted(one, by, message_id=number))
    return numbered(result, periods)


def clone_cards(
    messages: Sequence[Message],
    periods: Mapping[int, int],
    cards: int,
    *,
    together: bool = False,
    generator: str | None = None,
    alone: bool = False,
) -> list[Message]:
    """One originator's stream as ``cards`` line cards with own ids, counters and phases.

    Args:
        messages: with periods numbered.
        periods: subscription id -> ns.
        cards: 2 or more.
        together: all within a twentieth of the period; else spread over the whole of it.
        generator: who is copied; None for the one with the most messages.
        alone: nothing else stays, neither other originators nor state changes.

    Raises:
        ValueError: nobody to copy.
    """
    sent = Count(one.generator for one in messages if one.period is not None)
    if not sent or (generator is not None and generator not in sent):
        raise ValueError(f"no originator {generator or 'at all'} sends periodically")
    source = generator or max(sent, key=lambda name: (sent[name], name))
    mine = [one for one in messages if one.generator == source and one.period is not None]
    others = [] if alone else _without(messages, {one.number for one in mine})
    names = _names(mine[0].publisher_id, source, cards, {one.generator for one in others})
    for one in others:
        if not one.update:
            one.members = tuple(str(name) for name in names)
    period = max(periods[one.subscription_id] for one in mine if one.subscription_id is not None)
    step = period // (20 * cards) if together else period // cards
    result = others
    for card, name in enumerate(names):
        for place, one in enumerate(mine):
            clone = shifted(one, card * step, message_id=(1000 * card + place) & MASK)
            clone.publisher_id, clone.generator = name, str(name)
            result.append(clone)
    return numbered(result, periods)


def _names(publisher: int, source: str, cards: int, taken: set[str]) -> list[int]:
    """Header ids of the clones, also their names: numbers from the original's on."""
    base = int(source) if source.isdecimal() and int(source) <= MASK - cards else publisher
    free = (base + away for away in range(cards + len(taken) + 1))
    return [number & MASK for number in free if str(number & MASK) not in taken][:cards]


def _without(messages: Sequence[Message], gone: set[int]) -> list[Message]:
    """The others, their ids closed up as if those had never been sent."""
    kept = copied(messages)
    for one in kept:
        one.never = one.number in gone
    count_again(kept, {})
    return [one for one in kept if not one.never]


def shifted(message: Message, by: int, **changes: object) -> Message:
    """A copy, all its times moved by ``by`` ns."""
    clone = replace(message, at=message.at + by, **changes)
    if clone.event_time is not None:
        clone.event_time += by
    if clone.observation_time is not None:
        clone.observation_time += by
    return clone


def numbered(messages: list[Message], periods: Mapping[int, int]) -> list[Message]:
    """In order of arrival, with numbers and periods."""
    messages.sort(key=lambda one: one.at)
    for place, one in enumerate(messages):
        one.number = place
    assign(messages, periods)
    return messages


# --------------------------------------------------------------------------- the steady part
def _stretches(
    messages: Sequence[Message], own: dict[int, bool], periods: Mapping[int, int]
) -> list[list[Message]]:
    """Runs of messages without a break of ids or a state change, others' state changes aside:
    those of a subscription with a run of ids of its own that sent nothing before."""
    found: list[list[Message]] = [[]]
    last: dict[Counter, int] = {}
    for one in messages:
        key = counter_of(one, own)
        before = last.get(key)
        last[key] = one.message_id
        if not one.update:
            if before is not None or not own.get(one.publisher_id):
                found.append([])
            continue
        if before is not None and (before + 1) & MASK != one.message_id:
            found.append([])
        found[-1].append(one)
    return [run for run in found if any(one.subscription_id in periods for one in run)]


def _whole_periods(stretch: list[Message], periods: Mapping[int, int]) -> Steady | None:
    """As many whole periods of a stretch as there are."""
    run = copied(stretch)
    assign(run, periods)
    # who sends in one period only cannot be repeated, and must not end everybody's steady part
    once = [bursts for bursts in streams(run).values() if len(bursts) == 1]
    run = _without(
        run, {one.number for bursts in once for burst in bursts.values() for one in burst}
    )
    cadences = assign(run, periods)
    sent = streams(run)
    if not sent:
        return None
    slowest = max(periods[stream[1]] for stream in cadences if stream[1] is not None)
    cadence = round(
        median(length for stream, length in cadences.items() if periods[stream[1] or 0] == slowest)
    )
    best: tuple[int, int] | None = None
    for burst in (burst for bursts in sent.values() for burst in bursts.values()):
        start = burst[0].at
        if any(_straddles(bursts, start) for bursts in sent.values()):
            continue
        count = int((run[-1].at - start) / cadence + 0.02)
        count = min(_count(bursts, start, run[-1].at, count) for bursts in sent.values())
        if count >= 2 and (best is None or count > best[0]):
            best = count, start
    if best is None:
        return None
    count, start = best
    length = count * cadence
    chosen = {
        one.number
        for stream, bursts in sent.items()
        for one in _chosen(bursts, start, round(length / cadences[stream]))
    }
    others = {
        one.number
        for one in run
        if one.period is None and one.update and start <= one.at < start + length
    }
    return Steady([], [one for one in run if one.number in chosen | others], count, length)


def _straddles(bursts: dict[int, list[Message]], start: int) -> bool:
    return any(burst[0].at < start <= burst[-1].at for burst in bursts.values())


def _count(bursts: dict[int, list[Message]], start: int, end: int, most: int) -> int:
    """Bursts of a stream from ``start`` on, ``most`` at most, that are whole and without a break.

    A burst so near the ``end`` that it may go on behind it does not count.
    """
    longest = max(burst[-1].at - burst[0].at for burst in bursts.values())
    numbers = [number for number, burst in bursts.items() if burst[0].at >= start][:most]
    count = 0
    for place, number in enumerate(numbers):
        if number != numbers[0] + place or bursts[number][0].at + longest > end:
            break
        count += 1
    return count


def _chosen(bursts: dict[int, list[Message]], start: int, count: int) -> list[Message]:
    numbers = [number for number, burst in bursts.items() if burst[0].at >= start][:count]
    return [one for number in numbers for one in bursts[number]]
