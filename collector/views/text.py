"""Words and short texts: times, sentences about a verdict, names that came from a peer.

Rules: everything that a peer can choose (names of generators, devices, texts) goes through
``clean``, or an escape sequence of its choice would reach the operator's terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby

from collector.model import Event, GeneratorCause, Outcome, SubscriptionRow, Verdict

_LONGEST = 200
"""Characters of a peer's text that are shown (ours)."""
_NUMBERS = re.compile(r"(\d{1,18})")


def clean(text: str, longest: int = _LONGEST) -> str:
    """``text`` without control and other unprintable characters, shortened."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:longest])
    return shown if len(text) <= longest else shown + "..."


def clock(ns: int, *, digits: int = 0) -> str:
    """Time of day in UTC: ``12:00:05``, with so many digits of the second's fraction."""
    second, part = divmod(ns, 10**9)
    text = f"{datetime.fromtimestamp(second, UTC):%H:%M:%S}"
    return text if digits == 0 else f"{text}.{part:09d}"[: 9 + digits]


def day_and_clock(ns: int, *, digits: int = 0) -> str:
    """Date and time of day in UTC, as in ``2026-01-31 12:00:05``."""
    return f"{datetime.fromtimestamp(ns // 10**9, UTC):%Y-%m-%d} {clock(ns, digits=digits)}"


def card(generator: str) -> str:
    """A generator in a sentence: a bare number gets a noun, a name speaks for itself."""
    return f"card {generator}" if generator.isdecimal() else clean(generator)


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts ``card 10`` behind ``card 9``."""
    return tuple(
        (0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part)
        for part in _NUMBERS.split(name)
    )


def causes(pairs: Iterable[GeneratorCause]) -> str:
    """``card 3 silent, card 4 lost``."""
    return ", ".join(f"{card(pair.generator)} {pair.cause.value}" for pair in pairs)


def series(verdict: Verdict) -> str:
    """Name of the subscription, or its id where the configuration knows none."""
    name, number = verdict.subscription_name, verdict.subscription_id
    return f"id {number}" if name in ("", str(number)) else clean(name)


def verdict_note(verdict: Verdict) -> str:
    """What there is to say beyond the outcome, in a few words."""
    parts = []
    if verdict.missing:
        parts.append(f"missing: {causes(verdict.missing)}")
    if verdict.degraded:
        parts.append(f"degraded: {causes(verdict.degraded)}")
    if verdict.reason is not None:
        parts.append(verdict.reason.value.replace("_", " "))
    if verdict.outcome is Outcome.UNKNOWN:
        parts.append("nobody said yet who is expected")
    if verdict.unexpected:
        parts.append(f"unexpected: {', '.join(map(card, verdict.unexpected))}")
    if verdict.late_generators:
        parts.append(f"late: {', '.join(map(card, verdict.late_generators))}")
    if verdict.period_to > verdict.period_index:
        parts.append(f"{verdict.period_to - verdict.period_index + 1} periods")
    return "; ".join(parts)


def heard(verdict: Verdict) -> str:
    """``3/4``: generators received of those required."""
    if not verdict.required:
        return str(len(verdict.received))
    return f"{len(set(verdict.required) & set(verdict.received))}/{len(verdict.required)}"


def verdict_line(verdict: Verdict) -> str:
    """One line for a log or a pipe."""
    kind = "" if verdict.amendment == 0 else f" (amendment {verdict.amendment})"
    note = verdict_note(verdict)
    return (
        f"{day_and_clock(verdict.nominal_time, digits=2)}  {clean(verdict.device)}"
        f"  {series(verdict)}  {verdict.outcome.value}{kind}  {heard(verdict)}"
        + (f"  {note}" if note else "")
    )


def event_line(event: Event) -> str:
    """One line for a log or a pipe."""
    return (
        f"{day_and_clock(event.time, digits=2)}  {clean(event.device)}  {clean(event.subject)}"
        f"  {event.kind}  {clean(event.text, 1000)}"
    )


def news(fact: Event | SubscriptionRow) -> str:
    """A short line for somebody who is watching: time of day, and what happened."""
    if isinstance(fact, Event):
        return f"{clock(fact.time)}  {clean(fact.device)}: {clean(fact.text, 1000)}"
    what = f"{clean(fact.device)}: {clean(fact.name) or f'id {fact.id}'}"
    if fact.state != "active":
        why = f" ({clean(fact.reason)})" if fact.reason else ""
        return f"{clock(fact.time)}  {what} {fact.state}{why}"
    return f"{clock(fact.time)}  {what} expects {members(fact.generators)}"


def members(generators: Iterable[str]) -> str:
    """``cards 1 to 4, 7``, or the names."""
    names = sorted(generators, key=natural)
    if not names:
        return "whoever sends; there is no list of generators"
    if len(names) > 1 and all(name.isdecimal() and name.isascii() for name in names):
        return f"cards {', '.join(_runs([int(name) for name in names]))}"
    return ", ".join(map(card, names))


def _runs(numbers: list[int]) -> Iterator[str]:
    """Rising numbers, three and more neighbours as ``1 to 4``."""
    # number minus position stays the same within a run
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        one = [number for _, number in run]
        if len(one) > 2:
            yield f"{one[0]} to {one[-1]}"
        else:
            yield from map(str, one)


def subscription_line(row: SubscriptionRow) -> str:
    """One line for a log or a pipe."""
    members = ", ".join(map(card, row.generators)) or "no list of generators"
    why = f" ({clean(row.reason)})" if row.reason else ""
    return (
        f"{day_and_clock(row.time, digits=2)}  {clean(row.device)}  {clean(row.name)}"
        f" (id {row.id})  {row.state}{why}{_when(row)}: {members}"
    )


def _when(row: SubscriptionRow) -> str:
    """When it is to send, as far as anybody said."""
    if row.stream is not None:
        return f" stream {clean(row.stream)}"
    if row.period_cs is not None:
        return f" every {row.period_cs / 100:g} s"
    return " on change" if row.trigger == "on-change" else ""
